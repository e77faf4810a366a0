import type { z } from 'zod';
import { isWellFormed, jsonProblem, parseJson } from '../../kernel/index.js';
import { placeOf } from '../guard.js';
import { nearestWord } from '../nearest-word.js';
import type { CasesProblem, PolicyCase } from './case.js';
import { CasesDocument, MEMBERS } from './document.js';
import { placesIn, type JsonPlaces } from './json-places.js';

/** The longest document of cases, in bytes of UTF-8. */
export const MAX_CASES_BYTES = 256 * 1024;
/** The deepest that a document may nest: as deep as the arguments of a call, within a case. */
const MAX_DEPTH = 64;

/** What a document of cases says, or everything that is wrong with it, in the order of the text. */
export type ReadCases = { readonly cases: readonly PolicyCase[] } | { readonly problems: readonly CasesProblem[] };

/** Reads a policy's cases; null when it has none. Pure. */
export function readCases(document: string | null): ReadCases {
  if (document === null) return { cases: [] };
  const bytes = Buffer.byteLength(document);
  if (bytes > MAX_CASES_BYTES) return asAWhole(`The cases have ${bytes} bytes; at most ${MAX_CASES_BYTES} are allowed.`);
  if (!isWellFormed(document)) return asAWhole('The cases are not well-formed Unicode.');
  const places = placesIn(document, MAX_DEPTH);
  if ('index' in places)
    return { problems: [{ path: '', message: `This is no JSON. ${places.message}`, help: null, ...placeOf(document, places.index) }] };
  const at = new Placing(document, places);
  const value = parseJson(document);
  const problems = places.repeated.map((path) => at.problem(path, 'is there twice', 'Take one of the two out.'));
  const unstorable = jsonProblem(value, ROOT, MAX_DEPTH + 1);
  if (unstorable !== null) problems.push(at.problem(unstorable.path.slice(ROOT.length + 1), unstorable.reason));
  const read = CasesDocument.safeParse(value, { reportInput: true });
  if (!read.success) problems.push(...read.error.issues.flatMap((issue) => at.problemsOf(issue)));
  else problems.push(...repeatedNames(read.data).map((index) => at.problem(`cases.${index}.name`, 'is the name of another case already')));
  return read.success && problems.length === 0 ? { cases: read.data } : { problems: inOrder(problems) };
}

const ROOT = '$';

const asAWhole = (message: string): ReadCases => ({ problems: [{ path: '', message, help: null, line: null, column: null }] });

/** Problems with the places of what they are about. */
class Placing {
  readonly #text: string;
  readonly #places: JsonPlaces;

  constructor(text: string, places: JsonPlaces) {
    this.#text = text;
    this.#places = places;
  }

  problem(path: string, message: string, help: string | null = null): CasesProblem {
    // Of what is missing, the place of what it is missing in.
    const index = this.#places.at.get(path) ?? this.#places.at.get(path.slice(0, Math.max(0, path.lastIndexOf('.')))) ?? 0;
    return { path, message: path === '' ? `The document ${message}.` : `${path} ${message}.`, help, ...placeOf(this.#text, index) };
  }

  problemsOf(issue: z.core.$ZodIssue): readonly CasesProblem[] {
    const path = issue.path.join('.');
    if (issue.code !== 'unrecognized_keys') return [this.problem(path, issue.message, wordMeant(issue))];
    const known = MEMBERS[issue.path.filter((part) => typeof part === 'string').join('.')] ?? [];
    return issue.keys.map((key) => {
      const meant = nearestWord(key, known);
      const help = meant === null ? `There can be: ${known.join(', ')}.` : `Did you mean “${meant}”?`;
      return this.problem(path === '' ? key : `${path}.${key}`, 'is not known', help);
    });
  }
}

/** Of a word that is none of those that can stand there, the one that is nearest. */
function wordMeant(issue: z.core.$ZodIssue): string | null {
  if (issue.code !== 'invalid_value' || typeof issue.input !== 'string') return null;
  const meant = nearestWord(
    issue.input,
    issue.values.flatMap((value) => (typeof value === 'string' ? [value] : [])),
  );
  return meant === null ? null : `Did you mean “${meant}”?`;
}

/** Places of cases whose name an earlier one has. */
function repeatedNames(cases: readonly PolicyCase[]): readonly number[] {
  const taken = new Set<string>();
  return cases.flatMap(({ name }, index) => {
    if (taken.has(name)) return [index];
    taken.add(name);
    return [];
  });
}

const inOrder = (problems: readonly CasesProblem[]): readonly CasesProblem[] =>
  [...problems].sort((left, right) => (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0));
