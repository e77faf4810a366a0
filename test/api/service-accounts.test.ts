import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ROLE_LEVELS } from '../../src/directory/index.js';
import { SCOPES } from '../../src/kernel/index.js';
import { aCloudEvent, type CloudEvent } from '../support/cloud-events.js';
import { aPublishedPolicy, decisionOn, registerTool } from '../support/governing.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { postBatch, recorded } from '../support/recording.js';
import { postSessionBatch, recordedInOrder, sessionOf, untilPositioned } from '../support/sessions.js';
import { statementsDuring } from '../support/statements.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
let company: TestOrganization;
let auditor: Client;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());
/** `ci` and `bot` are service accounts; ada is responsible for the first, nobody for the second. */
beforeEach(async () => {
  company = await anOrganization(subgraph);
  auditor = await company.member('AUDITOR', company.id);
  await pushed(company.platform, { serviceAccounts: [{ userId: 'ci', ownerId: 'ada' }, { userId: 'bot' }] });
});

const done = (by: string, change: CloudEvent = {}): CloudEvent =>
  aCloudEvent({ subject: 'run', projectid: company.api, agentid: company.coder, userid: by, ...change });

const HUMAN = 'user { id } human { id } humanSource';

/** The human behind an event or session, and how it is known. */
const knownAs = (humanId: string | null, humanSource: string | null) => ({
  human: humanId === null ? null : { id: humanId },
  humanSource,
});

/** Events with the human behind each, in the order of `ids`. */
async function eventsWith(ids: readonly string[], client = auditor): Promise<readonly (object | null)[]> {
  const events = await Promise.all(
    ids.map((id) => client.graphql<{ event: object | null }>(`query ($id: ID!) { event: agentAuditEvent(id: $id) { ${HUMAN} } }`, { id })),
  );
  return events.map(({ data }) => data?.event ?? null);
}

/** The newest event of a type, with the human behind it. */
async function newestOf(type: string): Promise<object | undefined> {
  const { data } = await auditor.graphql<{ agentAuditEvents: { nodes: object[] } }>(
    `query ($types: [String!]) { agentAuditEvents(first: 1, filter: { types: $types }) { nodes { ${HUMAN} } } }`,
    { types: [type] },
  );
  return data?.agentAuditEvents.nodes[0];
}

const sessionWith = (id: string) => sessionOf(auditor, id, `id ${HUMAN}`);

