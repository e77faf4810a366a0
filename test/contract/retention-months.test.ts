import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { NO_FILTER } from '../../src/audit/ports.js';
import { postgresAuditLog } from '../../src/audit/postgres.js';
import { postgresEventReader } from '../../src/audit/postgres/event-reader.js';
import { postgresRetentionSeats } from '../../src/audit/postgres/retention-sweeping.js';
import { runCycle, type Cycling } from '../../src/audit/retention/cycle.js';
import type { RetentionSeat } from '../../src/audit/retention/ports.js';
import { userId, type OrganizationId } from '../../src/kernel/index.js';
import { followLogs } from '../../src/log/index.js';
import { postgresLogReader } from '../../src/log/postgres.js';
import { logHints } from '../../src/log/redis.js';
import { openDatabase, type Database, type Session } from '../../src/platform/postgres.js';
import { localSignals } from '../../src/platform/signals.js';
import {
  anOrganizationId,
  appendOf,
  fact,
  keptIn,
  recordedDrops,
  retentionOn,
  sequenceAll,
  type TestRetention,
} from '../audit/retention.js';
import { aDatabase, openAsOwner, type TestDatabase } from '../support/database.js';

const MONTH = '2023-03-01';
const inMonth = (n: number): number => Date.UTC(2023, 2, 10) + n * 1_000;

let testDatabase: TestDatabase;
let database: Database;
let owner: Database;
let retention: TestRetention;
let seat: RetentionSeat;
let organization: OrganizationId;
beforeAll(async () => {
  testDatabase = await aDatabase();
  database = openDatabase(testDatabase.url, 12);
  owner = openAsOwner(testDatabase.url);
  retention = retentionOn(database);
});
beforeEach(async () => {
  // Whatever another test left behind would keep the month.
  await owner.sql.query('TRUNCATE audit_event, audit_event_content, legal_hold, retention_setting');
  seat = await aSeat();
  organization = anOrganizationId();
});
afterEach(() => seat.leave());
afterAll(async () => {
  await database.close();
  await owner.close();
  await testDatabase.drop();
});

async function aSeat(): Promise<RetentionSeat> {
  for (;;) {
    const taken = await postgresRetentionSeats(database).takeIfDue(0, 'test');
    if (taken !== null) return taken;
    await delay(5);
  }
}

const cycling = (): Cycling => ({
  ...retention,
  alarm: (message, { error }) => {
    throw new Error(message, { cause: error });
  },
  warn: (message, { error }) => {
    throw new Error(message, { cause: error });
  },
  isStopping: () => false,
});

const storeFacts = (of: OrganizationId, facts: readonly ReturnType<typeof fact>[]): Promise<void> =>
  retention.store(
    of,
    facts.map((one) => appendOf(of, one)),
  );
const old = (count: number, hasContent = true) => Array.from({ length: count }, (_, n) => fact(`old-${n}`, inMonth(n), { hasContent }));
const fresh = (count: number) => Array.from({ length: count }, (_, n) => fact(`new-${n}`, Date.now() - 60_000 + n));
const positions = async (of: OrganizationId, from: number) =>
  (await postgresLogReader(database.of).readFrom(of, from, 1_000)).map(({ position }) => position);
const list = (after: string | null) =>
  postgresEventReader(database.of).list(
    organization,
    { userId: userId('auditor'), isWhole: true, namespaceIds: [], memberOf: [] },
    NO_FILTER,
    { first: 4, after, order: 'NEWEST_FIRST' },
  );

