import { othersFirst } from '../../kernel/index.js';
import { evaluate, preparePolicySet, type Evaluation, type PolicySet } from '../evaluate.js';
import { AT_ONCE, type PolicyInForce, type Statement } from '../policy.js';
import type { CedarRequest, PolicyEngine } from '../ports.js';
import { callOfCase, type LineSeat } from './case-call.js';
import type { Beside, PolicyCase } from './case.js';
import { Coverage, uncoveredIn, type StatementCoverage, type Uncovered } from './coverage.js';
import { differences } from './expectation.js';

/** A policy whose cases are run: a text that decides nothing yet. */
export interface TriedPolicy {
  /** Null: it does not exist yet. */
  readonly id: string | null;
  readonly name: string;
  readonly namespaceId: string;
  readonly text: string;
  readonly statements: readonly Statement[];
}

/** Where cases are run. */
export interface Surroundings {
  readonly engine: PolicyEngine;
  /** From the organization down to the namespace that the policy is attached to. */
  readonly line: readonly LineSeat[];
  /** What is enforced there and above, but for the policy itself. */
  readonly enforced: readonly PolicyInForce[];
  /** The same together with the policy, where that is made ready already. */
  readonly together?: PolicySet;
}

/** What came of one case. */
export interface CaseResult {
  readonly case: PolicyCase;
  readonly isPassed: boolean;
  readonly got: Evaluation;
  /** In words, what is not as it is wanted; empty when it is passed. */
  readonly differences: readonly string[];
}

export interface CasesRun {
  /** In the order of the cases. */
  readonly results: readonly CaseResult[];
  readonly passed: number;
  readonly failed: number;
  /** In the order of the text. */
  readonly coverage: readonly StatementCoverage[];
  readonly uncovered: readonly Uncovered[];
}

/** As what the reasons of a run name a policy that does not exist yet. */
export const NOT_CREATED = 'not created';

/**
 * Runs a policy's cases, each decided exactly as a call is. Changes nothing. Lets others in between any two cases: five hundred can take
 * long, and decisions are made in this process.
 */
export async function runCases(surroundings: Surroundings, policy: TriedPolicy, cases: readonly PolicyCase[]): Promise<CasesRun> {
  const tried: PolicyInForce = { ...AT_ONCE, ...policy, id: policy.id ?? NOT_CREATED, revision: 0 };
  const setFor = setsFor(surroundings, tried);
  const own = preparePolicySet(surroundings.engine, [tried]).statements;
  const coverage = new Coverage(policy.text, policy.statements);
  const results: CaseResult[] = [];
  for (const one of cases) {
    await othersFirst();
    const { got, asked } = evaluateAsking(setFor(one.beside), callOfCase(one.call, surroundings.line));
    const determining = new Set(got.determining);
    coverage.add(
      asked.map((request) => own.explain(request)),
      (index) => determining.has(`${tried.id}/${index}`),
    );
    const found = differences(one.expect, got);
    results.push({ case: one, isPassed: found.length === 0, got, differences: found });
  }
  const passed = results.filter(({ isPassed }) => isPassed).length;
  const covered = coverage.statements();
  return { results, passed, failed: results.length - passed, coverage: covered, uncovered: uncoveredIn(covered) };
}

/** What a case is decided by, made ready when the first case needs it. */
function setsFor({ engine, enforced, together }: Surroundings, tried: PolicyInForce): (beside: Beside) => PolicySet {
  const others: Readonly<Record<Beside, readonly PolicyInForce[]>> = { IN_FORCE: enforced, NOTHING: [], PERMIT_ALL: [PERMIT_ALL] };
  const sets = new Map<Beside, PolicySet>(together === undefined ? [] : [['IN_FORCE', together]]);
  return (beside) => {
    const set = sets.get(beside) ?? preparePolicySet(engine, [...others[beside], tried]);
    sets.set(beside, set);
    return set;
  };
}

const PERMIT_ALL: PolicyInForce = {
  ...AT_ONCE,
  ...{ id: 'permit all', name: 'permit all', namespaceId: '', revision: 0 },
  statements: [
    {
      effect: 'PERMIT',
      est: { effect: 'permit', principal: { op: 'All' }, action: { op: 'All' }, resource: { op: 'All' }, conditions: [] },
    },
  ],
};

/** Decides a call, and says what Cedar was asked for it. */
function evaluateAsking(
  set: PolicySet,
  call: Parameters<typeof evaluate>[1],
): { readonly got: Evaluation; readonly asked: readonly CedarRequest[] } {
  const asked: CedarRequest[] = [];
  const statements: PolicySet['statements'] = {
    authorize(request) {
      asked.push(request);
      return set.statements.authorize(request);
    },
    mayApply: (request) => set.statements.mayApply(request),
    explain: (request) => set.statements.explain(request),
  };
  return { got: evaluate({ ...set, statements }, call), asked };
}
