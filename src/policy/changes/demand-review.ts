import { authorOf } from '../../audit/index.js';
import { ownedNamespace } from '../../directory/index.js';
import { requireScope, type Viewer } from '../../kernel/index.js';
import type { NotFound, PolicyChanging } from './changing.js';
import { recordIn } from './record.js';

export interface SettingsRequest {
  readonly namespaceId: string;
  readonly isReviewRequired: boolean;
  /** Whether what is applied as code needs none there all the same, since its repository sees to that. */
  readonly isRepositoryReviewAccepted: boolean;
}

export type SettingsOutcome = { readonly kind: 'done'; readonly namespaceId: string } | NotFound;

/**
 * Sets that in a namespace and below nothing is published that a second person has not reviewed; or takes that back for the namespace
 * itself: what is set above it stays in force. Setting what is set changes and records nothing.
 *
 * Needs the scope `policy:write` and the role OWNER in the namespace or above.
 */
export async function setPolicySettings(deps: PolicyChanging, viewer: Viewer, request: SettingsRequest): Promise<SettingsOutcome> {
  requireScope(viewer, 'policy:write');
  const namespace = await ownedNamespace(deps.directory, viewer, request.namespaceId);
  if (namespace === null) return { kind: 'notFound', field: 'namespaceId' };
  const { isReviewRequired, isRepositoryReviewAccepted } = request;
  const author = await authorOf(deps.humans, viewer);
  const by = { at: deps.clock(), userId: viewer.userId };
  const demand = isReviewRequired ? { acceptsCode: isRepositoryReviewAccepted } : null;
  await deps.atomically(viewer.organizationId, async ({ policies, auditLog }) => {
    const before = await policies.demandReview(viewer.organizationId, namespace.id, demand, by);
    if (before?.acceptsCode === demand?.acceptsCode) return;
    const data = {
      ...{ namespaceId: namespace.id, isReviewRequired, wasReviewRequired: before !== null },
      ...{ isRepositoryReviewAccepted: demand?.acceptsCode ?? false, wasRepositoryReviewAccepted: before?.acceptsCode ?? false },
    };
    await auditLog.append(viewer.organizationId, [recordIn(deps, author, namespace, { type: 'ai_policy_settings_changed', data })]);
  });
  deps.announce(viewer.organizationId);
  return { kind: 'done', namespaceId: namespace.id };
}
