import { isJsonObject, type Json } from '../../kernel/index.js';
import { childrenOf, literalOf, operandsOf, pathOf } from '../est.js';
import type { Statement } from '../policy.js';

/** What statements name, and what they compare with which part of a call. */
export interface Literals {
  /** Ids of the entities of a type that are named. */
  ids(type: string): readonly string[];
  /** Texts compared with what stands at a path such as `context.environment`; of a pattern, texts that fit to it. */
  texts(path: string): readonly string[];
  /** Numbers compared with it, with those right below and above. */
  numbers(path: string): readonly number[];
  /** The names of arguments that are read as `kind`, each once. */
  arguments(kind: ArgumentKind): readonly string[];
}

/** As what an argument is read: of which entity's tags it is one. */
export type ArgumentKind = 'resource' | 'resource.numbers' | 'resource.flags' | 'resource.lists';

/** The path of an argument, as `Literals` takes it. */
export const argumentPath = (kind: ArgumentKind, name: string): string => `${kind}[${name}]`;

interface Found {
  readonly ids: Map<string, Set<string>>;
  readonly texts: Map<string, Set<string>>;
  readonly numbers: Map<string, Set<number>>;
  readonly tags: Map<string, Set<string>>;
}

/** Reads them out of statements in Cedar's JSON form. */
export function literalsIn(statements: readonly Statement[]): Literals {
  const found: Found = { ids: new Map(), texts: new Map(), numbers: new Map(), tags: new Map() };
  for (const { est } of statements) collect(est, found);
  return {
    ids: (type) => [...(found.ids.get(type) ?? [])],
    texts: (path) => [...(found.texts.get(path) ?? [])],
    numbers: (path) => {
      const near = [...(found.numbers.get(path) ?? [])].flatMap((value) => [value - 1, value, value + 1]);
      // What no call can hold is no example: of larger numbers a double knows only some.
      return [...new Set(near)].filter(Number.isSafeInteger);
    },
    arguments: (kind) => [...(found.tags.get(kind) ?? [])],
  };
}

function add<Value>(map: Map<string, Set<Value>>, key: string, value: Value): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, new Set([value]));
  else known.add(value);
}

const BINARY = ['==', '!=', '<', '<=', '>', '>=', '+', '-', '*', 'contains', 'containsAll', 'containsAny'] as const;

function collect(node: Json, found: Found): void {
  if (isJsonObject(node)) {
    const { type, id, like } = node;
    if (typeof type === 'string' && typeof id === 'string') return add(found.ids, type, id);
    for (const operator of BINARY) {
      const operands = operandsOf(node, operator);
      if (operands !== null) collectCompared(operands, found);
    }
    for (const operator of ['getTag', 'hasTag']) collectTag(operandsOf(node, operator), found);
    if (isJsonObject(like)) collectPattern(like, found);
  }
  for (const child of childrenOf(node)) collect(child, found);
}

function collectCompared([left, right]: readonly [Json, Json], found: Found): void {
  for (const [side, other] of [
    [left, right],
    [right, left],
  ] as const)
    for (const path of pathsIn(side)) collectValues(other, path, found);
}

/** The paths that an operand is made of: of `context.role + 1` too. */
function pathsIn(node: Json): readonly string[] {
  const path = placeIn(node);
  return path === null ? childrenOf(node).flatMap(pathsIn) : [path];
}

function placeIn(node: Json): string | null {
  const tag = operandsOf(node, 'getTag');
  if (tag === null) return pathOf(node)?.join('.') ?? null;
  const [holder, name] = [pathOf(tag[0])?.join('.'), literalOf(tag[1])];
  return holder === undefined || typeof name !== 'string' ? null : `${holder}[${name}]`;
}

function collectValues(node: Json, path: string, found: Found): void {
  const value = literalOf(node);
  if (typeof value === 'string') add(found.texts, path, value);
  if (typeof value === 'number') add(found.numbers, path, value);
  for (const child of childrenOf(node)) collectValues(child, path, found);
}

function collectTag(operands: readonly [Json, Json] | null, found: Found): void {
  if (operands === null) return;
  const [holder, name] = [pathOf(operands[0])?.join('.'), literalOf(operands[1])];
  if (holder !== undefined && typeof name === 'string') add(found.tags, holder, name);
}

/** Texts that fit to a pattern: with nothing, and with something, in the place of its wildcards. */
function collectPattern({ left, pattern }: { readonly left?: Json; readonly pattern?: Json }, found: Found): void {
  const path = placeIn(left ?? null);
  if (path === null || !Array.isArray(pattern)) return;
  for (const between of ['', 'x'])
    add(found.texts, path, pattern.map((element) => (isJsonObject(element) ? String(element['Literal']) : between)).join(''));
}
