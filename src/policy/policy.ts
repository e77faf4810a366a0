import type { Json } from '../kernel/index.js';

export type PolicyStatus = 'DRAFT' | 'PUBLISHED' | 'RETIRED';
export type Effect = 'PERMIT' | 'FORBID';

/** A named piece of Cedar text, attached to a namespace. */
export interface Policy {
  readonly id: string;
  readonly namespaceId: string;
  readonly name: string;
  readonly description: string | null;
  readonly status: PolicyStatus;
  readonly draftText: string;
  /** 0 before the first publish. */
  readonly latestRevision: number;
  readonly createdAt: Date;
  readonly createdBy: string;
}

/** One version of a policy: published, or retired. Never changes. */
export interface Revision {
  readonly policyId: string;
  readonly revision: number;
  /** What the policy was from then on. */
  readonly status: 'PUBLISHED' | 'RETIRED';
  readonly text: string;
  readonly statements: readonly Statement[];
  /** SHA-256 of the text, in hexadecimal. */
  readonly digest: string;
  readonly message: string | null;
  readonly publishedAt: Date;
  readonly publishedBy: string;
}

/** One `permit` or `forbid` of a text, in Cedar's JSON form. */
export interface Statement {
  readonly effect: Effect;
  readonly est: Json;
}

/** A policy that decides calls, with the revision that does. */
export interface PolicyInForce {
  readonly id: string;
  readonly name: string;
  readonly namespaceId: string;
  readonly revision: number;
  readonly statements: readonly Statement[];
}

/** One problem in a text. */
export interface PolicyProblem {
  readonly message: string;
  readonly help: string | null;
  /** From 1; null when the problem is with the text as a whole. */
  readonly line: number | null;
  readonly column: number | null;
}
