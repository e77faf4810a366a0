import type { UserId } from '../kernel/index.js';
import { ROLE_LEVELS, type Membership, type Namespace } from './namespace.js';

/** What a user is in their organization: every role they have, wherever. */
export interface Standing {
  readonly userId: UserId;
  readonly memberships: readonly Membership[];
}

/**
 * The level of the user's highest role in the namespace or above it (see ROLE_LEVELS); 0 without any, and then the namespace
 * does not exist for them.
 */
export function levelIn(standing: Standing, namespace: Pick<Namespace, 'ancestors'>): number {
  const levels = standing.memberships
    .filter((membership) => namespace.ancestors.includes(membership.namespaceId))
    .map((membership) => ROLE_LEVELS[membership.role]);
  return Math.max(0, ...levels);
}

/** Whether the user may see that the namespace exists. */
export const isMember = (standing: Standing, namespace: Pick<Namespace, 'ancestors'>): boolean => levelIn(standing, namespace) > 0;

/** Namespaces of which the user sees every audit event, with all below: maintained, owned or audited. */
export const auditedNamespaces = (standing: Standing): readonly string[] =>
  standing.memberships
    .filter(({ role }) => role === 'AUDITOR' || ROLE_LEVELS[role] >= ROLE_LEVELS.MAINTAINER)
    .map(({ namespaceId }) => namespaceId);
