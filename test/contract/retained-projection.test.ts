import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { OWN_SOURCE, type AuditEvent, type NewEvent } from '../../src/audit/event.js';
import { postgresProjection } from '../../src/audit/postgres/projection.js';
import { postgresRetentionSeats } from '../../src/audit/postgres/retention-sweeping.js';
import { runCycle } from '../../src/audit/retention/cycle.js';
import type { HoldSelectors, LegalHold } from '../../src/audit/retention/hold.js';
import type { RetentionSeat } from '../../src/audit/retention/ports.js';
import { DAYS_RULES, type DaysInForce } from '../../src/audit/retention/rules.js';
import type { Session } from '../../src/audit/session.js';
import type { OrganizationId } from '../../src/kernel/index.js';
import { openDatabase, type Database, type Session as Connection } from '../../src/platform/postgres.js';
import { anAppend } from '../audit/events.js';
import { projected } from '../audit/projected.js';
import { projectedTables, type ProjectedTables } from '../audit/projected-tables.js';
import { anOrganizationId, DAY, daysBefore, retentionOn, sequenceAll, type TestRetention } from '../audit/retention.js';
import { anySessionEvent } from '../audit/session-events.js';
import { aDatabase, openAsOwner, type TestDatabase } from '../support/database.js';
import { aRandom, type Random } from '../support/random.js';

let testDatabase: TestDatabase;
let database: Database;
let owner: Database;
let retention: TestRetention;
let logOf: ProjectedTables['logOf'];
let tablesOf: ProjectedTables['tablesOf'];
let organization: OrganizationId;
beforeAll(async () => {
  testDatabase = await aDatabase();
  database = openDatabase(testDatabase.url, 12);
  owner = openAsOwner(testDatabase.url);
  retention = retentionOn(database, { maxExamined: 40 });
  ({ logOf, tablesOf } = projectedTables(database, owner));
});
beforeEach(() => {
  organization = anOrganizationId();
});
afterAll(async () => {
  await database.close();
  await owner.close();
  await testDatabase.drop();
});

const NOW = Date.now();
const daysAgo = (days: number, milliseconds = 0): string => new Date(NOW - days * DAY + milliseconds).toISOString();

/** Stores events and gives them their positions. */
const store = (events: readonly Partial<NewEvent>[], of = organization): Promise<void> =>
  retention.store(
    of,
    events.map((event) => anAppend(event, of)),
  );

async function project(): Promise<void> {
  const projection = postgresProjection(database.sql);
  while (await projection.isBehind()) await projection.step(1_000);
}

/** Also what runs of retention have recorded. */
async function countEverything(): Promise<void> {
  await sequenceAll(database);
  await project();
}

const idsOf = (sessions: readonly Session[]): readonly string[] => sessions.map(({ id }) => id);
const sessionsOf = async (): Promise<readonly string[]> => idsOf((await tablesOf(organization)).sessions);

/** Deletes the events that are due, and nothing that is projected from them. */
async function dropEvents(): Promise<void> {
  const run = { id: randomUUID(), asOf: new Date(), startedBy: null, isDryRun: false };
  await retention.runs.begin(organization, run);
  const range = { since: null, until: new Date() };
  await retention.sweeping.sweep(organization, { run, kind: 'EVENTS', range, after: null, maxExamined: 5_000 });
}

/** organization / g / p1, p2 */
async function aTree(): Promise<void> {
  for (const line of [[organization], [organization, 'g'], [organization, 'g', 'p1'], [organization, 'g', 'p2']])
    await owner.sql.query(
      `INSERT INTO namespace (organization_id, id, kind, parent_id, path, name, ancestors)
       VALUES ($1, $2, CASE WHEN $3::text IS NULL THEN 'ORGANIZATION' ELSE 'GROUP' END, $3, 'n', 'n', $4)`,
      [organization, line.at(-1), line.at(-2) ?? null, line],
    );
}

const lineOf = (namespaceId: string | null): readonly string[] =>
  [organization, 'g', 'p1', 'p2'].includes(namespaceId ?? organization)
    ? [
        organization,
        ...(namespaceId === null || namespaceId === organization ? [] : ['g']),
        ...(/^p/.test(namespaceId ?? '') ? [namespaceId ?? ''] : []),
      ]
    : [organization];

