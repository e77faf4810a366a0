import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { postgresRetentionSeats } from '../../src/audit/postgres/retention-sweeping.js';
import { runCycle, type Cycling } from '../../src/audit/retention/cycle.js';
import { monthOf } from '../../src/audit/retention/months.js';
import type { RetentionSeat, SweepRequest } from '../../src/audit/retention/ports.js';
import { runRetention } from '../../src/audit/retention/run-retention.js';
import { startRetention, type ScheduleOptions } from '../../src/audit/retention/schedule.js';
import { userId, type OrganizationId } from '../../src/kernel/index.js';
import { openDatabase, type Database } from '../../src/platform/postgres.js';
import {
  anOrganizationId,
  appendOf,
  daysBefore,
  fact,
  keptIn,
  recordedDrops,
  retentionOn,
  type TestRetention,
} from '../audit/retention.js';
import { aDatabase, openAsOwner, type TestDatabase } from '../support/database.js';
import { aProxy, through } from '../support/proxy.js';

let testDatabase: TestDatabase;
let database: Database;
let owner: Database;
let retention: TestRetention;
let organization: OrganizationId;
beforeAll(async () => {
  testDatabase = await aDatabase();
  database = openDatabase(testDatabase.url, 12);
  owner = openAsOwner(testDatabase.url);
  retention = retentionOn(database, { maxExamined: 10 });
});
beforeEach(() => {
  organization = anOrganizationId();
});
afterAll(async () => {
  await database.close();
  await owner.close();
  await testDatabase.drop();
});

/** The seat, as soon as whoever had it is gone; over the organization of the test alone, since what others left behind takes time. */
async function aSeat(): Promise<RetentionSeat> {
  for (;;) {
    const taken = await postgresRetentionSeats(database).takeIfDue(0, 'test');
    if (taken !== null) return { ...taken, organizations: async () => [organization] };
    await delay(5);
  }
}

