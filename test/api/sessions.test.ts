import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { aCloudEvent, type CloudEvent } from '../support/cloud-events.js';
import { aPublishedPolicy, decisionOn } from '../support/governing.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { recordedInOrder, SESSION, sessionOf, untilPositioned } from '../support/sessions.js';
import { statementsDuring } from '../support/statements.js';
import { aSubgraph, type Answer, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
let company: TestOrganization;
let auditor: Client;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());
beforeEach(async () => {
  company = await anOrganization(subgraph);
  auditor = await company.member('AUDITOR', company.id);
});

const NOON = Date.parse(new Date().toISOString().slice(0, 11) + '12:00:00.000Z') - 86_400_000;
/** A moment of yesterday, so many seconds after noon. */
const at = (seconds: number): string => new Date(NOON + seconds * 1_000).toISOString();

/** An event of a session, of ada's work on the API, at so many seconds. */
const told = (subject: string, seconds: number, change: CloudEvent = {}): CloudEvent =>
  aCloudEvent({ subject, time: at(seconds), projectid: company.api, userid: 'ada', agentid: company.coder, data: {}, ...change });
const began = (subject: string, seconds: number, change: CloudEvent = {}): CloudEvent =>
  told(subject, seconds, { type: 'ai_agent_session_started', data: { workflow_type: 'software_development' }, ...change });
const ended = (subject: string, seconds: number, status: string | undefined, change: CloudEvent = {}): CloudEvent =>
  told(subject, seconds, { type: 'ai_agent_session_ended', data: { status }, ...change });
const called = (subject: string, seconds: number, change: CloudEvent = {}): CloudEvent =>
  told(subject, seconds, { data: { tool_name: 'read_file' }, ...change });
const answered = (subject: string, seconds: number, change: CloudEvent = {}): CloudEvent =>
  told(subject, seconds, { type: 'ai_tool_response_received', data: { tool_name: 'read_file' }, ...change });

const record = (events: readonly CloudEvent[]): Promise<readonly string[]> => recordedInOrder(company.platform, auditor, events);

