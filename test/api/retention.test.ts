import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { monthOf } from '../../src/audit/retention/months.js';
import { organizationId } from '../../src/kernel/index.js';
import { openDatabase, type Database } from '../../src/platform/postgres.js';
import { appendOf, daysBefore, fact, keptIn, retentionOn } from '../audit/retention.js';
import { auditFeed, fromTheBeginning, nextEvents } from '../support/audit-feed.js';
import { aCloudEvent } from '../support/cloud-events.js';
import { openAsOwner } from '../support/database.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { postBatch } from '../support/recording.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
let database: Database;
let owner: Database;
beforeAll(async () => {
  subgraph = await aSubgraph();
  database = openDatabase(subgraph.databaseUrl, 4);
  owner = openAsOwner(subgraph.databaseUrl);
});
afterAll(async () => {
  await database.close();
  await owner.close();
  await subgraph.close();
});

type Row = Readonly<Record<string, unknown>>;
interface Payload {
  readonly setting?: Row | null;
  readonly hold?: (Row & { readonly id: string }) | null;
  readonly run?: (Row & { readonly drops: readonly Row[] }) | null;
  readonly errors: readonly Row[];
}

const ERRORS = `errors { __typename ... on AgentRefusal { message } ... on AgentNotFound { field } ... on AgentInputInvalid { problems { path message } } }`;
const HOLD = `hold { id name reason namespaceId sessionId user { id } agent { id } from to isInForce placedBy { id } liftedBy { id } liftReason }`;
const RUN = `startedBy { id } isDryRun isComplete error drops { class namespaceId from to firstPosition lastPosition count } sessions openCalls`;
const SET = `mutation ($input: AgentRetentionSetInput!) { answer: agentRetentionSet(input: $input) { setting { namespaceId class days setBy { id } } ${ERRORS} } }`;
const PLACE = `mutation ($input: AgentLegalHoldPlaceInput!) { answer: agentLegalHoldPlace(input: $input) { ${HOLD} ${ERRORS} } }`;
const LIFT = `mutation ($input: AgentLegalHoldLiftInput!) { answer: agentLegalHoldLift(input: $input) { ${HOLD} ${ERRORS} } }`;
const RUN_NOW = `mutation ($input: AgentRetentionRunInput!) { answer: agentRetentionRun(input: $input) { run { id ${RUN} } errors { __typename ... on AgentRefusal { message } } } }`;
const STATUS = `query ($namespaceId: ID) { status: agentRetentionStatus(namespaceId: $namespaceId) {
  classes { class floorDays defaultDays ceilingDays effectiveDays settings { namespaceId class days } }
  oldestEventAt oldestContentAt recentRuns { id ${RUN} } nextRunAt leader partitions { months monthsAhead isEnough } } }`;
const HOLDS = `query ($first: Int, $after: String, $isInForce: Boolean) { holds: agentLegalHolds(first: $first, after: $after, isInForce: $isInForce) {
  nodes { id name isInForce liftReason } pageInfo { hasNextPage endCursor } } }`;

async function ask(client: Client, mutation: string, input: object): Promise<Payload> {
  const { data, errors } = await client.graphql<{ readonly answer: Payload | null }>(mutation, { input });
  if (data?.answer == null) throw new Error(JSON.stringify(errors));
  return data.answer;
}
/** How a request was refused: a code, the refusal's type and field, or nothing. */
async function refusal(client: Client, mutation: string, input: object): Promise<string | null> {
  const { data, errors } = await client.graphql<{ readonly answer: Payload | null }>(mutation, { input });
  if (data?.answer == null) return String(errors?.[0]?.extensions?.['code']);
  const [first] = data.answer.errors;
  return first === undefined ? null : `${String(first['__typename'])} ${String(first['field'] ?? '')}`.trim();
}
const status = async (client: Client, namespaceId: string | null = null) =>
  (
    await client.graphql<{ readonly status: Row & { readonly classes: readonly Row[]; readonly recentRuns: readonly Row[] } }>(STATUS, {
      namespaceId,
    })
  ).data?.status ?? null;

