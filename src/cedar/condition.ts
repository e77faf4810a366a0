import type { Frame } from './frame.js';
import type { Outcome, Verdict } from './outcome.js';

/** Works out a value. */
export type Evaluate = (frame: Frame) => Outcome;
/** Works out whether a condition holds. */
export type Settle = (frame: Frame) => Verdict;

/** A condition that remembers what it came to for the latest frame. However many policies hold it, there is one of it. */
export interface Condition {
  readonly settle: Settle;
  stamp: number;
  verdict: Verdict;
}

export const condition = (settle: Settle): Condition => ({ settle, stamp: 0, verdict: 0 });

/** Whether the condition holds; worked out once for a frame. */
export function verdictOf(subject: Condition, frame: Frame): Verdict {
  if (subject.stamp === frame.stamp) return subject.verdict;
  const verdict = subject.settle(frame);
  subject.verdict = verdict;
  subject.stamp = frame.stamp;
  return verdict;
}