describe('what a service account did', () => {
  it('is told with the human behind it: whom the event names, else who is responsible, and else that nobody knows', async () => {
    const ids = await recorded(company.platform, [
      done('ci', { subject: 'a', humanid: 'hanna' }),
      done('ci', { subject: 'b' }),
      done('ci', { subject: 'c', humanid: 'ci' }),
      done('bot', { subject: 'd' }),
      done('bob', { subject: 'e' }),
    ]);

    expect(await eventsWith(ids)).toEqual([
      { user: { id: 'ci' }, ...knownAs('hanna', 'EVENT') },
      { user: { id: 'ci' }, ...knownAs('ada', 'DIRECTORY') },
      { user: { id: 'ci' }, ...knownAs('ada', 'DIRECTORY') },
      { user: { id: 'bot' }, ...knownAs(null, 'UNKNOWN') },
      { user: { id: 'bob' }, ...knownAs('bob', 'USER') },
    ]);
  });

  it('has the human whom its session names, in the same request or before', async () => {
    const first = await recordedInOrder(company.platform, auditor, [
      done('ci'),
      done('ci', { type: 'ai_agent_session_started', data: {}, humanid: 'hanna' }),
    ]);
    await sessionWith('run');
    const later = await recorded(company.platform, [done('ci'), done('bot')]);

    expect(await eventsWith([...first, ...later])).toMatchObject([
      knownAs('hanna', 'SESSION'),
      knownAs('hanna', 'EVENT'),
      knownAs('hanna', 'SESSION'),
      knownAs(null, 'UNKNOWN'),
    ]);
  });

  it('is that of a human until the platform says otherwise, and from then on, at once, that of a service account', async () => {
    const tell = async (...rows: readonly object[]): Promise<object | null | undefined> => {
      await pushed(company.platform, { serviceAccounts: rows });
      return (await eventsWith(await recorded(company.platform, [done('new', { subject: randomUUID() })])))[0];
    };

    expect(await tell()).toMatchObject(knownAs('new', 'USER'));
    expect(await tell({ userId: 'new' })).toMatchObject(knownAs(null, 'UNKNOWN'));
    expect(await tell({ userId: 'new', ownerId: 'ada' })).toMatchObject(knownAs('ada', 'DIRECTORY'));
    expect(await tell({ userId: 'new', ownerId: 'bob' })).toMatchObject(knownAs('bob', 'DIRECTORY'));
    expect(await tell({ userId: 'new', deleted: true })).toMatchObject(knownAs('new', 'USER'));
  });

  it('is the same event when it is sent again, whoever is responsible by then, and stays with who was', async () => {
    const events = [done('ci'), done('bot'), done('bob', { subject: 'other' })];
    const ids = await recorded(company.platform, events);
    await pushed(company.platform, {
      serviceAccounts: [
        { userId: 'ci', ownerId: 'bob' },
        { userId: 'bot', ownerId: 'bob' },
      ],
    });

    const again = await postBatch(company.platform, [...events, { ...events[0], humanid: 'hanna' }]);

    expect(again.results).toMatchObject([
      ...ids.map((eventId) => ({ status: 'duplicate', eventId })),
      { status: 'rejected', path: 'id', reason: expect.stringContaining('says something else') },
    ]);
    expect(await eventsWith(ids)).toMatchObject([knownAs('ada', 'DIRECTORY'), knownAs(null, 'UNKNOWN'), knownAs('bob', 'USER')]);
  });

  it('is nothing of another organization, where the same user is a human', async () => {
    const other = await anOrganization(subgraph);
    const [id = ''] = await recorded(other.platform, [aCloudEvent({ projectid: other.api, userid: 'ci' })]);

    expect(await eventsWith([id], await other.member('AUDITOR', other.id))).toEqual([{ user: { id: 'ci' }, ...knownAs('ci', 'USER') }]);
  });

  it('costs two statements a second, however many events and users there are', async () => {
    const events = () => ['ci', 'bot', 'bob', 'eve'].map((by) => done(by, { subject: undefined, data: { tool_name: 'read_file' } }));
    await recorded(company.platform, events());

    const start = performance.now();
    const statements = await statementsDuring(async () => {
      for (let batches = 0; batches < 20; batches += 1) await recorded(company.platform, events());
    });
    const seconds = (performance.now() - start) / 1_000;

    const asked = statements.filter((text) => text.includes('service_account'));
    expect(asked.length).toBeLessThanOrEqual(Math.ceil(seconds * 2));
    expect(statements.filter((text) => /human_id IS NOT NULL/.test(text))).toEqual([]);
  });
});

