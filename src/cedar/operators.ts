import { holds, holdsAll, holdsAny } from './equality.js';
import { add, multiply, subtract, type Long } from './long.js';
import { FAILS, HOLDS, OVERFLOW, TYPE, verdictOfTruth, type Outcome, type Verdict } from './outcome.js';
import type { Value } from './value.js';

const isNumber = (value: Value): value is Long => typeof value === 'number' || typeof value === 'bigint';

/** What `<` and `<=` compare: integers, moments or durations; each only with its own kind. */
function compare(left: Value, right: Value, isTrue: (left: Long, right: Long) => boolean): Verdict {
  if (isNumber(left)) return isNumber(right) ? verdictOfTruth(isTrue(left, right)) : TYPE.verdict;
  if (typeof left !== 'object' || typeof right !== 'object') return TYPE.verdict;
  if (left.kind === 'datetime' && right.kind === 'datetime') return verdictOfTruth(isTrue(left.amount, right.amount));
  if (left.kind === 'duration' && right.kind === 'duration') return verdictOfTruth(isTrue(left.amount, right.amount));
  return TYPE.verdict;
}

export const lessThan = (left: Value, right: Value): Verdict => compare(left, right, (one, other) => one < other);
export const lessOrEqual = (left: Value, right: Value): Verdict => compare(left, right, (one, other) => one <= other);

const arithmetic =
  (calculate: (left: Long, right: Long) => Long | null) =>
  (left: Value, right: Value): Outcome =>
    isNumber(left) && isNumber(right) ? (calculate(left, right) ?? OVERFLOW) : TYPE;

export const plus = arithmetic(add);
export const minus = arithmetic(subtract);
export const times = arithmetic(multiply);
export const negative = (value: Value): Outcome => (isNumber(value) ? (subtract(0, value) ?? OVERFLOW) : TYPE);

const isSet = (value: Value): value is Extract<Value, { kind: 'set' }> => typeof value === 'object' && value.kind === 'set';

export const contains = (set: Value, value: Value): Verdict => (isSet(set) ? verdictOfTruth(holds(set, value)) : TYPE.verdict);
export const containsAll = (set: Value, others: Value): Verdict =>
  isSet(set) && isSet(others) ? verdictOfTruth(holdsAll(set, others)) : TYPE.verdict;
export const containsAny = (set: Value, others: Value): Verdict =>
  isSet(set) && isSet(others) ? verdictOfTruth(holdsAny(set, others)) : TYPE.verdict;
export const isEmpty = (set: Value): Verdict => (isSet(set) ? verdictOfTruth(set.members.length === 0) : TYPE.verdict);

/** The other one of HOLDS and FAILS; an error stays the error that it is. */
export const opposite = (verdict: Verdict): Verdict => {
  if (verdict === HOLDS) return FAILS;
  return verdict === FAILS ? HOLDS : verdict;
};