describe('a session', () => {
  it('is what its events tell, who may have come in any order', async () => {
    await record([
      ended('run', 60, 'success'),
      answered('run', 30, { callid: 'c1' }),
      told('run', 45, { type: 'ai_tool_execution_failed', data: { tool_name: 'read_file' }, callid: 'c2' }),
      called('run', 20, { surface: 'IDE', executionmode: 'INTERACTIVE', humanid: 'hanna' }),
      began('run', 10, { parentsessionid: 'above' }),
    ]);

    expect(await sessionOf(auditor, 'run', SESSION)).toEqual({
      ...{ id: 'run', workflowType: 'software_development', status: 'SUCCEEDED', surface: 'IDE', executionMode: 'INTERACTIVE' },
      ...{ startedAt: at(10), endedAt: at(60), lastEventAt: at(60), parentSessionId: 'above', eventCount: 5, strayEvents: 0 },
      ...{ agent: { id: company.coder }, user: { id: 'ada' }, human: { id: 'hanna' }, project: { id: company.api } },
      verdictCounts: { allowed: 0, asked: 0, denied: 0 },
      outcomeCounts: { succeeded: 1, failed: 1 },
    });
  });

  it('counts decisions, which are events of it too', async () => {
    const developer = await company.member('DEVELOPER', company.api, { userId: 'ada' });
    await aPublishedPolicy(await company.member('OWNER', company.id), company.id, 'permit (principal, action, resource in Tool::"read");');
    const ask = (tool: string) =>
      decisionOn(developer, { agentId: company.coder, projectId: company.api, tool, sessionId: 'run', arguments: {} });

    await ask('read');
    await ask('write');
    const last = await ask('read');
    await untilPositioned(developer, last.id);

    expect(await sessionOf(developer, 'run', SESSION)).toMatchObject({
      eventCount: 3,
      status: 'RUNNING',
      verdictCounts: { allowed: 2, asked: 0, denied: 1 },
      user: { id: 'ada' },
      human: { id: 'ada' },
      endedAt: null,
    });
  });

  it.each<[string, () => readonly CloudEvent[], string, number | null]>([
    ['has not ended', () => [began('run', 1)], 'RUNNING', null],
    ['succeeded', () => [ended('run', 9, 'success')], 'SUCCEEDED', 9],
    ['failed', () => [ended('run', 9, 'failure')], 'FAILED', 9],
    ['was stopped', () => [ended('run', 9, 'stopped')], 'STOPPED', 9],
    ['was aborted', () => [ended('run', 9, 'aborted')], 'ABORTED', 9],
    ['ended without a word', () => [ended('run', 9, undefined)], 'ENDED', 9],
    ['was finished by the platform', () => [told('run', 9, { type: 'duo_session_finished' })], 'SUCCEEDED', 9],
    ['failed for the platform', () => [told('run', 9, { type: 'duo_session_failed' })], 'FAILED', 9],
    ['was stopped by the platform', () => [told('run', 9, { type: 'duo_session_stopped' })], 'STOPPED', 9],
    [
      'was resumed',
      () => [told('run', 9, { type: 'duo_session_stopped' }), told('run', 12, { type: 'duo_session_resumed' })],
      'RUNNING',
      null,
    ],
    [
      'ended after it was resumed',
      () => [ended('run', 15, 'failure'), told('run', 12, { type: 'duo_session_resumed' }), ended('run', 9, 'success')],
      'FAILED',
      15,
    ],
  ])('that %s', async (_what, events, status, endedAt) => {
    await record(events());

    expect(await sessionOf(auditor, 'run', 'id status endedAt')).toEqual({
      id: 'run',
      status,
      endedAt: endedAt === null ? null : at(endedAt),
    });
  });

  it('links to its parent and to those that it started, as far as the viewer may see them', async () => {
    await record([
      began('above', 1),
      began('below 1', 2, { parentsessionid: 'above' }),
      began('below 2', 3, { parentsessionid: 'above' }),
      began('elsewhere', 4, { parentsessionid: 'above', projectid: company.web }),
      began('orphan', 5, { parentsessionid: 'never seen' }),
    ]);
    const maintainer = await company.member('MAINTAINER', company.api);
    const [whole, part] = await Promise.all(
      [auditor, maintainer].map((client) =>
        client.graphql('{ agentSessions { nodes { id parentSessionId parent { id } children { nodes { id } } } } }'),
      ),
    );

    const session = (id: string, parent: string | null, children: readonly string[] = [], shown = parent) => ({
      id,
      parentSessionId: parent,
      parent: shown === null ? null : { id: shown },
      children: { nodes: children.map((child) => ({ id: child })) },
    });
    expect(whole?.data).toEqual({
      agentSessions: {
        nodes: [
          session('orphan', 'never seen', [], null),
          session('elsewhere', 'above'),
          session('below 2', 'above'),
          session('below 1', 'above'),
          session('above', null, ['elsewhere', 'below 2', 'below 1']),
        ],
      },
    });
    expect(part?.data).toEqual({
      agentSessions: {
        nodes: [
          session('orphan', 'never seen', [], null),
          session('below 2', 'above'),
          session('below 1', 'above'),
          session('above', null, ['below 2', 'below 1']),
        ],
      },
    });
  });

  it('lists its events, which link back to it', async () => {
    const ids = await record([began('run', 1), called('run', 2), called('other', 3)]);

    const { data } = await auditor.graphql(
      `{ run: agentSession(id: "run") { events(order: OLDEST_FIRST) { nodes { id session { id eventCount } } } calls: events(filter: { types: ["ai_tool_invoked"] }) { nodes { id } } } }`,
    );

    const session = { id: 'run', eventCount: 2 };
    expect(data).toEqual({
      run: {
        events: {
          nodes: [
            { id: ids[0], session },
            { id: ids[1], session },
          ],
        },
        calls: { nodes: [{ id: ids[1] }] },
      },
    });
  });
});

