import type { PolicyInForce } from '../policy.js';
import type { Evaluation } from '../evaluate.js';
import type { ToolCall } from '../tool-call.js';

/** What both evaluators are asked: calls, about policies that are to come in force, beside those that are. */
export interface EngineQuestion {
  readonly own: readonly PolicyInForce[];
  readonly beside: readonly PolicyInForce[];
  readonly calls: readonly ToolCall[];
  /** How many of the calls, from the first, are evaluated as they would be decided; of the others each statement of `own` alone is asked. */
  readonly decided: number;
}

/** Where two evaluators do not say the same. */
export interface EngineDifference {
  /** The place of the call among those that were asked about. */
  readonly call: number;
  /** The statements that are not evaluated alike, each by its policy and its place in it; never empty. */
  readonly statements: readonly StatementPlace[];
  /** What each said, for the log. */
  readonly said: readonly [ours: string, reference: string];
}

export interface StatementPlace {
  readonly policyId: string;
  /** From 0. */
  readonly index: number;
}

/** Compares what decides with Cedar itself, beside everything else that this process does. */
export interface EngineComparison {
  /** Says that a question will come soon: what takes long is made ready. */
  expect(): void;
  /** The first difference; null when both say the same to every call. */
  compare(question: EngineQuestion): Promise<EngineDifference | null>;
  /** Ends whatever is kept for the next question. */
  close(): Promise<void>;
}

/** Cedar itself, beside everything else that this process does. */
export interface Reference {
  /**
   * What Cedar makes of a call. The list of policies is taken for the same as long as it is the same object.
   *
   * @throws Error when it cannot tell
   */
  evaluate(policies: readonly PolicyInForce[], call: ToolCall): Promise<Evaluation>;
  /** Ends whatever is kept for the next call. */
  close(): Promise<void>;
}

/**
 * What the thread is told: some more policies of a set, each by its name and, when it has not come before, as it is; that a set is not
 * needed any more. And what it is asked: a call.
 */
export type ReferenceQuestion =
  | { readonly set: number; readonly policies: readonly (readonly [name: string, policy: PolicyInForce | null])[] }
  | { readonly set: number; readonly call: ToolCall }
  | { readonly drop: number };