interface Said {
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

function cycling(change: Partial<Cycling> = {}): Cycling & { readonly alarms: Said[]; readonly warnings: Said[] } {
  const [alarms, warnings]: [Said[], Said[]] = [[], []];
  return {
    ...retention,
    alarm: (message, details) => void alarms.push({ message, details }),
    warn: (message, details) => void warnings.push({ message, details }),
    isStopping: () => false,
    ...change,
    alarms,
    warnings,
  };
}

/** `count` events of two sessions, old enough to go, over some months. */
const due = (count: number, hasContent = false) =>
  Array.from({ length: count }, (_, n) =>
    fact(`due-${n}`, daysBefore(new Date(), 500).getTime() + n * 3_600_000, { sessionId: n % 2 === 0 ? 'even' : 'odd', hasContent }),
  );

async function store(facts: readonly ReturnType<typeof fact>[]): Promise<void> {
  await retention.store(
    organization,
    facts.map((one) => appendOf(organization, one)),
  );
}

const recordedCount = async (): Promise<number> =>
  (await recordedDrops(owner, organization)).filter((drop) => drop.class !== 'CONTENT').reduce((sum, { count }) => sum + count, 0);

describe('a hold that is placed while a run is under way', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('protects, when it is answered, what is there (round %i)', async (round) => {
    await store(due(300, true));
    const running = retention.run(organization);
    await delay(round * 7);

    await retention.hold(organization, { sessionId: 'odd' });
    const isOdd = (name: string): boolean => Number(name.split('-')[1]) % 2 === 1;
    const before = await keptIn(owner, organization);
    await running;

    expect(await keptIn(owner, organization)).toEqual({ events: before.events.filter(isOdd), contents: before.contents.filter(isOdd) });
    expect(await recordedCount()).toBe(300 - before.events.filter(isOdd).length);
  });

  /** What comes first: the end of `work`, or that it waits for retention. */
  const outcomeOf = async (work: Promise<unknown>): Promise<'done' | 'waits'> => {
    let isDone = false;
    void work.finally(() => (isDone = true));
    for (;;) {
      if (isDone) return 'done';
      const waiting = await owner.sql.query(
        `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND (classid::bigint << 32) + objid::bigint = 7270736903
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      if (waiting.length > 0) return 'waits';
    }
  };
  /** A transaction of somebody else, open until `end` is called. */
  async function anOpenTransaction(statement: string, values: readonly unknown[]) {
    const session = await database.session();
    await session.query('BEGIN');
    await session.query("SELECT set_config('governance.organization_id', $1, true)", [organization]);
    await session.query(statement, [...values]);
    return {
      async end() {
        await session.query('COMMIT');
        session.release(true);
      },
    };
  }
  const RULES = JSON.stringify({
    decisionTypes: [],
    defaultDays: { CONTENT: 184, METADATA: 400, DECISIONS: 730 },
  });

  it('waits for a step that is being made', async () => {
    await store(due(20));
    const run = { id: randomUUID(), asOf: new Date(), startedBy: null, isDryRun: false };
    await retention.runs.begin(organization, run);
    const step = await anOpenTransaction("SELECT retention_sweep($1, $2, 'EVENTS', $3, now(), NULL, now(), NULL, 10, false)", [
      run.id,
      organization,
      RULES,
    ]);

    const placing = retention.hold(organization, { namespaceId: organization });
    expect(await outcomeOf(placing)).toBe('waits');
    await step.end();
    await placing;
    await retention.run(organization);

    expect((await keptIn(owner, organization)).events).toHaveLength(10);
  });

  it('lets no step begin before it is there', async () => {
    await store(due(20));
    const placing = await anOpenTransaction(
      `WITH locked AS MATERIALIZED (SELECT retention_lock(false))
       INSERT INTO legal_hold (organization_id, id, name, reason, user_id, placed_at, placed_by)
       SELECT $1, gen_random_uuid(), 'n', 'r', 'ada', now(), 'me' FROM locked`,
      [organization],
    );

    const running = retention.run(organization);
    expect(await outcomeOf(running)).toBe('waits');
    await placing.end();

    expect((await running).drops).toEqual([]);
    expect((await keptIn(owner, organization)).events).toHaveLength(20);
  });
});

describe('a run that ends in the middle', () => {
  it('with its connection: the next one goes on, and everything that went is recorded once', async () => {
    await store(due(200, true));
    const seat = await aSeat();
    let steps = 0;
    const broken = runCycle(cycling(), {
      ...seat,
      dropMonth: async () => 'KEPT',
      async sweep(of, request) {
        if (of === organization && (steps += 1) === 26)
          await owner.sql.query(
            `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND (classid::bigint << 32) + objid::bigint = 7270736904
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
          );
        return seat.sweep(of, request);
      },
    });
    await expect(broken).rejects.toThrow();
    await seat.leave();
    const left = (await keptIn(owner, organization)).events.length;
    expect([left > 0 && left < 200, await recordedCount()]).toEqual([true, 0]);
    const [interrupted] = await retention.reader.runs(organization, 1);
    expect(interrupted).toMatchObject({ isComplete: false, startedBy: null });
    expect(interrupted?.error).not.toBeNull();

    const next = await aSeat();
    await runCycle(cycling(), next);
    await next.leave();

