import { randomUUID } from 'node:crypto';
import { authorOf } from '../../audit/index.js';
import { maintainedNamespace } from '../../directory/index.js';
import { requireScope, type Viewer } from '../../kernel/index.js';
import type { Policy } from '../policy.js';
import {
  casesAfter,
  readAndTry,
  trialRecord,
  type CasesInvalid,
  type Tried,
  type Invalid,
  type NotFound,
  type PolicyChanging,
} from './changing.js';
import { policyRecord } from './record.js';

export interface NewPolicy {
  readonly namespaceId: string;
  readonly name: string;
  readonly description: string | null;
  readonly text: string;
  /** Null or empty: none. */
  readonly cases: string | null;
}

export type CreateOutcome = Tried | Invalid | CasesInvalid | NotFound | { readonly kind: 'nameTaken'; readonly name: string };

/**
 * Creates a policy as a draft, which decides nothing.
 *
 * Needs the scope `policy:write` and the role MAINTAINER or OWNER in the namespace or above.
 */
export async function createPolicy(deps: PolicyChanging, viewer: Viewer, request: NewPolicy): Promise<CreateOutcome> {
  requireScope(viewer, 'policy:write');
  const namespace = await maintainedNamespace(deps.directory, viewer, request.namespaceId);
  if (namespace === null) return { kind: 'notFound', field: 'namespaceId' };
  const written = { text: request.text, cases: casesAfter(request.cases, null) };
  const read = await readAndTry(deps, viewer, namespace, { ...written, id: null, name: request.name });
  if ('problems' in read) return read;

  const by = await authorOf(deps.humans, viewer);
  const policy = newPolicy({ ...request, ...written }, viewer, deps.clock());
  const outcome = await deps.atomically(viewer.organizationId, async ({ policies, auditLog }): Promise<CreateOutcome> => {
    if (!(await policies.insert(viewer.organizationId, policy))) return { kind: 'nameTaken', name: policy.name };
    await auditLog.append(viewer.organizationId, [
      policyRecord(deps, by, namespace, {
        type: 'ai_policy_created',
        policy,
        revision: 0,
        ...written,
        message: null,
        draftVersion: 1,
        author: viewer.userId,
        ...trialRecord(read.trial),
      }),
    ]);
    return { kind: 'done', policy, trial: read.trial };
  });
  if (outcome.kind === 'done') deps.announce(viewer.organizationId);
  return outcome;
}

/** A policy that was never published, as the viewer wrote it. */
export const newPolicy = ({ text, cases, ...named }: NewPolicy, viewer: Viewer, now: Date): Policy => ({
  id: randomUUID(),
  ...named,
  origin: 'AUTHORED',
  status: 'DRAFT',
  draft: { text, cases, version: 1, savedAt: now, savedBy: viewer.userId },
  latestRevision: 0,
  createdAt: now,
  createdBy: viewer.userId,
  applied: null,
});
