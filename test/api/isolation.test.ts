import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventsBehind, fromTheBeginning } from '../support/audit-feed.js';
import { aCloudEvent } from '../support/cloud-events.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { postBatch, recorded } from '../support/recording.js';
import { recordedInOrder } from '../support/sessions.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

/** Ids that are the same in both organizations: nothing but the token tells them apart. */
const same = { userid: 'ada', agentid: 'coder', subject: 'session-1' };

let subgraph: TestSubgraph;
let theirs: TestOrganization;
let mine: TestOrganization;
let me: Client;
let theirIds: readonly string[];
beforeAll(async () => {
  subgraph = await aSubgraph();
  [theirs, mine] = [await anOrganization(subgraph), await anOrganization(subgraph)];
  theirIds = await recorded(
    theirs.platform,
    Array.from({ length: 30 }, (_, n) => aCloudEvent({ id: `secret-${n}`, ...same, projectid: theirs.api })),
  );
  await recorded(theirs.platform, [aCloudEvent({ id: 'secret-30', ...same, subject: 'secret-session', projectid: theirs.api })]);
  me = await mine.member('OWNER', mine.id, { userId: 'ada' });
  await recordedInOrder(mine.platform, me, [aCloudEvent({ id: 'mine', ...same, projectid: mine.api })]);
});
afterAll(() => subgraph.close());

/** Asks as the owner of `mine`; the answer must know nothing of `theirs`. */
async function answerTo(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  const { data, errors } = await me.graphql(query, variables);
  expect(JSON.stringify([data, errors])).not.toContain('secret-');
  return { data, errors };
}

