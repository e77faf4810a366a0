import type { Json } from '../kernel/index.js';

/** What became of a policy last. */
export type PolicyStatus = 'DRAFT' | 'PUBLISHED' | 'RETIRED';
export type Effect = 'PERMIT' | 'FORBID';

/** Whether statements decide calls, or are only evaluated beside those that do. */
export type EnforcementMode = 'ENFORCE' | 'SHADOW';

/** Who writes a policy's text: people, or the rules about tools that it holds. */
export type PolicyOrigin = 'AUTHORED' | 'TOOL_RULES';

/** A named piece of Cedar text, attached to a namespace. */
export interface Policy {
  readonly id: string;
  readonly namespaceId: string;
  readonly name: string;
  readonly description: string | null;
  readonly origin: PolicyOrigin;
  readonly status: PolicyStatus;
  readonly draft: Draft;
  /** 0 before the first publish. */
  readonly latestRevision: number;
  readonly createdAt: Date;
  readonly createdBy: string;
}

/** What an author works on. */
export interface Draft {
  readonly text: string;
  /** From 1; the next with every change. */
  readonly version: number;
  readonly savedAt: Date;
  readonly savedBy: string;
}

/** How and when statements are in force. */
export interface Enforcement {
  readonly mode: EnforcementMode;
  /** The first moment; null: that of the publish. */
  readonly effectiveFrom: Date | null;
  /** The first moment at which they are not any more; null: never. */
  readonly effectiveUntil: Date | null;
}

/** In force at once, for good: what is meant when nothing is said. */
export const AT_ONCE: Enforcement = { mode: 'ENFORCE', effectiveFrom: null, effectiveUntil: null };

/** One version of a policy: published, or retired. Never changes. */
export interface Revision extends Enforcement {
  readonly policyId: string;
  readonly revision: number;
  /** What the policy was from then on. */
  readonly status: 'PUBLISHED' | 'RETIRED';
  readonly text: string;
  readonly statements: readonly Statement[];
  /** SHA-256 of the text, in hexadecimal. */
  readonly digest: string;
  /** Who wrote the text. */
  readonly author: string;
  /** The second person who has looked at exactly this; null when nobody has. */
  readonly reviewer: string | null;
  /** The revision whose text it publishes anew; null when it does not. */
  readonly repeats: number | null;
  readonly message: string | null;
  readonly publishedAt: Date;
  readonly publishedBy: string;
  /** Of the report of the backtest that it was published on; null when there was none. */
  readonly backtestDigest: string | null;
}

/** What a review is of: a draft that is to be published, or a revision that is to be retired. */
export type ReviewSubject = 'PUBLISH' | 'RETIRE';

/** That a second person has looked at a text, and agrees that it comes in force like this, or is taken out of force. */
export interface Review extends Enforcement {
  readonly id: string;
  readonly policyId: string;
  readonly subject: ReviewSubject;
  /** Of the draft's version or, of a retirement, of the latest revision. */
  readonly number: number;
  /** Of the text. */
  readonly digest: string;
  readonly message: string | null;
  readonly reviewedAt: Date;
  readonly reviewedBy: string;
}

/** One `permit` or `forbid` of a text, in Cedar's JSON form. */
export interface Statement {
  readonly effect: Effect;
  readonly est: Json;
}

/** A policy with a revision of it that decides calls or is evaluated beside those that do, and when. */
export interface PolicyInForce extends Enforcement {
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
