import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { postgresAuditLog } from '../../src/audit/postgres.js';
import { organizationId, type OrganizationId } from '../../src/kernel/index.js';
import { followLogs, startSequencer, type Sequencing } from '../../src/log/index.js';
import { postgresLogReader, postgresSequencing } from '../../src/log/postgres.js';
import type { SequencerSeat } from '../../src/log/ports.js';
import { logHints } from '../../src/log/redis.js';
import { openDatabase, type Database, type Session } from '../../src/platform/postgres.js';
import { localSignals } from '../../src/platform/signals.js';
import { someAppends } from '../audit/events.js';
import { writeAtOnce } from '../log/writers.js';
import { aDatabase, openAsOwner, type TestDatabase } from '../support/database.js';
import { aProxy, through } from '../support/proxy.js';
import { aRandom } from '../support/random.js';

let testDatabase: TestDatabase;
let database: Database;
let owner: Database;
beforeAll(async () => {
  testDatabase = await aDatabase();
  database = openDatabase(testDatabase.url, 24);
  owner = openAsOwner(testDatabase.url);
  // The month's partition is there: whoever makes it lets nobody else store until it commits.
  await store(anOrganizationId(), 1, 'first');
  const seat = await seatOf(database);
  await stepped(seat, 1);
  await seat.leave();
});
afterAll(async () => {
  await database.close();
  await owner.close();
  await testDatabase.drop();
});

const anOrganizationId = (): OrganizationId => organizationId(`organization-${randomUUID()}`);
const store = (organization: OrganizationId, count: number, name: string) =>
  postgresAuditLog(database.of, new Set()).append(organization, someAppends(count, name, organization));

/** A process that may lead: its own pool, hints that it shares with the others here. */
function aProcess(hints = logHints(localSignals()), sequencing?: (own: Database) => Sequencing) {
  const own = openDatabase(testDatabase.url, 3);
  const reported: string[] = [];
  const sequencer = startSequencer({
    sequencing: sequencing?.(own) ?? postgresSequencing(own),
    hints,
    report: (message) => reported.push(message),
  });
  return {
    reported,
    async stop() {
      await sequencer.stop();
      await own.close();
    },
  };
}

/** Everything a follower shows of an organization's log, from its beginning until it has shown `total` events. */
async function followed(hints: ReturnType<typeof logHints>, organization: OrganizationId, isAll: (seen: number) => boolean) {
  const follower = followLogs({
    reader: postgresLogReader(database.of),
    hints,
    report: (_message, error) => {
      throw error;
    },
  });
  const tail = follower.tail(organization);
  const seen: { readonly position: number; readonly id: string }[] = [];
  while (!isAll(seen.length))
    for (const { position, stored } of (await tail.next(seen.length, 50)) ?? []) seen.push({ position, id: stored.event.id });
  follower.close();
  return seen;
}

/** The log as the tables have it, in the order of positions. */
const entriesOf = (organization: OrganizationId) =>
  owner.sql.query<{ position: string; id: string }>(
    'SELECT position, event_id AS id FROM log_entry WHERE organization_id = $1 ORDER BY position',
    [organization],
  );

/** What the tables must say when nothing is lost, repeated or out of place: ids in (transaction, insertion) order, from position 0. */
const orderOf = async (organization: OrganizationId) =>
  (await owner.sql.query<{ id: string }>('SELECT id FROM audit_event WHERE organization_id = $1 ORDER BY xid, seq', [organization])).map(
    ({ id }, position) => ({ position: String(position), id }),
  );

