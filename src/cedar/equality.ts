import { checkedLong } from './long.js';
import type { Fields, IpAddress, RecordValue, SetValue, Value } from './value.js';

/** Up to this many members a set is searched one by one. */
const SEARCHED = 8;

/** Whether two values are the same. Values of different types never are. */
export function areEqual(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object') return false;
  switch (left.kind) {
    case 'entity':
      return right.kind === 'entity' && left.key === right.key;
    case 'set':
      return right.kind === 'set' && left.members.length === right.members.length && holdsAll(right, left);
    case 'record':
      return right.kind === 'record' && haveEqualFields(left.fields, right.fields);
    case 'ip':
      return right.kind === 'ip' && areEqualAddresses(left, right);
    case 'decimal':
    case 'datetime':
    case 'duration':
      return left.kind === right.kind && left.amount === right.amount;
  }
}

function haveEqualFields(left: Fields, right: Fields): boolean {
  if (left.size !== right.size) return false;
  for (const [name, value] of left) {
    const other = right.get(name);
    if (other === undefined || !areEqual(value, other)) return false;
  }
  return true;
}

const areEqualAddresses = (left: IpAddress, right: IpAddress): boolean =>
  left.version === right.version && left.address === right.address && left.prefix === right.prefix;

/** Whether `value` is one of the members. */
export function holds(set: SetValue, value: Value): boolean {
  if (set.index !== null) return set.index.has(hashKey(value));
  return isOneOf(set.members, value);
}

const isOneOf = (members: readonly Value[], value: Value): boolean => {
  for (const member of members) if (areEqual(member, value)) return true;
  return false;
};

/** Whether every one of `others` is a member. */
export function holdsAll(set: SetValue, others: SetValue): boolean {
  for (const other of others.members) if (!holds(set, other)) return false;
  return true;
}

/** Whether at least one of `others` is a member. */
export function holdsAny(set: SetValue, others: SetValue): boolean {
  for (const other of others.members) if (holds(set, other)) return true;
  return false;
}

/**
 * The set of these values, which may repeat.
 *
 * @throws RangeError when a number among them is no 64-bit integer in its one form (see Long)
 */
export function setOf(values: readonly Value[]): SetValue {
  const members: Value[] = [];
  if (values.length <= SEARCHED) {
    for (const value of values) if (!isOneOf(members, checked(value))) members.push(value);
    return { kind: 'set', members, index: null };
  }
  const index = new Set<string | number | bigint | boolean>();
  for (const value of values) {
    const key = hashKey(checked(value));
    if (index.has(key)) continue;
    index.add(key);
    members.push(value);
  }
  return { kind: 'set', members, index };
}

/**
 * Fields from names and values; of a name that comes twice, the last value.
 *
 * @throws RangeError when a number among them is no 64-bit integer in its one form (see Long)
 */
export function fieldsOf(entries: Iterable<readonly [string, Value]>): Fields {
  const fields = new Map<string, Value>();
  for (const [name, value] of entries) fields.set(name, checked(value));
  return fields;
}

/** The record with these fields. */
export const recordOf = (fields: Fields): RecordValue => ({ kind: 'record', fields });

const checked = (value: Value): Value => (typeof value === 'number' || typeof value === 'bigint' ? checkedLong(value) : value);

/** Equal for equal values and for no others. Most texts are their own key; NUL marks what is not. */
function hashKey(value: Value): string | number | bigint | boolean {
  if (typeof value === 'string') return value.startsWith('\u0000') ? `\u0000s${value}` : value;
  return typeof value === 'object' ? `\u0000${textOf(value)}` : value;
}

/** A text for every value, equal for equal values and for no others. */
function textOf(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  switch (value.kind) {
    case 'entity':
      return `entity ${JSON.stringify(value.key)}`;
    case 'set':
      return `[${value.members.map(textOf).sort().join(',')}]`;
    case 'record':
      return `{${[...value.fields]
        .map(([name, field]) => `${JSON.stringify(name)}:${textOf(field)}`)
        .sort()
        .join(',')}}`;
    case 'ip':
      return `ip ${value.version} ${value.address}/${value.prefix}`;
    case 'decimal':
    case 'datetime':
    case 'duration':
      return `${value.kind} ${value.amount}`;
  }
}