describe('a session of a service account', () => {
  const ofSession = async (...events: readonly CloudEvent[]) => {
    await recordedInOrder(company.platform, auditor, events);
    return sessionWith('run');
  };

  it('has the human who is responsible, until one of its events names one', async () => {
    expect(await ofSession(done('ci'))).toEqual({ id: 'run', user: { id: 'ci' }, ...knownAs('ada', 'DIRECTORY') });
    expect(await ofSession(done('ci'))).toMatchObject(knownAs('ada', 'DIRECTORY'));
    expect(await ofSession(done('ci', { humanid: 'hanna' }))).toMatchObject(knownAs('hanna', 'EVENT'));
    expect(await ofSession(done('ci', { humanid: 'late' }))).toMatchObject(knownAs('hanna', 'EVENT'));
  });

  it('has none as long as nobody is known', async () => {
    expect(await ofSession(done('bot'))).toEqual({ id: 'run', user: { id: 'bot' }, ...knownAs(null, 'UNKNOWN') });

    await pushed(company.platform, { serviceAccounts: [{ userId: 'bot', ownerId: 'ada' }] });
    expect(await ofSession(done('bot'))).toMatchObject(knownAs('ada', 'DIRECTORY'));
  });

  it('has its own user, where that is a human', async () => {
    expect(await ofSession(done('bob'))).toMatchObject({ user: { id: 'bob' }, ...knownAs('bob', 'USER') });
  });

  it('is found and seen by the human who is responsible', async () => {
    await ofSession(done('ci'));
    const ada = await company.member('GUEST', company.shop, { userId: 'ada' });

    const { data } = await ada.graphql(
      '{ agentSessions { nodes { id } } mine: agentSessions(filter: { userIds: ["ada"] }) { nodes { id } } }',
    );

    expect(data).toEqual({ agentSessions: { nodes: [{ id: 'run' }] }, mine: { nodes: [{ id: 'run' }] } });
  });

  it('is reported whole for the same human', async () => {
    const ci = await company.member('DEVELOPER', company.api, { userId: 'ci' });
    const { report } = await postSessionBatch(ci, 'run', { events: [done('ci', { subject: undefined })], final: true });
    const { report: alone } = await postSessionBatch(ci, 'empty', { events: [], final: true, source: '/other' });

    expect(await eventsWith([String(report?.['eventId']), String(alone?.['eventId'])])).toMatchObject([
      { user: { id: 'ci' }, ...knownAs('ada', 'DIRECTORY') },
      { user: { id: 'ci' }, ...knownAs('ada', 'DIRECTORY') },
    ]);
  });
});

