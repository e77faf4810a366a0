import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventScope } from '../../src/audit/index.js';
import { bucketsOf, maxValuesOf, withWholeBuckets, type HistogramBucket, type HistogramRequest } from '../../src/audit/histogram.js';
import type { AuditEvent } from '../../src/audit/event.js';
import { postgresAuditLog } from '../../src/audit/postgres.js';
import { postgresOpenCalls } from '../../src/audit/postgres/open-calls.js';
import { postgresProjection } from '../../src/audit/postgres/projection.js';
import { postgresRollups } from '../../src/audit/postgres/rollups.js';
import { postgresSessionReader } from '../../src/audit/postgres/sessions.js';
import { EVERY_SESSION, SESSION_STATUSES, sessionKey, type OpenCall, type Session, type SessionFilter } from '../../src/audit/session.js';
import type { SessionOwner } from '../../src/audit/session-ports.js';
import { organizationId, userId, type Page, type PageRequest } from '../../src/kernel/index.js';
import { postgresSequencing } from '../../src/log/postgres.js';
import { openDatabase, type Database } from '../../src/platform/postgres.js';
import { anAppend } from '../audit/events.js';
import { aDatabase, openAsOwner, type TestDatabase } from '../support/database.js';
import { aRandom, type Random } from '../support/random.js';

const acme = organizationId('acme');
/** acme / g1 / p1, p2; acme / g2 / p3; `gone` was deleted from g1. */
const lines: Readonly<Record<string, readonly string[]>> = {
  acme: ['acme'],
  g1: ['acme', 'g1'],
  p1: ['acme', 'g1', 'p1'],
  p2: ['acme', 'g1', 'p2'],
  gone: ['acme', 'g1', 'gone'],
  g2: ['acme', 'g2'],
  p3: ['acme', 'g2', 'p3'],
};
const projects = ['p1', 'p2', 'p3', 'gone'];
const users = ['ada', 'bob', 'cyd', 'service'];
const START = Date.parse('2026-11-01T00:00:00.000Z');
const HOUR = 3_600_000;
const SESSIONS = 400;

const random = aRandom(7);
let testDatabase: TestDatabase;
let database: Database;
let owner: Database;
let sessions: readonly Session[];
let events: readonly AuditEvent[];
beforeAll(async () => {
  testDatabase = await aDatabase();
  database = openDatabase(testDatabase.url, 4);
  owner = openAsOwner(testDatabase.url);
  for (const [id, ancestors] of Object.entries(lines)) await putNamespace(id, ancestors);
  events = await stored(
    Array.from({ length: SESSIONS * 4 }, (_, place) => anyEvent(random, `s${place % SESSIONS}`, place)).map(
      (event) => anAppend(event).sealed.event,
    ),
  );
  const ids = Array.from({ length: SESSIONS }, (_, index) => `s${index}`);
  sessions = await postgresSessionReader(database.of).byIds(acme, whole, ids);
});
afterAll(async () => {
  await database.close();
  await owner.close();
  await testDatabase.drop();
});

async function putNamespace(id: string, ancestors: readonly string[]): Promise<void> {
  const kind = id === 'acme' ? 'ORGANIZATION' : id.startsWith('g') ? 'GROUP' : 'PROJECT';
  await (id === 'gone'
    ? owner.sql.query('INSERT INTO former_namespace (organization_id, id, ancestors) VALUES ($1, $2, $3)', [acme, id, ancestors])
    : owner.sql.query(
        'INSERT INTO namespace (organization_id, id, kind, parent_id, path, name, ancestors) VALUES ($1, $2, $3, $4, $2, $2, $5)',
        [acme, id, kind, ancestors.at(-2) ?? null, ancestors],
      ));
}

/** Stores, sequences and projects. */
async function stored(all: readonly AuditEvent[]): Promise<readonly AuditEvent[]> {
  const log = postgresAuditLog(database.of, new Set());
  for (let start = 0; start < all.length; start += 500)
    await log.append(
      acme,
      all.slice(start, start + 500).map((event) => anAppend(event)),
    );
  await log.append(organizationId('other'), [anAppend(anyEvent(random, 's1', 0), organizationId('other'))]);
  const seat = await postgresSequencing(database).take();
  for (let done = 0; done < all.length + 1;) done += (await seat?.step(10_000))?.events ?? Number.NaN;
  await seat?.leave();
  while ((await postgresProjection(database.sql).step(1_000)) > 0);
  return all;
}