    expect(await keptIn(owner, organization)).toEqual({ events: [], contents: [] });
    expect(await recordedCount()).toBe(200);
    expect((await retention.reader.schedule()).finishedAt).not.toBeNull();
  });

  it.each([2, 25, 33])(
    'with its process, killed at step %i: nothing that went is without its record, and no record without what went',
    async (step) => {
      await store(due(200, true));
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', fileURLToPath(new URL('../audit/killed-retention.ts', import.meta.url)), testDatabase.url, organization],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let steps = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        expect(line).toBe('step');
        if ((steps += 1) === step) child.kill('SIGKILL');
      }
      const left = (await keptIn(owner, organization)).events.length;
      expect(left).toBeGreaterThan(0);

      const seat = await aSeat();
      await runCycle(cycling(), { ...seat, dropMonth: async () => 'KEPT' });
      await seat.leave();

      expect(await keptIn(owner, organization)).toEqual({ events: [], contents: [] });
      const drops = await recordedDrops(owner, organization);
      const total = (of: string) => drops.filter((drop) => drop.class === of).reduce((sum, { count }) => sum + count, 0);
      expect([total('METADATA'), total('CONTENT')]).toEqual([200, 200]);
      expect(drops.map(({ firstPosition }) => firstPosition)).toContain(0);
      expect(drops.map(({ lastPosition }) => lastPosition)).toContain(199);
      const runs = await retention.reader.runs(organization, 5);
      expect(runs.map(({ error, isComplete, finishedAt }) => [error !== null, isComplete, finishedAt !== null])).toEqual([
        [false, true, true],
        [true, false, true],
      ]);
    },
    60_000,
  );

  it('because it must stop: says that it is not complete', async () => {
    await store(due(50));
    let steps = 0;
    const run = { id: randomUUID(), asOf: new Date(), startedBy: userId('ada'), isDryRun: false };

    const result = await runRetention(retention, retention.sweeping, organization, run, {
      isWhole: true,
      mustStop: () => (steps += 1) > 3,
    });

    expect(result).toMatchObject({ isComplete: false, drops: [{ class: 'METADATA', count: 20 }] });
    expect(await recordedCount()).toBe(20);
    expect(await retention.reader.runs(organization, 1)).toMatchObject([
      { isComplete: false, error: null, startedBy: 'ada', drops: [{ count: 20 }] },
    ]);
  });
});

describe('runs by hand', () => {
  it('are one at a time in an organization', async () => {
    const first = { id: randomUUID(), asOf: new Date(), startedBy: userId('ada'), isDryRun: false };
    const second = { ...first, id: randomUUID() };

    expect(await retention.runs.begin(organization, first)).toBe(true);
    expect(await retention.runs.begin(organization, second)).toBe(false);
    expect(await retention.runs.begin(anOrganizationId(), second)).toBe(true);
    await retention.runs.finish(organization, first.id, { isComplete: true, wouldDrop: null, error: null });
    expect(await retention.runs.begin(organization, second)).toBe(true);
  });

  it('are not kept away by one whose process has ended', async () => {
    const run = (minutesAgo: number) => ({
      ...{ id: randomUUID(), startedBy: userId('ada'), isDryRun: false },
      asOf: new Date(Date.now() - minutesAgo * 60_000),
    });
    await retention.runs.begin(organization, run(3));

    expect(await retention.runs.begin(organization, run(0))).toBe(true);
    expect((await retention.reader.runs(organization, 5)).map(({ error }) => error)).toEqual([
      null,
      expect.stringContaining('ended in the middle'),
    ]);
  });

  it('of others do not let an organization see or drop anything', async () => {
    await store(due(3));

    await expect(
      retention.sweeping.sweep(organization, {
        ...{ kind: 'EVENTS', range: { since: null, until: new Date() }, after: null, maxExamined: 10 },
        run: { id: randomUUID(), asOf: new Date(), startedBy: null, isDryRun: false },
      }),
    ).rejects.toThrow('retention_drop_organization_id_run_id_fkey');
    const foreign = database.of(anOrganizationId());
    await expect(
      foreign.query("SELECT retention_sweep(gen_random_uuid(), $1, 'EVENTS', '{}', now(), NULL, now(), NULL, 10, true)", [organization]),
    ).rejects.toThrow('sweeps no other');
    expect((await keptIn(owner, organization)).events).toHaveLength(3);
  });

  it('are forgotten but for the latest', async () => {
    for (let n = 0; n < 23; n += 1) await retention.run(organization, { startedBy: userId('ada') });

    expect(await owner.sql.query('SELECT 1 FROM retention_run WHERE organization_id = $1', [organization])).toHaveLength(20);
  });
});