describe('a month of which nothing must stay', () => {
  it('goes whole, and leaves positions, seals, cursors of lists and the feed intact', async () => {
    const facts = old(30);
    await storeFacts(organization, facts);
    await storeFacts(organization, fresh(10));
    const before = await owner.sql.query('SELECT position, event_id, seal FROM log_entry WHERE organization_id = $1 ORDER BY position', [
      organization,
    ]);
    const idOf = (one: (typeof facts)[number] | undefined) => (one === undefined ? '' : appendOf(organization, one).sealed.event.id);

    await runCycle(cycling(), seat);
    await sequenceAll(database);

    expect(await keptIn(owner, organization)).toEqual({ events: fresh(10).map(({ name }) => name), contents: [] });
    expect(await seat.months()).not.toContain(MONTH);
    expect(
      await owner.sql.query(
        'SELECT position, event_id, seal FROM log_entry WHERE organization_id = $1 AND position < 40 ORDER BY position',
        [organization],
      ),
    ).toEqual(before);
    expect(await positions(organization, 0)).toEqual([...Array(12).keys()].map((n) => n + 30));
    expect(await positions(organization, 17)).toEqual(await positions(organization, 0));
    expect(await positions(organization, 35)).toEqual([...Array(7).keys()].map((n) => n + 35));
    const dropped = {
      namespaceId: null,
      from: '2023-03-10T00:00:00.000Z',
      to: '2023-03-10T00:00:29.001Z',
      firstPosition: 0,
      lastPosition: 29,
      count: 30,
    };
    expect(await recordedDrops(owner, organization)).toEqual([
      { class: 'CONTENT', ...dropped },
      { class: 'METADATA', ...dropped },
    ]);
    // The cursor of an event that is gone still says where to go on.
    const newest = await list(null);
    expect(newest).toMatchObject({ hasNextPage: true });
    expect(newest.items).toHaveLength(4);
    expect((await list(idOf(facts[20]))).items).toEqual([]);
    expect((await list(newest.items.at(-1)?.event.id ?? '')).items.map(({ position }) => position)).toEqual([37, 36, 35, 34]);
  });

  it('does not keep a follower that stands in it', async () => {
    await storeFacts(organization, old(20));
    await storeFacts(organization, fresh(5));
    const follower = followLogs({
      reader: postgresLogReader(database.of),
      hints: logHints(localSignals()),
      report: (message) => {
        throw new Error(message);
      },
    });
    const tail = follower.tail(organization);
    expect((await tail.next(3, 50))?.[0]?.position).toBe(3);

    expect(await seat.dropMonth(MONTH, 'EVENTS')).toBe('DROPPED');

    expect((await tail.next(4, 50))?.map(({ position }) => position)).toEqual([20, 21, 22, 23, 24]);
    follower.close();
  });

  it('is not one while an organization keeps its own longer; each loses what is its due', async () => {
    const other = anOrganizationId();
    await retention.set(other, { namespaceId: other, class: 'METADATA', days: 3_653 });
    await storeFacts(organization, old(12));
    await storeFacts(other, old(12));

    await runCycle(cycling(), seat);

    expect(await keptIn(owner, organization)).toEqual({ events: [], contents: [] });
    expect(await keptIn(owner, other)).toEqual({
      events: old(12)
        .map(({ name }) => name)
        .sort(),
      contents: [],
    });
    expect(await seat.months()).toContain(MONTH);
    expect((await recordedDrops(owner, other)).map((drop) => [drop.class, drop.count])).toEqual([['CONTENT', 12]]);
  });

  it('is not one while anything in it is held; and is one when that is lifted', async () => {
    const hold = await retention.hold(organization, { sessionId: 's2' });
    await storeFacts(organization, [...old(12), fact('held', inMonth(100), { sessionId: 's2', hasContent: true })]);
    expect(await seat.dropMonth(MONTH, 'CONTENT')).toBe('KEPT');
    expect(await seat.dropMonth(MONTH, 'EVENTS')).toBe('KEPT');
    await runCycle(cycling(), seat);
    expect(await keptIn(owner, organization)).toEqual({ events: ['held'], contents: ['held'] });

    await retention.lift(organization, hold);
    await runCycle(cycling(), seat);

    expect(await keptIn(owner, organization)).toEqual({ events: [], contents: [] });
    expect(await seat.months()).not.toContain(MONTH);
  });

  it('waits for those of its events that have no position yet', async () => {
    await postgresAuditLog(database.of, new Set()).append(organization, [appendOf(organization, fact('early', inMonth(0)))]);

    expect(await seat.dropMonth(MONTH, 'EVENTS')).toBe('KEPT');
    expect((await retention.run(organization)).drops).toEqual([]);

    await sequenceAll(database);
    expect(await seat.dropMonth(MONTH, 'EVENTS')).toBe('DROPPED');
  });

  it('loses its content alone when the events must stay, and takes new content', async () => {
    await retention.set(organization, { namespaceId: organization, class: 'METADATA', days: 3_653 });
    await storeFacts(organization, old(12));

    expect(await seat.dropMonth(MONTH, 'EVENTS')).toBe('KEPT');
    expect(await seat.dropMonth(MONTH, 'CONTENT')).toBe('DROPPED');
    expect(await seat.dropMonth(MONTH, 'CONTENT')).toBe('EMPTY');
    expect(await keptIn(owner, organization)).toEqual({
      events: old(12)
        .map(({ name }) => name)
        .sort(),
      contents: [],
    });

    await storeFacts(organization, [fact('late', inMonth(50), { hasContent: true })]);
    expect((await keptIn(owner, organization)).contents).toEqual(['late']);
  });
});

