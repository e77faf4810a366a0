import { at, Unsupported, type Place } from './refusal.js';

/** A JSON object. Only what `hasMember` or `exactly` has found may be read from it: anything else could come from its prototype. */
export type Members = Readonly<Record<string, unknown>>;

const isObject = (json: unknown): json is Members => typeof json === 'object' && json !== null && !Array.isArray(json);

/** @throws Unsupported when it is no JSON object */
export function membersOf(json: unknown, place: Place): Members {
  if (!isObject(json)) throw new Unsupported('something other than an object', place);
  return json;
}

export const hasMember = (members: Members, name: string): boolean => Object.hasOwn(members, name);

/**
 * The members of an object that has these, and no others but those that may be missing.
 *
 * @throws Unsupported
 */
export function exactly(json: unknown, place: Place, names: readonly string[], optional: readonly string[] = []): Members {
  const members = membersOf(json, place);
  for (const name of names) if (!hasMember(members, name)) throw new Unsupported(`no member ${name}`, place);
  for (const name of Object.keys(members))
    if (!names.includes(name) && !optional.includes(name)) throw new Unsupported(`the member ${JSON.stringify(name)}`, place);
  return members;
}

/**
 * What `read` makes of each item of a list.
 *
 * @throws Unsupported when it is no list
 */
export function mapItems<Item>(json: unknown, place: Place, read: (item: unknown, place: Place) => Item): readonly Item[] {
  if (!Array.isArray(json)) throw new Unsupported('something other than a list', place);
  return json.map((item: unknown, index) => read(item, at(place, index)));
}

/** What `read` makes of each member of an object, with its name. */
export function mapMembers<Item>(
  json: unknown,
  place: Place,
  read: (item: unknown, place: Place) => Item,
): readonly (readonly [name: string, item: Item])[] {
  return Object.entries(membersOf(json, place)).map(([name, item]) => {
    const inside = at(place, name);
    return [wellFormed(name, inside), read(item, inside)];
  });
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