/** An event of a session whose facts follow from its number, so that all its events agree. */
function anyEvent(pick: Random, sessionId: string, place: number) {
  const number = Number(sessionId.slice(1));
  const [project, user] = [[...projects, null][number % 5] ?? null, users[number % 4] ?? null];
  const isDecision = place >= SESSIONS * 2;
  return {
    sourceId: String(place),
    // Several sessions start in the same millisecond.
    occurredAt: new Date(START + (number % 90) * 6 * HOUR + Math.floor(place / SESSIONS) * 7 * HOUR).toISOString(),
    type: isDecision ? 'ai_tool_decision_made' : number % 3 === 0 && place >= SESSIONS ? 'duo_session_failed' : 'ai_tool_invoked',
    source: isDecision ? '/agent-governance' : '/a',
    projectId: project,
    namespaceId: project,
    userId: user,
    humanId: user === 'service' ? pick.pick(['ada', 'hanna']) : user,
    agentId: ['coder', 'planner', null][number % 3] ?? null,
    sessionId: number % 7 === 0 && isDecision ? null : sessionId,
    parentSessionId: number % 4 === 1 ? `s${number % 8}` : null,
    callId: `call-${place}`,
    verdict: isDecision ? pick.pick(['ALLOW', 'ALLOW', 'DENY'] as const) : null,
    tool: pick.pick(['read', 'write', null]),
  };
}

const scope = (user: string, namespaceIds: readonly string[] = []): EventScope => ({
  userId: userId(user),
  isWhole: namespaceIds.includes(acme),
  namespaceIds,
  memberOf: [...namespaceIds, 'p2'],
});
const whole = scope('nobody', ['acme']);
const scopes: readonly (readonly [string, EventScope])[] = [
  ['who sees the organization', whole],
  ['who sees a group', scope('nobody', ['g1'])],
  ['who sees a project and ran some', scope('bob', ['p3'])],
  ['the human behind a service account', scope('ada')],
  ['who sees nothing', scope('stranger')],
];

const isBelow = (id: string | null, roots: readonly string[]): boolean =>
  id !== null && (lines[id] ?? []).some((above) => roots.includes(above));
const sees = (by: EventScope, { userId: user, humanId, projectId }: Session): boolean =>
  by.isWhole || user === by.userId || humanId === by.userId || isBelow(projectId, by.namespaceIds);

const order = (all: readonly Session[]): readonly string[] =>
  [...all].sort((left, right) => (sessionKey(left) < sessionKey(right) ? 1 : -1)).map(({ id }) => id);

function fits({ projectIds, agentIds, userIds, statuses, started }: SessionFilter, session: Session): boolean {
  const among = (wanted: readonly string[] | null, ...values: readonly (string | null)[]): boolean =>
    wanted === null || values.some((value) => value !== null && wanted.includes(value));
  return (
    among(projectIds, session.projectId) &&
    among(agentIds, session.agentId) &&
    among(userIds, session.userId, session.humanId) &&
    among(statuses, session.status) &&
    (started?.from == null || session.startedAt >= started.from) &&
    (started?.to == null || session.startedAt < started.to)
  );
}

/** Every item, page by page. */
async function everyPage<Item>(read: (page: PageRequest) => Promise<Page<Item> | null>, keyOf: (item: Item) => string, first = 37) {
  const items: Item[] = [];
  for (let after: string | null = null; ;) {
    const page: Page<Item> | null = await read({ first, after });
    if (page === null) return null;
    items.push(...page.items);
    const last = page.items.at(-1);
    if (!page.hasNextPage || last === undefined) return items;
    after = keyOf(last);
  }
}