/** Sessions of a few hours each, most of which ended about when something comes of age. */
function randomEvents(random: Random, settings: readonly DaysInForce[]): readonly Partial<NewEvent>[] {
  const ages = [400, 730, ...settings.map(({ days }) => days)];
  const ends = Array.from({ length: 40 }, () => random.pick(ages) * DAY + (random.below(9) - 4) * 3_600_000);
  return Array.from({ length: 500 }, (_, place) => {
    const session = random.below(41);
    const age = (ends[session] ?? random.below(900) * DAY) + random.below(5 * 3_600_000);
    const event = anySessionEvent(random, place, session === 40 ? null : `s${session}`);
    return { ...event, namespaceId: event.projectId ?? null, occurredAt: new Date(Date.now() - age - place).toISOString() };
  });
}

function randomSettings(random: Random): readonly DaysInForce[] {
  const all = [organization, 'g', 'p1', 'p2'].flatMap((namespaceId) =>
    (['METADATA', 'DECISIONS'] as const).map((of) => ({ namespaceId, class: of, days: 184 + random.below(700) })),
  );
  return random.shuffled(all).slice(0, random.below(4));
}

function randomHold(random: Random): Partial<HoldSelectors> {
  const sometimes = <Value>(value: Value): Value | null => (random.below(3) === 0 ? value : null);
  const selectors = {
    namespaceId: sometimes(random.pick(['g', 'p1', 'p2'])),
    userId: sometimes(random.pick(['ada', 'bob', 'hanna'])),
    agentId: sometimes(random.pick(['coder', 'planner'])),
    from: sometimes(daysBefore(new Date(), 500 + random.below(100))),
    to: sometimes(daysBefore(new Date(), 390 + random.below(30))),
  };
  return { sessionId: Object.values(selectors).every((selector) => selector === null) ? 's7' : sometimes('s8'), ...selectors };
}

/** Whether an event may be one of the session's own. */
function isOf(session: Session, recordedBy: string | null, event: AuditEvent): boolean {
  const time = Date.parse(event.occurredAt);
  const isOfSameHands = event.userId === session.userId || (event.recordedBy !== null && event.recordedBy === recordedBy);
  return (
    event.sessionId === session.id &&
    time <= session.lastEventAt.getTime() &&
    (event.projectId === null || session.projectId === null ? isOfSameHands : event.projectId === session.projectId)
  );
}

/** Whether what a session consists of is past its days where it ran, and no hold selects it. Said once more and in another way. */
function mayGo(session: Session, settings: readonly DaysInForce[], holds: readonly LegalHold[], asOf: number): boolean {
  const line = lineOf(session.projectId);
  const days = (of: 'METADATA' | 'DECISIONS'): number =>
    line
      .toReversed()
      .flatMap((id) => settings.filter((setting) => setting.class === of && setting.namespaceId === id))
      .at(0)?.days ?? DAYS_RULES[of].defaultDays;
  const decisions = session.allowed + session.asked + session.denied;
  const kept = Math.max(decisions > 0 ? days('DECISIONS') : 0, decisions < session.events ? days('METADATA') : 0);
  const isHeld = holds.some(
    (hold) =>
      hold.lift === null &&
      (hold.sessionId ?? session.id) === session.id &&
      [session.userId, session.humanId].includes(hold.userId ?? session.userId) &&
      (hold.agentId ?? session.agentId) === session.agentId &&
      (hold.namespaceId === null || line.includes(hold.namespaceId)) &&
      session.lastEventAt.getTime() >= (hold.from?.getTime() ?? -Infinity) &&
      firstEventAt(session) < (hold.to?.getTime() ?? Infinity),
  );
  return !isHeld && session.lastEventAt.getTime() < asOf - kept * DAY;
}

let firstEvents = new Map<string, number>();
const firstEventAt = ({ id }: Session): number => firstEvents.get(id) ?? Number.NaN;

async function rememberSessions(): Promise<ReadonlyMap<string, string | null>> {
  const rows = await owner.sql.query<{ id: string; recorded_by: string | null; first_event_at: Date }>(
    'SELECT id, recorded_by, first_event_at FROM agent_session WHERE organization_id = $1',
    [organization],
  );
  firstEvents = new Map(rows.map((row) => [row.id, row.first_event_at.getTime()]));
  return new Map(rows.map((row) => [row.id, row.recorded_by]));
}