describe('a follower', () => {
  it.each([1, 2, 3])(
    'sees every event once, in order and without gaps, while eight writers commit in random order (seed %i)',
    async (seed) => {
      const hints = logHints(localSignals());
      const leader = aProcess(hints);
      const [one, other] = [anOrganizationId(), anOrganizationId()];
      let written: ReadonlyMap<OrganizationId, readonly string[]> | null = null;
      const isAll = (organization: OrganizationId) => (seen: number) =>
        written !== null && seen >= (written.get(organization)?.length ?? 0);

      const following = [one, other].map((organization) => followed(hints, organization, isAll(organization)));
      written = await writeAtOnce(database, {
        random: aRandom(seed),
        organizations: [one, other],
        writers: 8,
        transactions: 20,
        committed: hints.announceStored,
      });
      const seen = await Promise.all(following);
      await leader.stop();

      for (const [index, organization] of [one, other].entries()) {
        expect(seen[index]?.map(({ position }) => position)).toEqual(written.get(organization)?.map((_, position) => position));
        expect(new Set(seen[index]?.map(({ id }) => id))).toEqual(new Set(written.get(organization)));
        expect(await entriesOf(organization)).toEqual(await orderOf(organization));
      }
    },
  );

  it('passes no event by that is still to be committed', async () => {
    const organization = anOrganizationId();
    const held = await database.session();
    const seat = await seatOf(database);
    await held.query('BEGIN');
    await held.query("SELECT set_config('governance.organization_id', $1, true)", [organization]);
    await postgresAuditLog(sqlOf(held), new Set()).append(organization, someAppends(1, 'early', organization));
    await store(organization, 2, 'late');

    expect(await seat.step(100)).toEqual({ events: 0, heads: [] });
    await held.query('COMMIT');
    held.release();
    await stepped(seat, 3);
    await seat.leave();

    const shown = await postgresLogReader(database.of).readFrom(organization, 0, 10);
    expect(shown.map(({ position, stored }) => `${position} ${stored.event.sourceId}`)).toEqual(['0 early-0', '1 late-0', '2 late-1']);
  });
});

describe('a sequencer whose connection is killed', () => {
  it('is followed by another, mid-load: no gap, no repetition, nothing lost', async () => {
    const hints = logHints(localSignals());
    const organization = anOrganizationId();
    const processes = [aProcess(hints), aProcess(hints)];
    let commits = 0;
    let kills = 0;
    const committed = (): void => {
      hints.announceStored();
      commits += 1;
      if (commits % 40 === 0) void killLeader().then((killed) => (kills += killed));
    };
    let written: ReadonlyMap<OrganizationId, readonly string[]> | null = null;

    const following = followed(hints, organization, (seen) => written !== null && seen >= (written.get(organization)?.length ?? 0));
    const before = await writeAtOnce(database, {
      random: aRandom(7),
      organizations: [organization],
      writers: 8,
      transactions: 40,
      committed,
    });
    kills += await killLeader();
    await store(organization, 5, 'after');
    // Not told before: who follows would have seen all too early.
    written = new Map([[organization, [...(before.get(organization) ?? []), ...'12345']]]);
    const seen = await following;
    await Promise.all(processes.map((process) => process.stop()));

    expect(kills).toBeGreaterThan(0);
    expect(processes.flatMap(({ reported }) => reported).length).toBeGreaterThan(0);
    expect(await entriesOf(organization)).toEqual(await orderOf(organization));
    expect(seen.map(({ position, id }) => ({ position: String(position), id }))).toEqual(await orderOf(organization));
  });

  const killLeader = async (): Promise<number> => {
    const killed = await owner.sql.query(`
      SELECT pg_terminate_backend(pid) FROM pg_locks
      WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) + objid::bigint = 7270736902
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`);
    return killed.length;
  };
});

