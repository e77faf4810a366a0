import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { feedCursor } from '../../src/feed/cursor.js';
import { cursorOf, organizationId } from '../../src/kernel/index.js';
import { eventsBehind, fromTheBeginning } from '../support/audit-feed.js';
import { aPublishedPolicy } from '../support/governing.js';
import { aCloudEvent, aSession, type CloudEvent } from '../support/cloud-events.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { recorded } from '../support/recording.js';
import { statementsDuring } from '../support/statements.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

interface Connection {
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly sourceId: string } }[];
  readonly nodes: readonly { readonly sourceId: string }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

const CONNECTION = 'edges { cursor node { sourceId } } nodes { sourceId } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';
const EVENTS = `query ($first: Int, $after: String, $filter: AgentAuditEventFilter) { events: agentAuditEvents(first: $first, after: $after, filter: $filter) { ${CONNECTION} } }`;

const ask = (client: Client, variables: Readonly<Record<string, unknown>> = {}) =>
  client.graphql<{ readonly events: Connection | null }>(EVENTS, variables);

async function page(client: Client, variables: Readonly<Record<string, unknown>> = {}): Promise<Connection> {
  const { data, errors } = await ask(client, variables);
  if (data?.events == null) throw new Error(`No page: ${JSON.stringify(errors)}`);
  return data.events;
}

const names = ({ nodes }: Connection) => nodes.map(({ sourceId }) => sourceId);

