import { authorOf } from '../../audit/index.js';
import { ownedNamespace } from '../../directory/index.js';
import { requireScope, type Viewer } from '../../kernel/index.js';
import type { NotFound, PolicyChanging } from './changing.js';
import { recordIn } from './record.js';

export interface SettingsRequest {
  readonly namespaceId: string;
  readonly isReviewRequired: boolean;
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
  const { isReviewRequired } = request;
  const author = await authorOf(deps.humans, viewer);
  const by = isReviewRequired ? { at: deps.clock(), userId: viewer.userId } : null;
  await deps.atomically(viewer.organizationId, async ({ policies, auditLog }) => {
    if (!(await policies.demandReview(viewer.organizationId, namespace.id, by))) return;
    const data = { namespaceId: namespace.id, isReviewRequired, wasReviewRequired: !isReviewRequired };
    await auditLog.append(viewer.organizationId, [recordIn(deps, author, namespace, { type: 'ai_policy_settings_changed', data })]);
  });
  deps.announce(viewer.organizationId);
  return { kind: 'done', namespaceId: namespace.id };
}