/** What the organization's log tells of retention, oldest first. */
async function told(company: TestOrganization): Promise<readonly Row[]> {
  const rows = await owner.sql.query<{ told: Row }>(
    `SELECT json_build_object('type', type, 'namespaceId', namespace_id, 'userId', user_id, 'data', json -> 'data') AS told
     FROM audit_event WHERE organization_id = $1 AND (type LIKE 'ai_retention_%' OR type LIKE 'ai_legal_hold_%') ORDER BY xid, seq`,
    [company.id],
  );
  return rows.map((row) => row.told);
}

const daysAgo = (days: number): number => daysBefore(new Date(), days).getTime();

/** The sessions of the organization, the newest first. */
async function sessionsSeenBy(client: Client): Promise<readonly unknown[] | undefined> {
  const { data } = await client.graphql<{ readonly sessions: { readonly nodes: readonly Row[] } }>(
    '{ sessions: agentSessions { nodes { id } } }',
  );
  return data?.sessions.nodes.map(({ id }) => id);
}

/** Stores events that are older than anybody may report now. */
async function store(company: TestOrganization, facts: readonly ReturnType<typeof fact>[]): Promise<void> {
  const id = organizationId(company.id);
  const { log } = { log: retentionOn(database) };
  await log.atomically(id, (tx) =>
    tx.auditLog.append(
      id,
      facts.map((one) => appendOf(id, one)),
    ),
  );
  const sequenced = async (): Promise<boolean> =>
    (await owner.sql.query<{ is_due: boolean }>('SELECT log_sequence_peek() AS is_due'))[0]?.is_due === false;
  while (!(await sequenced())) await delay(5);
}

