import { quotient, type Long } from '../long.js';
import { ARITY, EXTENSION, TYPE, type Outcome } from '../outcome.js';
import type { Value } from '../value.js';
import { durationSince, offset, parseDatetime, parseDuration, toDate, toTime, UNITS } from './datetime.js';
import { parseDecimal } from './decimal.js';
import { isInRange, isLoopback, isMulticast, parseIp } from './ip.js';

/** A function of Cedar's extensions; of a method, the first argument is what it is called on. */
export type ExtensionFunction = (values: readonly Value[]) => Outcome;

interface Kinds {
  readonly string: string;
  readonly decimal: Extract<Value, { kind: 'decimal' }>;
  readonly datetime: Extract<Value, { kind: 'datetime' }>;
  readonly duration: Extract<Value, { kind: 'duration' }>;
  readonly ip: Extract<Value, { kind: 'ip' }>;
}
type Kind = keyof Kinds;

function isKind<K extends Kind>(kind: K, value: Value | undefined): value is Kinds[K] {
  return typeof value === 'object' ? value.kind === kind : typeof value === kind;
}

/** A function of one argument of this kind; what it answers with null, it refuses. */
const unary =
  <K extends Kind>(kind: K, apply: (value: Kinds[K]) => Value | null): ExtensionFunction =>
  (values) => {
    if (values.length !== 1) return ARITY;
    const [value] = values;
    return isKind(kind, value) ? (apply(value) ?? EXTENSION) : TYPE;
  };

/** A function of two arguments of these kinds; what it answers with null, it refuses. */
const binary =
  <L extends Kind, R extends Kind>(kinds: readonly [L, R], apply: (left: Kinds[L], right: Kinds[R]) => Value | null): ExtensionFunction =>
  (values) => {
    if (values.length !== 2) return ARITY;
    const [left, right] = values;
    return isKind(kinds[0], left) && isKind(kinds[1], right) ? (apply(left, right) ?? EXTENSION) : TYPE;
  };

const compareDecimals = (holds: (left: Long, right: Long) => boolean): ExtensionFunction =>
  binary(['decimal', 'decimal'], (left, right) => holds(left.amount, right.amount));

const wholeUnits = (milliseconds: number): ExtensionFunction => unary('duration', ({ amount }) => quotient(amount, milliseconds));

/** Every function of the extensions that policies can call, by name. */
export const EXTENSION_FUNCTIONS: ReadonlyMap<string, ExtensionFunction> = new Map([
  ['decimal', unary('string', parseDecimal)],
  ['lessThan', compareDecimals((left, right) => left < right)],
  ['lessThanOrEqual', compareDecimals((left, right) => left <= right)],
  ['greaterThan', compareDecimals((left, right) => left > right)],
  ['greaterThanOrEqual', compareDecimals((left, right) => left >= right)],

  ['ip', unary('string', parseIp)],
  ['isIpv4', unary('ip', ({ version }) => version === 4)],
  ['isIpv6', unary('ip', ({ version }) => version === 6)],
  ['isLoopback', unary('ip', isLoopback)],
  ['isMulticast', unary('ip', isMulticast)],
  ['isInRange', binary(['ip', 'ip'], isInRange)],

  ['datetime', unary('string', parseDatetime)],
  ['duration', unary('string', parseDuration)],
  ['offset', binary(['datetime', 'duration'], offset)],
  ['durationSince', binary(['datetime', 'datetime'], durationSince)],
  ['toDate', unary('datetime', toDate)],
  ['toTime', unary('datetime', toTime)],
  ['toMilliseconds', wholeUnits(UNITS.milliseconds)],
  ['toSeconds', wholeUnits(UNITS.seconds)],
  ['toMinutes', wholeUnits(UNITS.minutes)],
  ['toHours', wholeUnits(UNITS.hours)],
  ['toDays', wholeUnits(UNITS.days)],
]);