describe('what is projected from events', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'goes with them, and stays with what stays (seed %i)',
    async (seed) => {
      const random = aRandom(seed);
      await aTree();
      const settings = randomSettings(random);
      for (const setting of settings) await retention.set(organization, setting);
      await store(randomEvents(random, settings));
      await project();
      const [before, recorders] = [await tablesOf(organization), await rememberSessions()];
      const holds: LegalHold[] = [];
      for (let count = random.below(4); count > 0; count -= 1) holds.push(await retention.hold(organization, randomHold(random)));

      for (const inForce of [holds, []]) {
        if (inForce.length === 0) for (const hold of holds) await retention.lift(organization, hold);
        const asOf = new Date();
        const promised = await retention.run(organization, { asOf, isDryRun: true });
        const unchanged = await tablesOf(organization);
        const done = await retention.run(organization, { asOf });
        await countEverything();

        const [log, tables] = [await logOf(organization), await tablesOf(organization)];
        expect(promised).toEqual(done);
        expect(tables.rollups).toEqual(projected(log).rollups);
        const ids = new Set(log.map(({ id }) => id));
        expect(tables.openCalls).toEqual(before.openCalls.filter((id) => ids.has(id)));
        const isKept = (session: Session): boolean =>
          !mayGo(session, settings, inForce, asOf.getTime()) ||
          log.some((event) => isOf(session, recorders.get(session.id) ?? null, event));
        // Those that stay are as they were.
        expect(tables.sessions).toEqual(before.sessions.filter(isKept));
        const left = new Set(idsOf(tables.sessions));
        expect(tables.sources).toEqual(before.sources.filter((source) => left.has(String((source as { session?: string }).session))));
        expect(done.sessions).toBe(unchanged.sessions.length - tables.sessions.length);
        expect(done.openCalls).toBe(unchanged.openCalls.length - tables.openCalls.length);
      }
      // The seeds are worth something: some went, and some stayed.
      const after = await tablesOf(organization);
      expect(after.sessions.length).toBeGreaterThan(0);
      expect(after.sessions.length).toBeLessThan(before.sessions.length);
      expect(after.openCalls.length).toBeGreaterThan(0);
      expect(after.openCalls.length).toBeLessThan(before.openCalls.length);
    },
    60_000,
  );

  it('is right at the end, whatever is stored, projected and dropped at the same time', async () => {
    const random = aRandom(21);
    let isOver = false;
    const during = async (work: () => Promise<unknown>): Promise<void> => {
      while (!isOver) await work();
    };
    const storing = async (): Promise<void> => {
      try {
        for (let batch = 0; batch < 12; batch += 1) {
          const events = randomEvents(random, []).slice(0, 40);
          await store(events.map((event) => ({ ...event, sourceId: `${batch} ${event.sourceId ?? ''}` })));
        }
      } finally {
        isOver = true;
      }
    };

    await Promise.all([storing(), during(project), during(() => retention.run(organization))]);
    await countEverything();
    const asOf = new Date();
    await retention.run(organization, { asOf });
    await countEverything();

    const [log, tables] = [await logOf(organization), await tablesOf(organization)];
    expect(log.length).toBeGreaterThan(0);
    expect(tables.rollups).toEqual(projected(log).rollups);
    const ids = new Set(log.map(({ id }) => id));
    expect(tables.openCalls.filter((id) => !ids.has(id))).toEqual([]);
    await rememberSessions();
    const isBare = ({ id }: Session): boolean => log.every(({ sessionId }) => sessionId !== id);
    expect(tables.sessions.filter((session) => isBare(session) && mayGo(session, [], [], asOf.getTime()))).toEqual([]);
  }, 60_000);
});

/** A session of four events of which one allowed a call that came of nothing, as long ago as `days`. */
const aSession = (id: string, days: number, change: Partial<NewEvent> = {}): readonly Partial<NewEvent>[] => {
  const common = { sessionId: id, projectId: 'p1', userId: 'ada', recordedBy: 'service', agentId: 'coder', source: '/a', ...change };
  const decision = { type: 'ai_tool_decision_made', source: OWN_SOURCE, verdict: 'ALLOW' as const, callId: `${id}-call` };
  return [
    { ...common, occurredAt: daysAgo(days), sequence: 1 },
    { ...common, occurredAt: daysAgo(days, 1_000), ...decision },
    { ...common, occurredAt: daysAgo(days, 2_000), sequence: 2 },
    { ...common, occurredAt: daysAgo(days, 3_000), type: 'ai_agent_session_ended', data: { status: 'success' }, sequence: 3 },
  ];
};

