import type { AuditEvent } from '../../src/audit/index.js';
import type { LogEntry, LogHints, LogReader } from '../../src/log/index.js';
import type { OrganizationId } from '../../src/kernel/index.js';
import { acme, anEvent } from '../audit/events.js';

export interface MemoryLog {
  readonly reader: LogReader;
  readonly hints: LogHints;
  /** Puts events at the end of the log of acme, and hints at nothing. */
  grow(events: number | readonly AuditEvent[]): void;
  /** The hint that the log of acme has grown. */
  hint(): void;
  /** How often the reader was asked for entries so far. */
  reads(): number;
  /** Every read fails with `error`, until this is called with null. */
  breakWith(error: Error | null): void;
}

/** The ordered log of acme in memory. Reads take a turn of the event loop, as from a store, and hints come when the test says. */
export function aMemoryLog(): MemoryLog {
  const entries: LogEntry[] = [];
  const listeners = new Set<(organizationId: OrganizationId, size: number) => void>();
  let reads = 0;
  let broken: Error | null = null;
  const answer = <Answer>(make: () => Answer): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const read = make();
      setImmediate(() => (broken === null ? resolve(read) : reject(broken)));
    });
  return {
    reader: {
      size: () => answer(() => entries.length),
      readFrom(_organizationId, position, limit) {
        reads += 1;
        return answer(() => entries.slice(position, position + limit));
      },
    },
    hints: {
      announceStored: () => undefined,
      onStored: () => () => undefined,
      announceGrowth: () => undefined,
      onGrowth(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    grow(events) {
      const added = typeof events === 'number' ? Array.from({ length: events }, () => anEvent()) : events;
      for (const event of added)
        entries.push({ position: entries.length, characters: 1_000, stored: { event, seal: Buffer.alloc(32), position: entries.length } });
    },
    hint: () => {
      for (const listener of listeners) listener(acme, entries.length);
    },
    reads: () => reads,
    breakWith: (error) => void (broken = error),
  };
}
