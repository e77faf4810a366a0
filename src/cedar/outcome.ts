import type { Value } from './value.js';

/**
 * Why an expression has no value: an operand of the wrong type, an integer beyond 64 bits, an attribute or a tag that is not there or
 * whose entity is not, a function that refuses its arguments or gets too many or too few of them.
 */
export type ErrorCode = 'TYPE' | 'OVERFLOW' | 'NO_ATTRIBUTE' | 'NO_TAG' | 'NO_ENTITY' | 'EXTENSION' | 'ARITY';

/** In place of a value. */
export interface Failed {
  readonly kind: 'failed';
  readonly verdict: Verdict;
}

/** What an expression comes to. Errors are values too, because exceptions would cost more than everything else. */
export type Outcome = Value | Failed;

/** What a condition comes to: FAILS, HOLDS, or above them the number of an error. */
export type Verdict = number;
export const FAILS: Verdict = 0;
export const HOLDS: Verdict = 1;

const CODES: readonly ErrorCode[] = ['TYPE', 'OVERFLOW', 'NO_ATTRIBUTE', 'NO_TAG', 'NO_ENTITY', 'EXTENSION', 'ARITY'];

const failed = (code: ErrorCode): Failed => ({ kind: 'failed', verdict: HOLDS + 1 + CODES.indexOf(code) });

export const TYPE = failed('TYPE');
export const OVERFLOW = failed('OVERFLOW');
export const NO_ATTRIBUTE = failed('NO_ATTRIBUTE');
export const NO_TAG = failed('NO_TAG');
export const NO_ENTITY = failed('NO_ENTITY');
export const EXTENSION = failed('EXTENSION');
export const ARITY = failed('ARITY');

const FAILURES: readonly Failed[] = [TYPE, OVERFLOW, NO_ATTRIBUTE, NO_TAG, NO_ENTITY, EXTENSION, ARITY];

export const isError = (verdict: Verdict): boolean => verdict > HOLDS;

/** The code of an error; null of a condition that holds or fails. */
export const codeOf = (verdict: Verdict): ErrorCode | null => CODES[verdict - HOLDS - 1] ?? null;

export const isFailed = (outcome: Outcome): outcome is Failed => typeof outcome === 'object' && outcome.kind === 'failed';

export const verdictOfTruth = (isTrue: boolean): Verdict => (isTrue ? HOLDS : FAILS);

/** A condition must be a boolean. */
export function verdictOfOutcome(outcome: Outcome): Verdict {
  if (outcome === true) return HOLDS;
  if (outcome === false) return FAILS;
  return isFailed(outcome) ? outcome.verdict : TYPE.verdict;
}

/** A condition as a value. */
export const outcomeOfVerdict = (verdict: Verdict): Outcome => FAILURES[verdict - HOLDS - 1] ?? verdict === HOLDS;