describe('a list of sessions', () => {
  const filters: readonly (readonly [string, Partial<SessionFilter>])[] = [
    ['all', {}],
    ['of projects', { projectIds: ['p1', 'p3', 'nowhere'] }],
    ['of agents', { agentIds: ['coder', 'planner'] }],
    ['of users and the humans behind them', { userIds: ['ada', 'cyd'] }],
    ['of a status', { statuses: ['FAILED'] }],
    [
      'of a status in a project since a time',
      { statuses: ['RUNNING'], projectIds: ['p2'], started: { from: new Date(START + 48 * HOUR), to: null } },
    ],
    ['of a user before a time', { userIds: ['service'], started: { from: null, to: new Date(START + 200 * HOUR) } }],
    ['of nothing', { agentIds: [] }],
    ['of everything', { statuses: SESSION_STATUSES, projectIds: projects, agentIds: ['coder', 'planner'], userIds: users }],
  ];
  it.each(scopes.flatMap(([who, by]) => filters.map(([what, filter]) => [who, what, by, filter] as const)))(
    'for %s: %s',
    async (_who, _what, by, partial) => {
      const filter = { ...EVERY_SESSION, ...partial };

      const listed = await everyPage((page) => postgresSessionReader(database.of).list(acme, by, filter, page), sessionKey);

      expect(listed?.map(({ id }) => id)).toEqual(order(sessions.filter((session) => sees(by, session) && fits(filter, session))));
    },
  );

  it('has sessions of every kind to tell apart', () => {
    expect(sessions).toHaveLength(SESSIONS);
    expect(new Set(sessions.map(({ startedAt }) => startedAt.getTime())).size).toBeLessThan(SESSIONS / 2);
    expect(new Set(sessions.map(({ status }) => status))).toEqual(new Set(['RUNNING', 'FAILED']));
    expect(sessions.filter(({ humanId }) => humanId === 'hanna').length).toBeGreaterThan(10);
  });
});

describe('whom sessions name', () => {
  it('is told of those whose own events name a human, and of no other organization', async () => {
    const reader = postgresSessionReader(database.of);
    const ids = sessions.map(({ id }) => id);
    const naming = sessions.filter(({ userId: user, humanId }) => user !== humanId);

    const named = await reader.named(acme, [...ids, 'nowhere']);

    expect(naming.length).toBeGreaterThan(10);
    expect(named.toSorted((left, right) => (left.sessionId < right.sessionId ? -1 : 1))).toEqual(
      naming
        .map(({ id, userId: user, humanId }) => ({ sessionId: id, userId: user, humanId }))
        .toSorted((left, right) => (left.sessionId < right.sessionId ? -1 : 1)),
    );
    expect(await reader.named(organizationId('other'), ids)).toEqual([]);
  });
});

describe('sessions of many owners at once', () => {
  const owned: readonly (readonly [SessionOwner, readonly string[], (session: Session, id: string) => boolean])[] = [
    ['project', ['p2', 'p1', 'p3', 'g1', 'nowhere'], ({ projectId }, id) => projectId === id],
    ['user', ['ada', 'service', 'nobody'], ({ userId: user, humanId }, id) => user === id || humanId === id],
    ['agent', ['planner', 'coder'], ({ agentId }, id) => agentId === id],
    ['parent', ['s1', 's5', 's2'], ({ parentSessionId }, id) => parentSessionId === id],
  ];
  it.each(scopes.flatMap(([who, by]) => owned.map(([owner, ids, isOf]) => [who, owner, by, ids, isOf] as const)))(
    'for %s: by %s',
    async (_who, owner, by, ids, isOf) => {
      for (const [place, id] of ids.entries()) {
        const isShown = owner !== 'project' || (isBelow(id, by.memberOf) && id.startsWith('p'));
        const wanted = order(sessions.filter((session) => sees(by, session) && isOf(session, id)));

        const pages = await everyPage(
          async (page) => (await postgresSessionReader(database.of).listByOwner(acme, by, { owner, ids, page }))[place] ?? null,
          sessionKey,
        );

        expect(pages?.map((session) => session.id) ?? null).toEqual(isShown ? wanted : null);
      }
    },
  );
});

describe('sessions by their ids', () => {
  it.each(scopes)('for %s', async (_who, by) => {
    const found = await postgresSessionReader(database.of).byIds(acme, by, [...sessions.map(({ id }) => id), 'nowhere']);

    expect(order(found)).toEqual(order(sessions.filter((session) => sees(by, session))));
    expect(await postgresSessionReader(database.of).byIds(organizationId('nobody'), whole, ['s1'])).toEqual([]);
  });
});