describe('events that name another project’s session', () => {
  it('are strays: nobody without a part in the project changes what the session shows', async () => {
    const [ada, eve] = [
      await company.member('DEVELOPER', company.api, { userId: 'ada' }),
      await company.member('DEVELOPER', company.shop, { userId: 'eve' }),
    ];
    await record([began('run', 100), called('run', 101, { sequence: 1 })]);
    const before = await sessionOf(ada, 'run');
    const foreign = { projectid: company.shop, userid: 'eve', agentid: 'evil' };

    await recordedInOrder(eve, eve, [
      began('run', 1, { ...foreign, humanid: undefined, surface: 'CI', parentsessionid: 'evil' }),
      ended('run', 900, 'failure', foreign),
      called('run', 2, { ...foreign, sequence: 900 }),
      ended('run', 901, 'failure', { ...foreign, projectid: undefined }),
    ]);

    expect(await sessionOf(ada, 'run')).toEqual({ ...before, strayEvents: 4 });
    expect(await sessionOf(eve, 'run')).toBeNull();
    expect((await eve.graphql('{ agentAuditEvents { nodes { sessionId session { id } } } }')).data).toEqual({
      agentAuditEvents: { nodes: Array(4).fill({ sessionId: 'run', session: null }) },
    });
  });

  it('that name no project belong to it when they are of its user or its reporter', async () => {
    const ada = await company.member('DEVELOPER', company.api, { userId: 'ada' });
    await record([began('run', 1)]);

    await recordedInOrder(ada, ada, [called('run', 2, { projectid: undefined })]);
    await record([called('run', 3, { projectid: undefined, userid: 'bob' })]);

    expect(await sessionOf(ada, 'run', 'id eventCount strayEvents')).toEqual({ id: 'run', eventCount: 3, strayEvents: 0 });
  });

  it('give a session that had none its project, if they are of the same hands', async () => {
    const eve = await company.member('DEVELOPER', company.shop, { userId: 'eve' });
    await record([called('run', 1, { projectid: undefined })]);

    await recordedInOrder(eve, eve, [called('run', 2, { projectid: company.shop, userid: 'eve' })]);
    expect(await sessionOf(auditor, 'run', 'id project { id } strayEvents')).toEqual({ id: 'run', project: null, strayEvents: 1 });

    await record([called('run', 3)]);
    expect(await sessionOf(auditor, 'run', 'id project { id } strayEvents')).toEqual({
      id: 'run',
      project: { id: company.api },
      strayEvents: 1,
    });
  });
});

