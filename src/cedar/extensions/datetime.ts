import { add, checkedLong, exactLong, modulo, subtract, type Long } from '../long.js';
import type { Datetime, Duration } from '../value.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The calendar repeats itself after 400 years. */
const CYCLE = 146_097 * DAY;

/**
 * A moment.
 *
 * @param amount milliseconds since 1970 (UTC)
 * @throws RangeError when it is no 64-bit integer in its one form (see Long)
 */
export const datetime = (amount: Long): Datetime => ({ kind: 'datetime', amount: checkedLong(amount) });

/**
 * A length of time.
 *
 * @param amount milliseconds
 * @throws RangeError when it is no 64-bit integer in its one form (see Long)
 */
export const duration = (amount: Long): Duration => ({ kind: 'duration', amount: checkedLong(amount) });

const DATETIME =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{3}))?(?:Z|([+-])([0-9]{2})([0-9]{2})))?$/;

/**
 * A moment written as `2026-11-22`, or with a time as `2026-11-22T09:30:00Z`, milliseconds or not, `Z` or an offset as `+0130`; null
 * when it is not, or no calendar or clock shows it. There is no second 60.
 */
export function parseDatetime(text: string): Datetime | null {
  const match = DATETIME.exec(text);
  if (match === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0] = match
    .slice(1, 8)
    .map((digits) => Number(digits ?? 0));
  const offsetHour = Number(match[9] ?? 0);
  const offsetMinute = Number(match[10] ?? 0);
  // Date reads the years before 100 as those after 1900.
  const midnight = Date.UTC(year + 400, month - 1, day) - CYCLE;
  // A day that the month does not have is one of another month.
  if (new Date(midnight).getUTCMonth() !== month - 1) return null;
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return null;
  const offset = (offsetHour * HOUR + offsetMinute * MINUTE) * (match[8] === '-' ? -1 : 1);
  return datetime(midnight + hour * HOUR + minute * MINUTE + second * SECOND + millisecond - offset);
}

const DURATION = /^(-?)(?=[0-9])(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?$/;

/** A duration written as `1d2h3m4s5ms`, any of them, in this order, `-` before all; null when it is not, or 64 bits do not hold it. */
export function parseDuration(text: string): Duration | null {
  const match = DURATION.exec(text);
  if (match === null) return null;
  const total = [DAY, HOUR, MINUTE, SECOND, 1].reduce((sum, unit, index) => sum + BigInt(match[index + 2] ?? 0) * BigInt(unit), 0n);
  const amount = exactLong(match[1] === '-' ? -total : total);
  return amount === null ? null : duration(amount);
}

/** The moment so much later; null when 64 bits do not hold it. */
export function offset(from: Datetime, by: Duration): Datetime | null {
  const amount = add(from.amount, by.amount);
  return amount === null ? null : datetime(amount);
}

/** How long after `earlier` it is; null when 64 bits do not hold it. */
export function durationSince(later: Datetime, earlier: Datetime): Duration | null {
  const amount = subtract(later.amount, earlier.amount);
  return amount === null ? null : duration(amount);
}

/** The midnight (UTC) before; null when 64 bits do not hold it. */
export function toDate(moment: Datetime): Datetime | null {
  const amount = subtract(moment.amount, modulo(moment.amount, DAY));
  return amount === null ? null : datetime(amount);
}

/** The time since midnight (UTC). */
export const toTime = (moment: Datetime): Duration => duration(modulo(moment.amount, DAY));

/** How many milliseconds a unit has. */
export const UNITS = { milliseconds: 1, seconds: SECOND, minutes: MINUTE, hours: HOUR, days: DAY } as const;
