import { authorOf } from '../../audit/index.js';
import { backtestBehind, type BacktestNeeded } from '../backtest/demand.js';
import { requireScope, type Viewer } from '../../kernel/index.js';
import type { Enforcement, Revision } from '../policy.js';
import type { SelfCheckFailed } from '../self-check/check-revisions.js';
import {
  changeFrom,
  maintainedPolicy,
  scheduleProblem,
  trialProblem,
  trialRecord,
  unacceptable,
  type CasesFailed,
  type CasesInvalid,
  type Conflict,
  type Done,
  type Invalid,
  type NotByHand,
  type NotConfirmed,
  type NotFound,
  type PolicyChanging,
  type ReviewNeeded,
  type Unacceptable,
} from './changing.js';
import { readTryAndCheck } from './checked.js';
import { addRevision } from './publish-policy.js';

export interface RollBackRequest extends Enforcement {
  readonly policyId: string;
  /** The latest revision that the caller has seen. */
  readonly basedOn: number;
  /** The revision to publish anew. */
  readonly toRevision: number;
  readonly message: string | null;
  /** The names of warnings that the caller has read and means. */
  readonly confirm: readonly string[];
}

export type RollBackOutcome =
  | Done
  | Invalid
  | CasesInvalid
  | CasesFailed
  | NotConfirmed
  | Unacceptable
  | NotFound
  | Conflict
  | ReviewNeeded
  | BacktestNeeded
  | NotByHand
  | SelfCheckFailed;

/**
 * Publishes an old revision anew, as the next one, which names it. Its own cases have to pass beside what is in force now.
 *
 * Where a second person must review what is published, an old revision that somebody has reviewed to be enforced for good needs no other
 * review, when it comes in force at once and for good: that is what one person alone can do when something is on fire.
 */
export async function rollBackPolicy(deps: PolicyChanging, viewer: Viewer, request: RollBackRequest): Promise<RollBackOutcome> {
  requireScope(viewer, 'policy:write');
  const found = await maintainedPolicy(deps, viewer, request.policyId);
  if (found === null) return { kind: 'notFound', field: 'policyId' };
  const problem = scheduleProblem(request, deps.clock());
  if (problem !== null) return problem;
  const [old] = await deps.policies.revisionsByNumber(viewer.organizationId, [
    { policyId: request.policyId, revision: request.toRevision },
  ]);
  if (old === undefined) return { kind: 'notFound', field: 'toRevision' };
  if (old.status === 'RETIRED') return unacceptable('toRevision', `revision ${old.revision} is a retirement; name one that was published`);
  const { text, cases } = old;
  const read = await readTryAndCheck(deps, viewer, found, { text, cases }, request.confirm);
  if ('problems' in read) return read;

  const by = await authorOf(deps.humans, viewer);
  return changeFrom(
    deps,
    viewer,
    request,
    async (tx, locked): Promise<Done | ReviewNeeded | BacktestNeeded | CasesFailed | NotConfirmed | SelfCheckFailed> => {
      const refusal = trialProblem(read.trial, request.confirm);
      if (refusal !== null) return refusal;
      const demandedBy = await tx.policies.demandingReview(viewer.organizationId, found.namespace.ancestors);
      if (demandedBy.length > 0 && !isReviewed(old, request)) return { kind: 'reviewNeeded', what: 'ROLLBACK', demandedBy };
      const change = { ...request, subject: 'PUBLISH', digest: old.digest, line: found.namespace.ancestors } as const;
      const backtest = await backtestBehind(deps, tx, by, change);
      if (typeof backtest === 'object' && backtest !== null) return backtest;
      if (read.fault !== null) return read.fault;
      const author = old.author;
      // Whoever reviewed the old revision has agreed to that, and not to another mode or another end.
      const reviewer = isReviewed(old, request) ? old.reviewer : null;
      return addRevision(deps, by, tx, found.namespace, {
        ...request,
        ...{ type: 'ai_policy_rolled_back', policy: locked, status: 'PUBLISHED', text, cases, statements: read.statements },
        ...{ author, reviewer, repeats: old.revision, backtestDigest: backtest, trial: trialRecord(read.trial) },
      });
    },
  );
}

const isReviewed = (old: Revision, { mode, effectiveFrom, effectiveUntil }: Enforcement): boolean =>
  old.reviewer !== null &&
  old.mode === 'ENFORCE' &&
  old.effectiveUntil === null &&
  mode === 'ENFORCE' &&
  effectiveFrom === null &&
  effectiveUntil === null;
