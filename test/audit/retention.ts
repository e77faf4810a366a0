import { randomUUID } from 'node:crypto';
import { postgresAuditLog } from '../../src/audit/postgres.js';
import { postgresRetentionTransaction } from '../../src/audit/postgres/retention-changes.js';
import { postgresRetentionRuns } from '../../src/audit/postgres/retention-runs.js';
import { postgresRetentionReader } from '../../src/audit/postgres/retention.js';
import { postgresSweeping } from '../../src/audit/postgres/retention-sweeping.js';
import type { Append } from '../../src/audit/index.js';
import { eventOf, type NewEvent } from '../../src/audit/event.js';
import type { HoldSelectors, LegalHold } from '../../src/audit/retention/hold.js';
import type { Drop, RetentionReader, RunRequest, Sweeping } from '../../src/audit/retention/ports.js';
import type { DaysInForce } from '../../src/audit/retention/rules.js';
import { runRetention, type RunResult, type Running } from '../../src/audit/retention/run-retention.js';
import { seal, sealContent } from '../../src/audit/seal.js';
import { organizationId, uuidV7, type OrganizationId } from '../../src/kernel/index.js';
import { postgresSequencing } from '../../src/log/postgres.js';
import { inTransaction, type Database } from '../../src/platform/postgres.js';
import { humansAlone } from './events.js';

export const DAY = 86_400_000;
export const daysBefore = (moment: Date, days: number): Date => new Date(moment.getTime() - days * DAY);

/** Retention over a database, without the service around it. */
export interface TestRetention extends Running {
  readonly reader: RetentionReader;
  readonly sweeping: Sweeping;
  /** Stores events and gives them their positions. */
  store(organization: OrganizationId, appends: readonly Append[]): Promise<void>;
  /** Sets how long something is kept. */
  set(organization: OrganizationId, setting: DaysInForce): Promise<void>;
  /** Places a hold; selectors that are left out select everything. */
  hold(organization: OrganizationId, selectors: Partial<HoldSelectors>): Promise<LegalHold>;
  lift(organization: OrganizationId, hold: LegalHold): Promise<void>;
  /** Drops what is due in an organization, looking at everything. */
  run(organization: OrganizationId, change?: Partial<RunRequest>): Promise<NonNullable<RunResult>>;
}

export const anOrganizationId = (): OrganizationId => organizationId(`organization-${randomUUID()}`);

export function retentionOn(database: Database, change: Partial<Running> = {}): TestRetention {
  const deps: Running = {
    runs: postgresRetentionRuns(database.of),
    humans: humansAlone,
    clock: () => new Date(),
    atomically: (organization, work) => inTransaction(database, organization, (tx) => work(postgresRetentionTransaction(tx))),
    announceStored: () => undefined,
    explain: String,
    maxExamined: 50,
    ...change,
  };
  const reader = postgresRetentionReader(database.of, database.sql);
  const sweeping = postgresSweeping(database.of);
  return {
    ...deps,
    reader,
    sweeping,
    async store(organization, appends) {
      await postgresAuditLog(database.of, new Set()).append(organization, appends);
      await sequenceAll(database);
    },
    set: (organization, setting) =>
      deps.atomically(organization, async (tx) => {
        await tx.lock(organization);
        await tx.putSetting(organization, { ...setting, setAt: new Date(), setBy: 'owner' });
      }),
    hold: (organization, selectors) =>
      deps.atomically(organization, async (tx) => {
        await tx.lock(organization);
        const hold = aHold(selectors);
        await tx.putHold(organization, hold);
        return hold;
      }),
    lift: (organization, hold) =>
      deps.atomically(organization, async (tx) => {
        await tx.lock(organization);
        await tx.liftHold(organization, hold.id, { at: new Date(), by: 'owner', reason: 'over' });
      }),
    async run(organization, more = {}) {
      const run: RunRequest = { id: randomUUID(), asOf: new Date(), startedBy: null, isDryRun: false, ...more };
      const result = await runRetention(deps, sweeping, organization, run, { isWhole: true, mustStop: () => false });
      if (result === null) throw new Error('Another run is under way.');
      return result;
    },
  };
}

export const aHold = (selectors: Partial<HoldSelectors>): LegalHold => ({
  id: uuidV7(Date.now(), Buffer.from(randomUUID().replaceAll('-', ''), 'hex')),
  name: 'a case',
  reason: 'a court wants it',
  namespaceId: null,
  sessionId: null,
  userId: null,
  agentId: null,
  from: null,
  to: null,
  placedAt: new Date(),
  placedBy: 'owner',
  lift: null,
  ...selectors,
});

/** Gives every event in the database its position. */
export async function sequenceAll(database: Database): Promise<void> {
  const sequencing = postgresSequencing(database);
  for (;;) {
    // A seat that was left is free when its connection has ended, which Postgres sees a moment later.
    const seat = await sequencing.take();
    if (seat === null) continue;
    try {
      // A transaction of another database on the same server may hold some back.
      for (;;) {
        await seat.step(5_000);
        const [row] = await database.sql.query<{ is_due: boolean }>('SELECT log_sequence_peek() AS is_due');
        if (row?.is_due === false) return;
      }
    } finally {
      await seat.leave();
    }
  }
}

/** An event as the model of retention sees it. */
export interface Fact {
  readonly name: string;
  readonly type: string;
  readonly namespaceId: string | null;
  readonly userId: string;
  readonly humanId: string;
  readonly agentId: string;
  readonly sessionId: string;
  readonly at: number;
  readonly hasContent: boolean;
}

/** A tool call of ada's, unless `change` says otherwise. */
export const fact = (name: string, at: number, change: Partial<Fact> = {}): Fact => ({
  name,
  type: 'ai_tool_invoked',
  namespaceId: null,
  userId: 'ada',
  humanId: change.userId ?? 'ada',
  agentId: 'coder',
  sessionId: 's1',
  at,
  hasContent: false,
  ...change,
});

/** The event, ready to be stored; its content is `{ prompt: name }`. */
export function appendOf(organization: OrganizationId, { name, at, hasContent, namespaceId, ...who }: Fact): Append {
  const content = sealContent(hasContent ? { prompt: name } : null);
  const event: NewEvent = {
    ...who,
    namespaceId,
    projectId: null,
    source: '/tests',
    sourceId: name,
    occurredAt: new Date(at).toISOString(),
    callId: null,
    tool: null,
    verdict: null,
    outcome: null,
    data: null,
  };
  return { sealed: seal(eventOf(organization, new Date(), event, event, content), content), key: null };
}

/** The names of what is still there. */
export async function keptIn(owner: Database, organization: OrganizationId) {
  const events = await owner.sql.query<{ name: string }>(
    `SELECT json ->> 'sourceId' AS name FROM audit_event WHERE organization_id = $1 AND json ->> 'source' = '/tests' ORDER BY 1`,
    [organization],
  );
  const contents = await owner.sql.query<{ name: string }>(
    `SELECT json ->> 'prompt' AS name FROM audit_event_content WHERE organization_id = $1 ORDER BY 1`,
    [organization],
  );
  return { events: events.map(({ name }) => name), contents: contents.map(({ name }) => name) };
}

/** What audit events tell of drops. */
export async function recordedDrops(owner: Database, organization: OrganizationId) {
  const rows = await owner.sql.query<{ data: Omit<Drop, 'from' | 'to'> & { readonly from: string; readonly to: string } }>(
    `SELECT json -> 'data' AS data FROM audit_event WHERE organization_id = $1 AND type = 'ai_retention_dropped' ORDER BY seq`,
    [organization],
  );
  return rows.map(({ data }) => data);
}
