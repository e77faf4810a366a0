import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isVisible, type EventScope, type NewEvent } from '../../src/audit/index.js';
import { NO_FILTER, type EventFilter, type EventOrder, type EventPage, type Range } from '../../src/audit/ports.js';
import type { AuditEvent } from '../../src/audit/event.js';
import { postgresAuditLog } from '../../src/audit/postgres.js';
import { postgresEventReader } from '../../src/audit/postgres/event-reader.js';
import { organizationId, userId, type Json, type Page } from '../../src/kernel/index.js';
import { postgresSequencing } from '../../src/log/postgres.js';
import { openDatabase, type Database } from '../../src/platform/postgres.js';
import type { StoredEvent } from '../../src/audit/event.js';
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
const types = ['ai_tool_invoked', 'ai_tool_decision_made', 'ai_tool_execution_failed', 'ai_policy_published', 'com.example.new'];
const tools = ['acme/files/read', 'acme/files/write', 'other/read', 'grep'];
const START = Date.parse('2026-10-20T00:00:00.000Z');
const EVENTS = 600;

const random = aRandom(42);
let testDatabase: TestDatabase;
let database: Database;
let events: readonly AuditEvent[];
let positions: ReadonlyMap<string, number>;
beforeAll(async () => {
  testDatabase = await aDatabase();
  database = openDatabase(testDatabase.url, 4);
  const owner = openAsOwner(testDatabase.url);
  for (const [id, ancestors] of Object.entries(lines)) {
    const kind = id === 'acme' ? 'ORGANIZATION' : id.startsWith('g') && id !== 'gone' ? 'GROUP' : 'PROJECT';
    await (id === 'gone'
      ? owner.sql.query('INSERT INTO former_namespace (organization_id, id, ancestors) VALUES ($1, $2, $3)', [acme, id, ancestors])
      : owner.sql.query(
          'INSERT INTO namespace (organization_id, id, kind, parent_id, path, name, ancestors) VALUES ($1, $2, $3, $4, $2, $2, $5)',
          [acme, id, kind, ancestors.at(-2) ?? null, ancestors],
        ));
  }
  const log = postgresAuditLog(database.of, new Set());
  const appends = Array.from({ length: EVENTS }, () => anAppend(anyEvent(random)));
  for (let start = 0; start < EVENTS; start += 100) await log.append(acme, appends.slice(start, start + 100));
  await log.append(organizationId('other'), [anAppend(anyEvent(random), organizationId('other'))]);
  await sequenced(database, EVENTS + 1);
  events = appends.map(({ sealed }) => sealed.event);
  const rows = await owner.sql.query<{ event_id: string; position: string }>(
    'SELECT event_id, position FROM log_entry WHERE organization_id = $1',
    [acme],
  );
  positions = new Map(rows.map((row) => [row.event_id, Number(row.position)]));
  await owner.close();
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

async function sequenced(of: Database, count: number): Promise<void> {
  const seat = await postgresSequencing(of).take();
  for (let done = 0; done < count;) done += (await seat?.step(1_000))?.events ?? Number.NaN;
  await seat?.leave();
}

function anyEvent(pick: Random): Partial<NewEvent> {
  const projectId = pick.below(5) === 0 ? null : pick.pick(projects);
  const type = pick.pick(types);
  return {
    type,
    occurredAt: new Date(START + pick.below(40 * 86_400) * 1_000).toISOString(),
    projectId,
    namespaceId: projectId ?? pick.pick(['acme', 'g1', 'g2', null] as const),
    userId: pick.pick(['ada', 'bob', 'cyd']),
    agentId: pick.pick(['coder', 'planner', null]),
    sessionId: pick.pick(['s1', 's2', 's3', null]),
    callId: pick.pick(['c1', 'c2', null]),
    tool: pick.pick([...tools, null]),
    verdict: type === 'ai_tool_decision_made' ? pick.pick(['ALLOW', 'ASK', 'DENY'] as const) : null,
    outcome: type === 'ai_tool_execution_failed' ? 'FAILED' : pick.pick(['SUCCEEDED', null] as const),
    data: {
      tool_args: pick.pick<Json>([{ path: 'src/Main.ts' }, { command: 'say "hi" 100%_x\\y' }, 'needle as text', null]),
      error_message: pick.pick(['No such FILE: needle', null]),
      other: pick.pick(['needle elsewhere', 'NUL \u0000 within']),
    },
  };
}

const TEXTS = ['needle', 'MAIN.ts', 'say "hi"', '"path":"src', '100%_', 'x\\y', 'files/', 'elsewhere', 'ä'];

/** A filter of a few fields. */
function anyFilter(pick: Random): EventFilter {
  const some = <Value>(all: readonly Value[]): readonly Value[] => pick.shuffled(all).slice(0, 1 + pick.below(2));
  const moment = () => new Date(START + pick.below(40 * 86_400) * 1_000);
  const fields: { readonly [Field in keyof EventFilter]: () => EventFilter[Field] } = {
    types: () => some(types),
    agentIds: () => some(['coder', 'planner', 'nobody']),
    userIds: () => some(['ada', 'bob']),
    projectIds: () => some(projects),
    namespaceIds: () => some(Object.keys(lines)),
    sessionIds: () => some(['s1', 's2', 'none']),
    callIds: () => some(['c1', 'c2']),
    tools: () => some(tools),
    servers: () => some(['acme/files', 'other', 'acme']),
    verdicts: () => some(['ALLOW', 'ASK', 'DENY'] as const),
    outcomes: () => some(['SUCCEEDED', 'FAILED'] as const),
    position: () =>
      pick.pick([
        { from: 100, to: null },
        { from: null, to: 300 },
        { from: 50, to: 500 },
      ]),
    time: () =>
      pick.pick([
        { from: moment(), to: null },
        { from: null, to: moment() },
        { from: moment(), to: moment() },
      ]),
    text: () => pick.pick(TEXTS),
  };
  const chosen = pick.shuffled(Object.entries(fields)).slice(0, pick.below(4));
  return { ...NO_FILTER, ...Object.fromEntries(chosen.map(([field, make]) => [field, make()])) };
}

const whole: EventScope = { userId: userId('boss'), isWhole: true, namespaceIds: ['acme'], memberOf: ['acme'] };
const scopes: readonly EventScope[] = [
  whole,
  { userId: userId('ada'), isWhole: false, namespaceIds: [], memberOf: ['p1'] },
  { userId: userId('bob'), isWhole: false, namespaceIds: ['g1'], memberOf: ['g1'] },
  { userId: userId('eve'), isWhole: false, namespaceIds: ['p3', 'p1'], memberOf: ['p3', 'p1'] },
];

/** What the filter means, said once more in another way. */
function fits(event: AuditEvent, filter: EventFilter): boolean {
  const among = (wanted: readonly string[] | null, value: string | null) => wanted === null || (value !== null && wanted.includes(value));
  const within = <Value extends number | Date>(range: Range<Value> | null, value: Value) =>
    range === null || ((range.from === null || value >= range.from) && (range.to === null || value < range.to));
  const server = event.tool?.includes('/') === true ? event.tool.slice(0, event.tool.lastIndexOf('/')) : null;
  const data = event.data as { tool_args: unknown; error_message: string | null };
  const args = typeof data.tool_args === 'string' ? data.tool_args : JSON.stringify(data.tool_args ?? '');
  const texts = [event.tool ?? '', args, data.error_message ?? ''].map((text) => text.toLowerCase());
  const forms = filter.text === null ? [] : [filter.text, JSON.stringify(filter.text).slice(1, -1)].map((text) => text.toLowerCase());
  return (
    among(filter.types, event.type) &&
    among(filter.agentIds, event.agentId) &&
    among(filter.userIds, event.userId) &&
    among(filter.projectIds, event.projectId) &&
    (filter.namespaceIds === null || (lines[event.namespaceId ?? ''] ?? []).some((id) => filter.namespaceIds?.includes(id))) &&
    among(filter.sessionIds, event.sessionId) &&
    among(filter.callIds, event.callId) &&
    among(filter.tools, event.tool) &&
    among(filter.servers, server) &&
    among(filter.verdicts, event.verdict) &&
    among(filter.outcomes, event.outcome) &&
    within(filter.position, positions.get(event.id) ?? -1) &&
    within(filter.time, new Date(event.occurredAt)) &&
    (filter.text === null || texts.some((text) => forms.some((form) => text.includes(form))))
  );
}

const wanted = (scope: EventScope, filter: EventFilter, order: EventOrder): readonly string[] => {
  const ids = events
    .filter((event) => isVisible(scope, event, lines[event.namespaceId ?? ''] ?? []) && fits(event, filter))
    .map(({ id }) => id)
    .sort();
  return order === 'NEWEST_FIRST' ? ids.reverse() : ids;
};

/** The ids on all pages, from the first to the last. */
async function listed(
  read: (page: EventPage) => Promise<Page<StoredEvent> | null>,
  order: EventOrder,
  first: number,
): Promise<readonly string[]> {
  const ids: string[] = [];
  let after: string | null = null;
  for (let pages = 0; pages < 1_000; pages += 1) {
    const page: Page<StoredEvent> | null = await read({ first, after, order });
    if (page === null) return ids;
    ids.push(...page.items.map(({ event }) => event.id));
    if (!page.hasNextPage) return ids;
    after = page.end ?? page.items.at(-1)?.event.id ?? null;
    if (after === null) throw new Error('There is more, and no way to get there.');
  }
  throw new Error('The pages do not end.');
}

describe.each([
  ['when nothing is ever looked through to its end', 40],
  ['when everything is', 20_000],
])('a list of events, %s', (_when, maxExamined) => {
  it('holds exactly what scope and filter select, whatever they are, in order and across pages', async () => {
    const reader = postgresEventReader(database.of, maxExamined);
    for (let round = 0; round < 60; round += 1) {
      const [scope, filter, order] = [random.pick(scopes), anyFilter(random), random.pick(['NEWEST_FIRST', 'OLDEST_FIRST'] as const)];
      const first = random.pick([11, 100]);

      const ids = await listed((page) => reader.list(acme, scope, filter, page), order, first);

      expect({ round, scope, filter, order, ids }).toEqual({ round, scope, filter, order, ids: wanted(scope, filter, order) });
    }
  }, 60_000);

  it.each(['project', 'user', 'agent'] as const)(
    'of each %s holds the same',
    async (owner) => {
      const reader = postgresEventReader(database.of, maxExamined);
      const field = ({ project: 'projectIds', user: 'userIds', agent: 'agentIds' } as const)[owner];
      const ids = { project: ['p1', 'p3'], user: ['ada', 'cyd'], agent: ['coder', 'planner'] }[owner];
      for (let round = 0; round < 20; round += 1) {
        const [filter, order] = [{ ...anyFilter(random), [field]: null }, random.pick(['NEWEST_FIRST', 'OLDEST_FIRST'] as const)];
        const place = random.below(2);

        const found = await listed(
          async (page) => (await reader.listByOwner(acme, whole, { owner, ids, filter, page }))[place] ?? null,
          order,
          7,
        );

        const model = wanted(whole, { ...filter, [field]: [ids[place] ?? ''] }, order);
        expect({ round, filter, order, found }).toEqual({ round, filter, order, found: model });
      }
    },
    60_000,
  );
});

describe('a page', () => {
  it('that finds nothing in what it looks through says where to go on', async () => {
    const page = await postgresEventReader(database.of, 50).list(
      acme,
      whole,
      { ...NO_FILTER, text: 'not to be found' },
      { first: 10, after: null, order: 'NEWEST_FIRST' },
    );

    expect(page).toEqual({ items: [], hasNextPage: true, hasPreviousPage: false, end: wanted(whole, NO_FILTER, 'NEWEST_FIRST')[49] });
  });
});
