import type { Long } from './long.js';

/** A value of the Cedar language. Text, numbers and booleans stand for themselves; nothing in them is ever interpreted. */
export type Value = boolean | Long | string | EntityUid | SetValue | RecordValue | Decimal | IpAddress | Datetime | Duration;

/** The name of an entity, whether or not there is one. Made by `entityUid`. */
export interface EntityUid {
  readonly kind: 'entity';
  readonly type: string;
  readonly id: string;
  /** Type and id as one text: two names are the same when their keys are. */
  readonly key: string;
}

/** Members in no order, each once. Made by `setOf`. */
export interface SetValue {
  readonly kind: 'set';
  readonly members: readonly Value[];
  /** The members by their hash keys, where there are too many to compare them all; else null. */
  readonly index: ReadonlySet<string | number | bigint | boolean> | null;
}

/** Attributes, tags or the fields of a record by name. A Map, because a name from outside may be any text, `__proto__` too. */
export type Fields = ReadonlyMap<string, Value>;

/** Made by `recordOf`. */
export interface RecordValue {
  readonly kind: 'record';
  readonly fields: Fields;
}

export interface Decimal {
  readonly kind: 'decimal';
  /** In ten-thousandths. */
  readonly amount: Long;
}

export interface Datetime {
  readonly kind: 'datetime';
  /** In milliseconds since 1970 (UTC, without leap seconds). */
  readonly amount: Long;
}

export interface Duration {
  readonly kind: 'duration';
  /** In milliseconds. */
  readonly amount: Long;
}

/** An address of the internet protocol, or a range of them. */
export interface IpAddress {
  readonly kind: 'ip';
  readonly version: 4 | 6;
  /** The address as written: a number (version 4) or a BigInt (version 6). */
  readonly address: number | bigint;
  /** How many leading bits the range has in common. */
  readonly prefix: number;
  /** The lowest and the highest address of the range. */
  readonly first: number | bigint;
  readonly last: number | bigint;
}

/**
 * The name of an entity.
 *
 * @param id any text
 * @throws RangeError when `type` holds a quotation mark, which no name of a type can
 */
export function entityUid(type: string, id: string): EntityUid {
  if (type.includes('"')) throw new RangeError(`${JSON.stringify(type)} is no entity type.`);
  return { kind: 'entity', type, id, key: `${type}::"${id}"` };
}