describe('who may set retention and hold', () => {
  let company: TestOrganization;
  let people: Readonly<Record<string, Client>>;
  beforeAll(async () => {
    company = await anOrganization(subgraph);
    people = {
      'the owner of the organization': await company.member('OWNER', company.id),
      'the owner of the group': await company.member('OWNER', company.payments),
      'a maintainer of the organization': await company.member('MAINTAINER', company.id),
      'an auditor of the organization': await company.member('AUDITOR', company.id),
      'the owner of a sibling': await company.member('OWNER', company.shop),
      'the owner without the scope': await company.member('OWNER', company.id, { scopes: ['audit:read', 'policy:write'] }),
      'somebody without a role': await company.outsider(),
    };
  });
  const asking = (who: string): Client => {
    const client = people[who];
    if (client === undefined) throw new Error(`Nobody is ${who}.`);
    return client;
  };

  it.each([
    ['the owner of the organization', null, null, null],
    ['the owner of the group', null, null, 'AgentNotFound'],
    ['a maintainer of the organization', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'],
    ['an auditor of the organization', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'],
    ['the owner of a sibling', 'AgentNotFound', 'AgentNotFound', 'AgentNotFound'],
    ['the owner without the scope', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'],
    ['somebody without a role', 'AgentNotFound', 'AgentNotFound', 'AgentNotFound'],
  ])('%s: in the group %s, in a project of it %s, in the organization %s', async (who, group, project, organization) => {
    const client = asking(who);
    const expected = [group, project, organization];

    for (const [index, namespaceId] of [company.payments, company.web, company.id].entries()) {
      const outcome = expected[index] ?? null;
      const named = outcome === 'AgentNotFound' ? 'AgentNotFound namespaceId' : outcome;
      expect([
        await refusal(client, SET, { namespaceId, class: 'CONTENT', days: 30 }),
        await refusal(client, PLACE, { namespaceId, name: 'n', reason: 'r' }),
        await refusal(client, PLACE, { name: 'n', reason: 'r', sessionId: 's', ...(namespaceId !== company.id && { namespaceId }) }),
      ]).toEqual([named, named, named]);
    }
  });

  it.each([
    ['the owner of the organization', true, null],
    ['an auditor of the organization', true, 'FORBIDDEN'],
    ['a maintainer of the organization', false, 'FORBIDDEN'],
    ['the owner of the group', false, 'FORBIDDEN'],
    ['somebody without a role', false, 'FORBIDDEN'],
    ['the owner without the scope', true, 'FORBIDDEN'],
  ])('%s sees how it stands and what is held: %s, and runs it: %s', async (who, sees, runs) => {
    const client = asking(who);

    const { data } = await client.graphql<{ readonly holds: object | null }>(HOLDS);
    expect([(await status(client)) !== null, data?.holds != null]).toEqual([sees, sees]);
    expect(await refusal(client, RUN_NOW, { isDryRun: true })).toBe(runs);
    expect(await refusal(client, RUN_NOW, { isDryRun: false })).toBe(runs);
  });

  it('nobody in another organization', async () => {
    const other = await anOrganization(subgraph);
    const stranger = await other.member('OWNER', other.id);
    const { hold } = await ask(asking('the owner of the organization'), PLACE, { namespaceId: company.id, name: 'n', reason: 'r' });

    expect([
      await refusal(stranger, SET, { namespaceId: company.payments, class: 'CONTENT', days: 30 }),
      await refusal(stranger, PLACE, { namespaceId: company.id, name: 'n', reason: 'r' }),
      await refusal(stranger, LIFT, { holdId: hold?.id, reason: 'r' }),
      await refusal(stranger, LIFT, { holdId: randomUUID(), reason: 'r' }),
      await status(stranger, company.payments),
    ]).toEqual(['AgentNotFound namespaceId', 'AgentNotFound namespaceId', 'AgentNotFound holdId', 'AgentNotFound holdId', null]);
  });

  it('needs somebody signed in', async () => {
    const nobody = subgraph.anonymous();

    expect(await refusal(nobody, RUN_NOW, {})).toBe('UNAUTHENTICATED');
    expect((await nobody.graphql(STATUS)).errors?.[0]?.extensions?.['code']).toBe('UNAUTHENTICATED');
  });
});

describe('a setting', () => {
  it('holds there and below, is recorded, and goes again with null; doing it twice changes nothing', async () => {
    const company = await anOrganization(subgraph);
    const boss = await company.member('OWNER', company.id, { userId: 'boss' });
    const effective = async (namespaceId: string) => (await status(boss, namespaceId))?.classes.map((each) => each['effectiveDays']);
    const set = (days: number | null) => ask(boss, SET, { namespaceId: company.payments, class: 'METADATA', days });

    expect(await set(200)).toEqual({
      setting: { namespaceId: company.payments, class: 'METADATA', days: 200, setBy: { id: 'boss' } },
      errors: [],
    });
    await set(200);
    expect([await effective(company.api), await effective(company.shop), await effective(company.id)]).toEqual([
      [184, 200, 730],
      [184, 400, 730],
      [184, 400, 730],
    ]);
    await set(3_000);
    expect(await set(null)).toEqual({ setting: null, errors: [] });
    await set(null);
    expect(await effective(company.api)).toEqual([184, 400, 730]);

    const change = (days: number | null, previousDays: number | null) => ({
      ...{ type: 'ai_retention_changed', namespaceId: company.payments, userId: 'boss' },
      data: { namespaceId: company.payments, class: 'METADATA', days, previousDays },
    });
    // In the canonical form of an event there are no nulls but in its data.
    expect(await told(company)).toEqual([change(200, null), change(3_000, 200), change(null, 3_000)]);
  });

  it.each([
    ['CONTENT', 0, 'must be a whole number from 1 to 3653 for CONTENT, or null to inherit'],
    ['METADATA', 183, 'must be a whole number from 184 to 3653 for METADATA, or null to inherit'],
    ['DECISIONS', 3_654, 'must be a whole number from 184 to 3653 for DECISIONS, or null to inherit'],
  ])('of %s is refused with %d days', async (of, days, message) => {
    const company = await anOrganization(subgraph);
    const boss = await company.member('OWNER', company.id);

    const answer = await ask(boss, SET, { namespaceId: company.id, class: of, days });

    expect(answer).toMatchObject({ setting: null, errors: [{ __typename: 'AgentInputInvalid', problems: [{ path: 'days', message }] }] });
    expect(await told(company)).toEqual([]);
  });

  it('can be made for what was deleted, by those above', async () => {
    const company = await anOrganization(subgraph);
    const boss = await company.member('OWNER', company.payments);
    await pushed(company.platform, { namespaces: [{ id: company.web, deleted: true }] });

    expect(await refusal(boss, SET, { namespaceId: company.web, class: 'CONTENT', days: 5 })).toBeNull();
    expect(await refusal(boss, PLACE, { namespaceId: company.web, name: 'n', reason: 'r' })).toBeNull();
  });
});

describe('an event that is reported late', () => {
  it('is refused where it would be dropped at once, and taken where it is kept', async () => {
    const company = await anOrganization(subgraph);
    const boss = await company.member('OWNER', company.id);
    await ask(boss, SET, { namespaceId: company.payments, class: 'METADATA', days: 184 });
    const late = (projectid: string) => aCloudEvent({ projectid, time: new Date(daysAgo(200)).toISOString() });

    const { results } = await postBatch(company.platform, [late(company.web), late(company.shop)]);

    expect(results).toMatchObject([
      { status: 'rejected', path: 'time', reason: expect.stringContaining('must not be older than the 184 days') },
      { status: 'stored' },
    ]);
  });
});

describe('a hold', () => {
  it('is placed and lifted, both recorded, and listed', async () => {
    const company = await anOrganization(subgraph);
    const boss = await company.member('OWNER', company.id, { userId: 'boss' });
    const input = {
      ...{
        name: ' Case 7 ',
        reason: 'A court wants it',
        namespaceId: company.payments,
        sessionId: 's1',
        userId: 'ada',
        agentId: company.coder,
      },
      ...{ from: '2026-01-01T00:00:00+01:00', to: '2026-06-01T00:00:00Z' },
    };

    const placed = await ask(boss, PLACE, input);
    const second = await ask(boss, PLACE, { name: 'All', reason: 'r', namespaceId: company.id });
    const lifted = await ask(boss, LIFT, { holdId: placed.hold?.id, reason: 'It is over' });
    const again = await ask(boss, LIFT, { holdId: placed.hold?.id, reason: 'Said twice' });

    const selectors = { namespaceId: company.payments, sessionId: 's1', from: '2025-12-31T23:00:00.000Z', to: '2026-06-01T00:00:00.000Z' };
    expect(placed.hold).toEqual({
      ...{ id: expect.any(String), name: 'Case 7', reason: 'A court wants it', user: { id: 'ada' }, agent: { id: company.coder } },
      ...selectors,
      ...{ isInForce: true, placedBy: { id: 'boss' }, liftedBy: null, liftReason: null },
    });
    expect(lifted.hold).toEqual({ ...placed.hold, isInForce: false, liftedBy: { id: 'boss' }, liftReason: 'It is over' });
    expect(again).toEqual({ hold: lifted.hold, errors: [] });

    const data = { holdId: placed.hold?.id, name: 'Case 7', ...selectors, userId: 'ada', agentId: company.coder };
    const none = { sessionId: null, userId: null, agentId: null, from: null, to: null };
    expect(await told(company)).toEqual([
      { type: 'ai_legal_hold_placed', namespaceId: company.payments, userId: 'boss', data: { ...data, reason: 'A court wants it' } },
      {
        ...{ type: 'ai_legal_hold_placed', namespaceId: company.id, userId: 'boss' },
        data: { holdId: second.hold?.id, name: 'All', reason: 'r', namespaceId: company.id, ...none },
      },
      { type: 'ai_legal_hold_lifted', namespaceId: company.payments, userId: 'boss', data: { ...data, reason: 'It is over' } },
    ]);

    const holds = async (variables: Row) =>
      (await boss.graphql<{ readonly holds: { readonly nodes: readonly Row[]; readonly pageInfo: Row } }>(HOLDS, variables)).data?.holds;
    const names = async (variables: Row) => (await holds(variables))?.nodes.map(({ name }) => name);
    const page = await holds({ first: 1 });
    expect(page).toMatchObject({ nodes: [{ name: 'All', isInForce: true }], pageInfo: { hasNextPage: true } });
    expect([
      await names({ first: 1, after: page?.pageInfo['endCursor'] }),
      await names({ isInForce: true }),
      await names({ isInForce: false }),
    ]).toEqual([['Case 7'], ['All'], ['Case 7']]);
  });

  it.each<[string, Row, readonly string[]]>([
    ['no selector', {}, ['namespaceId']],
    ['no name', { name: ' ', sessionId: 's' }, ['name']],
    ['no reason', { reason: '', sessionId: 's' }, ['reason']],
    ['an end before its beginning', { from: '2026-06-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }, ['to']],
    ['times that are none', { from: 'yesterday', to: '2026-01-01' }, ['from', 'to']],
    ['a time before all times', { from: '1969-12-31T23:59:59Z' }, ['from']],
    ['a long name and a strange session', { name: 'x'.repeat(101), sessionId: 'a\u0000b' }, ['name', 'sessionId']],
  ])('is refused with %s', async (_what, input, paths) => {
    const company = await anOrganization(subgraph);
    const boss = await company.member('OWNER', company.id);

    const { hold, errors } = await ask(boss, PLACE, { name: 'n', reason: 'r', ...input });

    const [first] = errors;
    const problems = (first?.['problems'] ?? []) as readonly { readonly path: string }[];
    expect([hold, first?.['__typename'], problems.map(({ path }) => path)]).toEqual([null, 'AgentInputInvalid', paths]);
    expect(await told(company)).toEqual([]);
  });

  it.each(['no id', '0198b1c2-0000-7000-8000-000000000000'])('cannot be lifted by %s', async (holdId) => {
    const company = await anOrganization(subgraph);

    expect(await refusal(await company.member('OWNER', company.id), LIFT, { holdId, reason: 'r' })).toBe('AgentNotFound holdId');
  });
});

describe('a run by hand', () => {
  it('does what its dry run says, leaves other organizations alone, is told in the log and seen by the status', async () => {
    const [company, other] = [await anOrganization(subgraph), await anOrganization(subgraph)];
    const boss = await company.member('OWNER', company.id, { userId: 'boss' });
    const facts = [
      ...[0, 1, 2].map((n) => fact(`gone-${n}`, daysAgo(500 - n), { sessionId: 'over' })),
      fact('kept', daysAgo(300), { hasContent: true }),
      fact('held', daysAgo(600), { sessionId: 'case', hasContent: true }),
      fact('decision', daysAgo(600), { type: 'ai_tool_decision_made' }),
      fact('payment', daysAgo(300), { namespaceId: company.web }),
    ];
    await store(company, facts);
    await store(other, facts);
    await ask(boss, PLACE, { name: 'Case', reason: 'r', sessionId: 'case' });
    await ask(boss, SET, { namespaceId: company.payments, class: 'METADATA', days: 200 });
    expect(await sessionsSeenBy(boss)).toEqual(['over', 's1', 'case']);

    const dry = await ask(boss, RUN_NOW, {});
    const untouched = await keptIn(owner, organizationId(company.id));
    const real = await ask(boss, RUN_NOW, { isDryRun: false });
    const empty = await ask(boss, RUN_NOW, { isDryRun: false });

    const at = (days: number) => expect.stringMatching(new RegExp(`^${new Date(daysAgo(days)).toISOString().slice(0, 13)}`));
    expect(dry.run).toEqual({
      ...{ id: expect.any(String), startedBy: { id: 'boss' }, isDryRun: true, isComplete: true, error: null },
      drops: [
        { class: 'CONTENT', namespaceId: null, from: at(300), to: at(300), firstPosition: 3, lastPosition: 3, count: 1 },
        { class: 'METADATA', namespaceId: null, from: at(500), to: at(498), firstPosition: 0, lastPosition: 2, count: 3 },
        { class: 'METADATA', namespaceId: company.payments, from: at(300), to: at(300), firstPosition: 6, lastPosition: 6, count: 1 },
      ],
      ...{ sessions: 1, openCalls: 0 },
    });
    expect(untouched.events).toHaveLength(7);
    expect(real.run).toEqual({ ...dry.run, id: expect.any(String), isDryRun: false });
    expect(empty.run).toMatchObject({ drops: [], sessions: 0 });
    expect(await sessionsSeenBy(boss)).toEqual(['s1', 'case']);
    expect(await keptIn(owner, organizationId(company.id))).toEqual({ events: ['decision', 'held', 'kept'], contents: ['held'] });
    expect((await keptIn(owner, organizationId(other.id))).events).toHaveLength(7);

    const drops = (await told(company)).filter(({ type }) => type === 'ai_retention_dropped');
    expect(drops.map(({ namespaceId, userId, data }) => [namespaceId, userId, data])).toEqual(
      real.run?.drops.map((drop) => [drop['namespaceId'] ?? company.id, 'boss', drop]),
    );
    const stands = await status(boss);
    expect(stands?.recentRuns.slice(0, 3)).toEqual([empty.run, real.run, dry.run]);
    expect(stands).toMatchObject({ oldestEventAt: at(600), oldestContentAt: at(600) });
    expect(stands?.classes).toEqual([
      { class: 'CONTENT', floorDays: 1, defaultDays: 184, ceilingDays: 3_653, effectiveDays: 184, settings: [] },
      {
        ...{ class: 'METADATA', floorDays: 184, defaultDays: 400, ceilingDays: 3_653, effectiveDays: 400 },
        settings: [{ namespaceId: company.payments, class: 'METADATA', days: 200 }],
      },
      { class: 'DECISIONS', floorDays: 184, defaultDays: 730, ceilingDays: 3_653, effectiveDays: 730, settings: [] },
    ]);
  });

  it('lets the feed go on from the beginning and from old cursors, and shows its events typed', async () => {
    const company = await anOrganization(subgraph);
    const boss = await company.member('OWNER', company.id);
    await store(
      company,
      [0, 1, 2, 3, 4, 5].map((n) => fact(`e-${n}`, daysAgo(n < 4 ? 500 : 5))),
    );
    const before = auditFeed(boss, fromTheBeginning);
    const [first] = await nextEvents(before, 2);
    await before.return();

    await ask(boss, RUN_NOW, { isDryRun: false });

    for (const start of [fromTheBeginning, first?.cursor ?? ''] as const) {
      const feed = auditFeed(boss, start);
      const seen = await nextEvents(feed, 3);
      expect(seen.map(({ position }) => position)).toEqual([4, 5, 6]);
      await feed.return();
    }
    const { data } = await boss.graphql<{ readonly events: { readonly nodes: readonly Row[] } }>(
      `{ events: agentAuditEvents(filter: { types: ["ai_retention_dropped"] }) { nodes { position payload {
        ... on AgentRetentionDropPayload { retentionClass namespaceId firstPosition lastPosition count } } } } }`,
    );
    expect(data?.events.nodes).toEqual([
      { position: 6, payload: { retentionClass: 'METADATA', namespaceId: null, firstPosition: 0, lastPosition: 3, count: 4 } },
    ]);
  });

  it('is refused while another one is under way', async () => {
    const company = await anOrganization(subgraph);
    const boss = await company.member('OWNER', company.id);
    await owner.sql.query(
      "INSERT INTO retention_run (organization_id, id, started_at, started_by, is_dry_run) VALUES ($1, gen_random_uuid(), now(), 'somebody', false)",
      [company.id],
    );

    expect(await refusal(boss, RUN_NOW, { isDryRun: false })).toBe('AgentRetentionRunning');
  });
});

describe('the schedule of the service', () => {
  const finished = async (): Promise<void> => {
    for (;;) {
      const [row] = await owner.sql.query('SELECT 1 FROM retention_cycle WHERE finished_at IS NOT NULL');
      if (row !== undefined) return;
      await delay(10);
    }
  };

  it('makes the months ahead when the service starts, and says when it runs next and who leads', async () => {
    await finished();
    const company = await anOrganization(subgraph);

    const stands = await status(await company.member('AUDITOR', company.id));

    expect(stands?.['partitions']).toEqual({
      months: expect.arrayContaining([0, 1, 2, 3].map((ahead) => monthOf(new Date(), ahead).slice(0, 7))),
      monthsAhead: 3,
      isEnough: true,
    });
    const inMinutes = (Date.parse(String(stands?.['nextRunAt'])) - Date.now()) / 60_000;
    expect([inMinutes > 50, inMinutes <= 60, stands?.['leader']]).toEqual([true, true, expect.stringMatching(` ${process.pid}$`)]);
  });

  it('raises an alarm well before there is no month to store in, and shows it; the service is ready all the same', async () => {
    await finished();
    const table = `audit_event_${monthOf(new Date(), 1).slice(0, 7).replace('-', '')}`;
    await owner.sql.query(`DROP TABLE ${table}, ${table.replace('event_', 'event_content_')}`);
    await owner.sql.query(`CREATE TABLE ${table} (id uuid)`);
    await owner.sql.query('UPDATE retention_cycle SET started_at = NULL, finished_at = NULL');
    const another = await subgraph.sibling();
    await finished();

    const company = await anOrganization(another);
    const stands = await status(await company.member('AUDITOR', company.id));
    expect(stands?.['partitions']).toMatchObject({ monthsAhead: 0, isEnough: false });
    expect((await another.anonymous().request('/health/ready')).status).toBe(200);
    expect(another.logged.map((line) => JSON.parse(line) as Row)).toEqual([
      expect.objectContaining({ level: 'error', message: expect.stringContaining('no room for the months ahead'), monthsAhead: 0 }),
    ]);

    await another.close();
    await owner.sql.query(`DROP TABLE ${table}`);
  });
});
