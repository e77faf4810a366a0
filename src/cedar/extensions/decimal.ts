import { exactLong } from '../long.js';
import type { Decimal } from '../value.js';

/** A decimal of up to four places, written as `-12.34`; null when it is not written so, or 64 bits do not hold its ten-thousandths. */
export function parseDecimal(text: string): Decimal | null {
  const [, sign, whole, places] = /^(-?)([0-9]+)\.([0-9]{1,4})$/.exec(text) ?? [];
  if (whole === undefined || places === undefined) return null;
  const amount = exactLong(BigInt(`${whole}${places.padEnd(4, '0')}`) * (sign === '-' ? -1n : 1n));
  return amount === null ? null : { kind: 'decimal', amount };
}
