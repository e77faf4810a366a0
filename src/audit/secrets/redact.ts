import { isJsonObject, type Json, type JsonObject } from '../../kernel/index.js';
import { coversNumber, secretName, type SecretName } from './names.js';
import { isRedacted, marker, redactText, type SecretScanner } from './spans.js';

/** The most places that `redacted` names. */
export const MAX_REDACTED = 100;
const LONGEST_PATH = 300;

export interface Redacted {
  /** The value without secrets: the very same one when it held none. */
  readonly value: Json;
  /**
   * Where a secret was: paths such as `data.tool_args.headers.Authorization` or `data.items.0`, sorted, each once, of at most 300
   * characters. Beyond 100 of them the last entry is `and 7 more`.
   */
  readonly redacted: readonly string[];
}

interface Walk {
  readonly scan: SecretScanner;
  readonly path: (string | number)[];
  readonly found: Set<string>;
}

/**
 * Replaces each secret in a value by `[REDACTED:rule]`: the part of a string that is one, and all of a string (or a number, as
 * PINs are) that stands under a name which announces it. A secret in a member's name is replaced too. `path` names the value.
 *
 * The same value always has the same result, and the result itself holds nothing to be redacted. Nested at most 64 levels.
 */
export function redact(scan: SecretScanner, value: Json, path: string): Redacted {
  const walk: Walk = { scan, path: [path], found: new Set() };
  const clean = cleaned(walk, value, null);
  return { value: clean, redacted: walk.found.size === 0 ? [] : listed(walk.found) };
}

function cleaned(walk: Walk, value: Json, name: SecretName | null): Json {
  if (typeof value === 'string') return cleanedText(walk, value, name);
  if (typeof value === 'number') return name !== null && coversNumber(name, value) ? note(walk, marker(name.rule)) : value;
  if (typeof value !== 'object' || value === null) return value;
  return isJsonObject(value) ? cleanedObject(walk, value) : cleanedItems(walk, value, name);
}

function cleanedText(walk: Walk, text: string, name: SecretName | null): string {
  const marked = markerFor(name, text);
  if (marked !== null) return note(walk, marked);
  const clean = redactText(walk.scan, text);
  return clean === text ? text : note(walk, markerFor(name, clean) ?? clean);
}

/** The name's marker, where it covers `text`; null otherwise. */
const markerFor = (name: SecretName | null, text: string): string | null =>
  name !== null && !isRedacted(text) && name.covers(text) ? marker(name.rule) : null;

/** A secret's name covers the items of a list; in a list of arguments, `--password` covers the next. */
function cleanedItems(walk: Walk, items: readonly Json[], name: SecretName | null): Json {
  let isClean = true;
  const clean = items.map((item, index) => {
    walk.path.push(index);
    const result = cleaned(walk, item, name ?? flagIn(items[index - 1]));
    walk.path.pop();
    isClean &&= result === item;
    return result;
  });
  return isClean ? items : clean;
}

const flagIn = (item: Json | undefined): SecretName | null =>
  typeof item === 'string' && item.startsWith('--') ? secretName(item.slice(2)) : null;

function cleanedObject(walk: Walk, object: JsonObject): Json {
  const keys = Object.keys(object);
  // Nearly always there is nothing to change: what would be is remembered only then.
  const changed = new Map<string, { readonly name: string; readonly value: Json }>();
  for (const key of keys) {
    const name = cleanedName(walk, key);
    walk.path.push(name);
    if (name !== key) note(walk, name);
    const value = object[key] ?? null;
    const result = cleaned(walk, value, secretName(key) ?? pairedName(object, key));
    walk.path.pop();
    if (name !== key || result !== value) changed.set(key, { name, value: result });
  }
  if (changed.size === 0) return object;
  const members = keys.map((key) => ({ key, ...(changed.get(key) ?? { name: key, value: object[key] ?? null }) }));
  const names = distinctNames(members);
  return Object.fromEntries(members.map(({ key, value }) => [names.get(key) ?? key, value]));
}

/** The name of a value in a list of pairs, as headers and environments are written: `{"name": "DB_PASSWORD", "value": …}`. */
function pairedName(object: JsonObject, key: string): SecretName | null {
  if (key !== 'value' && key !== 'Value') return null;
  const name = object['name'] ?? object['key'] ?? object['Name'] ?? object['Key'];
  return typeof name === 'string' ? secretName(name) : null;
}

/** No token is shorter, and few member names are as long. */
const SHORTEST_TOKEN = 16;

const cleanedName = (walk: Walk, key: string): string => (key.length < SHORTEST_TOKEN ? key : redactText(walk.scan, key));

interface Member {
  readonly key: string;
  readonly name: string;
}

/** Members whose names are the same without their secrets are numbered, in the order of the names that they had. */
function distinctNames(members: readonly Member[]): ReadonlyMap<string, string> {
  const changed = members.filter(({ key, name }) => key !== name).toSorted((left, right) => (left.key < right.key ? -1 : 1));
  const taken = new Set(members.filter(({ key, name }) => key === name).map(({ key }) => key));
  const counts = new Map<string, number>();
  const names = new Map<string, string>();
  for (const { key, name } of changed) {
    let count = counts.get(name) ?? 1;
    while (taken.has(numbered(name, count))) count++;
    counts.set(name, count + 1);
    taken.add(numbered(name, count));
    names.set(key, numbered(name, count));
  }
  return names;
}

const numbered = (name: string, count: number): string => (count === 1 ? name : `${name} (${count})`);

function note(walk: Walk, clean: string): string {
  const path = walk.path.join('.');
  walk.found.add(path.length <= LONGEST_PATH ? path : `${path.slice(0, LONGEST_PATH - 1).replace(/[\ud800-\udbff]$/, '')}…`);
  return clean;
}

function listed(found: ReadonlySet<string>): readonly string[] {
  const paths = [...found].sort();
  return paths.length <= MAX_REDACTED ? paths : [...paths.slice(0, MAX_REDACTED), `and ${paths.length - MAX_REDACTED} more`];
}
