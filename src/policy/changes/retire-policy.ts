import { authorOf } from '../../audit/index.js';
import { backtestBehind, type BacktestNeeded } from '../backtest/demand.js';
import { requireScope, sha256Hex, type Viewer } from '../../kernel/index.js';
import { AT_ONCE, type Policy, type Written } from '../policy.js';
import type { PolicyTransaction } from '../ports.js';
import {
  changeFrom,
  maintainedPolicy,
  type Conflict,
  type Done,
  type NotByHand,
  type NotFound,
  type PolicyChanging,
  type ReviewNeeded,
} from './changing.js';
import { addRevision } from './publish-policy.js';
import { matchingReview } from './review.js';

export interface RetireRequest {
  readonly policyId: string;
  /** The latest revision that the caller has seen. */
  readonly basedOn: number;
  readonly message: string | null;
}

export type RetireOutcome = Done | NotFound | Conflict | ReviewNeeded | BacktestNeeded | NotByHand;

/**
 * Takes a policy out of force, with whatever of it is still to start. A retired one can be published again, by somebody who has seen
 * that it was retired: a retirement is a revision too. Retiring what is retired changes and records nothing.
 *
 * Where a second person must review what is published, a retirement needs a review as well, by somebody else than whoever retires.
 */
export async function retirePolicy(deps: PolicyChanging, viewer: Viewer, request: RetireRequest): Promise<RetireOutcome> {
  requireScope(viewer, 'policy:write');
  const found = await maintainedPolicy(deps, viewer, request.policyId);
  if (found === null) return { kind: 'notFound', field: 'policyId' };
  const by = await authorOf(deps.humans, viewer);
  const isRetired = ({ status }: Policy): boolean => status === 'RETIRED';
  const retire = async (tx: PolicyTransaction, locked: Policy): Promise<Done | ReviewNeeded | BacktestNeeded> => {
    const latest = await tx.policies.revision(viewer.organizationId, locked.id, locked.latestRevision);
    const { text, cases, author } = latest ?? ofDraft(locked);
    const reviews = await tx.policies.reviews(viewer.organizationId, locked.id, 'RETIRE', locked.latestRevision);
    const review = matchingReview(reviews, { ...AT_ONCE, digest: sha256Hex(text), casesDigest: null, notBy: viewer.userId });
    const demandedBy = await tx.policies.demandingReview(viewer.organizationId, found.namespace.ancestors);
    // What was never published decides nothing, so that retiring it lifts nothing.
    if (latest !== null && review === null && demandedBy.length > 0) return { kind: 'reviewNeeded', what: 'RETIRE', demandedBy };
    const change = {
      policyId: locked.id,
      subject: 'RETIRE',
      digest: sha256Hex(text),
      ...AT_ONCE,
      line: found.namespace.ancestors,
    } as const;
    const backtest = latest === null ? null : await backtestBehind(deps, tx, by, change);
    if (typeof backtest === 'object' && backtest !== null) return backtest;
    return addRevision(deps, by, tx, found.namespace, {
      ...AT_ONCE,
      ...{ type: 'ai_policy_retired', policy: locked, status: 'RETIRED', text, cases, statements: [], author },
      ...{ reviewer: review?.reviewedBy ?? null, repeats: null, message: request.message, backtestDigest: backtest },
    });
  };
  return changeFrom(deps, viewer, request, retire, isRetired);
}

const ofDraft = ({ draft }: Policy): Written & { readonly author: string } => ({
  text: draft.text,
  cases: draft.cases,
  author: draft.savedBy,
});
