import type { OrganizationId } from '../kernel/index.js';
import type { PolicyEngine, PolicyInForce } from '../policy/index.js';

/** Which evaluator decides with which policies. */
export interface Trust {
  /** What decides as long as nothing is known against it. */
  readonly usual: PolicyEngine;
  engineFor(organizationId: OrganizationId, policies: readonly PolicyInForce[]): PolicyEngine;
  /** From now on, as long as any of these revisions is among the policies of the organization, the reference decides there. */
  distrust(organizationId: OrganizationId, revisions: readonly PolicyInForce[]): void;
  /** Told when that has changed for an organization. */
  onDistrust(listener: (organizationId: OrganizationId) => void): () => void;
}

/** @param restored told when none of the revisions is in force any more that an organization was distrusted for */
export function keepTrust(
  usual: PolicyEngine,
  reference: PolicyEngine,
  restored: (organizationId: OrganizationId) => void = () => undefined,
): Trust {
  const suspects = new Map<OrganizationId, Set<string>>();
  const listeners = new Set<(organizationId: OrganizationId) => void>();
  return {
    usual,
    engineFor(organizationId, policies) {
      const names = suspects.get(organizationId);
      if (names === undefined) return usual;
      if (policies.some((policy) => names.has(nameOf(policy)))) return reference;
      suspects.delete(organizationId);
      restored(organizationId);
      return usual;
    },
    distrust(organizationId, revisions) {
      const names = suspects.get(organizationId) ?? new Set();
      for (const revision of revisions) names.add(nameOf(revision));
      suspects.set(organizationId, names);
      for (const listener of listeners) listener(organizationId);
    },
    onDistrust(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const nameOf = ({ id, revision }: PolicyInForce): string => `${id}/${revision}`;
