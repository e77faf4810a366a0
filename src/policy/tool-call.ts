import type { JsonObject } from '../kernel/index.js';

/** One tool call with everything that policies may know about it. */
export interface ToolCall {
  readonly agent: {
    readonly id: string;
    readonly isKnown: boolean;
    readonly classes: readonly string[];
    readonly trust: number;
    readonly autonomous: boolean;
    readonly ownerId: string | null;
  };
  readonly user: { readonly id: string; /** Of the highest role in the project or above, see ROLE_LEVELS. */ readonly level: number };
  /** The project's line of namespaces, from the organization down to the project itself. */
  readonly projectLine: readonly { readonly id: string; readonly kind: 'ORGANIZATION' | 'GROUP' | 'PROJECT' }[];
  readonly tool: ToolFacts;
  readonly arguments: JsonObject;
  readonly sessionId: string | null;
  readonly now: Date;
}

export interface ToolFacts {
  /** Canonical id; of an unknown tool, the name that the caller used. */
  readonly id: string;
  /** Null for an unknown tool. */
  readonly server: string | null;
  readonly isKnown: boolean;
  readonly actionType: 'READ' | 'WRITE' | 'DESTROY';
  readonly risk: number;
  readonly definitionDigest: string | null;
}