describe('what a caller says of the rules', () => {
  const sweepWith = (change: Readonly<Record<string, unknown>>) =>
    database
      .of(organization)
      .query<{ swept: { readonly drops: readonly unknown[] } }>(
        "SELECT retention_sweep(gen_random_uuid(), $1, 'EVENTS', $2::json, $3::timestamptz, NULL, $3::timestamptz, NULL, 100, true) AS swept",
        [
          organization,
          JSON.stringify({ decisionTypes: [], defaultDays: { CONTENT: 184, METADATA: 400, DECISIONS: 730 }, ...change }),
          change['asOf'] ?? new Date(),
        ],
      );

  it('cannot go below the floors', async () => {
    await expect(sweepWith({ defaultDays: { CONTENT: 1, METADATA: 183, DECISIONS: 184 } })).rejects.toThrow('must not be below its floor');
    await expect(sweepWith({ defaultDays: { CONTENT: 1, METADATA: 184 } })).rejects.toThrow('must not be below its floor');
  });

  it('cannot let time run ahead of the database', async () => {
    await store([fact('young', Date.now() - 1_000)]);

    const [row] = await sweepWith({ asOf: new Date(Date.now() + 1_000 * 86_400_000) });

    expect(row?.swept.drops).toEqual([]);
  });
});

describe('a run of the schedule', () => {
  const regions: SweepRequest[] = [];
  const watched = (seat: RetentionSeat): RetentionSeat => ({
    ...seat,
    dropMonth: async () => 'KEPT',
    sweep(of, request) {
      if (of === organization) regions.push(request);
      return seat.sweep(of, request);
    },
  });
  const cycle = async (): Promise<readonly SweepRequest[]> => {
    regions.length = 0;
    const seat = await aSeat();
    await runCycle(cycling(), watched(seat));
    await seat.leave();
    return [...regions];
  };
  const isWhole = (requests: readonly SweepRequest[]): boolean => requests.some(({ range }) => range.since === null);

  it('looks only at what has come of age since the last, until something changes that decides', async () => {
    await store([fact('kept', Date.now() - 1_000), ...due(5)]);
    expect(isWhole(await cycle())).toBe(true);

    const next = await cycle();
    expect(isWhole(next)).toBe(false);
    expect(next.map(({ kind, range }) => [kind, Math.round((Date.now() - range.until.getTime()) / 86_400_000)])).toEqual([
      ['CONTENT', 730],
      ['CONTENT', 400],
      ['CONTENT', 184],
      ['EVENTS', 730],
      ['EVENTS', 400],
    ]);

    const hold = await retention.hold(organization, { userId: 'ada' });
    expect(isWhole(await cycle())).toBe(true);
    expect(isWhole(await cycle())).toBe(false);
    await retention.lift(organization, hold);
    expect(isWhole(await cycle())).toBe(true);
    await retention.set(organization, { namespaceId: organization, class: 'METADATA', days: 300 });
    expect(isWhole(await cycle())).toBe(true);
    expect(isWhole(await cycle())).toBe(false);
    await owner.sql.query("UPDATE retention_progress SET swept_whole_at = swept_whole_at - interval '25 hours'");
    expect(isWhole(await cycle())).toBe(true);
  });

  it('goes on with the other organizations when one of them fails', async () => {
    const other = anOrganizationId();
    await store(due(5));
    await retention.store(
      other,
      due(5).map((one) => appendOf(other, one)),
    );
    const seat = await aSeat();
    const deps = cycling();

    await runCycle(deps, {
      ...seat,
      organizations: async () => [organization, other],
      dropMonth: async () => 'KEPT',
      sweep: (of, request) => (of === organization ? Promise.reject(new Error('broken')) : seat.sweep(of, request)),
    });
    await seat.leave();

    expect((await keptIn(owner, other)).events).toEqual([]);
    expect(deps.alarms.map(({ message, details }) => [message, details['organizationId']])).toEqual([
      ['retention failed in an organization; it is tried again next time', organization],
    ]);
    expect(await retention.reader.runs(organization, 1)).toMatchObject([{ error: 'Error: broken', isComplete: false }]);
  });
});

