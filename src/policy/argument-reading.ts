import { isJsonObject, type Json } from '../kernel/index.js';
import type { Statement } from './policy.js';
import type { CedarRequest, LoadedStatements } from './ports.js';

/** Attributes of the call that are made of all its arguments; tags are read by operators of their own. */
const MADE_OF_ARGUMENTS: readonly unknown[] = ['argumentNames', 'roundedArguments'];

/** Whether a statement, or a part of one, in Cedar's JSON form depends on the call's arguments. */
export function readsArguments(node: Json): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (!isJsonObject(node)) return node.some(readsArguments);
  if ('hasTag' in node || 'getTag' in node) return true;
  const access = node['.'];
  if (isJsonObject(access) && MADE_OF_ARGUMENTS.includes(access['attr'])) return true;
  return Object.values(node).some(readsArguments);
}

/** The statement as a forbid, without the clauses that read arguments: it matches wherever the statement might. */
export function withoutArguments(est: Json): Statement {
  const whole = isJsonObject(est) ? est : {};
  const conditions = Array.isArray(whole['conditions']) ? whole['conditions'] : [];
  return { effect: 'FORBID', est: { ...whole, effect: 'forbid', conditions: conditions.filter((clause) => !readsArguments(clause)) } };
}

/** Statements, by id, that apply to a call and read its arguments. `readers` are those of `withoutArguments`. */
export function argumentsUnseen(readers: LoadedStatements, request: CedarRequest): readonly string[] {
  const { reasons, errors } = readers.authorize(request);
  return [...reasons, ...errors];
}
