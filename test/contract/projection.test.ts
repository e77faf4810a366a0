import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewEvent } from '../../src/audit/event.js';
import { OWN_SOURCE } from '../../src/audit/event.js';
import { catchUpWith, startProjector } from '../../src/audit/project-events.js';
import { postgresAuditLog } from '../../src/audit/postgres.js';
import { postgresProjection } from '../../src/audit/postgres/projection.js';
import { postgresSessionReader } from '../../src/audit/postgres/sessions.js';
import { organizationId, type OrganizationId } from '../../src/kernel/index.js';
import { postgresSequencing } from '../../src/log/postgres.js';
import { openDatabase, type Database } from '../../src/platform/postgres.js';
import { anAppend } from '../audit/events.js';
import { projected } from '../audit/projected.js';
import { projectedTables, type ProjectedTables } from '../audit/projected-tables.js';
import { anySessionEvent } from '../audit/session-events.js';
import { aDatabase, openAsOwner, type TestDatabase } from '../support/database.js';
import { aRandom, type Random } from '../support/random.js';

let testDatabase: TestDatabase;
let database: Database;
let owner: Database;
let logOf: ProjectedTables['logOf'];
let tablesOf: ProjectedTables['tablesOf'];
beforeAll(async () => {
  testDatabase = await aDatabase();
  database = openDatabase(testDatabase.url, 16);
  owner = openAsOwner(testDatabase.url);
  ({ logOf, tablesOf } = projectedTables(database, owner));
});
afterAll(async () => {
  await database.close();
  await owner.close();
  await testDatabase.drop();
});

const anOrganizationId = (): OrganizationId => organizationId(`organization-${randomUUID()}`);
const projection = () => postgresProjection(database.sql);

/** Stores events, so many a transaction, and gives them positions. */
async function store(organization: OrganizationId, events: readonly Partial<NewEvent>[], atOnce: (left: number) => number): Promise<void> {
  const log = postgresAuditLog(database.of, new Set());
  for (let rest = events; rest.length > 0;) {
    const count = atOnce(rest.length);
    await log.append(
      organization,
      rest.slice(0, count).map((event) => anAppend(event, organization)),
    );
    rest = rest.slice(count);
  }
  await sequence(organization, events.length);
}

/** Until the organization's log has grown by so many: a transaction elsewhere in the cluster may hold positions back. */
async function sequence(organization: OrganizationId, count: number): Promise<void> {
  const size = async () =>
    Number((await owner.sql.query<{ size: string }>('SELECT size FROM log_head WHERE organization_id = $1', [organization]))[0]?.size ?? 0);
  const sequencing = postgresSequencing(database);
  let seat = await sequencing.take();
  while (seat === null) {
    await sleep(5);
    seat = await sequencing.take();
  }
  const wanted = (await size()) + count;
  // What others stored meanwhile gets its position on the way.
  while ((await size()) < wanted) await seat.step(10_000);
  await seat.leave();
}

/** Projects all that has a position, so many at a time. */
async function project(atOnce: () => number): Promise<void> {
  while (await projection().isBehind()) await projection().step(atOnce());
}

const all = () => 100_000;

const someEvents = (random: Random, count: number): readonly Partial<NewEvent>[] =>
  Array.from({ length: count }, (_, place) => anySessionEvent(random, place, random.pick(['s1', 's2', 's3', 's4', 's5', null])));

