import type { JsonObject } from '../kernel/index.js';

/** One tool call with everything that policies may know about it. Each member is described in docs/policy-model.md. */
export interface ToolCall {
  readonly agent: {
    readonly id: string;
    readonly isKnown: boolean;
    readonly classes: readonly string[];
    readonly trust: number;
    readonly autonomous: boolean;
    readonly ownerId: string | null;
  };
  readonly user: {
    readonly id: string;
    /** Of the highest role in the project or above, see ROLE_LEVELS; of a service account, no higher than that of a human behind it. */
    readonly level: number;
    readonly teams: readonly string[];
    /** Of a service account behind which a human is known, whose levels were compared; absent for everybody else. */
    readonly onBehalf?: OnBehalf | null;
  };
  /** The project's line of namespaces, from the organization down to the project itself. */
  readonly projectLine: readonly NamespaceFacts[];
  readonly tool: ToolFacts;
  readonly arguments: JsonObject;
  readonly sessionId: string | null;
  readonly session: SessionFacts;
  readonly circumstances: Circumstances;
  readonly now: Date;
  /** Of the organization: a name of the IANA time zone database. */
  readonly timeZone: string;
  /** What humans have said to this very call; null as long as there is nothing. */
  readonly approval: Approval | null;
  /** Obligations, or kinds of them, that the enforcement point fulfils when a decision names them. */
  readonly promises: readonly string[];
}

/** A service account's own level, and those of the humans behind it. */
export interface OnBehalf {
  readonly ownLevel: number;
  readonly humans: readonly { readonly id: string; readonly level: number }[];
}

/** What the platform said of a namespace itself, whatever lies above it. */
export interface NamespaceFacts {
  readonly id: string;
  readonly kind: 'ORGANIZATION' | 'GROUP' | 'PROJECT';
  /** From 0, public, to 3, restricted; null when the platform has not said. */
  readonly dataClass: number | null;
  readonly isFrozen: boolean;
}

export interface ToolFacts {
  /** Canonical id; of an unknown tool, the name that the caller used. */
  readonly id: string;
  /** Null for an unknown tool. */
  readonly server: string | null;
  readonly isKnown: boolean;
  /** Whether the name is the canonical id of a tool that is registered, but for another part of the organization. */
  readonly isElsewhere: boolean;
  readonly actionType: 'READ' | 'WRITE' | 'DESTROY';
  readonly risk: number;
  readonly definitionDigest: string | null;
  readonly labels: readonly string[];
}

/** What is known of the run so far; null where nobody keeps it. */
export interface SessionFacts {
  readonly labels: readonly string[] | null;
  readonly counts: SessionCounts | null;
}

/** Decisions on the session's calls by verdict, and calls that failed. */
export interface SessionCounts {
  readonly allowed: number;
  readonly asked: number;
  readonly denied: number;
  readonly failed: number;
}

export const SURFACES = ['WEB', 'IDE', 'CLI', 'CI', 'EXTERNAL'] as const;
export const EXECUTION_MODES = ['INTERACTIVE', 'BACKGROUND'] as const;

/** Where and how the call would be made, as the enforcement point says. */
export interface Circumstances {
  readonly environment: string;
  readonly branch: string | null;
  readonly isBranchProtected: boolean;
  readonly surface: (typeof SURFACES)[number];
  readonly executionMode: (typeof EXECUTION_MODES)[number];
}

/** What an enforcement point leaves unsaid is read as what policies are strictest about. */
export const STRICTEST_CIRCUMSTANCES: Circumstances = {
  environment: 'production',
  branch: null,
  isBranchProtected: true,
  surface: 'EXTERNAL',
  executionMode: 'BACKGROUND',
};

export interface Approval {
  /** The lowest of the approvers' levels, see ROLE_LEVELS. */
  readonly level: number;
  /** How many have approved. */
  readonly count: number;
}
