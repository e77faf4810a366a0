import { canonicalJson, isJsonObject, type Json, type JsonObject } from '../../kernel/index.js';
import { conditionsOf, literalOf, operandsOf } from '../est.js';
import { scopeOf, type EntityId, type ScopePart } from '../statement-scope.js';

/** A question in Cedar's JSON form, and the answer that it has to have. */
export interface Atom {
  readonly node: Json;
  readonly isTrue: boolean;
}

/**
 * What all has to be so for a statement to apply: what its parentheses ask and what its clauses do. It applies to exactly those calls for
 * which every atom has its answer; a clause that cannot be evaluated has none.
 */
export function atomsOf(est: Json): readonly Atom[] {
  const { principal, action, resource } = scopeOf(est);
  const asked = [...partAtoms('principal', principal), ...partAtoms('resource', resource)];
  // There is one action; whoever names another one is refused by the model.
  const isOther = action.kind === 'IN' && !action.entities.some(isTheAction);
  const clauses = conditionsOf(est).map(({ kind, body }): Atom => ({ node: body, isTrue: kind === 'when' }));
  return flatten([...(isOther ? [NEVER] : []), ...asked, ...clauses]);
}

export const NEVER: Atom = { node: { Value: false }, isTrue: true };

const isTheAction = ({ type, id }: EntityId): boolean => type === 'Action' && id === 'invokeTool';

function partAtoms(name: string, part: ScopePart): readonly Atom[] {
  const left = { Var: name };
  if (part.kind === 'ANY') return [];
  if (part.kind === 'IS') return [{ node: { '==': { left, right: literal(part.entity) } }, isTrue: true }];
  const [only, ...others] = part.entities.map(literal);
  const right = only !== undefined && others.length === 0 ? only : { Set: part.entities.map(literal) };
  return [{ node: { in: { left, right } }, isTrue: true }];
}

const literal = ({ type, id }: EntityId): JsonObject => ({ Value: { __entity: { type, id } } });

/** The same without whatever can be asked part by part: `&&`, `!`, `!=` and the three comparisons that `<` can stand for. */
export const flatten = (atoms: readonly Atom[]): readonly Atom[] => atoms.flatMap(remembered);

const known = { true: new WeakMap<object, readonly Atom[]>(), false: new WeakMap<object, readonly Atom[]>() };

/** Questions are opened again and again: what is made of one then is the same objects, of which all that is known is known already. */
function remembered(atom: Atom): readonly Atom[] {
  const { node, isTrue } = atom;
  if (typeof node !== 'object' || node === null) return flattened(atom);
  const flat = known[`${isTrue}`].get(node) ?? flattened(atom);
  known[`${isTrue}`].set(node, flat);
  return flat;
}

function flattened({ node, isTrue }: Atom): readonly Atom[] {
  const both = operandsOf(node, isTrue ? '&&' : '||');
  if (both !== null) return both.flatMap((each) => flattened({ node: each, isTrue }));
  const opposite = isJsonObject(node) && isJsonObject(node['!']) ? node['!']['arg'] : undefined;
  if (opposite !== undefined) return flattened({ node: opposite, isTrue: !isTrue });
  const unequal = operandsOf(node, '!=');
  if (unequal !== null) return equality(unequal, !isTrue);
  const equal = operandsOf(node, '==');
  if (equal === null) return [comparison(node, isTrue) ?? { node, isTrue }];
  return isNormal(equal) ? [{ node, isTrue }] : equality(equal, isTrue);
}

const isNormal = ([left, right]: readonly [Json, Json]): boolean => !isWrittenOut(left) && typeof literalOf(right) !== 'boolean';

/** What is written out stands on the right; of what is equal to true, the question itself is left. */
function equality([left, right]: readonly [Json, Json], isTrue: boolean): readonly Atom[] {
  const [first, second] = isWrittenOut(left) && !isWrittenOut(right) ? [right, left] : [left, right];
  const value = literalOf(second);
  if (typeof value === 'boolean') return flattened({ node: first, isTrue: value === isTrue });
  return [{ node: { '==': { left: first, right: second } }, isTrue }];
}

function comparison(node: Json, isTrue: boolean): Atom | null {
  const less = (left: Json, right: Json, answer: boolean): Atom => ({ node: { '<': { left, right } }, isTrue: answer });
  const [more, atLeast, atMost] = [operandsOf(node, '>'), operandsOf(node, '>='), operandsOf(node, '<=')];
  if (more !== null) return less(more[1], more[0], isTrue);
  if (atLeast !== null) return less(atLeast[0], atLeast[1], !isTrue);
  return atMost === null ? null : less(atMost[1], atMost[0], !isTrue);
}

export const isWrittenOut = (node: Json): boolean => isJsonObject(node) && 'Value' in node;

/** Either of the lists of atoms holds: the ways in which an atom can have its answer; null for one that is not made of others. */
export function waysOf({ node, isTrue }: Atom): readonly (readonly Atom[])[] | null {
  const either = operandsOf(node, isTrue ? '||' : '&&');
  if (either !== null) return either.map((each) => [{ node: each, isTrue }]);
  const choice = isJsonObject(node) ? node['if-then-else'] : undefined;
  if (!isJsonObject(choice)) return null;
  const way = (branch: string, asked: boolean): readonly Atom[] => [
    { node: choice['if'] ?? null, isTrue: asked },
    { node: choice[branch] ?? null, isTrue },
  ];
  return [way('then', true), way('else', false)];
}

export const negated = ({ node, isTrue }: Atom): Atom => ({ node, isTrue: !isTrue });

const keys = new WeakMap<object, string>();

/** A text that is the same for the same question, and only for that. */
export function keyOf(node: Json): string {
  if (typeof node !== 'object' || node === null) return canonicalJson(node);
  const key = keys.get(node) ?? canonicalJson(node);
  keys.set(node, key);
  return key;
}
