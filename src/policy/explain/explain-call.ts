import type { PolicyExplanation } from '../../cedar/index.js';
import { argumentsUnseen } from '../argument-reading.js';
import { supposing } from '../cedar-request.js';
import { compiledEngine } from '../compiled-engine.js';
import { evaluateInDetail, prepareCall, preparePolicySet, promisedIn, statementId, type Evaluation, type PolicySet } from '../evaluate.js';
import type { PolicyInForce } from '../policy.js';
import type { CedarRequest } from '../ports.js';
import type { ToolCall } from '../tool-call.js';
import { explainStatement, outcomeOf, type ExplainedStatement, type StatementOutcome } from './explain-statement.js';
import { factsRead, type FactRead } from './facts-read.js';
import { nearMissesAmong, type Explained, type NearMiss } from './near-misses.js';

/** Why a call is answered as it is. */
export interface CallExplanation {
  readonly evaluation: Evaluation;
  /** Every policy in force, those that decided first, then by how near they came to it, by level and name. */
  readonly policies: readonly ExplainedPolicy[];
  /** How many statements had which outcome, shadows left out. */
  readonly counts: Readonly<Record<StatementOutcome, number>>;
  /** What the statements whose scope takes the call read. */
  readonly facts: readonly FactRead[];
  /** Of a call that nothing permits: what nearly did. */
  readonly nearMisses: readonly NearMiss[];
  /** The request that the statements were asked: with the approval that there is and the obligations that are promised. */
  readonly request: CedarRequest;
}

/** A policy in force, and what became of it. */
export interface ExplainedPolicy {
  readonly policy: PolicyInForce;
  /** What became of its statements, the one that mattered most. */
  readonly outcome: StatementOutcome;
  /** Whether one of its statements is a reason of the verdict. */
  readonly isDeciding: boolean;
  /** Worked out when asked for. */
  readonly statements: () => readonly ExplainedStatement[];
}

/**
 * Explains what `evaluate` says of a call. Pure.
 *
 * @param watched policies that are evaluated beside those that decide
 * @param line ids of the namespaces from the organization down to the project
 */
export function explainCall(set: PolicySet, watched: readonly PolicyInForce[], call: ToolCall, line: readonly string[]): CallExplanation {
  const { evaluation, decidedBy, asked } = evaluateInDetail(set, prepareCall(call));
  const { given } = asked;
  const request = supposing(asked.request, call.approval, promisedIn(set, call));
  const explain = (of: PolicySet, deciding: ReadonlySet<string>): readonly Worked[] => {
    const unseen = new Set(given.isComplete ? [] : argumentsUnseen(of.readers(), request));
    const became = new Map(of.statements.explain(request).map((one) => [one.policyId, one]));
    return of.policies.map((policy) =>
      explainedPolicy(policy, { became, unseen, deciding, request, isForbidden: evaluation.verdict !== 'ALLOW' }),
    );
  };
  const enforced = explain(set, new Set(decidedBy));
  const shadows = explain(preparePolicySet(compiledEngine, watched), new Set());
  const statements = enforced.flatMap(({ found }) => found);
  const inScope = statements.filter(({ outcome }) => outcome !== 'NOT_IN_SCOPE').map(({ statement }) => statement.est);
  return {
    evaluation,
    policies: inOrder([...enforced, ...shadows], line),
    counts: countsOf(statements.map(({ outcome }) => outcome)),
    nearMisses: evaluation.basis === 'NO_MATCH' ? nearMissesAmong(statements, request) : [],
    facts: factsRead(inScope, request),
    request,
  };
}

/** A policy with everything that the whole of the explanation is made of. */
interface Worked extends ExplainedPolicy {
  readonly found: readonly (Explained & { readonly outcome: StatementOutcome })[];
}

interface Became {
  readonly became: ReadonlyMap<string, PolicyExplanation>;
  /** Ids of statements that read arguments which cannot be shown. */
  readonly unseen: ReadonlySet<string>;
  readonly deciding: ReadonlySet<string>;
  readonly request: CedarRequest;
  readonly isForbidden: boolean;
}

function explainedPolicy(policy: PolicyInForce, { became, unseen, deciding, request, isForbidden }: Became): Worked {
  const found = policy.statements.map((statement, index) => {
    const id = statementId(policy, index);
    const explanation = became.get(id);
    if (explanation === undefined) throw new Error(`The engine did not explain ${id}.`);
    const isUnseen = unseen.has(id);
    return { policy, statement, index, explanation, isUnseen, isDeciding: deciding.has(id), outcome: outcomeOf(explanation, isUnseen) };
  });
  return {
    ...{ policy, found },
    outcome: NEARNESS.find((outcome) => found.some((one) => one.outcome === outcome)) ?? 'NOT_IN_SCOPE',
    isDeciding: found.some((one) => one.isDeciding),
    statements: () => found.map((one) => explainStatement({ ...one, request, isOverruled: isForbidden && !one.isDeciding })),
  };
}

/** How near an outcome is to deciding, the nearest first. */
const NEARNESS: readonly StatementOutcome[] = ['FAILED', 'APPLIED', 'CONDITION_NOT_MET', 'NOT_IN_SCOPE'];

function inOrder(policies: readonly ExplainedPolicy[], line: readonly string[]): readonly ExplainedPolicy[] {
  const keyOf = ({ policy, outcome, isDeciding }: ExplainedPolicy) => [
    isDeciding ? 0 : 1,
    NEARNESS.indexOf(outcome),
    line.indexOf(policy.namespaceId),
    policy.mode === 'ENFORCE' ? 0 : 1,
    policy.name,
    policy.id,
  ];
  return policies
    .map((explained) => ({ explained, key: keyOf(explained) }))
    .sort((left, right) => compare(left.key, right.key))
    .map(({ explained }) => explained);
}

function compare(left: readonly (string | number)[], right: readonly (string | number)[]): number {
  for (let index = 0; index < left.length; index += 1) {
    const [one = 0, other = 0] = [left[index], right[index]];
    if (one !== other) return one < other ? -1 : 1;
  }
  return 0;
}

function countsOf(outcomes: readonly StatementOutcome[]): Readonly<Record<StatementOutcome, number>> {
  const count = (wanted: StatementOutcome): number => outcomes.filter((outcome) => outcome === wanted).length;
  return {
    APPLIED: count('APPLIED'),
    FAILED: count('FAILED'),
    CONDITION_NOT_MET: count('CONDITION_NOT_MET'),
    NOT_IN_SCOPE: count('NOT_IN_SCOPE'),
  };
}