describe('a projection', () => {
  it.each([1, 2, 3, 4, 5, 6])('is what the log says, whatever comes in which order and is taken at a time (seed %i)', async (seed) => {
    const random = aRandom(seed);
    const [one, other] = [anOrganizationId(), anOrganizationId()];

    await store(one, someEvents(random, 250), (left) => 1 + random.below(Math.min(left, 60)));
    await project(() => 1 + random.below(40));
    await store(other, someEvents(random, 200), (left) => left);
    await store(
      one,
      someEvents(random, 250).map((event) => ({ ...event, sourceId: `late ${event.sourceId ?? ''}` })),
      (left) => left,
    );
    await project(() => 1 + random.below(300));

    for (const organization of [one, other]) expect(await tablesOf(organization)).toEqual(projected(await logOf(organization)));
  });

  it.each([11, 12, 13])(
    'is the same whatever the order, but for who is first and that outcomes follow decisions (seed %i)',
    async (seed) => {
      const random = aRandom(seed);
      const [one, other] = [anOrganizationId(), anOrganizationId()];
      // Calls are told in their order: the log holds a decision before what came of it.
      const first = {
        ...anySessionEvent(random, 0, 's1'),
        projectId: 'p1',
        userId: 'ada',
        recordedBy: 'service',
        verdict: null,
        outcome: null,
      };
      const rest = Array.from({ length: 300 }, (_, place) => ({ ...anySessionEvent(random, place + 1, 's1'), callId: `call-${place}` }));

      await store(one, [first, ...rest], (left) => 1 + random.below(left));
      await project(() => 1 + random.below(100));
      await store(other, [first, ...random.shuffled(rest)], (left) => 1 + random.below(left));
      await project(() => 1 + random.below(100));

      const [tables, others] = [await tablesOf(one), await tablesOf(other)];
      expect(others.sessions).toEqual(tables.sessions);
      expect(others.sources).toEqual(tables.sources);
      expect(others.rollups).toEqual(tables.rollups);
      expect(others.openCalls).toHaveLength(tables.openCalls.length);
      expect(tables.sessions).toMatchObject([{ id: 's1', projectId: 'p1', userId: 'ada' }]);
    },
  );

  it('is made once, however many make it at the same time and whoever of them is killed', async () => {
    const random = aRandom(21);
    const organization = anOrganizationId();
    await store(organization, someEvents(random, 1_500), (left) => Math.min(left, 500));
    let isDone = false;
    let failures = 0;
    const worker = async (): Promise<void> => {
      while (!isDone) {
        try {
          if ((await projection().step(1 + random.below(30))) === 0) isDone = true;
        } catch (error) {
          // Anything else, such as a pool that was closed because the test took too long, would be met again and again, for ever.
          if (!isKilled(error)) throw error;
          failures += 1;
        }
      }
    };
    const killer = async (): Promise<void> => {
      // Not for ever: where a step takes longer than the time between two kills, none would come to its end.
      for (let kills = 0; kills < 15 && !isDone; kills += 1) {
        await owner.sql.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'SELECT audit_project_step%' AND state = 'active' LIMIT 1`,
        );
        await sleep(20);
      }
    };

    await Promise.all([...Array.from({ length: 6 }, worker), killer()]);
    await project(all);

    expect(failures).toBeGreaterThan(0);
    expect(await tablesOf(organization)).toEqual(projected(await logOf(organization)));
  }, 60_000);

  it('takes nothing that has no position yet', async () => {
    const organization = anOrganizationId();
    await project(all);
    await postgresAuditLog(database.of, new Set()).append(organization, [anAppend({ sessionId: 's' }, organization)]);

    expect(await projection().step(10)).toBe(0);
    expect((await tablesOf(organization)).sessions).toEqual([]);

    await sequence(organization, 1);
    await project(all);
    expect((await tablesOf(organization)).sessions).toHaveLength(1);
  });

  it('lets the sequencer go on while it waits for its turn', async () => {
    const organization = anOrganizationId();
    await store(organization, [{ sessionId: 's' }], all);
    const other = await database.session();
    await other.query('SELECT pg_advisory_lock(7270736905)');
    const step = projection().step(10);
    await waitingForLock();

    await store(organization, [{ sessionId: 's' }], all);

    await other.query('SELECT pg_advisory_unlock(7270736905)');
    other.release();
    await step;
    await project(all);
    expect((await tablesOf(organization)).sessions).toMatchObject([{ events: 2 }]);
  });

  it('goes past what was dropped before it was projected', async () => {
    const organization = anOrganizationId();
    await project(all);
    await store(organization, [{ sessionId: 's' }], all);
    await owner.sql.query('DELETE FROM audit_event WHERE organization_id = $1', [organization]);

    await project(all);

    expect(await projection().isBehind()).toBe(false);
    expect((await tablesOf(organization)).sessions).toEqual([]);
  });

  it('reads about 32 MB at a time, and a single event whatever its size', async () => {
    const organization = anOrganizationId();
    await project(all);
    const large = Array.from({ length: 36 }, () => ({ sessionId: 's', data: { tool_name: 'read_file', text: 'x'.repeat(950_000) } }));
    await store(organization, large, (left) => Math.min(left, 6));

    expect(await projection().step(100)).toBe(34);
    expect(await projection().step(100)).toBe(2);
    expect((await tablesOf(organization)).sessions).toMatchObject([{ events: 36 }]);
  }, 60_000);
});

/** Whether an error says that the database ended the connection, as the killer has it do. */
const isKilled = (error: unknown): boolean =>
  error instanceof Error && (('code' in error && error.code === '57P01') || /Connection terminated/.test(error.message));

const waitingForLock = async (): Promise<void> => {
  for (;;) {
    const rows = await owner.sql.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory' AND query LIKE 'SELECT audit_project_step%'",
    );
    if (rows.length > 0) return;
    await sleep(5);
  }
};

describe('the numbers of a producer', () => {
  const numbered = (numbers: readonly number[]): readonly Partial<NewEvent>[] =>
    numbers.map((sequence) => ({ sessionId: 's', source: '/hostile', sequence }));
  const stored = async (organization: OrganizationId) =>
    (
      await owner.sql.query<{ ranges: string; has_more: boolean; bytes: number }>(
        `SELECT (SELECT count(*) FROM unnest(sequences)) AS ranges, has_more, pg_column_size(sequences) AS bytes
         FROM agent_session_source WHERE organization_id = $1`,
        [organization],
      )
    )[0];

  it('are one range as long as none is missing', async () => {
    const organization = anOrganizationId();
    const numbers = aRandom(1).shuffled(Array.from({ length: 3_000 }, (_, index) => index + 1));
    await store(organization, numbered(numbers), (left) => Math.min(left, 1_000));
    await project(() => 700);

    expect(await stored(organization)).toMatchObject({ ranges: '1', has_more: false });
  });

  it('that leave out every second one are kept as far as 10,000 ranges, and it is said that there were more', async () => {
    const organization = anOrganizationId();
    const numbers = Array.from({ length: 10_400 }, (_, index) => Number.MAX_SAFE_INTEGER - 2 * index);
    await store(organization, numbered(numbers), (left) => Math.min(left, 1_000));
    await project(() => 4_000);

    const kept = await stored(organization);
    expect(kept).toMatchObject({ ranges: '10000', has_more: true });
    const [[source] = []] = await postgresSessionReader(database.of).received(organization, ['s']);
    expect(source).toMatchObject({ hasMore: true, numbered: 10_400, lastSequence: Number.MAX_SAFE_INTEGER });
    expect(source?.ranges).toHaveLength(1_001);
    expect(source?.ranges[0]).toEqual({ from: Number.MAX_SAFE_INTEGER - 20_798, to: Number.MAX_SAFE_INTEGER - 20_798 });
  }, 60_000);
});

describe('a projector', () => {
  it('works in the process that leads, goes on after a failure, and ends', async () => {
    const organization = anOrganizationId();
    await project(all);
    const [reported, isLeading]: [string[], { now: boolean }] = [[], { now: false }];
    let failures = 1;
    const real = projection();
    const failing = {
      ...real,
      step: async (limit: number) => {
        if ((failures -= 1) >= 0) throw new Error('the connection is gone');
        return real.step(limit);
      },
    };
    const projector = startProjector({ projection: failing, isLeading: () => isLeading.now, report: (message) => reported.push(message) });
    await store(organization, [{ sessionId: 's' }], all);
    await sleep(600);
    expect((await tablesOf(organization)).sessions).toEqual([]);

    isLeading.now = true;
    while (await real.isBehind()) await sleep(10);
    await projector.stop();

    expect((await tablesOf(organization)).sessions).toHaveLength(1);
    expect(reported).toEqual(['Events could not be projected; sessions and counts stand still.']);
  });
});

describe('who catches up before reading', () => {
  it('finds everything counted that had a position before, with one step at a time for all who ask at once', async () => {
    const organization = anOrganizationId();
    await project(all);
    let [running, most] = [0, 0];
    const real = projection();
    const catchUp = catchUpWith({
      ...real,
      async step(limit) {
        most = Math.max(most, (running += 1));
        return real.step(limit).finally(() => (running -= 1));
      },
    });
    const counted = async (): Promise<unknown> => (await tablesOf(organization)).sessions[0]?.events;

    for (let count = 1; count <= 5; count += 1) {
      const earlier = catchUp();
      await store(organization, [{ sessionId: 's', source: OWN_SOURCE }], all);
      await Promise.all([catchUp(), catchUp(), catchUp()]);
      expect(await counted()).toBe(count);
      await earlier;
    }
    expect(most).toBe(1);
  });

  it('is told of a failure, and succeeds the next time', async () => {
    await store(anOrganizationId(), [{ sessionId: 's' }], all);
    let failures = 1;
    const real = projection();
    const catchUp = catchUpWith({
      ...real,
      step: async (limit) => {
        if ((failures -= 1) >= 0) throw new Error('the connection is gone');
        return real.step(limit);
      },
    });

    const [first, second] = await Promise.allSettled([catchUp(), catchUp()]);

    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
    expect(await real.isBehind()).toBe(false);
  });
});
