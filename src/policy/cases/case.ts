import type { Approval, ToolCall } from '../tool-call.js';

/** Beside which other policies a case is decided: those in force, none, or one that permits every call. */
export const BESIDES = ['IN_FORCE', 'NOTHING', 'PERMIT_ALL'] as const;
export type Beside = (typeof BESIDES)[number];

/** A call, and what has to be decided of it. */
export interface PolicyCase {
  /** Unique among the policy's cases. */
  readonly name: string;
  readonly call: CaseCall;
  readonly expect: Expectation;
  readonly beside: Beside;
  /** Where it begins in the document, from 1. */
  readonly line: number;
}

/** A call with everything that policies may know about it; but for the namespaces above its project, which are those of the policy. */
export interface CaseCall extends Omit<ToolCall, 'projectLine'> {
  readonly project: CaseProject;
}

export interface CaseProject {
  /** Null: one that there is not, `project`; or that to which the policy is attached. */
  readonly id: string | null;
  /** Between the policy's namespace and the project, from above down. */
  readonly groups: readonly string[];
  readonly dataClass: number | null;
  readonly isFrozen: boolean;
}

export interface Expectation {
  readonly verdict: 'ALLOW' | 'ASK' | 'DENY';
  /** The names of exactly what has to determine the verdict; null: whatever does. */
  readonly reasons: readonly string[] | null;
  /** Exactly what has to be demanded of the enforcement point; null: whatever is. */
  readonly obligations: readonly string[] | null;
  /** Who exactly has to be asked for approval; null: whoever is. */
  readonly approval: Approval | null;
}

/** One problem in a document of cases. */
export interface CasesProblem {
  /** Where: names and places joined by dots, `cases.0.expect.verdict`; empty for the document as a whole. */
  readonly path: string;
  readonly message: string;
  readonly help: string | null;
  /** From 1; null when the problem is with the document as a whole. */
  readonly line: number | null;
  readonly column: number | null;
}
