import type { z } from 'zod';
import { boundedPath } from '../../kernel/index.js';
import { nearestWord } from '../nearest-word.js';
import type { CasesProblem } from './case.js';
import { MEMBERS } from './document.js';
import type { JsonPlaces } from './json-places.js';

/** Something that is wrong with a document. */
export interface Found {
  readonly path: string;
  readonly message: string;
  readonly help?: string | null;
}

/** The most problems that are told of: nobody reads on. */
const MAX_PROBLEMS = 100;

/** The first problems of a document in its order, each with the place of what it is about. */
export function placedProblems(text: string, { at }: Pick<JsonPlaces, 'at'>, all: readonly Found[]): readonly CasesProblem[] {
  // Of what is missing, the place of what it is missing in.
  const indexOf = (path: string): number => at.get(path) ?? at.get(path.slice(0, Math.max(0, path.lastIndexOf('.')))) ?? 0;
  const sorted = all.map((found) => ({ found, index: indexOf(found.path) })).sort((left, right) => left.index - right.index);
  const lines = linesOf(text);
  return sorted.slice(0, MAX_PROBLEMS).map(({ found: { path, message, help = null }, index }) => {
    const shown = boundedPath(path);
    const place = { line: lines.lineAt(index), column: lines.columnAt(index) };
    return { path: shown, message: path === '' ? `The document ${message}.` : `${shown} ${message}.`, help, ...place };
  });
}

/** What zod found. */
export function foundBy(issue: z.core.$ZodIssue): readonly Found[] {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message, help: wordMeant(issue) }];
  const known = MEMBERS[issue.path.filter((part) => typeof part === 'string').join('.')] ?? [];
  return issue.keys.map((key) => {
    const meant = nearestWord(key, known);
    const help = meant === null ? `There can be: ${known.join(', ')}.` : `Did you mean “${meant}”?`;
    return { path: path === '' ? key : `${path}.${key}`, message: 'is not known', help };
  });
}

/** Of a word that is none of those that can stand there, the one that is nearest. */
function wordMeant(issue: z.core.$ZodIssue): string | null {
  if (issue.code !== 'invalid_value' || typeof issue.input !== 'string') return null;
  const words = issue.values.flatMap((value) => (typeof value === 'string' ? [value] : []));
  const meant = nearestWord(issue.input, words);
  return meant === null ? null : `Did you mean “${meant}”?`;
}

interface Lines {
  /** From 1. */
  lineAt(index: number): number;
  /** In characters, from 1. */
  columnAt(index: number): number;
}

/** Tells where characters stand: looks for the lines once. */
export function linesOf(text: string): Lines {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const lineAt = (index: number): number => {
    let [first, last] = [0, starts.length - 1];
    while (first < last) {
      const middle = Math.ceil((first + last) / 2);
      if ((starts[middle] ?? 0) <= index) first = middle;
      else last = middle - 1;
    }
    return first + 1;
  };
  return { lineAt, columnAt: (index) => charactersIn(text, starts[lineAt(index) - 1] ?? 0, index) + 1 };
}

/** Both halves of a surrogate pair are one. */
function charactersIn(text: string, from: number, to: number): number {
  let count = 0;
  for (let index = from; index < to; index += 1) if ((text.charCodeAt(index) & 0xfc00) !== 0xdc00) count += 1;
  return count;
}