describe('a decision that a service account asks for', () => {
  const ask = (client: Client, sessionId: string | null = null) =>
    decisionOn(client, { agentId: company.coder, projectId: company.api, tool: 'read', arguments: {}, sessionId });

  it('is recorded with the human behind it', async () => {
    await company.member('DEVELOPER', company.api, { userId: 'ada' });
    await aPublishedPolicy(await company.member('OWNER', company.id), company.id, 'permit (principal, action, resource in Tool::"read");');
    const asked = await Promise.all(
      ['ci', 'bot', 'bob'].map(async (user) => ask(await company.member('DEVELOPER', company.api, { userId: user }), 'run')),
    );

    expect(asked.map(({ verdict }) => verdict)).toEqual(['ALLOW', 'ALLOW', 'ALLOW']);
    expect(await eventsWith(asked.map(({ id }) => id))).toEqual([
      { user: { id: 'ci' }, ...knownAs('ada', 'DIRECTORY') },
      { user: { id: 'bot' }, ...knownAs(null, 'UNKNOWN') },
      { user: { id: 'bob' }, ...knownAs('bob', 'USER') },
    ]);
  });

  /** What a decision's record says of the user and the humans behind it. */
  const levelsIn = async (id: string): Promise<unknown> => {
    const { data } = await auditor.graphql<{ event: { payload: { decision: { facts: { user: unknown } } } } }>(
      'query ($id: ID!) { event: agentAuditEvent(id: $id) { payload { ... on AgentDecisionPayload { decision { facts } } } } }',
      { id },
    );
    return data?.event.payload.decision.facts.user;
  };

  it.each([
    ['MAINTAINER', 'REPORTER', 20, 'DENY'],
    ['DEVELOPER', 'OWNER', 30, 'ALLOW'],
    ['GUEST', 'OWNER', 10, 'DENY'],
  ] as const)('of a %s is decided with no more than its human, a %s, may: level %i', async (account, human, level, verdict) => {
    const permit = 'permit (principal, action, resource) when { context.role >= 30 };';
    const owner = await company.member('OWNER', company.id);
    await aPublishedPolicy(owner, company.id, permit);
    await company.member(human, company.api, { userId: 'ada' });
    const ci = await company.member(account, company.api, { userId: 'ci' });

    const decision = await ask(ci);

    expect(decision).toMatchObject({ verdict });
    expect(await levelsIn(decision.id)).toEqual({
      level,
      ownLevel: ROLE_LEVELS[account],
      humans: [{ id: 'ada', level: ROLE_LEVELS[human] }],
    });
    // What is explained, and what is shown of effective access, is what is decided.
    const { data } = await owner.graphql(
      `query ($p: ID!, $a: ID!) {
        explain: agentPolicyExplain(input: { agentId: $a, projectId: $p, tool: "read", userId: "ci" }) { explanation { verdict } }
        access: _entities(representations: [{ __typename: "Project", id: $p }]) {
          ... on Project { agentToolAccess(tool: "read", userId: "ci") { nodes { verdict } } } } }`,
      { p: company.api, a: company.coder },
    );
    expect(data).toEqual({ explain: { explanation: { verdict } }, access: [{ agentToolAccess: { nodes: [{ verdict }] } }] });
  });

  it('is denied where its human is no member of the project, whatever policies permit', async () => {
    await aPublishedPolicy(await company.member('OWNER', company.id), company.id, 'permit (principal, action, resource);');
    await company.member('OWNER', company.shop, { userId: 'ada' });

    const decision = await ask(await company.member('OWNER', company.api, { userId: 'ci' }));

    expect(decision).toMatchObject({ verdict: 'DENY', basis: 'HUMAN_NO_MEMBER' });
    expect(await levelsIn(decision.id)).toEqual({ level: 0, ownLevel: 50, humans: [{ id: 'ada', level: 0 }] });
  });

  it('has its own level where nobody is known to be behind it', async () => {
    const { id } = await ask(await company.member('DEVELOPER', company.api, { userId: 'bot' }));

    expect(await levelsIn(id)).toEqual({ level: 30 });
  });

  it('does not come to more by naming a mightier human in its session, also with the scope to act for any', async () => {
    await company.member('REPORTER', company.api, { userId: 'ada' });
    await company.member('OWNER', company.api, { userId: 'boss' });
    const ci = await company.member('MAINTAINER', company.api, { userId: 'ci', scopes: [...SCOPES] });
    await recordedInOrder(ci, auditor, [done('ci', { humanid: 'boss' })]);
    await sessionWith('run');

    const { id } = await ask(ci, 'run');

    expect(await levelsIn(id)).toEqual({
      level: 20,
      ownLevel: 40,
      humans: [
        { id: 'boss', level: 50 },
        { id: 'ada', level: 20 },
      ],
    });
  });

  it('has the human whom the session names', async () => {
    const ci = await company.member('DEVELOPER', company.api, { userId: 'ci' });
    await recordedInOrder(company.platform, auditor, [done('ci', { humanid: 'hanna' })]);
    await sessionWith('run');

    const { id } = await ask(ci, 'run');
    await untilPositioned(auditor, id);

    expect(await eventsWith([id])).toMatchObject([knownAs('hanna', 'SESSION')]);
    expect(await sessionWith('run')).toMatchObject(knownAs('hanna', 'EVENT'));
  });
});

describe('a change that a service account makes', () => {
  it('is recorded with the human behind it', async () => {
    const ci = await company.member('OWNER', company.id, { userId: 'ci' });
    const known = { user: { id: 'ci' }, ...knownAs('ada', 'DIRECTORY') };
    const setRetention = `mutation ($input: AgentRetentionSetInput!) { agentRetentionSet(input: $input) { errors { __typename } } }`;

    await aPublishedPolicy(ci, company.id, 'permit (principal, action, resource);');
    await registerTool(ci, { id: 'com.example/tool' });
    await ci.graphql(setRetention, { input: { namespaceId: company.id, class: 'CONTENT', days: 30 } });

    expect(await newestOf('ai_policy_published')).toEqual(known);
    expect(await newestOf('ai_tool_registered')).toEqual(known);
    expect(await newestOf('ai_retention_changed')).toEqual(known);
  });
});