describe('a session', () => {
  it('keeps what it came to as long as one of its events is there, and takes its sources along when it goes', async () => {
    await store([...aSession('old', 740), ...aSession('decided', 500), ...aSession('young', 10)]);
    await project();
    const before = await tablesOf(organization);

    const done = await retention.run(organization);

    const after = await tablesOf(organization);
    expect(done).toMatchObject({ sessions: 1, openCalls: 1 });
    expect(idsOf(after.sessions)).toEqual(['decided', 'young']);
    expect(after.sessions).toEqual(before.sessions.filter(({ id }) => id !== 'old'));
    expect(after.sources).toEqual(before.sources.filter((source) => !JSON.stringify(source).includes('"old"')));
    expect(await retention.reader.runs(organization, 1)).toMatchObject([{ sessions: 1, openCalls: 1, isDryRun: false }]);
  });

  it('without a decision goes with the metadata', async () => {
    await store([...aSession('mixed', 500), ...aSession('plain', 500).filter(({ verdict }) => verdict === undefined)]);
    await project();

    await retention.run(organization);

    expect(await sessionsOf()).toEqual(['mixed']);
  });

  it.each<[string, Partial<HoldSelectors>]>([
    ['itself', { sessionId: 's' }],
    ['its user', { userId: 'ada' }],
    ['its human', { userId: 'hanna' }],
    ['its agent', { agentId: 'coder' }],
    ['a group above', { namespaceId: 'g' }],
    ['a time within it', { from: new Date(daysAgo(740, 1_500)), to: new Date(daysAgo(740, 1_600)) }],
    ['all of that', { sessionId: 's', userId: 'ada', agentId: 'coder', namespaceId: 'p1', to: new Date(daysAgo(730)) }],
  ])('stays when a hold is placed on %s, though its events are gone, until it is lifted', async (_what, selectors) => {
    await aTree();
    await store(aSession('s', 740, { humanId: 'hanna' }));
    await project();
    await dropEvents();
    expect(await logOf(organization)).toEqual([]);
    const hold = await retention.hold(organization, selectors);

    await retention.run(organization);
    expect(await sessionsOf()).toEqual(['s']);

    await retention.lift(organization, hold);
    await retention.run(organization);
    expect(await tablesOf(organization)).toMatchObject({ sessions: [], sources: [], openCalls: [] });
  });

  it.each<[string, Partial<HoldSelectors>]>([
    ['another session', { sessionId: 't' }],
    ['another user', { userId: 'bob' }],
    ['another agent', { agentId: 'planner' }],
    ['another project', { namespaceId: 'p2' }],
    ['a time before it', { to: new Date(daysAgo(741)) }],
    ['a time after it', { from: new Date(daysAgo(739)) }],
    ['its user elsewhere', { userId: 'ada', namespaceId: 'p2' }],
  ])('goes when a hold is on %s', async (_what, selectors) => {
    await aTree();
    await store(aSession('s', 740));
    await project();
    await dropEvents();
    await retention.hold(organization, selectors);

    await retention.run(organization);

    expect(await sessionsOf()).toEqual([]);
  });

  it('stays when it is older than its days were and not than they are', async () => {
    await store(aSession('s', 740));
    await project();
    await dropEvents();
    for (const each of ['METADATA', 'DECISIONS'] as const)
      await retention.set(organization, { namespaceId: organization, class: each, days: 3_000 });

    await retention.run(organization);

    expect(await sessionsOf()).toEqual(['s']);
  });

  it('begins anew with an event that comes late, and remembers nothing of what it was', async () => {
    await store(aSession('s', 740));
    await project();
    await retention.run(organization);

    const occurredAt = daysAgo(5);
    await store([{ sessionId: 's', projectId: 'p2', userId: 'bob', source: '/a', sequence: 4, occurredAt }]);
    await countEverything();

    const tables = await tablesOf(organization);
    expect(tables).toMatchObject(projectedWithoutCalls(await logOf(organization)));
    expect(tables.sessions).toMatchObject([{ userId: 'bob', projectId: 'p2', events: 1, startedAt: new Date(occurredAt) }]);
    expect(tables.sources).toMatchObject([{ ranges: [{ from: 4, to: 4 }], numbered: 1 }]);
  });

  const projectedWithoutCalls = (log: readonly AuditEvent[]) => {
    const { sessions, sources, rollups } = projected(log);
    return { sessions, sources, rollups };
  };

  it('is not kept by strays, and theirs is what comes after it', async () => {
    await store([...aSession('s', 740), { sessionId: 's', projectId: 'p2', userId: 'eve', recordedBy: 'eve', occurredAt: daysAgo(10) }]);
    await project();
    expect((await tablesOf(organization)).sessions).toMatchObject([{ id: 's', strayEvents: 1 }]);

    await retention.run(organization);

    expect(await sessionsOf()).toEqual([]);
  });

  it('is not held up by an event with NUL in it where somebody is held', async () => {
    await store([...aSession('s', 740), ...aSession('t', 740, { userId: 'bob', data: { text: 'a\u0000b' }, projectId: null })]);
    await project();
    await retention.hold(organization, { userId: 'ada' });

    await retention.run(organization);

    expect(await sessionsOf()).toEqual(['s']);
  });

  it('of more than are looked at in one step goes all the same', async () => {
    await store(Array.from({ length: 95 }, (_, index) => aSession(`s${index}`, 740 + (index % 3))[index % 4] ?? {}));
    await project();

    expect(await retention.run(organization, { isDryRun: true })).toMatchObject({ sessions: 95 });
    expect(await retention.run(organization)).toMatchObject({ sessions: 95 });
    expect(await sessionsOf()).toEqual([]);
  });
});

