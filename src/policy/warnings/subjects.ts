import { isJsonObject, type Json } from '../../kernel/index.js';
import { childrenOf, hasOf, listOf, literalOf, operandsOf, pathOf } from '../est.js';
import { atomsOf } from './atoms.js';

/** What a statement asks about, in words: for each of its atoms. */
export type Subjects = readonly (readonly string[])[];

// Statements in force are the same objects from one publish to the next.
const known = new WeakMap<object, Subjects>();

/**
 * What each atom of a statement asks about: `context.role`, `resource in Group`. Two that ask about nothing in common are not related, and
 * that is told of ten thousand in a fraction of the time that looking at them with care takes.
 */
export function subjectsOf(est: Json): Subjects {
  if (!isJsonObject(est)) return [];
  const subjects = known.get(est) ?? atomsOf(est).map(({ node }) => [...new Set(subjectsIn(node))]);
  known.set(est, subjects);
  return subjects;
}

/** What lies in a tool is of the tool, and what lies in a project of the project: both are asked about in two ways. */
const ALIASES: Readonly<Record<string, string>> = {
  'resource in Tool': 'resource.tool',
  'resource in Project': 'resource.project',
  'principal in Agent': 'principal',
};

function* subjectsIn(node: Json): Generator<string> {
  if (!isJsonObject(node) || 'Value' in node) {
    if (Array.isArray(node)) for (const each of node) yield* subjectsIn(each);
    return;
  }
  const path = pathOf(node);
  const has = hasOf(node);
  const tag = operandsOf(node, 'hasTag') ?? operandsOf(node, 'getTag');
  const places = operandsOf(node, 'in');
  if (path !== null) yield path.join('.');
  else if (has !== null) yield [...has.path, has.name].join('.');
  else if (tag !== null) yield `${pathOf(tag[0])?.join('.') ?? ''} tag ${JSON.stringify(literalOf(tag[1]))}`;
  else if (places !== null) yield* containmentIn(places);
  else for (const child of childrenOf(node)) yield* subjectsIn(child);
}

function* containmentIn([holder, places]: readonly [Json, Json]): Generator<string> {
  const types = (listOf(places) ?? [places]).map((place) => {
    const value = literalOf(place);
    const entity = isJsonObject(value) ? value['__entity'] : undefined;
    return isJsonObject(entity) ? String(entity['type']) : '';
  });
  for (const type of new Set(types)) {
    const subject = `${pathOf(holder)?.join('.') ?? ''} in ${type}`;
    yield ALIASES[subject] ?? subject;
  }
}
