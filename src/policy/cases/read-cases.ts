import { isJsonObject, isWellFormed, jsonProblem, parseJson, type Json } from '../../kernel/index.js';
import { seatProblems, type LineSeat } from './case-call.js';
import type { CasesProblem, PolicyCase } from './case.js';
import { CasesDocument, MAX_CASES } from './document.js';
import { placesIn } from './json-places.js';
import { foundBy, linesOf, placedProblems, type Found } from './placed-problems.js';

/** The longest document of cases, in bytes of UTF-8. */
export const MAX_CASES_BYTES = 256 * 1024;
/** The deepest that a document may nest: as deep as the arguments of a call, within a case. */
const MAX_DEPTH = 64;

/** What a document of cases says, or what is wrong with it: everything, a hundred problems at most, in the order of the text. */
export type ReadCases = { readonly cases: readonly PolicyCase[] } | { readonly problems: readonly CasesProblem[] };

/**
 * Reads a policy's cases. Pure.
 *
 * @param document null when there are none
 * @param line from the organization down to the namespace that the policy is attached to; empty where that is not known
 */
export function readCases(document: string | null, line: readonly LineSeat[] = []): ReadCases {
  if (document === null) return { cases: [] };
  const unsafe = textProblem(document);
  if (unsafe !== null) return { problems: [{ path: '', message: unsafe, help: null, line: null, column: null }] };
  const places = placesIn(document, MAX_DEPTH);
  const lines = linesOf(document);
  if ('index' in places) {
    const place = { line: lines.lineAt(places.index), column: lines.columnAt(places.index) };
    return { problems: [{ path: '', message: `This is no JSON. ${places.message}`, help: null, ...place }] };
  }
  const read = readValue(parseJson(document), line);
  const twice = places.repeated.map((path): Found => ({ path, message: 'is there twice', help: 'Take one of the two out.' }));
  const found = [...twice, ...('found' in read ? read.found : [])];
  if ('found' in read || found.length > 0) return { problems: placedProblems(document, places, found) };
  return { cases: read.cases.map((one, index) => ({ ...one, line: lines.lineAt(places.at.get(`cases.${index}`) ?? 0) })) };
}

function textProblem(document: string): string | null {
  const bytes = Buffer.byteLength(document);
  if (bytes > MAX_CASES_BYTES) return `The cases have ${bytes} bytes; at most ${MAX_CASES_BYTES} are allowed.`;
  return isWellFormed(document) ? null : 'The cases are not well-formed Unicode.';
}

type UnplacedCase = Omit<PolicyCase, 'line'>;

function readValue(
  value: Json,
  line: readonly LineSeat[],
): { readonly cases: readonly UnplacedCase[] } | { readonly found: readonly Found[] } {
  // Of what is too long by far, nobody wants to know more.
  const length = isJsonObject(value) && Array.isArray(value['cases']) ? value['cases'].length : 0;
  if (length > MAX_CASES) return { found: [{ path: 'cases', message: `must hold at most ${MAX_CASES} cases` }] };
  const unstorable = jsonProblem(value, ROOT, MAX_DEPTH + 1);
  const found: Found[] = unstorable === null ? [] : [{ path: unstorable.path.slice(`${ROOT}.`.length), message: unstorable.reason }];
  const read = CasesDocument.safeParse(value, { reportInput: true });
  if (!read.success) return { found: [...found, ...read.error.issues.flatMap(foundBy)] };
  const repeated = repeatedNames(read.data).map((index) => ({
    path: `cases.${index}.name`,
    message: 'is the name of another case already',
  }));
  const unseated = seatProblems(read.data, line).map(({ index, member, message, help }) => ({
    ...{ path: `cases.${index}.call.project.${member}`, message, help },
  }));
  const all = [...found, ...repeated, ...unseated];
  return all.length === 0 ? { cases: read.data } : { found: all };
}

const ROOT = '$';

/** Places of cases whose name an earlier one has. */
function repeatedNames(cases: readonly UnplacedCase[]): readonly number[] {
  const taken = new Set<string>();
  return cases.flatMap(({ name }, index) => {
    if (taken.has(name)) return [index];
    taken.add(name);
    return [];
  });
}
