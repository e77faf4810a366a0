import { conditionOf } from './compile.js';
import { verdictOf, type Condition } from './condition.js';
import type { Expression } from './expression.js';
import type { Frame } from './frame.js';
import { FAILS, HOLDS, isError, type Verdict } from './outcome.js';
import { readPolicy, type ClauseKind, type Constraint, type Effect, type PartyName, type Target } from './read-policy.js';

/** One thing that must come to `wanted` for a policy to apply. */
export interface Requirement {
  readonly condition: Condition;
  readonly wanted: Verdict;
}

/** A policy made ready to be evaluated. It does not know its id, so that every set which holds it shares it. */
export interface CompiledPolicy {
  readonly effect: Effect;
  readonly scope: Readonly<Record<PartyName, readonly Requirement[]>>;
  /** By what it can be found. */
  readonly targets: readonly Target[];
  readonly clauses: readonly { readonly kind: ClauseKind; readonly requirements: readonly Requirement[] }[];
  /** Of scope and clauses, in the order in which Cedar looks at them. */
  readonly requirements: readonly Requirement[];
}

const compiled = new WeakMap<object, CompiledPolicy>();

/**
 * Compiles a policy in Cedar's JSON form; the same object only once, so it must not be changed afterwards.
 *
 * @throws Unsupported
 */
export function compilePolicy(est: unknown): CompiledPolicy {
  if (typeof est !== 'object' || est === null) return compileAnew(est);
  const known = compiled.get(est);
  if (known !== undefined) return known;
  const made = compileAnew(est);
  compiled.set(est, made);
  return made;
}

function compileAnew(est: unknown): CompiledPolicy {
  const { effect, scope, clauses } = readPolicy(est);
  const parties = { principal: demandOf(scope.principal), action: demandOf(scope.action), resource: demandOf(scope.resource) };
  const compiledClauses = clauses.map(({ kind, body }) => ({ kind, requirements: requirementsOf(body, kind === 'when' ? HOLDS : FAILS) }));
  return {
    effect,
    scope: parties,
    targets: [scope.principal, scope.action, scope.resource].flatMap(({ target }) => (target === null ? [] : [target])),
    clauses: compiledClauses,
    requirements: [
      ...[...parties.principal, ...parties.action, ...parties.resource],
      ...compiledClauses.flatMap(({ requirements }) => requirements),
    ],
  };
}

const demandOf = ({ demand }: Constraint): readonly Requirement[] => (demand === null ? [] : requirementsOf(demand, HOLDS));

/** `a && b` must hold when `a` and then `b` do; `a || b` must fail when both do; that way more policies share their conditions. */
function requirementsOf(expression: Expression, wanted: Verdict): readonly Requirement[] {
  if (expression.op === '!') return requirementsOf(expression.argument, wanted === HOLDS ? FAILS : HOLDS);
  if ((expression.op === '&&' && wanted === HOLDS) || (expression.op === '||' && wanted === FAILS)) {
    return [...requirementsOf(expression.left, wanted), ...requirementsOf(expression.right, wanted)];
  }
  return [{ condition: conditionOf(expression), wanted }];
}

/** Whether all requirements are met; the first that is not decides. */
export function verdictOn(requirements: readonly Requirement[], frame: Frame): Verdict {
  for (const { condition, wanted } of requirements) {
    const verdict = verdictOf(condition, frame);
    if (verdict !== wanted) return isError(verdict) ? verdict : FAILS;
  }
  return HOLDS;
}
