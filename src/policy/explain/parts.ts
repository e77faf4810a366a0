import { isJsonObject, type Json, type JsonObject } from '../../kernel/index.js';
import { conditionsOf, operandsOf } from '../est.js';
import type { Statement } from '../policy.js';

/** One of the terms that must all be so for a statement to apply: of `when { a && b }`, a is one and b another. */
export interface Part {
  /** Of the clause, from 0. */
  readonly clause: number;
  /** `when`: it must hold. `unless`: it must not. */
  readonly kind: 'when' | 'unless';
  readonly body: Json;
}

/** The parts of a statement in Cedar's JSON form, in the order in which Cedar looks at them. */
export const partsOf = (est: Json): readonly Part[] =>
  conditionsOf(est).flatMap(({ kind, body }, clause) => {
    const isUnless = kind === 'unless';
    return termsOf(body, isUnless ? '||' : '&&').map((term): Part => ({ clause, kind: isUnless ? 'unless' : 'when', body: term }));
  });

/** Chains lean to the left, and are as long as a text allows. */
function termsOf(body: Json, operator: '&&' | '||'): readonly Json[] {
  const terms: Json[] = [];
  const open: Json[] = [body];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const operands = operandsOf(node, operator);
    if (operands === null) terms.push(node);
    else open.push(operands[1], operands[0]);
  }
  return terms;
}

/** The statement with these parts in place of its clauses and, when `scope` is given, with that scope: to be asked whether it applies. */
export function withParts(est: Json, parts: readonly Part[], scope: JsonObject = {}): Statement {
  const whole = isJsonObject(est) ? est : {};
  return {
    effect: 'FORBID',
    est: { ...whole, effect: 'forbid', annotations: {}, conditions: parts.map(({ kind, body }) => ({ kind, body })), ...scope },
  };
}

/** A scope that takes everybody. */
export const WHOLE_SCOPE = { principal: { op: 'All' }, action: { op: 'All' }, resource: { op: 'All' } } as const;