describe('what belongs to another organization looks like what is not there', () => {
  it.each<[string, string, (id: string) => object]>([
    ['an event by id', 'query ($id: ID!) { agentAuditEvent(id: $id) { id } }', (id) => ({ id })],
    [
      'an event as entity',
      'query ($of: [_Any!]!) { _entities(representations: $of) { ... on AgentAuditEvent { id sourceId } } }',
      (id) => ({ of: [{ __typename: 'AgentAuditEvent', id }] }),
    ],
    [
      'a decision as entity',
      'query ($of: [_Any!]!) { _entities(representations: $of) { ... on AgentDecision { id verdict } } }',
      (id) => ({ of: [{ __typename: 'AgentDecision', id }] }),
    ],
    ['a session', 'query ($id: ID!) { agentSession(id: $id) { id } }', (id) => ({ id: id === theirIds[0] ? 'secret-session' : id })],
    [
      'a session as entity',
      'query ($of: [_Any!]!) { _entities(representations: $of) { ... on AgentSession { id } } }',
      (id) => ({ of: [{ __typename: 'AgentSession', id: id === theirIds[0] ? 'secret-session' : id }] }),
    ],
  ])('%s', async (_what, query, variables) => {
    expect(await answerTo(query, { ...variables(theirIds[0] ?? '') })).toEqual(await answerTo(query, { ...variables(randomUUID()) }));
  });

  it.each([
    ['a project', 'Project', 'agentAuditEvents'],
    ['the policies of a project', 'Project', 'agentPolicies'],
    ['the tools of a project', 'Project', 'agentTools'],
    ['the sessions of a project', 'Project', 'agentSessions'],
  ])('%s', async (_what, type, field) => {
    const query = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on ${type} { ${field} { nodes { id } } } } }`;

    const [foreign, unknown] = await Promise.all(
      [theirs.api, 'gid://platform/Project/nowhere'].map((id) => answerTo(query, { of: [{ __typename: type, id }] })),
    );

    expect(foreign).toEqual(unknown);
    expect(foreign).toEqual({ data: { _entities: [{ [field]: null }] }, errors: undefined });
  });

  it('a project in a filter', async () => {
    const query = 'query ($filter: AgentAuditEventFilter) { agentAuditEvents(filter: $filter) { nodes { sourceId } } }';

    expect(await answerTo(query, { filter: { projectIds: [theirs.api] } })).toEqual(
      await answerTo(query, { filter: { projectIds: ['nowhere'] } }),
    );
  });

  it('a project to report for', async () => {
    const answer = await postBatch(mine.platform, [
      aCloudEvent({ id: 'x', projectid: theirs.api }),
      aCloudEvent({ id: 'x', projectid: 'nowhere' }),
    ]);

    expect(answer.results?.map(({ path, reason }) => [path, reason])).toEqual(
      Array(2).fill(['projectid', 'must be a project of the organization that the directory knows']),
    );
  });

  it('a group to be a member of', async () => {
    const messages = await Promise.all(
      [theirs.payments, 'nowhere'].map((namespaceId) =>
        pushed(mine.platform, { memberships: [{ userId: 'eve', namespaceId, role: 'OWNER' }] }).catch(String),
      ),
    );

    expect(String(messages[0]).replaceAll(theirs.payments, 'X')).toEqual(String(messages[1]).replaceAll('nowhere', 'X'));
  });
});

describe('the same names in two organizations', () => {
  it.each([
    ['users', { userIds: ['ada'] }],
    ['agents', { agentIds: ['coder'] }],
    ['sessions', { sessionIds: ['session-1'] }],
    ['types', { types: ['ai_tool_invoked'] }],
    ['tools', { toolNames: ['read_file'] }],
  ])('meet nowhere: events by %s', async (_what, filter) => {
    expect(
      await answerTo('query ($filter: AgentAuditEventFilter) { agentAuditEvents(filter: $filter) { nodes { sourceId } } }', { filter }),
    ).toEqual({ data: { agentAuditEvents: { nodes: [{ sourceId: 'mine' }] } }, errors: undefined });
  });

  it('meet nowhere: events of the user and of the agent', async () => {
    const { data } = await me.graphql(
      'query ($of: [_Any!]!) { _entities(representations: $of) { ... on User { agentAuditEvents { nodes { sourceId } } } ... on Agent { auditEvents { nodes { sourceId } } } } }',
      {
        of: [
          { __typename: 'User', id: 'ada' },
          { __typename: 'Agent', id: 'coder' },
        ],
      },
    );

    expect(data).toEqual({
      _entities: [{ agentAuditEvents: { nodes: [{ sourceId: 'mine' }] } }, { auditEvents: { nodes: [{ sourceId: 'mine' }] } }],
    });
  });

  it('meet nowhere: sessions, by themselves and of the user and of the agent', async () => {
    const own = { nodes: [{ id: 'session-1', eventCount: 1, events: { nodes: [{ sourceId: 'mine' }] } }] };
    const sessions = 'nodes { id eventCount events { nodes { sourceId } } }';
    const { data } = await me.graphql(
      `query ($of: [_Any!]!) { agentSessions { ${sessions} } agentOrphanedCalls(olderThanSeconds: 0) { nodes { callId } }
        _entities(representations: $of) { ... on User { agentSessions { ${sessions} } } ... on Agent { sessions { ${sessions} } } } }`,
      {
        of: [
          { __typename: 'User', id: 'ada' },
          { __typename: 'Agent', id: 'coder' },
        ],
      },
    );

    expect(data).toEqual({
      agentSessions: own,
      agentOrphanedCalls: { nodes: [] },
      _entities: [{ agentSessions: own }, { sessions: own }],
    });
  });

  it('and the same source, id and time are two events: neither is the duplicate of the other', async () => {
    const event = aCloudEvent({ id: 'shared' });

    const answers = [await postBatch(theirs.platform, [event]), await postBatch(mine.platform, [event])];

    expect(answers.map(({ stored }) => stored)).toEqual([1, 1]);
    expect(new Set(answers.flatMap(({ results = [] }) => results.map(({ eventId }) => eventId))).size).toBe(2);
  });
});

describe('the cursors of another organization', () => {
  it('lead nowhere in a list: only one’s own events come', async () => {
    const they = await theirs.member('OWNER', theirs.id);
    const { data } = await they.graphql<{ events: { pageInfo: { startCursor: string } } }>(
      '{ events: agentAuditEvents(first: 1) { pageInfo { startCursor } } }',
    );

    const answer = await answerTo('query ($after: String) { agentAuditEvents(first: 100, after: $after) { nodes { sourceId } } }', {
      after: data?.events.pageInfo.startCursor,
    });

    expect(JSON.stringify(answer)).toMatch(/"nodes":\[(\{"sourceId":"(mine|shared)"\},?)*\]/);
  });

  it('lead nowhere in the feed: behind the end of one’s own log they are refused', async () => {
    const they = await theirs.member('OWNER', theirs.id);
    const last = (await eventsBehind(they, fromTheBeginning, 20)).at(-1);

    await expect(eventsBehind(me, last?.cursor ?? null, 1)).rejects.toThrow('not a cursor of this log');
  });
});

describe('the feed', () => {
  it('shows nothing of another organization, whatever happens there', async () => {
    const they = await theirs.member('OWNER', theirs.id);
    const here = await anOrganization(subgraph);
    const owner = await here.member('OWNER', here.id);

    const watching = eventsBehind(owner, fromTheBeginning, 3);
    for (let n = 0; n < 3; n += 1) {
      await recorded(theirs.platform, [aCloudEvent({ id: `secret later ${n}`, userid: 'ada', projectid: theirs.api })]);
      await recorded(here.platform, [aCloudEvent({ id: `own ${n}`, userid: 'ada' })]);
    }

    expect((await watching).map(({ sourceId, position }) => [sourceId, position])).toEqual([
      ['own 0', 0],
      ['own 1', 1],
      ['own 2', 2],
    ]);
    expect((await eventsBehind(they, fromTheBeginning, 33)).every(({ sourceId }) => !sourceId.startsWith('own'))).toBe(true);
  });
});
