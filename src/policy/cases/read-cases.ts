import type { z } from 'zod';
import { isJsonObject, isWellFormed, jsonProblem, parseJson, type Json } from '../../kernel/index.js';
import { nearestWord } from '../nearest-word.js';
import { seatProblems, type LineSeat } from './case-call.js';
import type { CasesProblem, PolicyCase } from './case.js';
import { CasesDocument, MAX_CASES, MEMBERS } from './document.js';
import { placesIn, type JsonPlaces } from './json-places.js';

/** The longest document of cases, in bytes of UTF-8. */
export const MAX_CASES_BYTES = 256 * 1024;
/** The deepest that a document may nest: as deep as the arguments of a call, within a case. */
const MAX_DEPTH = 64;

/** What a document of cases says, or everything that is wrong with it, in the order of the text. */
export type ReadCases = { readonly cases: readonly PolicyCase[] } | { readonly problems: readonly CasesProblem[] };

/**
 * Reads a policy's cases. Pure.
 *
 * @param document null when there are none
 * @param line from the organization down to the namespace that the policy is attached to; empty where that is not known
 */
export function readCases(document: string | null, line: readonly LineSeat[] = []): ReadCases {
  if (document === null) return { cases: [] };
  const bytes = Buffer.byteLength(document);
  if (bytes > MAX_CASES_BYTES) return asAWhole(`The cases have ${bytes} bytes; at most ${MAX_CASES_BYTES} are allowed.`);
  if (!isWellFormed(document)) return asAWhole('The cases are not well-formed Unicode.');
  const places = placesIn(document, MAX_DEPTH);
  if ('index' in places)
    return { problems: [{ path: '', message: `This is no JSON. ${places.message}`, help: null, ...linesOf(document)(places.index) }] };
  const at = new Placing(document, places);
  const value = parseJson(document);
  if (isTooLong(value)) return { problems: [at.problem('cases', `must hold at most ${MAX_CASES} cases`)] };
  const problems = places.repeated.map((path) => at.problem(path, 'is there twice', 'Take one of the two out.'));
  const unstorable = jsonProblem(value, ROOT, MAX_DEPTH + 1);
  if (unstorable !== null) problems.push(at.problem(unstorable.path.slice(ROOT.length + 1), unstorable.reason));
  const read = CasesDocument.safeParse(value, { reportInput: true });
  if (!read.success) problems.push(...read.error.issues.flatMap((issue) => at.problemsOf(issue)));
  else problems.push(...repeatedNames(read.data).map((index) => at.problem(`cases.${index}.name`, 'is the name of another case already')));
  if (read.success)
    for (const { index, member, message, help } of seatProblems(read.data, line))
      problems.push(at.problem(`cases.${index}.call.project.${member}`, message, help));
  if (!read.success || problems.length > 0) return { problems: inOrder(problems) };
  return { cases: read.data.map((one, index) => ({ ...one, line: at.lineOf(`cases.${index}`) })) };
}

const ROOT = '$';

const isTooLong = (value: Json): boolean => isJsonObject(value) && Array.isArray(value['cases']) && value['cases'].length > MAX_CASES;

const asAWhole = (message: string): ReadCases => ({ problems: [{ path: '', message, help: null, line: null, column: null }] });

interface Place {
  readonly line: number;
  readonly column: number;
}

/** Tells line and column, from 1, of many characters: reads the text once. */
function linesOf(text: string): (index: number) => Place {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  return (index) => {
    let [first, last] = [0, starts.length - 1];
    while (first < last) {
      const middle = Math.ceil((first + last) / 2);
      if ((starts[middle] ?? 0) <= index) first = middle;
      else last = middle - 1;
    }
    return { line: first + 1, column: [...text.slice(starts[first], index)].length + 1 };
  };
}

/** Problems with the places of what they are about. */
class Placing {
  readonly #placeOf: (index: number) => Place;
  readonly #places: JsonPlaces;

  constructor(text: string, places: JsonPlaces) {
    this.#placeOf = linesOf(text);
    this.#places = places;
  }

  lineOf(path: string): number {
    return this.#placeOf(this.#places.at.get(path) ?? 0).line;
  }

  problem(path: string, message: string, help: string | null = null): CasesProblem {
    // Of what is missing, the place of what it is missing in.
    const index = this.#places.at.get(path) ?? this.#places.at.get(path.slice(0, Math.max(0, path.lastIndexOf('.')))) ?? 0;
    return { path, message: path === '' ? `The document ${message}.` : `${path} ${message}.`, help, ...this.#placeOf(index) };
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
function repeatedNames(cases: readonly Pick<PolicyCase, 'name'>[]): readonly number[] {
  const taken = new Set<string>();
  return cases.flatMap(({ name }, index) => {
    if (taken.has(name)) return [index];
    taken.add(name);
    return [];
  });
}

/** The most problems that are told of: nobody reads on. */
const MAX_PROBLEMS = 100;

const inOrder = (problems: readonly CasesProblem[]): readonly CasesProblem[] =>
  [...problems]
    .sort((left, right) => (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0))
    .slice(0, MAX_PROBLEMS);
