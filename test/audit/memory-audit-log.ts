import type { Append, AuditLog, Receipt } from '../../src/audit/index.js';
import type { StoredEvent } from '../../src/audit/event.js';
import type { OrganizationId } from '../../src/kernel/index.js';

export interface MemoryAuditLog extends AuditLog {
  /** What is stored of an organization, in the order of storing. */
  storedOf(organizationId: OrganizationId): readonly StoredEvent[];
}

/** An audit log that keeps its promises in memory. */
export function aMemoryAuditLog(): MemoryAuditLog {
  const organizations = new Map<
    OrganizationId,
    { readonly byId: Map<string, StoredEvent>; readonly byKey: Map<string, StoredEvent>; readonly salts: Map<string, Buffer> }
  >();
  const of = (organizationId: OrganizationId) => {
    const known = organizations.get(organizationId) ?? { byId: new Map(), byKey: new Map(), salts: new Map() };
    organizations.set(organizationId, known);
    return known;
  };
  return {
    async append(organizationId, appends) {
      const { byId, byKey, salts } = of(organizationId);
      return appends.map(({ key, sealed: { event, seal, content } }: Append): Receipt => {
        const earlier = (key === null ? undefined : byKey.get(key.toString('hex'))) ?? byId.get(event.id);
        const stored = earlier ?? { event, seal, position: null };
        if (earlier === undefined && content !== null) salts.set(event.id, content.salt);
        byId.set(stored.event.id, stored);
        if (key !== null) byKey.set(key.toString('hex'), stored);
        return { status: earlier === undefined ? 'stored' : 'duplicate', stored, contentSalt: salts.get(stored.event.id) ?? null };
      });
    },
    storedOf: (organizationId) => [...of(organizationId).byId.values()],
  };
}
