import { cedarRequest } from './cedar-request.js';
import type { Effect, PolicyInForce, Statement } from './policy.js';
import type { CedarAnswer, LoadedStatements, PolicyEngine } from './ports.js';
import type { ToolCall } from './tool-call.js';

/** The policies that decide calls at one place, made ready. */
export interface PolicySet {
  readonly statements: LoadedStatements;
  /** By the id under which a statement was loaded: whose it is. */
  readonly owners: ReadonlyMap<string, { readonly policy: PolicyInForce; readonly effect: Effect }>;
}

/** Why a verdict came out as it did. */
export type Basis = 'PERMITTED' | 'FORBIDDEN' | 'NO_MATCH' | 'POLICY_ERROR';

/** A policy that determined a verdict. */
export interface Reason {
  readonly policyId: string;
  readonly policyName: string;
  readonly namespaceId: string;
  readonly revision: number;
  readonly effect: Effect;
}

export interface Evaluation {
  readonly verdict: 'ALLOW' | 'DENY';
  readonly basis: Basis;
  readonly reasons: readonly Reason[];
  /** Policies that could not be evaluated: each is somebody's to mend. */
  readonly failed: readonly Reason[];
}

/** Makes the policies of one place ready to be evaluated many times. */
export function preparePolicySet(engine: PolicyEngine, policies: readonly PolicyInForce[]): PolicySet {
  const statements = new Map<string, Statement>();
  const owners = new Map<string, { readonly policy: PolicyInForce; readonly effect: Effect }>();
  for (const policy of policies) {
    policy.statements.forEach((statement, index) => {
      const id = `${policy.id}/${index}`;
      statements.set(id, statement);
      owners.set(id, { policy, effect: statement.effect });
    });
  }
  return { statements: engine.load(statements), owners };
}

/**
 * Decides one tool call. Pure: the same call and policies, the same answer.
 *
 * What no policy permits is denied, and any `forbid` that matches wins over every `permit`, so neither the order of policies nor
 * the level they come from matters (as in Cedar: docs.cedarpolicy.com/auth/authorization.html). Unlike in Cedar, a `forbid` that
 * cannot be evaluated denies: Cedar would skip it, so that an argument of the wrong type would turn a denial into permission.
 */
export function evaluate(set: PolicySet, call: ToolCall): Evaluation {
  const answer = set.statements.authorize(cedarRequest(call));
  const failed = reasonsOf(set, answer.errors);
  const failedForbids = failed.filter((reason) => reason.effect === 'FORBID');
  if (answer.isAllowed && failedForbids.length > 0) return { verdict: 'DENY', basis: 'POLICY_ERROR', reasons: failedForbids, failed };
  const reasons = reasonsOf(set, answer.reasons);
  return answer.isAllowed
    ? { verdict: 'ALLOW', basis: 'PERMITTED', reasons, failed }
    : { verdict: 'DENY', basis: basisOfDenial(answer, failedForbids), reasons: reasons.length > 0 ? reasons : failedForbids, failed };
}

function basisOfDenial(answer: CedarAnswer, failedForbids: readonly Reason[]): Basis {
  if (answer.reasons.length > 0) return 'FORBIDDEN';
  return failedForbids.length > 0 ? 'POLICY_ERROR' : 'NO_MATCH';
}

/** The policies behind statements, each once for each effect, in the order of their names. */
function reasonsOf(set: PolicySet, statementIds: readonly string[]): readonly Reason[] {
  const reasons = new Map<string, Reason>();
  for (const id of statementIds) {
    const owner = set.owners.get(id);
    if (owner === undefined) throw new Error(`The engine named a statement that was not loaded: ${id}`);
    const { policy, effect } = owner;
    reasons.set(`${policy.id} ${effect}`, {
      policyId: policy.id,
      policyName: policy.name,
      namespaceId: policy.namespaceId,
      revision: policy.revision,
      effect,
    });
  }
  const place = ({ policyName, policyId, effect }: Reason): string => JSON.stringify([policyName, policyId, effect]);
  return [...reasons.values()].sort((left, right) => (place(left) < place(right) ? -1 : 1));
}
