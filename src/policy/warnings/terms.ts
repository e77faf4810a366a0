import { ROLE_LEVELS } from '../../directory/index.js';
import { isJsonObject, type Json } from '../../kernel/index.js';
import type { LineSeat } from '../cases/case-call.js';
import { listOf, literalOf, operandsOf, pathOf } from '../est.js';
import { EXECUTION_MODES, SURFACES } from '../tool-call.js';
import { isWrittenOut, keyOf, type Atom } from './atoms.js';

/** What an atom says of one thing that it asks about. */
export type Said =
  /** It is one of these, or none of them: the keys of values. */
  | { readonly term: string; readonly kind: 'ONE_OF'; readonly values: ReadonlyMap<string, Json>; readonly isTrue: boolean }
  /** It is a whole number within these, both included. */
  | { readonly term: string; readonly kind: 'WITHIN'; readonly least: number; readonly most: number };

/** What an atom says; a constant when that does not depend on the call. Empty where nothing is known of what it asks. */
export function saidBy(atom: Atom, line: readonly LineSeat[]): readonly Said[] | boolean {
  const { node, isTrue } = atom;
  const constant = constantOf(node, line);
  if (constant !== null) return constant === isTrue;
  // Whatever it is, it is true or false: asked twice it has one answer.
  const itself = oneOf(keyOf(node), [isTrue], true);
  return [itself, ...(equalitySaid(atom) ?? comparisonSaid(atom) ?? containmentSaid(atom) ?? [])];
}

const oneOf = (term: string, values: readonly Json[], isTrue: boolean): Said => ({
  ...{ term, kind: 'ONE_OF', isTrue },
  values: new Map(values.map((value) => [keyOf(value), value])),
});

const LEAST = Number.MIN_SAFE_INTEGER;
const MOST = Number.MAX_SAFE_INTEGER;

/** Answers that are the same for every call: of what is written out, of types, and of namespaces that all calls lie in. */
function constantOf(node: Json, line: readonly LineSeat[]): boolean | null {
  const value = literalOf(node);
  if (typeof value === 'boolean') return value;
  const [left, right] = operandsOf(node, '==') ?? [];
  if (left !== undefined && right !== undefined && isWrittenOut(left) && isWrittenOut(right)) return keyOf(left) === keyOf(right);
  const [less, more] = (operandsOf(node, '<') ?? []).map(literalOf);
  if (typeof less === 'number' && typeof more === 'number') return less < more;
  const is = isJsonObject(node) ? node['is'] : undefined;
  if (isJsonObject(is) && !('in' in is)) {
    const type = { principal: 'Agent', resource: 'ToolUse' }[pathOf(is['left'] ?? null)?.join('.') ?? ''];
    if (type !== undefined) return type === is['entity_type'];
  }
  return isOnLine(node, line) ? true : null;
}

const TYPES = { ORGANIZATION: 'Organization', GROUP: 'Group', PROJECT: 'Project' } as const;

function isOnLine(node: Json, line: readonly LineSeat[]): boolean {
  const [holder, places] = operandsOf(node, 'in') ?? [];
  if (pathOf(holder ?? null)?.join('.') !== 'resource') return false;
  return entitiesIn(places ?? null).some(({ type, id }) => line.some((seat) => seat.id === id && TYPES[seat.kind] === type));
}

interface Named {
  readonly type: string;
  readonly id: string;
  readonly value: Json;
}

/** Entities that are written out, alone or in a list. */
const entitiesIn = (node: Json): readonly Named[] =>
  (listOf(node) ?? [node]).flatMap((each) => {
    const value = literalOf(each);
    const entity = isJsonObject(value) ? value['__entity'] : undefined;
    if (!isJsonObject(entity)) return [];
    const { type, id } = entity;
    return typeof type === 'string' && typeof id === 'string' ? [{ type, id, value }] : [];
  });

function equalitySaid({ node, isTrue }: Atom): readonly Said[] | null {
  const [term, value] = operandsOf(node, '==') ?? [];
  if (term === undefined || value === undefined || !isWrittenOut(value)) return null;
  return [oneOf(keyOf(term), [literalOf(value)], isTrue)];
}

function comparisonSaid({ node, isTrue }: Atom): readonly Said[] | null {
  const [left, right] = operandsOf(node, '<') ?? [];
  if (left === undefined || right === undefined) return null;
  const [least, most] = [literalOf(left), literalOf(right)];
  const within = (term: Json, from: number, to: number): readonly Said[] => [{ term: keyOf(term), kind: 'WITHIN', least: from, most: to }];
  if (typeof most === 'number') return isTrue ? within(left, LEAST, most - 1) : within(left, most, MOST);
  if (typeof least === 'number') return isTrue ? within(right, least + 1, MOST) : within(right, LEAST, least);
  return null;
}

/** Things of which a call has one: what it lies in of such a type says which. */
const ONLY_ONE: Readonly<Record<string, string>> = {
  'resource in Tool': keyOf({ '.': { left: { Var: 'resource' }, attr: 'tool' } }),
  'resource in Project': keyOf({ '.': { left: { Var: 'resource' }, attr: 'project' } }),
  'resource in Server': 'the server of the tool',
  'principal in Agent': keyOf({ Var: 'principal' }),
};

function containmentSaid({ node, isTrue }: Atom): readonly Said[] | null {
  const [list, element] = operandsOf(node, 'contains') ?? [];
  const values = list === undefined ? null : listOf(list);
  if (element !== undefined && values?.every(isWrittenOut) === true) return [oneOf(keyOf(element), values.map(literalOf), isTrue)];
  const [holder, places] = operandsOf(node, 'in') ?? [];
  if (holder === undefined || places === undefined) return null;
  const named = entitiesIn(places);
  const [type, ...others] = new Set(named.map((entity) => entity.type));
  const term = ONLY_ONE[`${pathOf(holder)?.join('.') ?? ''} in ${type ?? ''}`];
  const isWhole = named.length === (listOf(places)?.length ?? 1);
  if (term === undefined || others.length > 0 || !isWhole) return null;
  return [
    oneOf(
      term,
      named.map(({ value }) => value),
      isTrue,
    ),
  ];
}

const upTo = (least: number, most: number): readonly number[] => Array.from({ length: most - least + 1 }, (_, index) => least + index);

/** All that something of a call can be, where that is a closed list. */
const VOCABULARIES: Readonly<Record<string, readonly (string | number)[]>> = {
  'context.surface': SURFACES,
  'context.executionMode': EXECUTION_MODES,
  'context.role': [...new Set(Object.values(ROLE_LEVELS))],
  'context.local.weekday': upTo(1, 7),
  'context.local.hour': upTo(0, 23),
  'context.local.minute': upTo(0, 59),
  'resource.actionType': ['READ', 'WRITE', 'DESTROY'],
  'resource.risk': upTo(1, 4),
  'resource.project.dataClass': upTo(0, 3),
  'principal.trust': upTo(0, 100),
};

/** By the key of the term. */
export const DOMAINS: ReadonlyMap<string, ReadonlyMap<string, Json>> = new Map(
  Object.entries(VOCABULARIES).map(([path, values]) => [termOf(path), new Map(values.map((value) => [keyOf(value), value]))]),
);

function termOf(path: string): string {
  const [variable = '', ...names] = path.split('.');
  return keyOf(names.reduce<Json>((left, attr) => ({ '.': { left, attr } }), { Var: variable }));
}
