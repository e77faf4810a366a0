/**
 * A 64-bit integer, Cedar's only number: a number where a double holds it exactly (up to 2^53 - 1 either way), a BigInt beyond. Each
 * integer has one form, so that equal integers are `===`.
 */
export type Long = number | bigint;

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

/** The integer in its one form; null when 64 bits do not hold it. */
export function exactLong(value: bigint): Long | null {
  if (value < MIN || value > MAX) return null;
  // From 2^53 on, rounding to a double never leads back below it: what comes out safe is exact.
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : value;
}

/** @throws RangeError when it is no 64-bit integer in its one form */
export function checkedLong(value: number | bigint): Long {
  if (typeof value === 'number' ? Number.isSafeInteger(value) : exactLong(value) === value) return value;
  throw new RangeError(`${value} is no 64-bit integer.`);
}

// The sum, difference or product of two doubles is rounded only when it is not safe, so a safe one is exact.

/** Null when 64 bits do not hold the sum. */
export function add(left: Long, right: Long): Long | null {
  if (typeof left === 'number' && typeof right === 'number') {
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return exactLong(BigInt(left) + BigInt(right));
}

/** Null when 64 bits do not hold the difference. */
export function subtract(left: Long, right: Long): Long | null {
  if (typeof left === 'number' && typeof right === 'number') {
    const difference = left - right;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return exactLong(BigInt(left) - BigInt(right));
}

/** Null when 64 bits do not hold the product. */
export function multiply(left: Long, right: Long): Long | null {
  if (typeof left === 'number' && typeof right === 'number') {
    const product = left * right;
    // Adding 0 makes 0 of a negative zero.
    if (Number.isSafeInteger(product)) return product + 0;
  }
  return exactLong(BigInt(left) * BigInt(right));
}

/** The quotient without its fraction. */
export function quotient(value: Long, by: number): Long {
  // Only a multiple is divided without being rounded, perhaps to the next integer.
  if (typeof value === 'number') return (value - (value % by)) / by + 0;
  return exactLong(value / BigInt(by)) ?? value;
}

/** What is left of `value` above the next lower multiple of `by`: never negative. */
export function modulo(value: Long, by: number): number {
  const remainder = typeof value === 'number' ? value % by : Number(value % BigInt(by));
  return remainder < 0 ? remainder + by : remainder + 0;
}
