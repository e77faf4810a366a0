import { randomUUID } from 'node:crypto';
import { authorOf } from '../../audit/index.js';
import { requireScope, sha256Hex, type Viewer } from '../../kernel/index.js';
import type { Enforcement, Policy, Review, ReviewSubject, Written } from '../policy.js';
import type { PolicyTransaction } from '../ports.js';
import {
  maintainedPolicy,
  notByHand,
  scheduleProblem,
  unacceptable,
  type Done,
  type DraftConflict,
  type NotByHand,
  type NotFound,
  type PolicyChanging,
  type Unacceptable,
} from './changing.js';
import { policyRecord } from './record.js';

export interface ReviewRequest extends Enforcement {
  readonly policyId: string;
  readonly subject: ReviewSubject;
  /** Of the text that the reviewer has read. */
  readonly digest: string;
  /** Of the cases that they have read; null when there were none. */
  readonly casesDigest: string | null;
  readonly message: string | null;
}

export type ReviewOutcome = Done | NotFound | DraftConflict | Unacceptable | NotByHand | { readonly kind: 'ownDraft' };

/**
 * Says that the viewer has read a text and agrees that it comes in force, or is taken out of force. It counts for exactly this: this
 * version of the draft with this text and these cases, this mode and these times; or this revision as the latest. Nobody reviews their own draft.
 *
 * Needs what publishing needs.
 */
export async function reviewPolicy(deps: PolicyChanging, viewer: Viewer, request: ReviewRequest): Promise<ReviewOutcome> {
  requireScope(viewer, 'policy:write');
  const found = await maintainedPolicy(deps, viewer, request.policyId);
  if (found === null) return { kind: 'notFound', field: 'policyId' };
  const now = deps.clock();
  const problem = scheduleProblem(request, now);
  if (problem !== null) return problem;

  const by = await authorOf(deps.humans, viewer);
  const outcome = await deps.atomically(viewer.organizationId, async (tx): Promise<ReviewOutcome> => {
    const locked = await tx.policies.lock(viewer.organizationId, request.policyId);
    if (locked === null) return { kind: 'notFound', field: 'policyId' };
    const made = notByHand(locked);
    if (made !== null) return made;
    const reviewed = await reviewedText(tx, viewer, locked, request);
    if ('kind' in reviewed) return reviewed;
    const { subject, digest, casesDigest, message, mode, effectiveFrom, effectiveUntil } = request;
    const number = subject === 'PUBLISH' ? locked.draft.version : locked.latestRevision;
    const review: Review = {
      ...{ id: randomUUID(), policyId: locked.id, subject, number, digest, casesDigest, message },
      ...{ mode, effectiveFrom, effectiveUntil, reviewedAt: now, reviewedBy: viewer.userId },
    };
    await tx.policies.addReview(viewer.organizationId, review);
    await tx.auditLog.append(viewer.organizationId, [
      policyRecord(deps, by, found.namespace, {
        type: 'ai_policy_reviewed',
        policy: locked,
        revision: locked.latestRevision,
        text: reviewed.text,
        cases: subject === 'PUBLISH' ? reviewed.cases : null,
        message,
        ...{ mode, effectiveFrom, effectiveUntil, reviewer: viewer.userId, reviewSubject: subject },
        ...(subject === 'PUBLISH' && { draftVersion: locked.draft.version, author: locked.draft.savedBy }),
      }),
    ]);
    return { kind: 'done', policy: locked };
  });
  if (outcome.kind === 'done') deps.announce(viewer.organizationId);
  return outcome;
}

/** What is reviewed, when it is the one that the reviewer has read. */
async function reviewedText(
  { policies }: PolicyTransaction,
  viewer: Viewer,
  locked: Policy,
  { subject, digest, casesDigest, mode, effectiveFrom, effectiveUntil }: ReviewRequest,
): Promise<Written | Exclude<ReviewOutcome, Done>> {
  if (subject === 'PUBLISH') {
    if (locked.draft.savedBy === viewer.userId) return { kind: 'ownDraft' };
    if (sha256Hex(locked.draft.text) === digest && digestOrNull(locked.draft.cases) === casesDigest) return locked.draft;
    return { kind: 'draftConflict', policyId: locked.id, basedOn: null, latest: locked.draft, text: null, cases: null };
  }
  if (mode !== 'ENFORCE' || effectiveFrom !== null || effectiveUntil !== null)
    return unacceptable('mode', 'a retirement has no mode and no times: leave them out');
  if (casesDigest !== null) return unacceptable('casesDigest', 'whoever agrees to a retirement need not read cases: leave it out');
  const latest = await policies.revision(viewer.organizationId, locked.id, locked.latestRevision);
  if (latest?.status !== 'PUBLISHED') return unacceptable('subject', 'only what is published can be retired');
  if (latest.digest !== digest) return unacceptable('digest', `is not that of the latest revision, ${latest.revision}: ${latest.digest}`);
  return latest;
}

export const digestOrNull = (text: string | null): string | null => (text === null ? null : sha256Hex(text));

/** Of the reviews of what is about to be done, the latest that is of exactly this, and by somebody else than whoever it must not be. */
export const matchingReview = (
  reviews: readonly Review[],
  wanted: Enforcement & { readonly digest: string; readonly casesDigest: string | null; readonly notBy: string },
): Review | null =>
  reviews.find(
    (review) =>
      review.digest === wanted.digest &&
      review.casesDigest === wanted.casesDigest &&
      review.mode === wanted.mode &&
      review.effectiveFrom?.getTime() === wanted.effectiveFrom?.getTime() &&
      review.effectiveUntil?.getTime() === wanted.effectiveUntil?.getTime() &&
      review.reviewedBy !== wanted.notBy,
  ) ?? null;
