import { constantOf } from './compile.js';
import { lineOf, readerOf, type EntityNode, type EntityReader } from './entities.js';
import { recordOf } from './equality.js';
import type { Request } from './frame.js';
import { codeOf, isFailed } from './outcome.js';
import { exactly, mapItems, mapMembers } from './read-json.js';
import { readUid, readValue } from './read-value.js';
import { at, START, Unsupported, type Place } from './refusal.js';
import type { Datetime, Decimal, Duration, EntityUid, Fields, IpAddress, Value } from './value.js';

// Cedar's JSON format gives meaning to some names of members (`__entity`, `__extn`). What comes from outside must not pass through
// here: it is put into values as the text that it is.

/**
 * A value in Cedar's JSON format (docs.cedarpolicy.com/auth/entities-syntax.html). Integers beyond 2^53 are given as BigInts.
 *
 * @throws Unsupported when it is none
 */
export const valueFromJson = (json: unknown): Value => valueAt(json, START);

function valueAt(json: unknown, place: Place): Value {
  const outcome = constantOf(readValue(json, place));
  if (outcome === null) throw new Error('A value in JSON depends on no request.');
  if (isFailed(outcome)) throw new Unsupported(`a value that cannot be worked out (${codeOf(outcome.verdict)})`, place);
  return outcome;
}

const fieldsAt = (json: unknown, place: Place): Fields => new Map(mapMembers(json, place, valueAt));

/**
 * A request: `{ principal, action, resource, context }`.
 *
 * @throws Unsupported when it is none
 */
export function requestFromJson(json: unknown): Request {
  const members = exactly(json, START, ['principal', 'action', 'resource', 'context']);
  const uid = (party: string): EntityUid => readUid(members[party], at(START, party));
  const context = recordOf(fieldsAt(members['context'], at(START, 'context')));
  return { principal: uid('principal'), action: uid('action'), resource: uid('resource'), context };
}

/**
 * Entities: a list of `{ uid, attrs, parents, tags? }`.
 *
 * @throws Unsupported when it is none, names an entity twice, or has one that lies in itself
 */
export function entitiesFromJson(json: unknown): EntityReader {
  const entities = new Map<string, EntityNode>();
  const listed = mapItems(json, START, (item, place) => {
    const members = exactly(item, place, ['uid', 'attrs', 'parents'], ['tags']);
    const uid = readUid(members['uid'], at(place, 'uid'));
    if (entities.has(uid.key)) throw new Unsupported(`${uid.key} a second time`, place);
    entities.set(uid.key, {
      attributes: fieldsAt(members['attrs'], at(place, 'attrs')),
      tags: fieldsAt(members['tags'] ?? {}, at(place, 'tags')),
      parents: mapItems(members['parents'], at(place, 'parents'), readUid),
    });
    return { uid, place };
  });
  const read = readerOf(entities);
  for (const { uid, place } of listed) if (liesInItself(uid, read)) throw new Unsupported(`${uid.key}, which lies in itself,`, place);
  return read;
}

const liesInItself = (uid: EntityUid, read: EntityReader): boolean =>
  (read(uid)?.parents ?? []).some((parent) => lineOf(parent, read(parent), read).uids.some(({ key }) => key === uid.key));

/** The value in Cedar's JSON format: what `valueFromJson` reads. Integers beyond 2^53 become BigInts. */
export function valueToJson(value: Value): unknown {
  if (typeof value !== 'object') return value;
  switch (value.kind) {
    case 'entity':
      return { __entity: { type: value.type, id: value.id } };
    case 'set':
      return value.members.map(valueToJson);
    case 'record':
      return Object.fromEntries([...value.fields].map(([name, field]) => [name, valueToJson(field)]));
    default:
      return callFor(value);
  }
}

const call = (fn: string, ...args: readonly unknown[]): unknown => ({
  __extn: { fn, ...(args.length === 1 ? { arg: args[0] } : { args }) },
});

/** A call of the function that makes the value. */
function callFor(value: Decimal | IpAddress | Datetime | Duration): unknown {
  switch (value.kind) {
    case 'decimal': {
      const digits = String(value.amount).replace('-', '').padStart(5, '0');
      return call('decimal', `${value.amount < 0 ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`);
    }
    case 'ip':
      return call('ip', `${value.version === 4 ? dotted(Number(value.address)) : colons(BigInt(value.address))}/${value.prefix}`);
    case 'datetime':
      // The constructor knows the years from 0 to 9999 alone.
      return call('offset', call('datetime', '1970-01-01'), call('duration', `${value.amount}ms`));
    case 'duration':
      return call('duration', `${value.amount}ms`);
  }
}

const dotted = (address: number): string => [24, 16, 8, 0].map((bits) => Math.floor(address / 2 ** bits) % 256).join('.');
const colons = (address: bigint): string =>
  Array.from({ length: 8 }, (_, group) => ((address >> BigInt(112 - 16 * group)) & 0xffffn).toString(16)).join(':');
