import { verdictOf, type Condition, type Evaluate, type Settle } from './condition.js';
import { containerKeys, isEntity, isWithin, isWithinOneOf } from './dereference.js';
import { areEqual, fieldsOf, recordOf } from './equality.js';
import type { Frame } from './frame.js';
import { opposite } from './operators.js';
import { FAILS, HOLDS, isFailed, outcomeOfVerdict, TYPE, verdictOfOutcome, verdictOfTruth, type Outcome, type Verdict } from './outcome.js';
import type { Value } from './value.js';

// What expressions are compiled to. An operand that failed is what the whole comes to; the left one is looked at first.

export const constant =
  (outcome: Outcome): Evaluate =>
  () =>
    outcome;

export const truthOf =
  (evaluate: Evaluate): Settle =>
  (frame) =>
    verdictOfOutcome(evaluate(frame));

export const valueOf =
  (subject: Condition): Evaluate =>
  (frame) =>
    outcomeOfVerdict(verdictOf(subject, frame));

export const negation =
  (subject: Condition): Settle =>
  (frame) =>
    opposite(verdictOf(subject, frame));

/** The right one decides when the left one came to `goOn`, and is not looked at otherwise. */
export const shortCircuit =
  (left: Condition, goOn: Verdict, right: Condition): Settle =>
  (frame) => {
    const verdict = verdictOf(left, frame);
    return verdict === goOn ? verdictOf(right, frame) : verdict;
  };

/** `if` between conditions. */
export const choice =
  (subject: Condition, consequent: Condition, alternative: Condition): Settle =>
  (frame) => {
    const verdict = verdictOf(subject, frame);
    if (verdict === HOLDS) return verdictOf(consequent, frame);
    return verdict === FAILS ? verdictOf(alternative, frame) : verdict;
  };

/** `if` between values. */
export const selection =
  (subject: Condition, consequent: Evaluate, alternative: Evaluate): Evaluate =>
  (frame) => {
    const verdict = verdictOf(subject, frame);
    if (verdict === HOLDS) return consequent(frame);
    return verdict === FAILS ? alternative(frame) : outcomeOfVerdict(verdict);
  };

/** A condition on one value. */
export const test =
  (subject: Evaluate, apply: (value: Value, frame: Frame) => Verdict): Settle =>
  (frame) => {
    const value = subject(frame);
    return isFailed(value) ? value.verdict : apply(value, frame);
  };

/** A condition on two values. */
export const comparison =
  (left: Evaluate, right: Evaluate, apply: (left: Value, right: Value, frame: Frame) => Verdict): Settle =>
  (frame) => {
    const one = left(frame);
    if (isFailed(one)) return one.verdict;
    const other = right(frame);
    return isFailed(other) ? other.verdict : apply(one, other, frame);
  };

/** A value from one other. */
export const unary =
  (subject: Evaluate, apply: (value: Value, frame: Frame) => Outcome): Evaluate =>
  (frame) => {
    const value = subject(frame);
    return isFailed(value) ? value : apply(value, frame);
  };

/** A value from two others. */
export const binary =
  (left: Evaluate, right: Evaluate, apply: (left: Value, right: Value, frame: Frame) => Outcome): Evaluate =>
  (frame) => {
    const one = left(frame);
    if (isFailed(one)) return one;
    const other = right(frame);
    return isFailed(other) ? other : apply(one, other, frame);
  };

/** A value from any number of others. */
export const variadic =
  (operands: readonly Evaluate[], apply: (values: readonly Value[]) => Outcome): Evaluate =>
  (frame) => {
    const values: Value[] = [];
    for (const operand of operands) {
      const value = operand(frame);
      if (isFailed(value)) return value;
      values.push(value);
    }
    return apply(values);
  };

export function record(names: readonly string[], fields: readonly Evaluate[]): Evaluate {
  return variadic(fields, (values) => recordOf(fieldsOf(values.map((value, index) => [names[index] ?? '', value]))));
}

/** `==`; the constant is null when neither side is one. */
export function equality(left: Evaluate, right: Evaluate, leftConstant: Outcome | null, rightConstant: Outcome | null): Settle {
  if (isPrimitive(rightConstant)) return isSame(left, rightConstant);
  if (isPrimitive(leftConstant)) return isSame(right, leftConstant);
  return comparison(left, right, (one, other) => verdictOfTruth(areEqual(one, other)));
}

const isPrimitive = (outcome: Outcome | null): outcome is Exclude<Value, object> => outcome !== null && typeof outcome !== 'object';

const isSame =
  (subject: Evaluate, wanted: Value): Settle =>
  (frame) => {
    const value = subject(frame);
    if (value === wanted) return HOLDS;
    return isFailed(value) ? value.verdict : FAILS;
  };

/** `in`; the constant is null when the right side is none. */
export function membership(left: Evaluate, right: Evaluate, rightConstant: Outcome | null): Settle {
  const keys = rightConstant === null || isFailed(rightConstant) ? null : containerKeys(rightConstant);
  if (keys === null) return comparison(left, right, isWithin);
  return test(left, (value, frame) => (isEntity(value) ? isWithinOneOf(value, keys, frame) : TYPE.verdict));
}

/** `like` */
export const likeness = (left: Evaluate, fits: (text: string) => boolean): Settle =>
  test(left, (value) => (typeof value === 'string' ? verdictOfTruth(fits(value)) : TYPE.verdict));

/** `is`, or `is … in container`, which is looked at only when the type is the right one. */
export const typeTest = (left: Evaluate, entityType: string, container: Evaluate | null): Settle =>
  test(left, (value, frame) => {
    if (!isEntity(value)) return TYPE.verdict;
    if (value.type !== entityType) return FAILS;
    if (container === null) return HOLDS;
    const outcome = container(frame);
    return isFailed(outcome) ? outcome.verdict : isWithin(value, outcome, frame);
  });
