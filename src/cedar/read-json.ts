import { at, Unsupported, type Place } from './refusal.js';

/** Own members of a JSON object by name. */
export type Members = ReadonlyMap<string, unknown>;

/** @throws Unsupported when it is no JSON object */
export function membersOf(json: unknown, place: Place): Members {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Unsupported('something other than an object', place);
  return new Map(Object.entries(json));
}

/**
 * The members of an object that has these, and no others but those that may be missing.
 *
 * @throws Unsupported
 */
export function exactly(json: unknown, place: Place, names: readonly string[], optional: readonly string[] = []): Members {
  const members = membersOf(json, place);
  for (const name of names) if (!members.has(name)) throw new Unsupported(`no member ${name}`, place);
  for (const name of members.keys())
    if (!names.includes(name) && !optional.includes(name)) throw new Unsupported(`the member ${JSON.stringify(name)}`, place);
  return members;
}

/** @throws Unsupported when it is no list */
export function listOf(json: unknown, place: Place): readonly unknown[] {
  if (!Array.isArray(json)) throw new Unsupported('something other than a list', place);
  return json;
}

/** @throws Unsupported when it is no text, or holds half of a surrogate pair, which Cedar has no form for */
export function textOf(json: unknown, place: Place): string {
  if (typeof json !== 'string') throw new Unsupported('something other than a text', place);
  return wellFormed(json, place);
}

/** @throws Unsupported when the text holds half of a surrogate pair, which Cedar has no form for */
export function wellFormed(text: string, place: Place): string {
  if (!text.isWellFormed()) throw new Unsupported('a text that is not well-formed Unicode', place);
  return text;
}

/** Each item with its place. */
export function* itemsOf(json: unknown, place: Place): Generator<readonly [item: unknown, place: Place]> {
  for (const [index, item] of listOf(json, place).entries()) yield [item, at(place, index)];
}