describe('the projector and retention', () => {
  /** A transaction of somebody else, open until `end` is called. */
  async function anOpenTransaction(statement: string, values: readonly unknown[]) {
    const connection: Connection = await database.session();
    await connection.query('BEGIN');
    await connection.query(statement, [...values]);
    return {
      async end() {
        await connection.query('COMMIT');
        connection.release(true);
      },
    };
  }
  /** Until somebody waits for the projector's lock; fails when `work` ends before. */
  async function waits(work: Promise<unknown>): Promise<void> {
    let isDone = false;
    void work.finally(() => (isDone = true));
    for (;;) {
      const waiting = await owner.sql.query(
        `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND (classid::bigint << 32) + objid::bigint = 7270736905
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      if (waiting.length > 0) return;
      if (isDone) throw new Error('It did not wait.');
      await delay(2);
    }
  }
  const late = (): Partial<NewEvent> => ({
    sessionId: 's',
    projectId: 'p1',
    userId: 'ada',
    source: '/a',
    sequence: 9,
    occurredAt: daysAgo(3),
  });

  it('wait for each other: what was projected first keeps the session', async () => {
    await store(aSession('s', 740));
    await project();
    await store([late()]);
    const step = await anOpenTransaction('SELECT audit_project_step(1000)', []);

    const running = retention.run(organization);
    await waits(running);
    await step.end();
    await running;
    await countEverything();

    const tables = await tablesOf(organization);
    expect(tables.sessions).toMatchObject([{ id: 's', userId: 'ada', events: 5 }]);
    expect(tables.rollups).toEqual(projected(await logOf(organization)).rollups);
  });

  it('wait for each other: what is projected after the session went begins it anew', async () => {
    await store(aSession('s', 740));
    await project();
    await dropEvents();
    await store([late()]);
    const run = randomUUID();
    await retention.runs.begin(organization, { id: run, asOf: new Date(), startedBy: null, isDryRun: false });
    const rules = JSON.stringify({
      decisionTypes: ['ai_tool_decision_made'],
      defaultDays: { CONTENT: 184, METADATA: 400, DECISIONS: 730 },
    });
    const sweep = (what: string) => `SELECT retention_sweep_${what}($1, $2, $3, now(), NULL, now(), NULL, 10, false)`;
    await database.of(organization).query(sweep('calls'), [run, organization, rules]);
    const dropping = await anOpenTransaction(sweep('sessions'), [run, organization, rules]);

    const projecting = project();
    await waits(projecting);
    await dropping.end();
    await projecting;
    await countEverything();

    const tables = await tablesOf(organization);
    expect(tables).toEqual(projected(await logOf(organization)));
    expect(tables.sessions).toMatchObject([{ id: 's', events: 1, strayEvents: 0 }]);
    expect(tables.sources).toMatchObject([{ ranges: [{ from: 9, to: 9 }] }]);
  });

  it('do not take from the counts what was never counted', async () => {
    await store(aSession('s', 740));
    await project();
    const early = await tablesOf(organization);
    await store(aSession('t', 740));

    await dropEvents();
    expect((await tablesOf(organization)).rollups).toEqual(new Map());
    await project();

    expect(early.rollups.size).toBeGreaterThan(0);
    expect((await tablesOf(organization)).rollups).toEqual(new Map());
    expect(await sessionsOf()).toEqual(['s']);
  });

  it('are done by no one for another organization, and under no run that is none', async () => {
    const foreign = database.of(anOrganizationId());
    const values = [organization, JSON.stringify({ decisionTypes: [], defaultDays: { CONTENT: 184, METADATA: 400, DECISIONS: 730 } })];
    for (const what of ['calls', 'sessions'])
      await expect(
        foreign.query(`SELECT retention_sweep_${what}(gen_random_uuid(), $1, $2, now(), NULL, now(), NULL, 10, true)`, values),
      ).rejects.toThrow('sweeps no other');
    await expect(foreign.query('SELECT audit_recount_step($1)', [organization])).rejects.toThrow('counts for no other');

    await store(aSession('s', 740));
    await project();
    await dropEvents();
    const run = { id: randomUUID(), asOf: new Date(), startedBy: null, isDryRun: false };
    await expect(
      retention.sweeping.sweepProjected(organization, {
        ...{ run, kind: 'OPEN_CALLS', range: { since: null, until: new Date() }, after: null, maxExamined: 10 },
      }),
    ).rejects.toThrow('There is no such run');
  });
});

describe('counts of a month whose events go at once', () => {
  const MONTH = '2023-03-01';
  const inMonth = (hours: number): string => new Date(Date.UTC(2023, 2, 1) + hours * 3_600_000).toISOString();
  const monthly = (count: number, step = 40): readonly Partial<NewEvent>[] =>
    Array.from({ length: count }, (_, index) => ({
      ...anySessionEvent(aRandom(index), index, `m${index % 5}`),
      occurredAt: inMonth(index * step),
    }));
  let seat: RetentionSeat;

  async function aSeat(): Promise<RetentionSeat> {
    for (;;) {
      const taken = await postgresRetentionSeats(database).takeIfDue(0, 'test');
      if (taken !== null) return { ...taken, organizations: async () => [organization] };
      await delay(5);
    }
  }
  async function cycle(): Promise<void> {
    const fail = (message: string, { error }: Readonly<Record<string, unknown>>): never => {
      throw new Error(message, { cause: error });
    };
    await runCycle({ ...retention, alarm: fail, warn: fail, isStopping: () => false }, seat);
  }
  beforeEach(async () => {
    // Whatever another test left behind would keep the month.
    await owner.sql.query('TRUNCATE audit_event, audit_event_content, legal_hold, retention_setting');
    seat = await aSeat();
  });
  afterEach(() => seat.leave());

  it('go with the cycle that empties it; the days around stay', async () => {
    await store([...monthly(18), ...aSession('young', 10)]);
    await project();

    await cycle();
    await seat.leave();
    await countEverything();

    const [log, tables] = [await logOf(organization), await tablesOf(organization)];
    expect(await retention.reader.months()).not.toContain(MONTH);
    expect(tables.rollups).toEqual(projected(log).rollups);
    expect(idsOf(tables.sessions)).toEqual(['young']);
    expect(await owner.sql.query('SELECT 1 FROM audit_recount WHERE organization_id = $1', [organization])).toEqual([]);
  });

  it('are made again by the next run, when the one that emptied it ended then; with what has come since', async () => {
    await store(monthly(18));
    await project();
    expect(await seat.dropMonth(MONTH, 'EVENTS')).toBe('DROPPED');
    await seat.leave();
    await retention.set(organization, { namespaceId: organization, class: 'METADATA', days: 3_000 });
    await store([{ sessionId: 'late', occurredAt: inMonth(45), namespaceId: 'p1' }, { occurredAt: inMonth(90) }]);
    await project();

    await retention.run(organization);
    await countEverything();

    const log = await logOf(organization);
    expect(log.filter(({ occurredAt }) => occurredAt.startsWith('2023'))).toHaveLength(2);
    expect((await tablesOf(organization)).rollups).toEqual(projected(log).rollups);
  });

  it('are made again once, when several do it at the same time and the projector works', async () => {
    await store(monthly(18));
    await project();
    expect(await seat.dropMonth(MONTH, 'EVENTS')).toBe('DROPPED');
    await seat.leave();
    await retention.set(organization, { namespaceId: organization, class: 'METADATA', days: 3_000 });
    const recount = async (): Promise<void> => {
      while (await retention.sweeping.recount(organization));
    };

    await Promise.all([
      recount(),
      recount(),
      recount(),
      store(monthly(20, 35).map((event) => ({ ...event, source: '/late' }))).then(project),
    ]);

    const [log, tables] = [await logOf(organization), await tablesOf(organization)];
    expect(log).toHaveLength(20);
    expect(tables.rollups).toEqual(projected(log).rollups);
  });
});
