import { authorOf, type Author } from '../../audit/index.js';
import type { Namespace } from '../../directory/index.js';
import { requireScope, sha256Hex, type Viewer } from '../../kernel/index.js';
import { backtestBehind, type BacktestNeeded } from '../backtest/demand.js';
import type { Draft, Enforcement, Policy, Revision, Statement, Written } from '../policy.js';
import type { PolicyTransaction } from '../ports.js';
import type { SelfCheckFailed } from '../self-check/check-revisions.js';
import {
  casesAfter,
  changeFrom,
  maintainedPolicy,
  scheduleProblem,
  trialProblem,
  trialRecord,
  type CasesFailed,
  type CasesInvalid,
  type Conflict,
  type Done,
  type DraftConflict,
  type Invalid,
  type NotByHand,
  type NotConfirmed,
  type NotFound,
  type PolicyChanging,
  type ReviewNeeded,
  type Unacceptable,
} from './changing.js';
import { revisionRecord } from './record.js';
import { readTryAndCheck } from './checked.js';
import { digestOrNull, matchingReview } from './review.js';
import { isSameWriting, nextDraft } from './save-draft.js';

export interface PublishRequest extends Enforcement {
  readonly policyId: string;
  /** The latest revision that the author has seen. */
  readonly basedOn: number;
  /** Null: the draft's. */
  readonly text: string | null;
  /** Null: the draft's. Empty: none. */
  readonly cases: string | null;
  /** The version of the draft that the author has seen; null: whatever there is. */
  readonly draftVersion: number | null;
  readonly message: string | null;
  /** The names of warnings that the author has read and means. */
  readonly confirm: readonly string[];
}

export type PublishOutcome = Done | Refusal;
type Refusal = Untried | Unacceptable | NotFound | Conflict | DraftConflict | ReviewNeeded | BacktestNeeded | NotByHand | SelfCheckFailed;

/** The text, its cases or what became of them is at fault. */
type Untried = Invalid | CasesInvalid | CasesFailed | NotConfirmed;

/**
 * Makes the next revision of a policy and puts it in force: at once or at its start, and until its end. Refused when somebody else
 * published since `basedOn`, where a second person must have reviewed exactly this and nobody has, where a backtest must have shown first
 * what it changes, when a case fails, when there is a warning that the request does not confirm, or when what decides does not evaluate it as
 * Cedar does.
 *
 * What the request brings of its own becomes the draft, unless there is work in the draft that was never published: that stays.
 */
export async function publishPolicy(deps: PolicyChanging, viewer: Viewer, request: PublishRequest): Promise<PublishOutcome> {
  requireScope(viewer, 'policy:write');
  const found = await maintainedPolicy(deps, viewer, request.policyId);
  if (found === null) return { kind: 'notFound', field: 'policyId' };
  const problem = scheduleProblem(request, deps.clock());
  if (problem !== null) return problem;
  const { draft } = found.policy;
  const written: Written = { text: request.text ?? draft.text, cases: casesAfter(request.cases, draft.cases) };
  const read = await readTryAndCheck(deps, viewer, found, written, request.confirm);
  if ('problems' in read) return read;

  const by = await authorOf(deps.humans, viewer);
  // What was read is what is published: a draft that was saved meanwhile is another one.
  const draftSeen = request.draftVersion ?? (request.text === null || request.cases === null ? draft.version : null);
  return changeFrom(deps, viewer, request, async (tx, locked): Promise<Exclude<PublishOutcome, Invalid | CasesInvalid | Unacceptable>> => {
    if (draftSeen !== null && locked.draft.version !== draftSeen)
      return {
        kind: 'draftConflict',
        policyId: locked.id,
        basedOn: draftSeen,
        latest: locked.draft,
        text: request.text,
        cases: request.cases,
      };
    const refusal = trialProblem(read.trial, request.confirm);
    if (refusal !== null) return refusal;
    const isDraft = isSameWriting(written, locked.draft);
    const reviews = isDraft ? await tx.policies.reviews(viewer.organizationId, locked.id, 'PUBLISH', locked.draft.version) : [];
    const review = matchingReview(reviews, { ...request, ...digestsOf(written), notBy: locked.draft.savedBy });
    const demandedBy = await tx.policies.demandingReview(viewer.organizationId, found.namespace.ancestors);
    if (review === null && demandedBy.length > 0) return { kind: 'reviewNeeded', what: 'PUBLISH', demandedBy };
    const backtest = await backtestBehind(deps, tx, by, {
      ...request,
      ...{ subject: 'PUBLISH', digest: sha256Hex(written.text), line: found.namespace.ancestors },
    });
    if (typeof backtest === 'object' && backtest !== null) return backtest;
    if (read.fault !== null) return read.fault;
    const author = isDraft ? locked.draft.savedBy : viewer.userId;
    const reviewer = review?.reviewedBy ?? null;
    return addRevision(deps, by, tx, found.namespace, {
      ...request,
      ...{
        type: 'ai_policy_published',
        policy: locked,
        status: 'PUBLISHED',
        ...written,
        statements: read.statements,
        author,
        reviewer,
        repeats: null,
        trial: trialRecord(read.trial),
        backtestDigest: backtest,
      },
    });
  });
}

