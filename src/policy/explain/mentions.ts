import { isJsonObject, type Json } from '../../kernel/index.js';
import { childrenOf } from '../est.js';
import { cedarText } from './cedar-text.js';

/** The most values of one kind that are tried. */
export const MAX_MENTIONS = 20;

const entitiesKnown = new WeakMap<object, ReadonlyMap<string, ReadonlySet<string>>>();

/** Ids of entities of a type that statements in Cedar's JSON form name, sorted; the first MAX_MENTIONS. */
export function idsNamed(statements: Iterable<Json>, type: string): readonly string[] {
  const ids = new Set<string>();
  for (const est of statements) for (const id of entitiesIn(est).get(type) ?? []) ids.add(id);
  return [...ids].sort().slice(0, MAX_MENTIONS);
}

/** Remembered for each statement: statements never change, and there may be thousands. */
function entitiesIn(est: Json): ReadonlyMap<string, ReadonlySet<string>> {
  if (typeof est !== 'object' || est === null) return new Map();
  const known = entitiesKnown.get(est);
  if (known !== undefined) return known;
  const found = new Map<string, Set<string>>();
  collectEntities(est, found);
  entitiesKnown.set(est, found);
  return found;
}

function collectEntities(node: Json, found: Map<string, Set<string>>): void {
  if (isJsonObject(node)) {
    const { type, id } = node;
    if (typeof type === 'string' && typeof id === 'string') {
      const ids = found.get(type) ?? new Set();
      found.set(type, ids.add(id));
      return;
    }
  }
  for (const child of childrenOf(node)) collectEntities(child, found);
}

/** Texts that statements compare with what stands at `path`, sorted; the first MAX_MENTIONS. Of a pattern, what it is without wildcards. */
export function textsComparedWith(statements: Iterable<Json>, path: string): readonly string[] {
  const texts = new Set<string>();
  for (const est of statements) collectTexts(est, path, texts);
  return [...texts].sort().slice(0, MAX_MENTIONS);
}

function collectTexts(node: Json, path: string, texts: Set<string>): void {
  const [body] = isJsonObject(node) ? Object.values(node) : [];
  if (isJsonObject(body)) {
    const operands = [body['left'], body['right']].filter((operand) => operand !== undefined);
    const others = operands.filter((operand) => cedarTextOfPath(operand) !== path);
    if (others.length < operands.length) {
      for (const other of others) collectLiterals(other, texts);
      if (Array.isArray(body['pattern'])) texts.add(withoutWildcards(body['pattern']));
    }
  }
  for (const child of childrenOf(node)) collectTexts(child, path, texts);
}

/** Only paths are written out: conditions can be long. */
const cedarTextOfPath = (node: Json): string | null => (isJsonObject(node) && '.' in node ? cedarText(node) : null);

function collectLiterals(node: Json, texts: Set<string>): void {
  const value = isJsonObject(node) ? node['Value'] : undefined;
  if (typeof value === 'string') texts.add(value);
  for (const child of childrenOf(node)) collectLiterals(child, texts);
}

const withoutWildcards = (pattern: readonly Json[]): string =>
  pattern.map((element) => (isJsonObject(element) ? String(element['Literal']) : '')).join('');
