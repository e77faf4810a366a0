import { auditedNamespaces, type Standing } from '../directory/index.js';
import type { OrganizationId } from '../kernel/index.js';
import type { AuditEvent } from './event.js';
import type { EventScope } from './ports.js';

/** What a user may see of the audit log, from their roles. Pure. */
export function eventScope(organizationId: OrganizationId, standing: Standing): EventScope {
  const namespaceIds = auditedNamespaces(standing);
  return {
    userId: standing.userId,
    isWhole: namespaceIds.includes(organizationId),
    namespaceIds,
    memberOf: standing.memberships.map((membership) => membership.namespaceId),
  };
}

/** Whether `scope` shows an event that concerns a namespace whose line is `ancestors`. Pure; the same rule as the SQL of `EventReader`. */
export function isVisible(scope: EventScope, event: AuditEvent, ancestors: readonly string[]): boolean {
  return scope.isWhole || event.userId === scope.userId || ancestors.some((id) => scope.namespaceIds.includes(id));
}