describe('who sees a session', () => {
  const IDS = 'nodes { id }';
  it('is its user, the human behind it, and who maintains, owns or audits its project or what is above', async () => {
    await record([began('run', 1, { userid: 'service', humanid: 'hanna' }), began('web', 2, { userid: 'bob', projectid: company.web })]);
    const shown = async (client: Client): Promise<readonly string[]> => {
      const { data } = await client.graphql<{ agentSessions: { nodes: { id: string }[] } }>(`{ agentSessions { ${IDS} } }`);
      return data?.agentSessions.nodes.map(({ id }) => id) ?? [];
    };
    const member = company.member;

    expect(await shown(await member('GUEST', company.api, { userId: 'service' }))).toEqual(['run']);
    expect(await shown(await member('GUEST', company.api, { userId: 'hanna' }))).toEqual(['run']);
    expect(await shown(await member('DEVELOPER', company.api))).toEqual([]);
    expect(await shown(await member('MAINTAINER', company.api))).toEqual(['run']);
    expect(await shown(await member('AUDITOR', company.core))).toEqual(['run']);
    expect(await shown(await member('OWNER', company.payments))).toEqual(['web', 'run']);
    expect(await shown(await company.outsider())).toEqual([]);
  });

  it('finds it under the project, the user, the human and the agent', async () => {
    await record([began('run', 1, { userid: 'service', humanid: 'hanna' })]);
    const maintainer = await company.member('MAINTAINER', company.api);
    const query = `query ($of: [_Any!]!) { _entities(representations: $of) {
      ... on Project { agentSessions { ${IDS} } } ... on User { agentSessions { ${IDS} } } ... on Agent { sessions { ${IDS} } } ... on AgentSession { id status } } }`;
    const of = [
      { __typename: 'Project', id: company.api },
      { __typename: 'Project', id: company.shop },
      { __typename: 'User', id: 'service' },
      { __typename: 'User', id: 'hanna' },
      { __typename: 'User', id: 'ada' },
      { __typename: 'Agent', id: company.coder },
      { __typename: 'AgentSession', id: 'run' },
      { __typename: 'AgentSession', id: 'nowhere' },
    ];

    const { data, errors } = await maintainer.graphql(query, { of });

    expect(errors).toBeUndefined();
    const [found, none] = [{ nodes: [{ id: 'run' }] }, { nodes: [] }];
    expect(data).toEqual({
      _entities: [
        { agentSessions: found },
        { agentSessions: null },
        { agentSessions: found },
        { agentSessions: found },
        { agentSessions: none },
        { sessions: found },
        { id: 'run', status: 'RUNNING' },
        null,
      ],
    });
  });

  it('still sees it when its project is deleted, from above', async () => {
    await record([began('run', 1)]);
    await pushed(company.platform, { namespaces: [{ id: company.api, deleted: true }] });

    expect(await sessionOf(await company.member('OWNER', company.payments), 'run', 'id')).toEqual({ id: 'run' });
    expect(await sessionOf(await company.member('OWNER', company.shop), 'run', 'id')).toBeNull();
  });

  it('is nobody of another organization, though the session has the same id there', async () => {
    await record([began('run', 1)]);
    const other = await anOrganization(subgraph);
    const owner = await other.member('OWNER', other.id);

    expect(await sessionOf(owner, 'run', 'id')).toBeNull();
    await recordedInOrder(other.platform, owner, [began('run', 50, { projectid: other.api, userid: 'otto' })]);
    expect(await sessionOf(owner, 'run', 'id eventCount user { id }')).toEqual({ id: 'run', eventCount: 1, user: { id: 'otto' } });
    expect(await sessionOf(auditor, 'run', 'id eventCount user { id }')).toEqual({ id: 'run', eventCount: 1, user: { id: 'ada' } });
  });

  it('needs the scope audit:read', async () => {
    const client = await subgraph.as({ userId: 'ada', organizationId: company.id, scopes: ['audit:record'] });

    for (const field of ['agentSession(id: "run") { id }', 'agentSessions { nodes { id } }', 'agentOrphanedCalls { nodes { callId } }'])
      expect((await client.graphql(`{ ${field} }`)).errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN');
  });
});

interface SessionPage {
  readonly agentSessions: {
    readonly nodes: readonly { readonly id: string }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
  };
}

describe('a list of sessions', () => {
  it('goes on behind its cursor, newest first, and takes a filter', async () => {
    await record(
      Array.from({ length: 7 }, (_, index) => began(`run ${index}`, Math.floor(index / 2), { userid: index < 5 ? 'ada' : 'bob' })),
    );
    const ids: string[] = [];
    for (let after: string | null = null; ;) {
      const { data }: Answer<SessionPage> = await auditor.graphql<SessionPage>(
        'query ($after: String) { agentSessions(first: 2, after: $after, filter: { userIds: ["ada"] }) { nodes { id } pageInfo { hasNextPage endCursor } } }',
        { after },
      );
      ids.push(...(data?.agentSessions.nodes ?? []).map(({ id }) => id));
      if (data?.agentSessions.pageInfo.hasNextPage !== true) break;
      after = data.agentSessions.pageInfo.endCursor;
    }

    expect(ids).toEqual(['run 4', 'run 3', 'run 2', 'run 1', 'run 0']);
  });

  it('has the answers of a page of fifty in a handful of statements', async () => {
    await record(Array.from({ length: 50 }, (_, index) => began(`run ${index}`, index, { parentsessionid: `run ${index % 5}` })));
    const query = `{ agentSessions(first: 50) { nodes { ${SESSION} completeness { state } parent { id } children { nodes { id } }
      orphans { nodes { callId } } events { nodes { id session { id } } } } } }`;
    let size: number | undefined;

    const statements = await statementsDuring(async () => {
      const { data } = await auditor.graphql<{ agentSessions: { nodes: unknown[] } }>(query);
      size = data?.agentSessions.nodes.length;
    });

    const ofRequest = statements.filter(
      (text) => /agent_session|agent_open_call|audit_event/.test(text) && !/audit_project_step|log_sequenc/.test(text),
    );
    expect(size).toBe(50);
    // The page, what has come of them, their children, their open calls and their events.
    expect(ofRequest).toHaveLength(5);
  });

  it.each([
    ['first: 0', 'first: must be from 1 to 100; got 0.'],
    ['after: "bm9uZQ"', 'after: not a cursor of this list. Take endCursor or an edge’s cursor as it came.'],
    [
      'filter: { startedAfter: "yesterday" }',
      'filter.startedAfter: must be an RFC 3339 time with a zone, for example 2026-11-22T09:30:00.000Z.',
    ],
    ['filter: { agentIds: ["a\\u0000b"] }', 'filter.agentIds.0: must be well-formed Unicode without NUL.'],
  ])('is refused with %s', async (args, message) => {
    const { errors } = await auditor.graphql(`{ agentSessions(${args}) { nodes { id } } }`);

    expect(errors).toMatchObject([{ message, extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  it('knows no session whose id nobody can have', async () => {
    expect(await sessionOf(auditor, 'a\u0000b', 'id')).toBeNull();
    expect(await sessionOf(auditor, randomUUID(), 'id')).toBeNull();
  });
});