describe('a month that is being dropped while something comes between', () => {
  /** Lets `change` commit between the looking and the dropping: a transaction that holds retention up until it is waited for. */
  async function meanwhile(change: (session: Session) => Promise<unknown>): Promise<string> {
    const session = await database.session();
    await session.query('BEGIN');
    await session.query('SELECT retention_lock(false)');
    const dropping = seat.dropMonth(MONTH, 'EVENTS');
    while (!(await isWaitedFor())) await delay(1);
    await session.query("SELECT set_config('governance.organization_id', $1, true)", [organization]);
    await change(session);
    await session.query('COMMIT');
    session.release(true);
    return dropping;
  }
  const isWaitedFor = async (): Promise<boolean> =>
    (
      await owner.sql.query(
        `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND (classid::bigint << 32) + objid::bigint = 7270736903
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      )
    ).length > 0;

  it.each<[string, (session: Session) => Promise<unknown>]>([
    [
      'a hold',
      (session) =>
        session.query(
          `INSERT INTO legal_hold (organization_id, id, name, reason, user_id, placed_at, placed_by) VALUES ($1, gen_random_uuid(), 'n', 'r', 'ada', now(), 'me')`,
          [organization],
        ),
    ],
    [
      'a longer time',
      (session) => session.query(`INSERT INTO retention_setting VALUES ($1, $1, 'METADATA', 3653, now(), 'me')`, [organization]),
    ],
    [
      'an event',
      (session) =>
        postgresAuditLog(
          () => ({
            query: async <Row>(text: string, values: readonly unknown[] = []) => (await session.query(text, [...values])).rows as Row[],
          }),
          new Set(),
        ).append(organization, [appendOf(organization, fact('late', inMonth(500)))]),
    ],
  ])('stays for %s', async (_what, change) => {
    await storeFacts(organization, old(12));

    expect(await meanwhile(change)).toBe('CHANGED');

    expect((await keptIn(owner, organization)).events).toEqual(expect.arrayContaining(old(12).map(({ name }) => name)));
  });

  it('is left alone when somebody keeps it busy', async () => {
    await storeFacts(organization, old(12));
    const session = await database.session();
    await session.query('BEGIN');
    await session.query('SELECT retention_lock(false)');

    expect(await seat.dropMonth(MONTH, 'EVENTS')).toBe('BUSY');

    await session.query('ROLLBACK');
    session.release();
    expect(await seat.dropMonth(MONTH, 'EVENTS')).toBe('DROPPED');
  });
});

describe('an event of a month that is gone', () => {
  it('has its place in the log for ever: sent again, it is a duplicate with its first seal', async () => {
    const appends = old(3).map((one) => appendOf(organization, one));
    const log = postgresAuditLog(database.of, new Set());
    const first = await log.append(organization, appends);
    await sequenceAll(database);
    await runCycle(cycling(), seat);

    const again = await log.append(organization, [
      ...old(3).map((one) => appendOf(organization, one)),
      appendOf(organization, fact('other', inMonth(9))),
    ]);
    await sequenceAll(database);

    expect(again.map(({ status }) => status)).toEqual(['duplicate', 'duplicate', 'duplicate', 'stored']);
    expect(again.slice(0, 3).map(({ stored }) => [stored.seal, stored.position])).toEqual(first.map(({ stored }, n) => [stored.seal, n]));
    expect((await keptIn(owner, organization)).events).toEqual(['other']);
  });

  it('takes its key along', async () => {
    const key = randomBytes(32);
    const asked = (name: string, at: number) => [{ ...appendOf(organization, fact(name, at)), key }];
    const log = postgresAuditLog(database.of, new Set());
    await log.append(organization, asked('first', inMonth(0)));
    await sequenceAll(database);
    await runCycle(cycling(), seat);
    expect(await owner.sql.query('SELECT 1 FROM event_key WHERE organization_id = $1', [organization])).toEqual([]);

    const [receipt] = await log.append(organization, asked('second', Date.now()));

    expect(receipt).toMatchObject({ status: 'stored', stored: { event: { sourceId: 'second' } } });
  });

  it('does not keep another from being stored by a process that believes the month to be there', async () => {
    const months = new Set<string>();
    const log = postgresAuditLog(database.of, months);
    await log.append(organization, [appendOf(organization, fact('first', inMonth(0)))]);
    await sequenceAll(database);
    await runCycle(cycling(), seat);
    expect([months.has('2023-03'), (await seat.months()).includes(MONTH)]).toEqual([true, false]);

    const [receipt] = await log.append(organization, [appendOf(organization, fact('second', inMonth(1)))]);

    expect(receipt?.status).toBe('stored');
  });
});

describe('readers of a log with holes', () => {
  it('step over them, also where something in front is held', async () => {
    await retention.hold(organization, { sessionId: 'held' });
    const facts = [
      fact('held', inMonth(0), { sessionId: 'held' }),
      ...Array.from({ length: 17_000 }, (_, n) => fact(`old-${n}`, inMonth(1) + n)),
    ];
    await storeFacts(organization, facts);
    await storeFacts(organization, fresh(3));
    await retentionOn(database, { maxExamined: 2_000 }).run(organization);
    await sequenceAll(database);

    // The held one, the three new ones, and the record of the drop.
    expect([await positions(organization, 0), await positions(organization, 1), await positions(organization, 9_999)]).toEqual([
      [0],
      [17_001, 17_002, 17_003, 17_004],
      [17_001, 17_002, 17_003, 17_004],
    ]);
    const gaps = await owner.sql.query('SELECT block, dropped FROM log_gap WHERE organization_id = $1 ORDER BY block', [organization]);
    expect(gaps).toEqual([
      { block: '0', dropped: 4_999 },
      { block: '1', dropped: 5_000 },
      { block: '2', dropped: 5_000 },
      { block: '3', dropped: 2_001 },
    ]);
  }, 60_000);

  it('begin behind what is gone', async () => {
    await storeFacts(organization, old(10));
    await storeFacts(organization, fresh(3));
    await retention.run(organization);

    expect(await owner.sql.query('SELECT kept_from FROM log_head WHERE organization_id = $1', [organization])).toEqual([
      { kept_from: '10' },
    ]);
  });
});