/** Every page from the newest to the oldest event. */
async function walk(client: Client, first: number, between: () => Promise<unknown> = async () => undefined): Promise<readonly string[]> {
  const all: string[] = [];
  for (let after: string | null = null, more = true; more;) {
    const { nodes, pageInfo }: Connection = await page(client, { first, after });
    all.push(...nodes.map(({ sourceId }) => sourceId));
    [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
    await between();
  }
  return all;
}

/** `count` events, a second apart, the first the oldest: e0, e1, ... */
const aStory = (count: number, change: (index: number) => CloudEvent = () => ({})) => {
  const begin = Date.now() - count * 1_000;
  return Array.from({ length: count }, (_, index) =>
    aCloudEvent({ id: `e${index}`, time: new Date(begin + index * 1_000).toISOString(), ...change(index) }),
  );
};
const countdown = (from: number, to = 0) => Array.from({ length: from - to + 1 }, (_, index) => `e${from - index}`);

describe('a connection', () => {
  let company: TestOrganization;
  let owner: Client;
  beforeAll(async () => {
    company = await anOrganization(subgraph);
    owner = await company.member('OWNER', company.id);
    await recorded(company.platform, aStory(250));
  });

  it('shows the newest first, twenty unless asked otherwise', async () => {
    const connection = await page(owner);

    expect(names(connection)).toEqual(countdown(249, 230));
    expect(connection.edges.map(({ node }) => node)).toEqual(connection.nodes);
    expect(connection.pageInfo).toEqual({
      hasNextPage: true,
      hasPreviousPage: false,
      startCursor: connection.edges[0]?.cursor,
      endCursor: connection.edges.at(-1)?.cursor,
    });
  });

  it.each([1, 7, 100])('gives all of them once, in pages of %i', async (first) => {
    const wanted = first === 1 ? 10 : 250;
    const given: string[] = [];
    for (let after: string | null = null; given.length < wanted;) {
      const connection: Connection = await page(owner, { first, after });
      given.push(...names(connection));
      after = connection.pageInfo.endCursor;
      expect(connection.pageInfo.hasNextPage).toBe(given.length < 250);
    }

    expect(given).toEqual(countdown(249, 250 - wanted));
  });

  it('stays as it was while newer events arrive', async () => {
    const theirs = await anOrganization(subgraph);
    const reader = await theirs.member('OWNER', theirs.id);
    await recorded(theirs.platform, aStory(60));
    let arrivals = 0;

    const all = await walk(reader, 7, () => recorded(theirs.platform, [aCloudEvent({ id: `new${(arrivals += 1)}` })]));

    expect(all).toEqual(countdown(59));
    expect(arrivals).toBeGreaterThan(5);
  });

  it('is empty where there is nothing, and behind its last cursor', async () => {
    const nobody = await anOrganization(subgraph);
    const empty = { edges: [], nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null } };
    const last = await page(owner, { first: 100, filter: { sessionIds: ['4711'] }, after: null });
    const end = await page(owner, {
      first: 100,
      after: (await page(owner, { first: 100, after: last.pageInfo.endCursor })).pageInfo.endCursor,
    });

    expect(await page(await nobody.member('OWNER', nobody.id))).toEqual(empty);
    expect(names(end)).toEqual(countdown(49));
    expect(await page(owner, { after: end.pageInfo.endCursor })).toEqual({
      ...empty,
      pageInfo: { ...empty.pageInfo, hasPreviousPage: true },
    });
  });

  it.each([0, 101, -1])('refuses a page of %i', async (first) => {
    const { data, errors } = await ask(owner, { first });

    expect(data?.events).toBeNull();
    expect(errors).toEqual([
      {
        message: `first: must be from 1 to 100; got ${first}.`,
        locations: expect.anything(),
        path: ['events'],
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
  });

  it.each([
    ['of a feed', feedCursor(organizationId('acme'), 1)],
    ['of a list of policies', cursorOf('policy', 'x')],
    ['that is no id', cursorOf('event', '1')],
    ['with SQL in it', cursorOf('event', "00000000-0000-0000-0000-000000000000' OR true --")],
    ['that is empty', ''],
    ['that is made up', '🙂'],
  ])('refuses a cursor %s', async (_what, after) => {
    expect((await ask(owner, { after })).errors).toMatchObject([
      {
        message: 'after: not a cursor of this list. Take endCursor or an edge’s cursor as it came.',
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
  });
});

describe('a filter', () => {
  let company: TestOrganization;
  let owner: Client;
  beforeAll(async () => {
    company = await anOrganization(subgraph);
    owner = await company.member('OWNER', company.id);
    const at = (second: number) => ({ time: new Date(Date.now() - 60_000 + second * 1_000).toISOString() });
    await recorded(company.platform, [
      aCloudEvent({ id: 'a', ...at(1), projectid: company.api, userid: 'ada', agentid: 'coder', subject: 's1' }),
      aCloudEvent({
        id: 'b',
        ...at(2),
        projectid: company.api,
        userid: 'bob',
        agentid: 'coder',
        subject: 's2',
        type: 'ai_tool_response_received',
      }),
      aCloudEvent({
        id: 'c',
        ...at(3),
        projectid: company.web,
        userid: 'ada',
        agentid: 'planner',
        subject: 's1',
        type: 'ai_tool_execution_failed',
        data: { tool_name: 'grep' },
      }),
      aCloudEvent({ id: 'd', ...at(4), type: 'com.example.other', userid: 'ada', subject: null, data: null }),
    ]);
  });

  it.each<[string, (of: TestOrganization) => object, readonly string[]]>([
    ['type', () => ({ types: ['ai_tool_invoked', 'com.example.other'] }), ['d', 'a']],
    ['agent', () => ({ agentIds: ['coder'] }), ['b', 'a']],
    ['user', () => ({ userIds: ['ada'] }), ['d', 'c', 'a']],
    ['project', (of) => ({ projectIds: [of.web, 'unknown'] }), ['c']],
    ['session', () => ({ sessionIds: ['s1'] }), ['c', 'a']],
    ['tool', () => ({ toolNames: ['grep'] }), ['c']],
    ['outcome', () => ({ outcomes: ['SUCCEEDED'] }), ['b']],
    ['both outcomes', () => ({ outcomes: ['SUCCEEDED', 'FAILED'] }), ['c', 'b']],
    ['verdict', () => ({ verdicts: ['ALLOW', 'DENY', 'ASK'] }), []],
    [
      'several fields, all of which must fit',
      (of) => ({ userIds: ['ada'], projectIds: [of.api, of.web], types: ['ai_tool_execution_failed'] }),
      ['c'],
    ],
    ['an empty list, which fits nothing', () => ({ types: [] }), []],
    ['null, which fits everything', () => ({ types: null, toolNames: null }), ['d', 'c', 'b', 'a']],
    ['text with quotes, which is only text', () => ({ toolNames: ["' OR true --", '{grep}', '"grep"'] }), []],
  ])('selects by %s', async (_what, filter, wanted) => {
    expect(names(await page(owner, { filter: filter(company) }))).toEqual(wanted);
  });

  it.each([{ types: ['a\u0000b'] }, { agentIds: ['\u0000'] }, { sessionIds: ['fine', '\u0000'] }])(
    'for text that cannot be stored is the caller’s mistake: %j',
    async (filter) => {
      expect((await ask(owner, { filter })).errors).toMatchObject([
        {
          message: expect.stringMatching(/^filter\.\w+\.\d: must be well-formed Unicode without NUL\.$/),
          extensions: { code: 'BAD_USER_INPUT' },
        },
      ]);
    },
  );

  it('holds through all pages', async () => {
    const first = await page(owner, { first: 1, filter: { userIds: ['ada'] } });
    const second = await page(owner, { first: 2, after: first.pageInfo.endCursor, filter: { userIds: ['ada'] } });

    expect([names(first), names(second), second.pageInfo.hasNextPage]).toEqual([['d'], ['c', 'a'], false]);
  });
});

const ENTITIES = `query ($of: [_Any!]!, $first: Int, $filter: AgentAuditEventFilter) { _entities(representations: $of) {
  ... on Project { id events: agentAuditEvents(first: $first, filter: $filter) { nodes { sourceId } } }
  ... on User { id events: agentAuditEvents(first: $first, filter: $filter) { nodes { sourceId } } }
  ... on Agent { id events: auditEvents(first: $first, filter: $filter) { nodes { sourceId } } } } }`;

interface Entities {
  readonly _entities: readonly ({
    readonly id: string;
    readonly events: { readonly nodes: readonly { readonly sourceId: string }[] } | null;
  } | null)[];
}

async function entities(client: Client, of: readonly (readonly [string, string])[], variables: object = {}) {
  const { data, errors } = await client.graphql<Entities>(ENTITIES, {
    of: of.map(([__typename, id]) => ({ __typename, id })),
    ...variables,
  });
  if (data == null) throw new Error(`No entities: ${JSON.stringify(errors)}`);
  return data._entities.map((entity) => entity?.events?.nodes.map(({ sourceId }) => sourceId) ?? null);
}

describe('what somebody sees', () => {
  let company: TestOrganization;
  beforeAll(async () => {
    company = await anOrganization(subgraph);
    const at = (second: number) => ({ time: new Date(Date.now() - 60_000 + second * 1_000).toISOString() });
    await recorded(company.platform, [
      aCloudEvent({ id: 'ada in api', ...at(1), projectid: company.api, userid: 'ada', agentid: 'coder' }),
      aCloudEvent({ id: 'bob in api', ...at(2), projectid: company.api, userid: 'bob', agentid: 'coder' }),
      aCloudEvent({ id: 'bob in web', ...at(3), projectid: company.web, userid: 'bob', agentid: 'coder' }),
      aCloudEvent({ id: 'bob in shop', ...at(4), projectid: company.shop, userid: 'bob' }),
      aCloudEvent({ id: 'bob nowhere', ...at(5), userid: 'bob' }),
    ]);
  });
  const everything = ['bob nowhere', 'bob in shop', 'bob in web', 'bob in api', 'ada in api'];

  it.each<[string, (of: TestOrganization) => Promise<Client>, readonly string[]]>([
    ['somebody without a role', (of) => of.outsider(), []],
    ['a developer of the group: own actions', (of) => of.member('DEVELOPER', of.payments, { userId: 'ada' }), ['ada in api']],
    ['a maintainer of the subgroup', (of) => of.member('MAINTAINER', of.core), ['bob in api', 'ada in api']],
    ['a maintainer of the group', (of) => of.member('MAINTAINER', of.payments), ['bob in web', 'bob in api', 'ada in api']],
    ['an auditor of a project', (of) => of.member('AUDITOR', of.shop), ['bob in shop']],
    ['an auditor of the organization', (of) => of.member('AUDITOR', of.id), everything],
    ['an owner of the organization', (of) => of.member('OWNER', of.id), everything],
    ['a maintainer, with what they did elsewhere', (of) => of.member('MAINTAINER', of.core, { userId: 'bob' }), everything],
  ])('%s', async (_what, who, wanted) => {
    const client = await who(company);

    expect(names(await page(client))).toEqual(wanted);
    expect(
      await entities(client, [
        ['User', 'bob'],
        ['Agent', 'coder'],
      ]),
    ).toEqual([wanted.filter((name) => name.startsWith('bob')), wanted.filter((name) => /api|web/.test(name))]);
  });

  it('of a project: null for who is no member of it, for one that is not there, and for a group', async () => {
    const developer = await company.member('DEVELOPER', company.payments, { userId: 'dev' });

    expect(
      await entities(developer, [
        ['Project', company.api],
        ['Project', company.shop],
        ['Project', 'nowhere'],
        ['Project', company.payments],
        ['Project', company.id],
      ]),
    ).toEqual([[], null, null, null, null]);
  });

  it('needs the scope audit:read', async () => {
    const client = await company.member('OWNER', company.id, { scopes: ['audit:record'] });

    expect((await ask(client)).errors).toMatchObject([
      { message: 'This needs a token with the scope audit:read.', extensions: { code: 'FORBIDDEN' } },
    ]);
  });

  it('ends with the role', async () => {
    const client = await company.member('MAINTAINER', company.core, { userId: 'leaver' });
    expect(names(await page(client))).toHaveLength(2);

    await pushed(company.platform, { memberships: [{ userId: 'leaver', namespaceId: company.core, deleted: true }] });

    expect(names(await page(client))).toEqual([]);
    expect(await entities(client, [['Project', company.api]])).toEqual([null]);
  });
});

describe('many entities', () => {
  const projects = Array.from({ length: 100 }, (_, n) => `project-${String(n).padStart(3, '0')}`);
  let owner: Client;
  beforeAll(async () => {
    const company = await anOrganization(subgraph);
    owner = await company.member('OWNER', company.id);
    await pushed(company.platform, { namespaces: projects.map((id) => ({ id, kind: 'PROJECT', parentId: company.payments, path: id })) });
    // Project n has n % 4 events; in the names, the newest has the highest number.
    const events = projects.flatMap((projectid, n) =>
      Array.from({ length: n % 4 }, (_, index) =>
        aCloudEvent({
          id: `${projectid} ${index}`,
          projectid,
          userid: `user of ${projectid}`,
          agentid: `agent of ${projectid}`,
          time: new Date(Date.now() - 60_000 + index * 1_000).toISOString(),
        }),
      ),
    );
    await recorded(company.platform, events);
  });

  it.each<[string, (id: string) => readonly [string, string]]>([
    ['projects', (id) => ['Project', id]],
    ['users', (id) => ['User', `user of ${id}`]],
    ['agents', (id) => ['Agent', `agent of ${id}`]],
  ])('%s cost one statement on events, and in all as many as one of them', async (_what, entity) => {
    let lists: readonly unknown[] = [];
    const forAll = await requestStatements(async () => {
      lists = await entities(owner, projects.map(entity), { first: 2 });
    });
    const forOne = await requestStatements(() => entities(owner, projects.slice(3, 4).map(entity), { first: 2 }));

    expect(lists).toEqual(
      projects.map((id, n) =>
        Array.from({ length: n % 4 }, (_, index) => `${id} ${index}`)
          .toReversed()
          .slice(0, 2),
      ),
    );
    expect(forAll.filter((text) => text.includes('audit_event'))).toHaveLength(1);
    expect(forAll.length).toBe(forOne.length);
  });

  it('of all three kinds at once cost a statement each', async () => {
    const statements = await requestStatements(() =>
      entities(
        owner,
        projects.slice(0, 30).flatMap(
          (id) =>
            [
              ['Project', id],
              ['User', `user of ${id}`],
              ['Agent', `agent of ${id}`],
            ] as const,
        ),
      ),
    );

    expect(statements.filter((text) => text.includes('audit_event'))).toHaveLength(3);
  });

  it('asked for twice in one document still cost one statement', async () => {
    const document = `query ($of: [_Any!]!) { a: _entities(representations: $of) { ... on Project { agentAuditEvents(first: 1) { nodes { id } } } } b: _entities(representations: $of) { ... on Project { agentAuditEvents(first: 1) { nodes { id seal } } } } }`;

    const statements = await requestStatements(() =>
      owner.graphql(document, { of: projects.map((id) => ({ __typename: 'Project', id })) }),
    );

    expect(statements.filter((text) => text.includes('audit_event'))).toHaveLength(1);
  });

  it('of events by id cost one statement, in the order asked, null for what is not there', async () => {
    const ids =
      (
        await owner.graphql<{ events: { nodes: readonly { id: string }[] } }>('{ events: agentAuditEvents(first: 100) { nodes { id } } }')
      ).data?.events.nodes.map(({ id }) => id) ?? [];
    const wanted = [...ids.slice(0, 50).toReversed(), randomUUID(), 'no id at all'];
    let found: unknown;

    const statements = await requestStatements(async () => {
      found = (
        await owner.graphql('query ($of: [_Any!]!) { _entities(representations: $of) { ... on AgentAuditEvent { id } } }', {
          of: wanted.map((id) => ({ __typename: 'AgentAuditEvent', id })),
        })
      ).data;
    });

    expect(found).toEqual({ _entities: [...wanted.slice(0, 50).map((id) => ({ id })), null, null] });
    expect(statements.filter((text) => text.includes('audit_event'))).toHaveLength(1);
  });
});

/** The statements of requests: what the sequencer and the snapshots send of themselves is left out. */
const requestStatements = async (work: () => Promise<unknown>): Promise<readonly string[]> =>
  (await statementsDuring(work)).filter((text) => !/log_sequenc|audit_project_step|pg_try_advisory_lock|epoch/.test(text));

describe('an event', () => {
  it('is shown whole: position, seal, links and typed payload, the same by id, in lists and as entity', async () => {
    const company = await anOrganization(subgraph);
    const owner = await company.member('OWNER', company.id);
    const [id] = await recorded(company.platform, [
      aCloudEvent({
        id: 'whole',
        projectid: company.api,
        agentid: company.coder,
        userid: 'ada',
        callid: 'call-1',
        time: '2026-11-20T10:00:00.123456+00:00',
        traceparent: '00-1',
      }),
    ]);
    await eventsBehind(owner, fromTheBeginning, 1);
    const fields = `id position seal type source sourceId occurredAt namespaceId sessionId sequence callId toolName verdict outcome project { id } user { id } agent { id } extensions
      payload { __typename ... on AgentToolCallPayload { toolName arguments } }`;

    const { data } = await owner.graphql<Readonly<Record<string, never>>>(
      `query ($id: ID!, $of: [_Any!]!) { one: agentAuditEvent(id: $id) { ${fields} } list: agentAuditEvents { nodes { ${fields} } } entity: _entities(representations: $of) { ... on AgentAuditEvent { ${fields} } } }`,
      { id, of: [{ __typename: 'AgentAuditEvent', id }] },
    );

    expect(data?.['one']).toEqual({
      ...{
        id,
        position: 0,
        seal: expect.stringMatching(/^[0-9a-f]{64}$/),
        type: 'ai_tool_invoked',
        source: '/duo_workflow_service',
        sourceId: 'whole',
      },
      ...{
        occurredAt: '2026-11-20T10:00:00.123Z',
        namespaceId: company.api,
        sessionId: '4711',
        sequence: 3,
        callId: 'call-1',
        toolName: 'read_file',
        verdict: null,
        outcome: null,
      },
      ...{ project: { id: company.api }, user: { id: 'ada' }, agent: { id: company.coder } },
      extensions: { attributes: { time: '2026-11-20T10:00:00.123456+00:00', traceparent: '00-1' }, data: { ip_address: '192.0.2.7' } },
      payload: { __typename: 'AgentToolCallPayload', toolName: 'read_file', arguments: { path: 'README.md' } },
    });
    expect(data).toEqual({ one: data?.['one'], list: { nodes: [data?.['one']] }, entity: [data?.['one']] });
  });

  it('of each of the service’s types has the payload of its family', async () => {
    const company = await anOrganization(subgraph);
    await recorded(company.platform, [...aSession('s'), aCloudEvent({ type: 'com.example.other', data: [1] })]);

    const { data, errors } = await (
      await company.member('OWNER', company.id)
    ).graphql<{ events: { nodes: readonly { type: string; payload: { __typename: string } }[] } }>(
      '{ events: agentAuditEvents(first: 100) { nodes { type payload { __typename } } } }',
    );

    expect(errors).toBeUndefined();
    expect(Object.fromEntries((data?.events.nodes ?? []).map(({ type, payload }) => [type, payload.__typename]))).toEqual({
      ...{ ai_agent_session_started: 'AgentSessionPayload', ai_agent_session_ended: 'AgentSessionPayload' },
      ...{ ai_user_input_received: 'AgentMessagePayload', ai_user_output_displayed: 'AgentMessagePayload' },
      ...{
        ai_llm_input_sent: 'AgentModelCallPayload',
        ai_llm_response_received: 'AgentModelCallPayload',
        ai_llm_request_failed: 'AgentModelCallPayload',
      },
      ...{
        ai_tool_invoked: 'AgentToolCallPayload',
        ai_tool_response_received: 'AgentToolCallPayload',
        ai_tool_execution_failed: 'AgentToolCallPayload',
        ai_tool_execution_retried: 'AgentToolCallPayload',
      },
      'com.example.other': 'AgentUnknownPayload',
    });
  });
});

describe('what concerns a group', () => {
  it('is seen by whoever audits it, and by nobody beside it: in lists, by id and live', async () => {
    const company = await anOrganization(subgraph);
    const owner = await company.member('OWNER', company.id);
    const [auditor, beside] = [await company.member('AUDITOR', company.payments), await company.member('OWNER', company.shop)];
    await aPublishedPolicy(owner, company.core, 'permit (principal, action, resource);');
    const seenBy = async (client: Client): Promise<readonly object[]> =>
      (
        await client.graphql<{ agentAuditEvents: { nodes: readonly object[] } }>(
          '{ agentAuditEvents { nodes { id type namespaceId project { id } } } }',
        )
      ).data?.agentAuditEvents.nodes ?? [];

    const [published, created] = await seenBy(auditor);
    const live = await eventsBehind(auditor, fromTheBeginning, 2);
    const byId = await auditor.graphql('query ($id: ID!) { agentAuditEvent(id: $id) { type } }', { id: live[0]?.id });

    expect([published, created]).toMatchObject([
      { type: 'ai_policy_published', namespaceId: company.core, project: null },
      { type: 'ai_policy_created', namespaceId: company.core, project: null },
    ]);
    expect(byId.data).toEqual({ agentAuditEvent: { type: 'ai_policy_created' } });
    expect(await seenBy(beside)).toEqual([]);
  });
});

describe('a page of very large events', () => {
  it('is shorter than asked for and says that there is more, until all have come', async () => {
    const company = await anOrganization(subgraph);
    const owner = await company.member('OWNER', company.id);
    const ids = Array.from({ length: 12 }, (_event, n) => `large ${n}`);
    for (const id of ids)
      await recorded(company.platform, [aCloudEvent({ id, projectid: company.api, data: { tool_name: 'a', note: 'x'.repeat(900_000) } })]);
    interface Connection {
      readonly nodes: readonly { readonly sourceId: string }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
    }
    const fields = 'nodes { sourceId } pageInfo { hasNextPage endCursor }';
    interface Listed {
      readonly all?: Connection;
      readonly _entities?: readonly [{ readonly all: Connection }];
    }
    const queries = [
      `query ($after: String) { all: agentAuditEvents(first: 100, after: $after) { ${fields} } }`,
      `query ($after: String) { _entities(representations: [{ __typename: "Project", id: ${JSON.stringify(company.api)} }]) { ... on Project { all: agentAuditEvents(first: 100, after: $after) { ${fields} } } } }`,
    ];

    for (const query of queries) {
      const pages: (readonly string[])[] = [];
      for (let after: string | null = null, hasNext = true; hasNext;) {
        const { data }: { readonly data?: Listed | null } = await owner.graphql<Listed>(query, { after });
        const connection: Connection | undefined = data?.all ?? data?._entities?.[0].all;
        pages.push((connection?.nodes ?? []).map(({ sourceId }) => sourceId));
        after = connection?.pageInfo.endCursor ?? null;
        hasNext = connection?.pageInfo.hasNextPage ?? false;
      }

      expect(pages.map(({ length }) => length)).toEqual([10, 2]);
      expect(new Set(pages.flat())).toEqual(new Set(ids));
    }
  });
});
