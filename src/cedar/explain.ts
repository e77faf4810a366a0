import { verdictOn, type CompiledPolicy } from './compile-policy.js';
import type { Frame } from './frame.js';
import { codeOf, HOLDS, isError, type ErrorCode, type Verdict } from './outcome.js';
import type { ClauseKind, Effect, PartyName } from './read-policy.js';

/** What a clause says of a request: the truth of what stands in its braces, or why it has none, or that nothing depended on it. */
export interface ClauseExplanation {
  readonly kind: ClauseKind;
  readonly outcome: 'TRUE' | 'FALSE' | 'ERROR' | 'NOT_REACHED';
  /** Null unless the outcome is ERROR. */
  readonly error: ErrorCode | null;
}

/** What became of one policy. */
export interface PolicyExplanation {
  readonly policyId: string;
  readonly effect: Effect;
  /**
   * APPLIES: it counts. OUT_OF_SCOPE: its scope does not take the request. NOT_MET: a clause keeps it from applying. ERROR: a clause
   * could not be evaluated, so it does not apply either.
   */
  readonly outcome: 'APPLIES' | 'OUT_OF_SCOPE' | 'NOT_MET' | 'ERROR';
  /** Which parties the scope takes. */
  readonly scope: Readonly<Record<PartyName, boolean>>;
  /** In the order of the policy's text; after the first that keeps it from applying, none is reached. */
  readonly clauses: readonly ClauseExplanation[];
}

/** What becomes of the policy. */
export function explainPolicy(policyId: string, policy: CompiledPolicy, frame: Frame): PolicyExplanation {
  const takes = (party: PartyName): boolean => verdictOn(policy.scope[party], frame) === HOLDS;
  const scope = { principal: takes('principal'), action: takes('action'), resource: takes('resource') };
  const isInScope = scope.principal && scope.action && scope.resource;
  return {
    policyId,
    effect: policy.effect,
    outcome: isInScope ? outcomeOf(verdictOn(policy.requirements, frame)) : 'OUT_OF_SCOPE',
    scope,
    clauses: explainClauses(policy.clauses, isInScope, frame),
  };
}

function outcomeOf(verdict: Verdict): PolicyExplanation['outcome'] {
  if (verdict === HOLDS) return 'APPLIES';
  return isError(verdict) ? 'ERROR' : 'NOT_MET';
}

function explainClauses(clauses: CompiledPolicy['clauses'], isInScope: boolean, frame: Frame): readonly ClauseExplanation[] {
  let isReached = isInScope;
  return clauses.map(({ kind, requirements }) => {
    if (!isReached) return { kind, outcome: 'NOT_REACHED', error: null };
    const verdict = verdictOn(requirements, frame);
    isReached = verdict === HOLDS;
    if (isError(verdict)) return { kind, outcome: 'ERROR', error: codeOf(verdict) };
    return { kind, outcome: (verdict === HOLDS) === (kind === 'when') ? 'TRUE' : 'FALSE', error: null };
  });
}
