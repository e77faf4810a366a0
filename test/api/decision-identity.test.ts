import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { aResource, authzen } from '../support/authzen.js';
import { aCloudEvent } from '../support/cloud-events.js';
import { aPublishedPolicy, askDecision, decisionOn, registerTool } from '../support/governing.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { recordedInOrder, sessionOf } from '../support/sessions.js';
import { statementsDuring } from '../support/statements.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
let company: TestOrganization;
let owner: Client;
/** A developer of the project `api`, by the id `ada`. */
let ada: Client;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());
beforeEach(async () => {
  company = await anOrganization(subgraph);
  owner = await company.member('OWNER', company.id);
  ada = await company.member('DEVELOPER', company.api, { userId: 'ada' });
  await aPublishedPolicy(owner, company.id, 'permit (principal, action, resource);');
});

interface Found {
  readonly results: readonly { readonly id?: string }[];
}

const question = (more: object = {}) => ({ agentId: company.coder, projectId: company.api, tool: 'deploy', ...more });

const DECIDED = `query ($id: ID!) { event: agentAuditEvent(id: $id) { agent { id } surface executionMode parentSessionId
  payload { ... on AgentDecisionPayload { contradictions { field claimed known } decision { facts } } } } }`;

/** The event of a decision. */
async function recordOf(id: string): Promise<unknown> {
  const { data, errors } = await owner.graphql<{ event: unknown }>(DECIDED, { id });
  if (data?.event == null) throw new Error(JSON.stringify(errors));
  return data.event;
}

/** A session of ada and the agent in the project, with its first event as given, known to whoever decides. */
async function aKnownSession(event: object = {}): Promise<string> {
  const id = `run ${randomUUID()}`;
  await recordedInOrder(company.platform, owner, [
    aCloudEvent({ subject: id, projectid: company.api, userid: 'ada', agentid: company.coder, ...event }),
  ]);
  await sessionOf(owner, id, 'id');
  return id;
}

describe('a token that names an agent', () => {
  it('may ask for that agent', async () => {
    const agent = await company.member('DEVELOPER', company.api, { agentId: company.coder });

    const { id, verdict } = await decisionOn(agent, question());

    expect(verdict).toBe('ALLOW');
    expect(await recordOf(id)).toMatchObject({ agent: { id: company.coder }, payload: { contradictions: [] } });
  });

  it('is denied to ask for another, and the record is of the one that it names', async () => {
    const agent = await company.member('DEVELOPER', company.api, { agentId: 'the token’s' });

    const decision = await decisionOn(agent, question());

    expect(decision).toMatchObject({ verdict: 'DENY', basis: 'IDENTITY_CONTRADICTED', reasons: [] });
    expect(await recordOf(decision.id)).toMatchObject({
      agent: { id: 'the token’s' },
      payload: { contradictions: [{ field: 'AGENT_ID', claimed: company.coder, known: 'the token’s' }] },
    });
  });

  it('is denied the same through AuthZEN', async () => {
    const agent = await company.member('DEVELOPER', company.api, { agentId: 'the token’s' });

    const response = await agent.request('/access/v1/evaluation', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        subject: { type: 'agent', id: company.coder },
        action: { name: 'invokeTool' },
        resource: { type: 'tool', id: 'deploy', properties: { project: company.api } },
      }),
    });

    expect(await response.json()).toMatchObject({ decision: false, context: { verdict: 'DENY', basis: 'IDENTITY_CONTRADICTED' } });
  });
});

describe('a decision that no policy made', () => {
  it('is not explained by policies', async () => {
    const agent = await company.member('DEVELOPER', company.api, { agentId: 'the token’s' });
    const { id } = await decisionOn(agent, question());

    const { data } = await owner.graphql(
      'query ($id: ID!) { agentPolicyExplain(input: { decisionId: $id }) { explanation { verdict } errors { __typename ... on AgentInputInvalid { problems { path message } } } } }',
      { id },
    );

    expect(data).toMatchObject({
      agentPolicyExplain: {
        explanation: null,
        errors: [{ problems: [{ path: 'decisionId', message: expect.stringContaining('without asking any policy') }] }],
      },
    });
  });
});

