import type { Append, AuditLog, Receipt } from '../../src/audit/index.js';
import type { OrganizationId } from '../../src/kernel/index.js';
import { aMemoryAuditLog } from './memory-audit-log.js';

interface Call {
  readonly organizationId: OrganizationId;
  readonly sourceIds: readonly string[];
  /** Lets it through. */
  release(): void;
  /** Lets it fail. */
  fail(error: unknown): void;
}

export interface HeldAuditLog extends AuditLog {
  /** Every append so far, in the order in which it came, those let through included. */
  readonly calls: readonly Call[];
  /** The next append that comes, or has come since. */
  next(): Promise<Call>;
}

/** An audit log of which every append waits until the test lets it through. */
export function aHeldAuditLog(): HeldAuditLog {
  const memory = aMemoryAuditLog();
  const calls: Call[] = [];
  const unseen: Call[] = [];
  let waiting: ((call: Call) => void) | null = null;
  return {
    calls,
    append: (organizationId, appends: readonly Append[]) =>
      new Promise<readonly Receipt[]>((resolve, reject) => {
        const call: Call = {
          organizationId,
          sourceIds: appends.map(({ sealed }) => sealed.event.sourceId),
          release: () => resolve(memory.append(organizationId, appends)),
          fail: reject,
        };
        calls.push(call);
        if (waiting === null) unseen.push(call);
        else waiting(call);
        waiting = null;
      }),
    next: () =>
      new Promise((resolve) => {
        const call = unseen.shift();
        if (call === undefined) waiting = resolve;
        else resolve(call);
      }),
  };
}
