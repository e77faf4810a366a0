import type { Author } from '../../audit/index.js';
import type { Namespace } from '../../directory/index.js';
import { sha256Hex, othersFirst } from '../../kernel/index.js';
import type { BundleAction, BundleChange, BundledPolicy, StandingPolicy } from '../bundle.js';
import { AT_ONCE, type Draft, type Policy, type Revision } from '../policy.js';
import type { PolicyTransaction } from '../ports.js';
import type { BundledTrial, ReadPolicy } from '../try-bundle.js';
import { trialRecord, type PolicyChanging } from './changing.js';
import { newPolicy } from './create-policy.js';
import { policyRecord, type PolicyRecord } from './record.js';
import { isSameWriting, nextDraft } from './save-draft.js';

/** A policy of the namespace with all that is to be written of it. */
export interface Standing extends StandingPolicy {
  readonly policy: Policy;
  readonly latestAuthor: string | null;
}
export type Change = BundleChange<BundledPolicy, Standing>;

/** What became of one policy. */
export interface BundleResult {
  readonly name: string;
  readonly action: BundleAction;
  readonly policyId: string;
  /** Its latest. */
  readonly revision: number;
}

/** Ends a transaction that has written already. */
export class NameTaken extends Error {}

export interface BundleWriting {
  readonly changes: readonly Change[];
  readonly read: readonly ReadPolicy[];
  readonly trials: readonly BundledTrial[];
  /** The digests of the reports behind what is published or retired, by name. */
  readonly backtests: ReadonlyMap<string, string>;
  readonly repository: string | null;
  readonly message: string | null;
  /** The digest of what the folder says. */
  readonly bundle: string;
}

/** A policy as it is to be stored, with the revision that makes it so, if any, and what is recorded. */
interface Outcome {
  readonly policy: Policy;
  readonly isNew: boolean;
  readonly revision: Revision | null;
  readonly records: readonly PolicyRecord[];
}

/** Stores the changes with their records, a few statements for all of them. What became of each policy. */
export async function writeBundle(
  deps: PolicyChanging,
  by: Author,
  tx: PolicyTransaction,
  namespace: Namespace,
  writing: BundleWriting,
): Promise<readonly BundleResult[]> {
  const written: Outcome[] = [];
  for (const change of writing.changes) {
    await othersFirst();
    written.push(writtenBy(deps, by, namespace, { writing, change }));
  }
  const { policies, auditLog } = tx;
  const created = written.filter(({ isNew }) => isNew).map(({ policy }) => policy);
  if ((await policies.insertAll(by.organizationId, created)) < created.length) throw new NameTaken();
  await policies.addRevisions(
    by.organizationId,
    written.flatMap(({ revision }) => (revision === null ? [] : [revision])),
  );
  await policies.saveAll(
    by.organizationId,
    written.filter(({ isNew, records }) => !isNew && records.length > 0).map(({ policy }) => policy),
  );
  for (let first = 0; first < written.length; first += POLICIES_A_STATEMENT) {
    const some = written.slice(first, first + POLICIES_A_STATEMENT).flatMap(({ records }) => records);
    const appends = some.map((record) => policyRecord(deps, by, namespace, record));
    if (appends.length > 0) await auditLog.append(by.organizationId, appends);
  }
  return written.map(({ policy }, index) => ({
    ...{ name: policy.name, action: writing.changes[index]?.action ?? 'KEEP', policyId: policy.id, revision: policy.latestRevision },
  }));
}

/** Whose records are stored at a time: what is made ready for a statement keeps others waiting. */
const POLICIES_A_STATEMENT = 50;

interface Writing {
  readonly writing: BundleWriting;
  readonly change: Change;
}

function writtenBy(deps: PolicyChanging, by: Author, namespace: Namespace, { writing, change }: Writing): Outcome {
  const { action, before, after } = change;
  const { bundle, message } = writing;
  if (before !== null && action === 'KEEP') return { policy: before.policy, isNew: false, revision: null, records: [] };
  const standing = before?.policy ?? draftedFor(deps, by, namespace, after);
  const repository = writing.repository ?? standing.applied?.repository ?? null;
  const revision = action === 'ADOPT' ? null : revisionOf(deps, by, writing, change, standing);
  const latestRevision = revision?.revision ?? standing.latestRevision;
  const policy: Policy = {
    ...standing,
    ...{ origin: 'AS_CODE', applied: { revision: latestRevision, repository }, latestRevision },
    ...(after !== null && { description: after.description }),
    ...(revision !== null && { status: revision.status, draft: draftAfter(deps, by, change, standing, revision) }),
  };
  const said = { policy, message, repository, bundle };
  const records: PolicyRecord[] = [];
  if (before === null) {
    const { text, cases, version } = standing.draft;
    records.push({ ...said, type: 'ai_policy_created', revision: 0, text, cases, draftVersion: version, author: by.userId });
  } else if (standing.origin !== 'AS_CODE' || action === 'ADOPT') {
    const { text, cases } = before.latest ?? standing.draft;
    const author = before.latestAuthor ?? standing.draft.savedBy;
    records.push({ ...said, type: 'ai_policy_adopted', revision: standing.latestRevision, text, cases, author });
  }
  if (revision !== null)
    records.push({
      ...{ ...revision, ...said, type: revision.status === 'RETIRED' ? 'ai_policy_retired' : 'ai_policy_published' },
      ...trialRecordOf(writing, change),
    });
  return { policy, isNew: before === null, revision, records };
}

function trialRecordOf({ trials }: BundleWriting, { name, after }: Change): Partial<ReturnType<typeof trialRecord>> {
  const tried = after === null ? undefined : trials.find((trial) => trial.name === name);
  return tried === undefined ? {} : trialRecord(tried.trial);
}

function draftedFor(deps: PolicyChanging, by: Author, namespace: Namespace, after: BundledPolicy | null): Policy {
  if (after === null) throw new Error('What is neither there nor wanted is no change.');
  const { name, description, text, cases } = after;
  return newPolicy({ namespaceId: namespace.id, name, description, text, cases }, by, deps.clock());
}

function revisionOf(
  deps: PolicyChanging,
  by: Author,
  { read, backtests, message }: BundleWriting,
  { name, before, after }: Change,
  standing: Policy,
): Revision {
  const { text, cases } = after ?? before?.latest ?? standing.draft;
  const statements = after === null ? [] : read.find((policy) => policy.name === name)?.statements;
  if (statements === undefined) throw new Error('A text is published that was not read.');
  return {
    ...AT_ONCE,
    ...{ policyId: standing.id, revision: standing.latestRevision + 1, text, cases, statements, digest: sha256Hex(text) },
    ...(after === null
      ? { status: 'RETIRED', author: before?.latestAuthor ?? by.userId }
      : { status: 'PUBLISHED', author: by.userId, mode: after.mode }),
    ...{ reviewer: null, repeats: null, message, publishedAt: deps.clock(), publishedBy: by.userId },
    backtestDigest: backtests.get(name) ?? null,
  };
}

/** The draft follows, unless somebody has worked on it since the last publish: that stays, for when the policy is released. */
function draftAfter(deps: PolicyChanging, by: Author, { before }: Change, standing: Policy, revision: Revision): Draft {
  const latest = before?.latest ?? null;
  const isFollowing = before === null || (latest !== null && isSameWriting(latest, standing.draft));
  return isSameWriting(revision, standing.draft) || !isFollowing ? standing.draft : nextDraft(standing, revision, by, deps.clock());
}