const digestsOf = ({ text, cases }: Written) => ({ digest: sha256Hex(text), casesDigest: digestOrNull(cases) });

interface Change extends Pick<
  Revision,
  'status' | 'text' | 'cases' | 'statements' | 'author' | 'reviewer' | 'repeats' | 'message' | 'mode' | 'effectiveFrom' | 'effectiveUntil'
> {
  /** Of the record. */
  readonly type: string;
  readonly policy: Policy;
  readonly statements: readonly Statement[];
  readonly trial?: ReturnType<typeof trialRecord>;
  /** Of the report that it was published on. */
  readonly backtestDigest?: string | null;
}

/** Stores the next revision with its record; the policy as it is then. */
export async function addRevision(
  deps: Pick<PolicyChanging, 'clock'>,
  by: Author,
  tx: PolicyTransaction,
  namespace: Namespace,
  { type, policy, trial, ...change }: Change,
): Promise<Done> {
  const {
    status,
    text,
    cases,
    statements,
    author,
    reviewer,
    repeats,
    message,
    mode,
    effectiveFrom,
    effectiveUntil,
    backtestDigest = null,
  } = change;
  const revision: Revision = {
    ...{ policyId: policy.id, revision: policy.latestRevision + 1, status, text, cases, statements, digest: sha256Hex(text) },
    ...{ author, reviewer, repeats, message, mode, effectiveFrom, effectiveUntil },
    ...{ publishedAt: deps.clock(), publishedBy: by.userId, backtestDigest },
  };
  const draft = await draftAfter(deps, by, tx, policy, revision);
  await tx.policies.addRevision(by.organizationId, revision);
  if (draft !== policy.draft) await tx.policies.saveDraft(by.organizationId, policy.id, draft);
  await tx.auditLog.append(by.organizationId, [revisionRecord(deps, by, namespace, { type, policy, revision, trial })]);
  return { kind: 'done', policy: { ...policy, status, draft, latestRevision: revision.revision } };
}

/** The draft follows what is published, unless somebody has worked on it since the last publish: nothing of that is lost. */
async function draftAfter(
  deps: Pick<PolicyChanging, 'clock'>,
  viewer: Viewer,
  { policies }: PolicyTransaction,
  policy: Policy,
  revision: Revision,
): Promise<Draft> {
  if (isSameWriting(revision, policy.draft)) return policy.draft;
  const before = await policies.revision(viewer.organizationId, policy.id, policy.latestRevision);
  return before !== null && isSameWriting(before, policy.draft) ? nextDraft(policy, revision, viewer, deps.clock()) : policy.draft;
}