describe('open calls', () => {
  const before = new Date(START + 400 * HOUR);
  const isOpen = ({ verdict, occurredAt }: AuditEvent): boolean => verdict === 'ALLOW' && new Date(occurredAt) < before;
  const idsOf = (calls: readonly AuditEvent[]): readonly string[] => calls.map(({ id }) => id).sort();
  const reader = () => postgresOpenCalls(database.of);
  const keyOf = ({ decisionId }: OpenCall): string => decisionId;

  it.each(scopes)('for %s, oldest first', async (_who, by) => {
    const listed = await everyPage((page) => reader().list(acme, by, { namespaceIds: null, before, page }), keyOf);

    const mayBeSeen = events.filter((event) => by.isWhole || event.userId === by.userId || isBelow(event.projectId, by.namespaceIds));
    expect(listed?.map(keyOf)).toEqual(idsOf(mayBeSeen.filter(isOpen)));
  });

  it.each(['p1', 'g1', 'gone', 'nowhere'])('of %s and everything below', async (namespace) => {
    const listed = await everyPage((page) => reader().list(acme, whole, { namespaceIds: [namespace], before, page }), keyOf);

    expect(listed?.map(keyOf)).toEqual(idsOf(events.filter((event) => isBelow(event.projectId, [namespace]) && isOpen(event))));
  });

  it('of sessions at once, as they were decided', async () => {
    const some = sessions.filter(({ projectId }) => projectId !== null).slice(0, 50);

    const pages = await reader().listBySession(acme, some, { before, page: { first: 5, after: null } });

    expect(pages.map(({ items }) => items.map(keyOf))).toEqual(
      some.map(({ id }) => idsOf(events.filter((event) => event.sessionId === id && isOpen(event)))),
    );
    const [call] = pages.flatMap(({ items }) => items);
    const decision = events.find(({ id }) => id === call?.decisionId);
    expect(call).toEqual({
      decisionId: decision?.id,
      decidedAt: new Date(decision?.occurredAt ?? ''),
      callId: decision?.callId,
      sessionId: decision?.sessionId,
      projectId: decision?.projectId,
      userId: decision?.userId,
      agentId: decision?.agentId,
      tool: decision?.tool,
    });
  });
});

describe('a histogram', () => {
  const values = { TYPE: 'type', VERDICT: 'verdict', TOOL: 'tool', AGENT: 'agentId' } as const;
  const startOf = ({ occurredAt }: AuditEvent, { interval, from }: HistogramRequest): number => {
    const size = { HOUR, DAY: 24 * HOUR, WEEK: 168 * HOUR }[interval];
    return from.getTime() + Math.floor((Date.parse(occurredAt) - from.getTime()) / size) * size;
  };
  /** The buckets as they follow from the events. */
  function expected(request: HistogramRequest): readonly HistogramBucket[] {
    const counted = new Map<string, { start: Date; value: string | null; events: number }>();
    for (const event of events) {
      const value = event[values[request.by]];
      const isIn = request.namespaceId === null || isBelow(event.namespaceId, [request.namespaceId]);
      const time = new Date(event.occurredAt);
      if (value === null || !isIn || time < request.from || time >= request.to) continue;
      for (const name of [value, null]) {
        const start = startOf(event, request);
        const row = counted.get(`${start} ${String(name)}`) ?? { start: new Date(start), value: name, events: 0 };
        counted.set(`${start} ${String(name)}`, { ...row, events: row.events + 1 });
      }
    }
    return bucketsOf(request, [...counted.values()]);
  }
  const requests = Array.from({ length: 40 }, (): HistogramRequest => {
    const from = new Date(START + random.below(500 * HOUR));
    return withWholeBuckets({
      namespaceId: random.pick([null, 'p1', 'g1', 'g2', 'gone', 'nowhere']),
      interval: random.pick(['HOUR', 'DAY', 'WEEK'] as const),
      by: random.pick(['TYPE', 'VERDICT', 'TOOL', 'AGENT'] as const),
      from,
      to: new Date(from.getTime() + 1 + random.below(300 * HOUR)),
    });
  });

  it.each(requests.map((request) => [request.interval, request.by, request.namespaceId ?? 'all', request] as const))(
    'by %s and %s of %s is what counting the events gives',
    async (_interval, _by, _where, request) => {
      const rows = await postgresRollups(database.of).counts(acme, { ...request, maxValues: maxValuesOf(request) });

      expect(bucketsOf(request, rows)).toEqual(expected(request));
    },
  );

  it('tells the most frequent values apart, and counts the others with them', async () => {
    const request = withWholeBuckets({
      namespaceId: null,
      interval: 'WEEK',
      by: 'TYPE',
      from: new Date(START),
      to: new Date(START + 800 * HOUR),
    });
    const all = expected(request);
    const [most] = all.flatMap(({ counts }) => counts).sort((left, right) => right.events - left.events);

    const rows = await postgresRollups(database.of).counts(acme, { ...request, maxValues: 1 });

    const buckets = bucketsOf(request, rows);
    expect(buckets.map((bucket) => bucket.events)).toEqual(all.map((bucket) => bucket.events));
    expect(new Set(buckets.flatMap(({ counts }) => counts.map(({ value }) => value)))).toEqual(new Set([most?.value]));
  });
});
