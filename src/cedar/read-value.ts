import { expression, literal, type Expression } from './expression.js';
import { EXTENSION_FUNCTIONS } from './extensions/functions.js';
import { exactLong } from './long.js';
import { exactly, hasMember, mapItems, mapMembers, membersOf, textOf, wellFormed } from './read-json.js';
import { at, Unsupported, type Place } from './refusal.js';
import { entityUid, type EntityUid } from './value.js';

/** Names of types: identifiers joined by `::`. */
const ENTITY_TYPE = /^[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*$/;

/** @throws Unsupported when it is no name of a type */
export function readEntityType(json: unknown, place: Place): string {
  const type = textOf(json, place);
  if (!ENTITY_TYPE.test(type)) throw new Unsupported(`the entity type ${JSON.stringify(type)}`, place);
  return type;
}

/**
 * The name of an entity, as `{ type, id }` or as `{ __entity: { type, id } }`.
 *
 * @throws Unsupported
 */
export function readUid(json: unknown, place: Place): EntityUid {
  if (!hasMember(membersOf(json, place), '__entity')) return readTypeAndId(json, place);
  return readTypeAndId(exactly(json, place, ['__entity'])['__entity'], at(place, '__entity'));
}

function readTypeAndId(json: unknown, place: Place): EntityUid {
  const members = exactly(json, place, ['type', 'id']);
  return entityUid(readEntityType(members['type'], at(place, 'type')), textOf(members['id'], at(place, 'id')));
}

/**
 * A value in Cedar's JSON format: `{ __entity }` is the name of an entity, `{ __extn }` a call of an extension's function
 * (docs.cedarpolicy.com/auth/entities-syntax.html). Only what a policy or a test says may be read by it.
 *
 * @throws Unsupported
 */
export function readValue(json: unknown, place: Place): Expression {
  if (typeof json === 'boolean') return literal(json);
  if (typeof json === 'string') return literal(wellFormed(json, place));
  if (typeof json === 'number' || typeof json === 'bigint') return readLong(json, place);
  if (Array.isArray(json)) {
    return expression({ op: 'set', members: mapItems(json, place, readValue) });
  }
  if (json === null) throw new Unsupported('null', place);
  return readObject(json, place);
}

function readLong(json: number | bigint, place: Place): Expression {
  if (typeof json === 'number' && !Number.isSafeInteger(json)) {
    throw new Unsupported(`the number ${json}, which no double holds exactly or which is no integer`, place);
  }
  const value = exactLong(BigInt(json));
  if (value === null) throw new Unsupported(`the number ${json}, which is longer than 64 bits`, place);
  return literal(value);
}

function readObject(json: unknown, place: Place): Expression {
  const members = membersOf(json, place);
  if (hasMember(members, '__expr')) throw new Unsupported('__expr', place);
  if (hasMember(members, '__entity')) return literal(readUid(json, place));
  if (hasMember(members, '__extn')) return readCall(exactly(json, place, ['__extn'])['__extn'], at(place, '__extn'));
  return record(mapMembers(json, place, readValue));
}

/** A record; the order of its fields says nothing. */
export const record = (fields: readonly (readonly [string, Expression])[]): Expression =>
  expression({ op: 'record', fields: [...fields].sort(([left], [right]) => (left < right ? -1 : 1)) });

function readCall(json: unknown, place: Place): Expression {
  const members = exactly(json, place, ['fn'], ['arg', 'args']);
  if (hasMember(members, 'arg') === hasMember(members, 'args')) throw new Unsupported('a call without its one arg or its args', place);
  const values = hasMember(members, 'args')
    ? mapItems(members['args'], at(place, 'args'), readValue)
    : [readValue(members['arg'], at(place, 'arg'))];
  return callOf(textOf(members['fn'], at(place, 'fn')), values, place);
}

/** @throws Unsupported when there is no such function */
export function callOf(name: string, values: readonly Expression[], place: Place): Expression {
  const call = EXTENSION_FUNCTIONS.get(name);
  if (call === undefined) throw new Unsupported(`the function ${JSON.stringify(name)}`, place);
  return expression({ op: 'call', name, call, values });
}
