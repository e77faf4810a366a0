import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { askDecision } from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
let company: TestOrganization;
let auditor: Client;
let ada: Client;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());
beforeEach(async () => {
  company = await anOrganization(subgraph);
  auditor = await company.member('AUDITOR', company.id);
  ada = await company.member('DEVELOPER', company.api, { userId: 'ada' });
});

const REFUSED = `query { agentAuditEvents(first: 100, filter: { types: ["ai_tool_decision_refused"] }) { nodes {
  user { id } agent { id } project { id } sessionId verdict payload { ... on AgentDecisionRefusalPayload { reason route fields leftOut } } } } }`;

type Refused = Readonly<Record<string, unknown>>;

/** The refusals that are recorded, oldest first, once there are so many: nobody waits for them. */
async function refusals(count: number, client = auditor): Promise<readonly Refused[]> {
  for (;;) {
    const { data } = await client.graphql<{ agentAuditEvents: { nodes: readonly Refused[] } }>(REFUSED);
    const nodes = data?.agentAuditEvents.nodes ?? [];
    if (nodes.length >= count) return [...nodes].reverse();
    await sleep(5);
  }
}

const question = (more: object = {}) => ({ agentId: company.coder, projectId: company.api, tool: 'deploy', ...more });
const body = (more: object = {}) => ({
  subject: { type: 'agent', id: company.coder },
  action: { name: 'invokeTool' },
  resource: { type: 'tool', id: 'deploy', properties: { project: company.api } },
  ...more,
});
const post = async (client: Client, sent: string): Promise<number> =>
  (await client.request('/access/v1/evaluation', { method: 'POST', headers: { 'content-type': 'application/json' }, body: sent })).status;
const ask = (client: Client, more: object = {}): Promise<number> => post(client, JSON.stringify(body(more)));

describe('a refused question', () => {
  it('is recorded where the token has not the scope, through either door', async () => {
    const reader = await company.member('DEVELOPER', company.api, { userId: 'reader', scopes: ['audit:read'] });

    expect(await ask(reader)).toBe(403);
    await reader.graphql('mutation ($i: AgentDecisionRequestInput!) { agentDecisionRequest(input: $i) { errors { __typename } } }', {
      i: question(),
    });

    const common = { user: { id: 'reader' }, agent: { id: company.coder }, project: null, sessionId: null, verdict: null };
    expect(await refusals(2)).toEqual([
      { ...common, payload: { reason: 'SCOPE_MISSING', route: 'AUTHZEN', fields: [], leftOut: 0 } },
      { ...common, payload: { reason: 'SCOPE_MISSING', route: 'GRAPHQL', fields: [], leftOut: 0 } },
    ]);
  });

  it('is recorded where the project does not exist for who asks, and names it not', async () => {
    await askDecision(ada, question({ projectId: company.shop, sessionId: 'run' }));
    expect(await ask(ada, { resource: { type: 'tool', id: 'deploy', properties: { project: 'nowhere' } } })).toBe(200);

    expect(await refusals(2)).toMatchObject([
      { project: null, sessionId: null, payload: { reason: 'PROJECT_NOT_FOUND', route: 'GRAPHQL', fields: ['projectId'] } },
      { project: null, payload: { reason: 'PROJECT_NOT_FOUND', route: 'AUTHZEN', fields: ['resource.properties.project'] } },
    ]);
  });

  it.each([
    [
      'fields',
      () => ({ subject: { type: 'agent', id: '' }, context: { surface: 'MOON', promises: ['no such'] } }),
      null,
      ['subject.id', 'context.surface', 'context.promises.0'],
    ],
    ['another type of subject', () => ({ subject: { type: 'user', id: 'x' } }), { id: 'x' }, ['subject.type']],
    ['members left out', () => ({ action: undefined }), { id: 'COMPANY’S' }, ['action']],
    [
      'arguments',
      () => ({ action: { name: 'invokeTool', properties: { arguments: { secret: '\ud800' } } } }),
      { id: 'COMPANY’S' },
      ['action.properties.arguments'],
    ],
    ['a token in place of an agent', () => ({ subject: { type: 'x', id: `glpat-${'a1B2'.repeat(5)}` } }), null, ['subject.type']],
  ])('is recorded with the names of what is wrong, and nothing of what stands there: %s', async (_what, wrong, agent, fields) => {
    expect(await ask(ada, wrong())).toBe(400);

    expect(await refusals(1)).toEqual([
      {
        ...{ user: { id: 'ada' }, project: null, sessionId: null, verdict: null },
        agent: agent?.id === 'COMPANY’S' ? { id: company.coder } : agent,
        payload: { reason: 'QUESTION_INVALID', route: 'AUTHZEN', fields, leftOut: 0 },
      },
    ]);
  });

  it('is recorded where the body is no JSON, and where it is too large', async () => {
    expect(await post(ada, '{')).toBe(400);
    expect(await post(ada, JSON.stringify('x'.repeat(1024 * 1024)))).toBe(413);

    expect(await refusals(2)).toMatchObject(
      Array(2).fill({ agent: null, payload: { reason: 'QUESTION_INVALID', route: 'AUTHZEN', fields: ['body'] } }),
    );
  });

  it('is recorded where a GraphQL input is none', async () => {
    await askDecision(ada, question({ agentId: '', tool: 'x'.repeat(301) }));

    expect(await refusals(1)).toMatchObject([
      { agent: null, payload: { reason: 'QUESTION_INVALID', route: 'GRAPHQL', fields: ['agentId', 'tool'] } },
    ]);
  });

  it('is seen by who asked, and by nobody who does not see the organization', async () => {
    await ask(ada, { subject: {} });
    await refusals(1, ada);

    const other = await company.member('MAINTAINER', company.api);
    expect(await refusals(0, other)).toEqual([]);
  });

  it('of nobody in particular is not recorded', async () => {
    expect(await ask(subgraph.anonymous())).toBe(401);
    expect(await ask(ada, { subject: {} })).toBe(400);

    expect(await refusals(1)).toHaveLength(1);
  });
});

describe('a flood of refused questions', () => {
  it('is recorded up to 60 of one user, the others are counted by the next, and nobody else’s are left out', async () => {
    const clock = { now: Date.now() };
    const own = await subgraph.sibling({}, () => new Date(clock.now));
    const flooder = await own.as({ userId: 'ada', organizationId: company.id, scopes: ['decision:request'] });
    const bob = await own.as({ userId: 'bob', organizationId: company.id, scopes: ['decision:request'] });
    const times = (count: number, client: Client) => Promise.all(Array.from({ length: count }, () => ask(client, { subject: {} })));

    expect(new Set(await times(75, flooder))).toEqual(new Set([400]));
    await times(1, bob);
    expect(await refusals(61)).toHaveLength(61);
    clock.now += 1_000;
    await times(2, flooder);

    const recorded = await refusals(62);
    await own.close();
    expect(recorded).toHaveLength(62);
    expect(recorded.filter(({ user }) => JSON.stringify(user) === '{"id":"bob"}')).toHaveLength(1);
    expect(recorded.filter(({ payload }) => JSON.stringify(payload).includes('"leftOut":15'))).toHaveLength(1);
  });

  it('is refused as ever while nothing can be stored, and recorded once it can', async () => {
    const admin = new pg.Client(subgraph.databaseUrl);
    await admin.connect();
    await admin.query('BEGIN; LOCK TABLE audit_event IN SHARE MODE');

    expect(await ask(ada, { subject: {} })).toBe(400);

    await admin.query('COMMIT');
    await admin.end();
    expect(await refusals(1)).toHaveLength(1);
  });
});
