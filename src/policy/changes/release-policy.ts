import { authorOf } from '../../audit/index.js';
import type { Namespace } from '../../directory/index.js';
import { requireScope, type Viewer } from '../../kernel/index.js';
import { AT_ONCE, type Policy } from '../policy.js';
import { expectCheck, type SelfCheckFailed } from '../self-check/check-revisions.js';
import { lineOf } from '../try-out.js';
import { maintainedPolicy, type Done, type Generated, type NotFound, type PolicyChanging } from './changing.js';
import { policyRecord } from './record.js';

export interface ReleaseRequest {
  readonly policyId: string;
  readonly message: string | null;
}

export type ReleaseOutcome = Done | NotFound | Generated | SelfCheckFailed;

/**
 * Lets a policy that is applied as code be changed by hand, as it stands; what decides stays as it is. While the folder still holds it, the
 * next plan shows that. Refused when what decides does not evaluate it as Cedar does: then it is not handed on as if all were well. Releasing what people write changes and records nothing.
 *
 * Needs the scope `policy:write` and the role MAINTAINER or OWNER in the namespace or above.
 */
export async function releasePolicy(deps: PolicyChanging, viewer: Viewer, request: ReleaseRequest): Promise<ReleaseOutcome> {
  requireScope(viewer, 'policy:write');
  const { policyId, message } = request;
  const found = await maintainedPolicy(deps, viewer, policyId);
  if (found === null) return { kind: 'notFound', field: 'policyId' };
  const fault = await faultOf(deps, viewer, found);
  if (fault !== null) return fault;
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

/** Checks what the policy says now, which may have been put in force before anybody checked. */
async function faultOf(
  deps: PolicyChanging,
  viewer: Viewer,
  { policy, namespace }: { readonly policy: Policy; readonly namespace: Namespace },
): Promise<SelfCheckFailed | null> {
  const { id, name, origin, latestRevision: revision } = policy;
  if (origin !== 'AS_CODE') return null;
  const expected = expectCheck(deps, viewer, namespace);
  const [latest] = await deps.policies.revisionsByNumber(viewer.organizationId, [{ policyId: id, revision }]);
  if (latest === undefined || latest.statements.length === 0) return null;
  const own = [{ ...AT_ONCE, id, name, namespaceId: namespace.id, revision, statements: latest.statements }];
  return expected.check({ own, beside: [], line: await lineOf(deps, viewer.organizationId, namespace) });
}
