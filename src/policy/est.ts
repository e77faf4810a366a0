import { isJsonObject, type Json, type JsonObject } from '../kernel/index.js';

// Reading a statement in Cedar's JSON form (docs.cedarpolicy.com/policies/json-format.html).

/** The clauses of a statement, in their order. */
export function conditionsOf(est: Json): readonly { readonly kind: string; readonly body: Json }[] {
  const given = isJsonObject(est) ? est['conditions'] : undefined;
  if (!Array.isArray(given)) return [];
  return given.flatMap((one: Json) =>
    isJsonObject(one) && typeof one['kind'] === 'string' ? [{ kind: one['kind'], body: one['body'] ?? null }] : [],
  );
}

/** Both sides of `operator`, where the node is one. */
export function operandsOf(node: Json, operator: string): readonly [Json, Json] | null {
  const operands = isJsonObject(node) ? node[operator] : undefined;
  return isJsonObject(operands) ? [operands['left'] ?? null, operands['right'] ?? null] : null;
}

/** `context.approval.level` as its names; null for anything else. */
export function pathOf(node: Json): readonly string[] | null {
  if (!isJsonObject(node)) return null;
  const variable = node['Var'];
  if (typeof variable === 'string') return [variable];
  const access = node['.'];
  const above = isJsonObject(access) ? pathOf(access['left'] ?? null) : null;
  const name = isJsonObject(access) ? access['attr'] : undefined;
  return above !== null && typeof name === 'string' ? [...above, name] : null;
}

/** `context has approval`: of what, and the first name that is asked for. */
export function hasOf(node: Json): { readonly path: readonly string[]; readonly name: string } | null {
  const has = isJsonObject(node) ? node['has'] : undefined;
  if (!isJsonObject(has)) return null;
  const path = pathOf(has['left'] ?? null);
  const [name] = Array.isArray(has['attr']) ? has['attr'] : [has['attr']];
  return path !== null && typeof name === 'string' ? { path, name } : null;
}

/** The value of a literal; null for anything else. */
export const literalOf = (node: Json): Json => (isJsonObject(node) ? (node['Value'] ?? null) : null);

/** The elements of a set that is written out; null for anything else. */
export const listOf = (node: Json): readonly Json[] | null => (isJsonObject(node) && Array.isArray(node['Set']) ? node['Set'] : null);

/** What a node is made of, in the order of the text. */
export function childrenOf(node: Json): readonly Json[] {
  if (Array.isArray(node)) return node;
  const object: JsonObject = isJsonObject(node) ? node : {};
  return Object.values(object).filter((value) => typeof value === 'object' && value !== null);
}