describe('several sequencers', () => {
  it('have one seat, which is free again when its holder leaves', async () => {
    const first = await seatOf(database);

    expect(await postgresSequencing(database).take()).toBeNull();
    await first.leave();
    const second = await seatOf(database);
    await second.leave();
  });

  it('get the seat of one that has fallen silent, though its connection was never closed', async () => {
    const network = await aProxy(testDatabase.url);
    const far = openDatabase(through(network, testDatabase.url), 2, {
      connectMilliseconds: 500,
      statementMilliseconds: 500,
      answerMilliseconds: 500,
    });
    const silent = await postgresSequencing(far, 1).take();
    network.stall();

    const next = await seatOf(database);
    const organization = anOrganizationId();
    await store(organization, 2, 'after');
    await stepped(next, 2);
    await next.leave();

    await expect(silent?.step(1)).rejects.toThrow();
    expect((await entriesOf(organization)).map(({ position }) => position)).toEqual(['0', '1']);
    await silent?.leave();
    await network.cut();
    await far.close();
    await network.close();
  });

  it('that all believe to lead still make one log', async () => {
    const hints = logHints(localSignals());
    const organizations = [anOrganizationId(), anOrganizationId()];
    const processes = Array.from({ length: 3 }, () => aProcess(hints, believing));

    const written = await writeAtOnce(database, {
      random: aRandom(11),
      organizations,
      writers: 8,
      transactions: 25,
      committed: hints.announceStored,
    });
    const seen = await Promise.all(
      organizations.map((organization) => followed(hints, organization, (count) => count >= (written.get(organization)?.length ?? 0))),
    );
    await Promise.all(processes.map((process) => process.stop()));

    for (const [index, organization] of organizations.entries()) {
      expect(await entriesOf(organization)).toEqual(await orderOf(organization));
      expect(seen[index]).toHaveLength(written.get(organization)?.length ?? -1);
    }
    expect(processes.flatMap(({ reported }) => reported)).toEqual([]);
  });

  /** The seat in Postgres, with a lock that everybody gets. */
  const believing = (own: Database): Sequencing =>
    postgresSequencing({
      ...own,
      async session() {
        const session = await own.session();
        const query = session.query.bind(session);
        const everybody = new Proxy(query, {
          apply: (target, _session, [text, ...values]: [string, ...unknown[]]) =>
            text.includes('pg_try_advisory_lock')
              ? Promise.resolve({ rows: [{ taken: true }] })
              : Reflect.apply(target, session, [text, ...values]),
        });
        return new Proxy(session, { get: (target, name) => (name === 'query' ? everybody : Reflect.get(target, name)) });
      },
    });
});

describe('a step', () => {
  it('takes at most as many as it is told, and says how far each log has grown', async () => {
    const [one, other] = [anOrganizationId(), anOrganizationId()];
    await store(one, 3, 'e');
    await store(other, 4, 'e');
    const seat = await seatOf(database);

    await stepped(seat, 7, 2);
    await seat.leave();

    const reader = postgresLogReader(database.of);
    expect([await reader.size(one), await reader.size(other), await reader.size(anOrganizationId())]).toEqual([3, 4, 0]);
    expect((await reader.readFrom(other, 1, 2)).map(({ position }) => position)).toEqual([1, 2]);
    expect(await reader.readFrom(other, 4, 2)).toEqual([]);
  });

  it('writes nothing when there is nothing to do', async () => {
    const seat = await seatOf(database);
    const version = async () => (await owner.sql.query('SELECT xmin, * FROM log_sequencer'))[0];
    const before = await version();

    expect(await seat.step(10)).toEqual({ events: 0, heads: [] });
    await seat.leave();

    expect(await version()).toEqual(before);
  });
});

const sqlOf = (session: Session) => () => ({
  query: async <Row>(text: string, values: readonly unknown[] = []) => (await session.query(text, [...values])).rows as Row[],
});

async function seatOf(of: Database): Promise<SequencerSeat> {
  const sequencing = postgresSequencing(of);
  // A seat that was left is free when its connection has ended, which Postgres sees a moment later.
  for (;;) {
    const seat = await sequencing.take();
    if (seat !== null) return seat;
    await setImmediate();
  }
}

/** Steps until `events` have their positions: a transaction of another database on the same server may hold them back. */
async function stepped(seat: SequencerSeat, events: number, limit = 100): Promise<void> {
  for (let done = 0; done < events;) {
    const { events: taken } = await seat.step(limit);
    if (taken > limit) throw new Error(`${taken} events in a step of ${limit}`);
    done += taken;
  }
}

describe('a reading of the log', () => {
  it('ends early where events are large, so that no reader has to hold hundreds of them, and goes on from there', async () => {
    const organization = anOrganizationId();
    const large = someAppends(12, 'large', organization, { data: 'x'.repeat(250_000) });
    await postgresAuditLog(database.of, new Set()).append(organization, large);
    const seat = await seatOf(database);
    await stepped(seat, 12);
    await seat.leave();
    const reader = postgresLogReader(database.of);

    const sizes: number[] = [];
    for (let position = 0; position < 12; position += sizes.at(-1) ?? 12)
      sizes.push((await reader.readFrom(organization, position, 500)).length);

    expect(sizes).toEqual([5, 5, 2]);
    expect(await reader.readFrom(organization, 12, 500)).toEqual([]);
  });
});