describe('a call that names a session', () => {
  it('comes from where the session says, started by what started it, whatever the caller leaves out', async () => {
    const sessionId = await aKnownSession({ surface: 'IDE', executionmode: 'INTERACTIVE', parentsessionid: 'parent' });

    const { id } = await decisionOn(ada, question({ sessionId }));

    expect(await recordOf(id)).toMatchObject({
      ...{ surface: 'IDE', executionMode: 'INTERACTIVE', parentSessionId: 'parent' },
      payload: { contradictions: [], decision: { facts: { surface: 'IDE', executionMode: 'INTERACTIVE' } } },
    });
  });

  it('is decided on what the session says where the caller says otherwise, and the record tells both', async () => {
    await aPublishedPolicy(owner, company.id, 'forbid (principal, action, resource) when { context.surface == "CI" };');
    const sessionId = await aKnownSession({ surface: 'CI', executionmode: 'BACKGROUND' });

    const decision = await decisionOn(ada, question({ sessionId, surface: 'IDE', executionMode: 'INTERACTIVE' }));

    expect(decision).toMatchObject({ verdict: 'DENY', basis: 'FORBIDDEN' });
    expect(await recordOf(decision.id)).toMatchObject({
      ...{ surface: 'CI', executionMode: 'BACKGROUND' },
      payload: {
        contradictions: [
          { field: 'SURFACE', claimed: 'IDE', known: 'CI' },
          { field: 'EXECUTION_MODE', claimed: 'INTERACTIVE', known: 'BACKGROUND' },
        ],
      },
    });
  });

  it('is decided on what the caller says, where the session says nothing and where none is known', async () => {
    for (const sessionId of [await aKnownSession(), 'nobody has told of it']) {
      const { id } = await decisionOn(ada, question({ sessionId, surface: 'WEB' }));

      expect(await recordOf(id)).toMatchObject({
        ...{ surface: 'WEB', executionMode: null },
        payload: { contradictions: [], decision: { facts: { surface: 'WEB', executionMode: 'BACKGROUND' } } },
      });
    }
  });

  it('is denied in a session of another user, of which the record tells nothing', async () => {
    const sessionId = await aKnownSession({ userid: 'bob', surface: 'IDE' });

    const decision = await decisionOn(ada, question({ sessionId }));

    expect(decision).toMatchObject({ verdict: 'DENY', basis: 'IDENTITY_CONTRADICTED' });
    expect(await recordOf(decision.id)).toMatchObject({
      ...{ surface: null, parentSessionId: null },
      payload: { contradictions: [{ field: 'USER_ID', claimed: 'ada', known: null }] },
    });
  });

  it('is denied in a session of another agent', async () => {
    const sessionId = await aKnownSession({ agentid: 'another' });

    const decision = await decisionOn(ada, question({ sessionId }));

    expect(decision).toMatchObject({ verdict: 'DENY', basis: 'IDENTITY_CONTRADICTED' });
    expect(await recordOf(decision.id)).toMatchObject({
      payload: { contradictions: [{ field: 'AGENT_ID', claimed: company.coder, known: 'another' }] },
    });
  });

  it('that was allowed, is not any more under the same request id once the session turns out to be another agent’s', async () => {
    const sessionId = `run ${randomUUID()}`;
    const asked = question({ sessionId, requestId: 'r' });
    const token = { userId: 'ada', organizationId: company.id, scopes: ['decision:request'] };
    const first = await decisionOn(ada, asked);
    // The session's agent is that of its earliest event.
    await recordedInOrder(company.platform, owner, [
      aCloudEvent({ subject: sessionId, projectid: company.api, userid: 'ada', agentid: 'another', time: '2026-11-29T00:00:00Z' }),
    ]);
    await sessionOf(owner, sessionId, 'id');
    const elsewhere = await subgraph.sibling();

    const again = await decisionOn(await elsewhere.as(token), asked);
    await elsewhere.close();

    expect([first.verdict, again.verdict]).toEqual(['ALLOW', 'DENY']);
    expect(again.id).not.toBe(first.id);
  });

  it.each<[string, object, readonly [boolean, boolean]]>([
    ['their own', {}, [true, false]],
    ['that works from where it must not', { surface: 'CI' }, [false, false]],
    ['of another user', { userid: 'bob' }, [false, false]],
    ['of another agent', { agentid: 'another' }, [false, true]],
  ])('is found by searches as it is decided: in a session of %s', async (_whose, event, wanted) => {
    const agents = [company.coder, 'another'];
    await pushed(company.platform, { agents: agents.map((id) => ({ id, ownerId: 'ada' })) });
    await registerTool(owner, { id: 'io.example/deploy' });
    await aPublishedPolicy(owner, company.id, 'forbid (principal, action, resource) when { context.surface == "CI" };');
    const context = { session: await aKnownSession(event), surface: 'IDE' };
    const action = { name: 'invokeTool' };
    const resource = aResource('io.example/deploy', company.api);

    const decided = agents.map((id) => authzen(ada, 'evaluation', { subject: { type: 'agent', id }, action, resource, context }));
    const ofAgents = agents.map((id) => ({ subject: { type: 'agent', id }, action, resource, context }));
    const byAction = ofAgents.map((request) => authzen<Found>(ada, 'search/action', request));
    const byResource = ofAgents.map((request) => authzen<Found>(ada, 'search/resource', request));
    const bySubject = await authzen<Found>(ada, 'search/subject', { subject: { type: 'agent' }, action, resource, context });

    expect((await Promise.all(decided)).map(({ body }) => body.decision)).toEqual(wanted);
    for (const found of [await Promise.all(byAction), await Promise.all(byResource)])
      expect(found.map(({ body }) => body.results.length)).toEqual(wanted.map(Number));
    expect(agents.map((id) => bySubject.body.results.some((subject) => subject.id === id))).toEqual(wanted);
  });

  it('costs no statement for a session that is known', async () => {
    const sessionId = await aKnownSession();
    await decisionOn(ada, question({ sessionId }));

    const statements = await statementsDuring(() =>
      Promise.all(Array.from({ length: 20 }, () => askDecision(ada, question({ sessionId })))),
    );

    expect(statements.filter((text) => text.includes('parent_session_id FROM agent_session'))).toEqual([]);
  });
});
