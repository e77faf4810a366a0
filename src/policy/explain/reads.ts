import { isJsonObject, type Json } from '../../kernel/index.js';
import { childrenOf, conditionsOf, listOf, literalOf, operandsOf } from '../est.js';
import { cedarText } from './cedar-text.js';

/** Something of a call that a statement looks at. */
export interface Read {
  /** As a policy writes it: `context.role`, `resource.getTag("path")`, `principal in AgentClass::"coding"`. */
  readonly text: string;
  /** ATTRIBUTE: `path`. ARGUMENT: `name` among the tags of `path`. MEMBER: whether `path` lies in one of `of`. */
  readonly kind: 'ATTRIBUTE' | 'ARGUMENT' | 'MEMBER';
  readonly root: Root;
  /** Names of attributes, from the root on. */
  readonly path: readonly string[];
  /** Of ARGUMENT alone. */
  readonly name: string | null;
  /** Of MEMBER alone: entities in Cedar's JSON form. */
  readonly of: readonly Json[];
}

/** Where a path begins: at a variable, or at an entity that the policy names. */
export type Root = { readonly variable: string } | { readonly entity: Json };

const known = new WeakMap<object, readonly Read[]>();

/** What a statement, or a part of one, in Cedar's JSON form reads; each once, in the order of the text. Must not be changed afterwards. */
export function readsOf(node: Json): readonly Read[] {
  if (typeof node !== 'object' || node === null) return [];
  const before = known.get(node);
  if (before !== undefined) return before;
  const bodies = isJsonObject(node) && 'conditions' in node ? conditionsOf(node).map(({ body }) => body) : [node];
  const reads = [...new Map(bodies.flatMap(readsIn).map((read) => [read.text, read])).values()];
  known.set(node, reads);
  return reads;
}

/** Whether a statement reads the attribute, or one of its members. */
export const isRead = (statements: readonly Json[], path: string): boolean =>
  statements.some((est) => readsOf(est).some(({ text }) => text === path || text.startsWith(`${path}.`)));

function readsIn(node: Json): readonly Read[] {
  return ownRead(node) ?? childrenOf(node).flatMap(readsIn);
}

/** What the node itself reads; null when that is up to its operands. */
function ownRead(node: Json): readonly Read[] | null {
  const place = placeOf(node);
  if (place !== null) return place.path.length === 0 && 'entity' in place.root ? [] : [attribute(node, place)];
  return hasRead(node) ?? tagRead(node, 'getTag') ?? tagRead(node, 'hasTag') ?? memberRead(node);
}

const attribute = (node: Json, { root, path }: Place): Read => ({
  ...{ text: cedarText(node), kind: 'ATTRIBUTE', root, path, name: null, of: [] },
});

function hasRead(node: Json): readonly Read[] | null {
  const has = isJsonObject(node) ? node['has'] : undefined;
  const place = isJsonObject(has) ? placeOf(has['left'] ?? null) : null;
  if (!isJsonObject(has) || place === null) return null;
  const names = [has['attr'] ?? []].flat().map(String);
  const whole = names.reduce<Json>((left, attr) => ({ '.': { left, attr } }), has['left'] ?? null);
  return [attribute(whole, { ...place, path: [...place.path, ...names] })];
}

/** A tag is read by a name that is written out or, rarely, made of something that is read itself. */
function tagRead(node: Json, operator: 'getTag' | 'hasTag'): readonly Read[] | null {
  const [holder, named] = operandsOf(node, operator) ?? [null, null];
  const place = placeOf(holder);
  if (place === null) return null;
  const name = literalOf(named);
  const text = cedarText({ getTag: { left: holder, right: named } });
  const read: Read = { ...{ text, kind: 'ARGUMENT', ...place }, name: typeof name === 'string' ? name : null, of: [] };
  return [read, ...readsIn(named)];
}

function memberRead(node: Json): readonly Read[] | null {
  const is = isJsonObject(node) ? node['is'] : undefined;
  const [left, right] =
    operandsOf(node, 'in') ?? (isJsonObject(is) && is['in'] !== undefined ? [is['left'] ?? null, is['in']] : [null, null]);
  const place = placeOf(left);
  const of = (listOf(right) ?? [right]).map(entityIn);
  if (place === null || of.some((entity) => entity === null)) return null;
  return [{ ...{ text: cedarText({ in: { left, right } }), kind: 'MEMBER', ...place, name: null, of } }];
}

interface Place {
  readonly root: Root;
  readonly path: readonly string[];
}

/** Where a chain of attributes leads, from a variable or an entity on; null for anything else. */
function placeOf(node: Json): Place | null {
  if (!isJsonObject(node)) return null;
  const variable = node['Var'];
  if (typeof variable === 'string') return { root: { variable }, path: [] };
  const entity = entityIn(node);
  if (entity !== null) return { root: { entity }, path: [] };
  const access = node['.'];
  const above = isJsonObject(access) ? placeOf(access['left'] ?? null) : null;
  const name = isJsonObject(access) ? access['attr'] : undefined;
  return above !== null && typeof name === 'string' ? { root: above.root, path: [...above.path, name] } : null;
}

function entityIn(node: Json): Json | null {
  const value = literalOf(node);
  return isJsonObject(value) && isJsonObject(value['__entity']) ? value['__entity'] : null;
}
