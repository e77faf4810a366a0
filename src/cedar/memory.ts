import { verdictOf, type Condition } from './condition.js';
import type { Frame } from './frame.js';
import { FAILS, HOLDS, isError, type Verdict } from './outcome.js';

/**
 * What the conditions of a set of policies came to in the latest evaluation, side by side: thousands of policies are looked at for one
 * request, and what lies apart would have to be fetched from memory one by one.
 */
export interface Memory {
  readonly conditions: readonly Condition[];
  verdicts: Int32Array;
  latest: number;
}

/** One evaluation. */
export interface Run {
  readonly frame: Frame;
  readonly conditions: readonly Condition[];
  /** Of each condition, the number of the evaluation that it was last worked out in, and below that what it came to. */
  readonly verdicts: Int32Array;
  readonly number: number;
}

/** Bits that hold a verdict. */
const VERDICT_BITS = 4;
const VERDICT_MASK = (1 << VERDICT_BITS) - 1;
const LAST_NUMBER = 2 ** (31 - VERDICT_BITS) - 1;

export const memoryFor = (conditions: readonly Condition[]): Memory => ({
  conditions,
  verdicts: new Int32Array(conditions.length),
  latest: 0,
});

/** Begins an evaluation. */
export function runOf(memory: Memory, frame: Frame): Run {
  if (memory.latest === LAST_NUMBER) {
    // Numbers begin anew, and so does everything that is remembered under them.
    memory.verdicts = new Int32Array(memory.conditions.length);
    memory.latest = 0;
  }
  memory.latest += 1;
  return { frame, conditions: memory.conditions, verdicts: memory.verdicts, number: memory.latest };
}

/** What a condition comes to; worked out once in an evaluation. */
function verdictIn(run: Run, index: number): Verdict {
  const known = run.verdicts[index] ?? 0;
  if (known >>> VERDICT_BITS === run.number) return known & VERDICT_MASK;
  const found = run.conditions[index];
  if (found === undefined) throw new Error('A policy refers to a condition of another set.');
  const verdict = verdictOf(found, run.frame);
  run.verdicts[index] = (run.number << VERDICT_BITS) | verdict;
  return verdict;
}

/**
 * Policies in a row of numbers: of each, which one it is, how many requirements it has, and those. A requirement is twice the index of
 * its condition, and one more when that must hold.
 */
export type Rows = Int32Array;

/** The place of the policy after the one at `place`. */
export const placeAfter = (rows: Rows, place: number): number => place + 2 + (rows[place + 1] ?? 0);

/** Which policy it is. */
export const policyAt = (rows: Rows, place: number): number => rows[place] ?? 0;

/** Whether all requirements of the policy at `place` are met; the first that is not decides. */
export function verdictAt(rows: Rows, place: number, run: Run): Verdict {
  const end = placeAfter(rows, place);
  for (let at = place + 2; at < end; at += 1) {
    const requirement = rows[at] ?? 0;
    const verdict = verdictIn(run, requirement >> 1);
    if (verdict !== (requirement & 1)) return isError(verdict) ? verdict : FAILS;
  }
  return HOLDS;
}