describe('the months ahead', () => {
  const name = (ahead: number): string => `audit_event_${monthOf(new Date(), ahead).slice(0, 7).replace('-', '')}`;
  const withTable = async (table: string, work: () => Promise<void>): Promise<void> => {
    await owner.sql.query(`CREATE TABLE ${table} (id uuid)`);
    try {
      await work();
    } finally {
      await owner.sql.query(`DROP TABLE ${table}`);
    }
  };
  const removeMonths = async (...ahead: readonly number[]): Promise<void> => {
    for (const each of ahead)
      await owner.sql.query(`DROP TABLE IF EXISTS ${name(each)}, ${name(each).replace('event_', 'event_content_')}`);
  };
  let seat: RetentionSeat;
  beforeEach(async () => {
    seat = await aSeat();
  });
  afterEach(() => seat.leave());

  it('are made, three of them', async () => {
    await removeMonths(0, 1, 2, 3);

    await runCycle(cycling(), seat);

    expect(await retention.reader.months()).toEqual(expect.arrayContaining([0, 1, 2, 3].map((ahead) => monthOf(new Date(), ahead))));
  });

  it('raise an alarm when there are fewer than two and they cannot be made; the rest is done all the same', async () => {
    await store(due(5));
    await removeMonths(2);
    await withTable(name(2), async () => {
      const deps = cycling();

      await runCycle(deps, seat);

      expect(deps.alarms).toEqual([
        { message: expect.stringContaining('no room for the months ahead'), details: { monthsAhead: 1, error: expect.any(Error) } },
      ]);
      expect((await keptIn(owner, organization)).events).toEqual([]);
    });
  });

  it('warn only when there are two', async () => {
    await runCycle(cycling(), seat);
    await removeMonths(3);
    await withTable(name(3), async () => {
      const deps = cycling();

      await runCycle(deps, seat);

      expect([deps.alarms, deps.warnings.map(({ details }) => details['monthsAhead'])]).toEqual([[], [2]]);
    });
  });
});

describe('the schedule', () => {
  const options = (of: Database, change: Partial<ScheduleOptions> = {}): ScheduleOptions => ({
    ...cycling(),
    seats: postgresRetentionSeats(of),
    intervalMinutes: 60,
    leader: 'a process',
    ...change,
  });
  const makeDue = () => owner.sql.query('UPDATE retention_cycle SET started_at = NULL, finished_at = NULL');
  const finished = async (): Promise<void> => {
    while ((await retention.reader.schedule()).finishedAt === null) await delay(10);
  };

  it('has one leader over all processes, and runs when it is due', async () => {
    await store(due(5));
    await makeDue();
    const processes = [1, 2, 3].map((n) => startRetention(options(database, { leader: `process ${n}` })));
    await finished();
    await Promise.all(processes.map((process) => process.stop()));

    const runs = await retention.reader.runs(organization, 10);
    expect(runs).toHaveLength(1);
    expect((await retention.reader.schedule()).leader).toMatch(/^process [123]$/);
    // Not due any more.
    expect(await postgresRetentionSeats(database).takeIfDue(60, 'late')).toBeNull();
  });

  it('leaves to others what it has not done when it stops', async () => {
    await store(due(100));
    await makeDue();
    let steps = 0;
    const schedule = startRetention(
      options(database, {
        seats: {
          async takeIfDue(minutes, leader) {
            const seat = await postgresRetentionSeats(database).takeIfDue(minutes, leader);
            if (seat === null) return null;
            const sweep = seat.sweep;
            return {
              ...seat,
              dropMonth: async () => 'KEPT',
              sweep: (of, request) => {
                if (of === organization) steps += 1;
                return sweep(of, request);
              },
            };
          },
        },
      }),
    );
    while (steps < 3) await delay(1);
    await schedule.stop();

    expect((await keptIn(owner, organization)).events.length).toBeGreaterThan(0);
    const next = startRetention(options(database));
    await finished();
    await next.stop();
    expect((await keptIn(owner, organization)).events).toEqual([]);
    expect(await recordedCount()).toBe(100);
  });

  it('goes on in another process when the leader’s network goes silent', async () => {
    await store(due(100));
    await makeDue();
    const network = await aProxy(testDatabase.url);
    const far = openDatabase(through(network, testDatabase.url), 4, {
      connectMilliseconds: 500,
      statementMilliseconds: 500,
      answerMilliseconds: 500,
    });
    const seat = await postgresRetentionSeats(far, 1).takeIfDue(0, 'far');
    network.stall();

    const next = await aSeat();
    await runCycle(cycling(), next);
    await next.leave();

    expect((await keptIn(owner, organization)).events).toEqual([]);
    await seat?.leave();
    await network.cut();
    await far.close();
    await network.close();
  });
});
