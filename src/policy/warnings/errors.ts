import { isJsonObject, type Json } from '../../kernel/index.js';

/**
 * What cannot fail to be evaluated, in a text that fits the model: everything but arithmetic, where a result can be too large.
 */
const SAFE = new Set([
  ...['Value', 'Var', 'Set', 'Record', '.', 'has', 'hasTag', 'getTag', 'like', 'is', 'in', 'if-then-else'],
  ...['==', '!=', '<', '<=', '>', '>=', '&&', '||', '!', 'contains', 'containsAll', 'containsAny', 'isEmpty'],
]);

/** Whether an expression in Cedar's JSON form always has an answer. */
export function isSafe(node: Json): boolean {
  if (!isJsonObject(node)) return true;
  const [operator, ...others] = Object.keys(node);
  if (operator === undefined || others.length > 0 || !SAFE.has(operator)) return false;
  if (operator === 'Value' || operator === 'Var') return true;
  const operands = node[operator];
  if (Array.isArray(operands)) return operands.every(isSafe);
  if (!isJsonObject(operands)) return false;
  const inner =
    operator === 'Record'
      ? Object.values(operands)
      : ['left', 'right', 'arg', 'if', 'then', 'else'].flatMap((name) => operands[name] ?? []);
  return inner.every(isSafe);
}
