import { authorOf } from '../../audit/index.js';
import { requireScope, type Viewer } from '../../kernel/index.js';
import type { Policy } from '../policy.js';
import { maintainedPolicy, type Done, type Generated, type NotFound, type PolicyChanging } from './changing.js';
import { policyRecord } from './record.js';

export interface ReleaseRequest {
  readonly policyId: string;
  readonly message: string | null;
}

export type ReleaseOutcome = Done | NotFound | Generated;

/**
 * Lets a policy that is applied as code be changed by hand, as it stands; what decides stays as it is. While the folder still holds it, the
 * next plan shows that. Releasing what people write changes and records nothing.
 *
 * Needs the scope `policy:write` and the role MAINTAINER or OWNER in the namespace or above.
 */
export async function releasePolicy(deps: PolicyChanging, viewer: Viewer, request: ReleaseRequest): Promise<ReleaseOutcome> {
  requireScope(viewer, 'policy:write');
  const { policyId, message } = request;
  const found = await maintainedPolicy(deps, viewer, policyId);
  if (found === null) return { kind: 'notFound', field: 'policyId' };
  const by = await authorOf(deps.humans, viewer);
  const outcome = await deps.atomically(viewer.organizationId, async (tx): Promise<ReleaseOutcome> => {
    const locked = await tx.policies.lock(viewer.organizationId, policyId);
    if (locked === null) return { kind: 'notFound', field: 'policyId' };
    if (locked.origin === 'TOOL_RULES') return { kind: 'generated', policyId };
    if (locked.origin === 'AUTHORED') return { kind: 'done', policy: locked };
    const policy: Policy = { ...locked, origin: 'AUTHORED' };
    await tx.policies.saveAll(viewer.organizationId, [policy]);
    const latest = await tx.policies.revision(viewer.organizationId, policyId, locked.latestRevision);
    await tx.auditLog.append(viewer.organizationId, [
      policyRecord(deps, by, found.namespace, {
        ...{ type: 'ai_policy_released', policy, revision: locked.latestRevision, message },
        ...{ text: (latest ?? locked.draft).text, cases: (latest ?? locked.draft).cases },
        ...(latest !== null && { mode: latest.mode, author: latest.author }),
        repository: locked.applied?.repository ?? null,
      }),
    ]);
    return { kind: 'done', policy };
  });
  if (outcome.kind === 'done') deps.announce(viewer.organizationId);
  return outcome;
}
