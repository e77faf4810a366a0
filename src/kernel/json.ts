import { randomUUID } from 'node:crypto';

/** A JSON value as `JSON.parse` gives it. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export const isJsonObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The canonical form of a JSON value: sorted keys, no white space, ECMAScript's numbers (RFC 8785).
 *
 * Members that are undefined are left out, as `JSON.stringify` does.
 *
 * @throws RangeError when a string is not well-formed Unicode or a number is not finite: RFC 8785 has no form for them.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return canonicalString(value);
  if (typeof value === 'number') return canonicalNumber(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  // Built piece by piece: lists of members and their texts would cost half of the whole again.
  let text = '';
  if (isJsonObject(value)) {
    for (const key of sorted(Object.keys(value))) {
      const member = value[key];
      if (member !== undefined) text += `${text === '' ? '' : ','}${canonicalName(key)}:${canonicalJson(member)}`;
    }
    return `{${text}}`;
  }
  if (Array.isArray(value)) for (const item of value) text += `${text === '' ? '' : ','}${canonicalJson(item)}`;
  return `[${text}]`;
}

/** Short names as they are written: the same few come with every event. */
const knownNames = new Map<string, string>();
const MOST_KNOWN_NAMES = 2_000;

function canonicalName(name: string): string {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const written = canonicalString(name);
  if (name.length > LONGEST_LOOKED_THROUGH) return written;
  if (knownNames.size >= MOST_KNOWN_NAMES) knownNames.clear();
  knownNames.set(name, written);
  return written;
}

/** By UTF-16 code units, which is what RFC 8785 asks and what sort() does by default. Often they come sorted. */
function sorted(keys: string[]): readonly string[] {
  for (let index = 1; index < keys.length; index += 1) if ((keys[index - 1] ?? '') > (keys[index] ?? '')) return keys.sort();
  return keys;
}

function canonicalNumber(number: number): string {
  if (!Number.isFinite(number)) throw new RangeError('not a finite number');
  return String(number);
}

/** Whether `text` is Unicode that UTF-8 and RFC 8785 have a form for: no half of a surrogate pair. */
export const isWellFormed = (text: string): boolean => text.isWellFormed();

/** Nothing in it is escaped. */
const IS_PLAIN = /^[ !#-[\]-~]*$/;
/** Looking through a longer text takes longer than to have it written. */
const LONGEST_LOOKED_THROUGH = 64;

function canonicalString(text: string): string {
  if (text.length <= LONGEST_LOOKED_THROUGH && IS_PLAIN.test(text)) return `"${text}"`;
  if (!isWellFormed(text)) throw new RangeError('not well-formed Unicode');
  return JSON.stringify(text);
}

/** Stands as the one member of an object where a text had a whole number that a double cannot hold. Nobody else can write it. */
const INEXACT = `not exact ${randomUUID()}`;

/** A double has 53 bits: of whole numbers, only those of 16 digits and more can be lost on it. */
const LONGEST_EXACT = 15;

/** Whether so many digits stand in a row that a number may be lost. They would cover one of every 16th characters: we look at those first. */
function hasLongNumber(text: string): boolean {
  for (let at = LONGEST_EXACT; at < text.length; at += LONGEST_EXACT + 1) {
    if (!isDigit(text, at)) continue;
    let start = at;
    let end = at + 1;
    while (start > 0 && isDigit(text, start - 1)) start -= 1;
    while (end < text.length && isDigit(text, end)) end += 1;
    if (end - start > LONGEST_EXACT) return true;
  }
  return false;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/gs;

/**
 * `JSON.parse`, but a whole number that a double cannot hold does not become another one: `jsonProblem` refuses what stands in its
 * place. Otherwise an account number could pass by the policy that forbids it, and be recorded as a third.
 *
 * @throws SyntaxError when `text` is no JSON
 */
export function parseJson(text: string): Json {
  if (!hasLongNumber(text)) return JSON.parse(text);
  return JSON.parse(text.replace(STRING_OR_NUMBER, (token) => (isExactToken(token) ? token : `{${JSON.stringify(INEXACT)}:0}`)));
}

const isExactToken = (token: string): boolean => !/^-?\d{16,}$/.test(token) || isExactInteger(token);

/** Whether the whole number that `digits` write comes out of a double as it was. */
export function isExactInteger(digits: string): boolean {
  const double = Number(digits);
  // What is longer is infinite, or begins with zeros and is no JSON; reading it as a BigInt would take long.
  return digits.length <= 310 && Number.isFinite(double) && (String(double) === digits || BigInt(double) === BigInt(digits));
}

/**
 * What keeps `value` from being stored, as a path and a sentence; null when nothing does.
 *
 * Nearly always there is nothing, and that is found out without a path for each member.
 */
export function jsonProblem(value: unknown, path: string, maxDepth: number): { readonly path: string; readonly reason: string } | null {
  return isStorable(value, maxDepth) ? null : firstProblem(value, path, maxDepth);
}

/** Whether `value` has no problem. Goes no deeper than `depth`, so hostile nesting costs nothing. */
function isStorable(value: unknown, depth: number): boolean {
  if (depth < 0) return false;
  if (typeof value === 'string') return isWellFormed(value);
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every((item) => !isWorthALook(item) || isStorable(item, depth - 1));
  const members: Readonly<Record<string, unknown>> = { ...value };
  for (const key of Object.keys(members)) {
    if (key === INEXACT || !isWellFormed(key)) return false;
    const member = members[key];
    if (isWorthALook(member) && !isStorable(member, depth - 1)) return false;
  }
  return true;
}

const isWorthALook = (value: unknown): boolean => typeof value === 'object' || typeof value === 'string' || typeof value === 'number';

/** Of what is nested too deep, so many names lead to the member that is named: enough to find it by. */
const NAMED_LEVELS = 2;

/** Walks without recursion, in whatever order: what is found first is named. */
function firstProblem(value: unknown, path: string, maxDepth: number): { readonly path: string; readonly reason: string } | null {
  const open: { readonly value: unknown; readonly path: string; readonly outer: string; readonly depth: number }[] = [
    { value, path, outer: path, depth: 0 },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const problem = problemOf(next.value);
    if (next.depth > maxDepth) return { path: boundedPath(next.outer), reason: `must not be nested deeper than ${maxDepth} levels` };
    if (problem !== null) return { path: boundedPath(next.path), reason: problem };
    if (typeof next.value !== 'object' || next.value === null) continue;
    for (const [key, member] of Object.entries(next.value)) {
      if (!isWorthALook(member)) continue;
      const inner = `${next.path}.${key}`;
      open.push({ value: member, path: inner, outer: next.depth < NAMED_LEVELS ? inner : next.outer, depth: next.depth + 1 });
    }
  }
  return null;
}

/** What would be right of a value, what its members hold left aside; null when it is. */
function problemOf(value: unknown): string | null {
  if (typeof value === 'string' && !isWellFormed(value)) return 'must be well-formed Unicode, without half of a surrogate pair';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'must be a number that a double can hold';
  if (typeof value !== 'object' || value === null) return null;
  if (Object.hasOwn(value, INEXACT)) return 'must be a whole number that a double can hold exactly, or be sent as a string';
  if (!Object.keys(value).every(isWellFormed)) return 'must have member names that are well-formed Unicode';
  return null;
}

const MAX_PATH_CHARACTERS = 300;

/** A path as it is told: names are the sender's, and can be as long as what was sent. */
export const boundedPath = (path: string): string =>
  path.length <= MAX_PATH_CHARACTERS ? path : `${path.slice(0, MAX_PATH_CHARACTERS - 1).toWellFormed()}…`;
