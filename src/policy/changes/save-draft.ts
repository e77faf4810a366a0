import { authorOf } from '../../audit/index.js';
import { requireScope, type Viewer } from '../../kernel/index.js';
import type { Draft, Policy, Written } from '../policy.js';
import {
  casesAfter,
  maintainedPolicy,
  notByHand,
  readAndTry,
  trialRecord,
  type CasesInvalid,
  type Tried,
  type DraftConflict,
  type Invalid,
  type NotByHand,
  type NotFound,
  type PolicyChanging,
} from './changing.js';
import { policyRecord } from './record.js';

export interface SaveDraftRequest {
  readonly policyId: string;
  /** The version of the draft that the author has seen. */
  readonly draftVersion: number;
  readonly text: string;
  /** Null: those that the draft has stay. Empty: none. */
  readonly cases: string | null;
}

export type SaveDraftOutcome = Tried | Invalid | CasesInvalid | NotFound | DraftConflict | NotByHand;

/**
 * Replaces a policy's draft, which decides nothing. Refused when somebody else saved it since the version that the author has seen.
 * Saving the text that is there changes and records nothing.
 */
export async function saveDraft(deps: PolicyChanging, viewer: Viewer, request: SaveDraftRequest): Promise<SaveDraftOutcome> {
  requireScope(viewer, 'policy:write');
  const { policyId, draftVersion, text } = request;
  const found = await maintainedPolicy(deps, viewer, policyId);
  if (found === null) return { kind: 'notFound', field: 'policyId' };
  const written = { text, cases: casesAfter(request.cases, found.policy.draft.cases) };
  const read = await readAndTry(deps, viewer, found.namespace, { ...written, id: policyId, name: found.policy.name });
  if ('problems' in read) return read;

  const by = await authorOf(deps.humans, viewer);
  const outcome = await deps.atomically(viewer.organizationId, async ({ policies, auditLog }): Promise<SaveDraftOutcome> => {
    const locked = await policies.lock(viewer.organizationId, policyId);
    if (locked === null) return { kind: 'notFound', field: 'policyId' };
    const made = notByHand(locked);
    if (made !== null) return made;
    if (locked.draft.version !== draftVersion)
      return { kind: 'draftConflict', policyId, basedOn: draftVersion, latest: locked.draft, text, cases: request.cases };
    if (isSameWriting(locked.draft, written)) return { kind: 'done', policy: locked, trial: read.trial };
    const draft = nextDraft(locked, written, viewer, deps.clock());
    await policies.saveDraft(viewer.organizationId, policyId, draft);
    await auditLog.append(viewer.organizationId, [
      policyRecord(deps, by, found.namespace, {
        type: 'ai_policy_draft_changed',
        policy: locked,
        revision: locked.latestRevision,
        ...written,
        message: null,
        draftVersion: draft.version,
        author: viewer.userId,
        ...trialRecord(read.trial),
      }),
    ]);
    return { kind: 'done', policy: { ...locked, draft }, trial: read.trial };
  });
  if (outcome.kind === 'done') deps.announce(viewer.organizationId);
  return outcome;
}

export const isSameWriting = (left: Written, right: Written): boolean => left.text === right.text && left.cases === right.cases;

export const nextDraft = ({ draft }: Policy, { text, cases }: Written, viewer: Viewer, now: Date): Draft => ({
  text,
  cases,
  version: draft.version + 1,
  savedAt: now,
  savedBy: viewer.userId,
});
