import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { aDatabase, type TestDatabase } from '../support/database.js';
import { aPublishedPolicy, askDecision, decisionOn } from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { aProxy, through, type Proxy } from '../support/proxy.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

const TIMEOUT = 300;
/** No answer takes longer: the time that it may take, and what a busy machine adds. */
const AT_MOST = TIMEOUT + 1_500;

let database: TestDatabase;
let network: Proxy;
let subgraph: TestSubgraph;
let company: TestOrganization;
let owner: Client;
let ada: Client;
beforeAll(async () => {
  database = await aDatabase();
  network = await aProxy(database.url);
  subgraph = await aSubgraph({ DATABASE_URL: through(network, database.url), DECISION_TIMEOUT_MS: String(TIMEOUT) });
});
afterAll(async () => {
  // What a stalled network has swallowed is never answered: it is broken off.
  await network.cut();
  await subgraph.close();
  await network.close();
  await database.drop();
});
beforeEach(async () => {
  company = await anOrganization(subgraph);
  owner = await company.member('OWNER', company.id);
  ada = await company.member('DEVELOPER', company.api, { userId: 'ada' });
  await aPublishedPolicy(owner, company.id, 'permit (principal, action, resource);');
  await decisionOn(ada, question());
});

const question = (more: object = {}) => ({ agentId: company.coder, projectId: company.api, tool: 'deploy', ...more });

interface Timed {
  readonly milliseconds: number;
  readonly answer: unknown;
}

async function timed(work: Promise<unknown>): Promise<Timed> {
  const start = performance.now();
  const answer = await work;
  return { answer, milliseconds: performance.now() - start };
}

/** A question through each door; what was answered, and after how long. */
const askedTwice = (requestId: string): Promise<readonly Timed[]> =>
  Promise.all([
    timed(askDecision(ada, question({ requestId })).catch((error: unknown) => String(error))),
    timed(
      ada
        .request('/access/v1/evaluation', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-request-id': requestId },
          body: JSON.stringify({
            subject: { type: 'agent', id: company.coder },
            action: { name: 'invokeTool' },
            resource: { type: 'tool', id: 'deploy', properties: { project: company.api } },
          }),
        })
        .then(async (response) => [response.status, response.headers.get('retry-after'), await response.json()]),
    ),
  ]);

const unavailable = [
  { answer: expect.stringContaining('UNAVAILABLE'), milliseconds: expect.any(Number) },
  { answer: [503, '1', { error: { code: 'UNAVAILABLE', message: expect.any(String) } }], milliseconds: expect.any(Number) },
];

describe('a decision that cannot be recorded in time', () => {
  it('is answered with UNAVAILABLE while the table is locked; what was recorded later is the answer to the same question again', async () => {
    const admin = new pg.Client(database.url);
    await admin.connect();
    await admin.query('BEGIN; LOCK TABLE audit_event IN SHARE MODE');

    const asked = await askedTwice('r');
    await admin.query('COMMIT');
    await admin.end();

    expect(asked).toEqual(unavailable);
    expect(Math.max(...asked.map(({ milliseconds }) => milliseconds))).toBeLessThan(AT_MOST);
    const again = await decisionOn(ada, question({ requestId: 'r' }));
    expect(again).toMatchObject({ verdict: 'ALLOW' });
    const { data } = await owner.graphql<{
      agentAuditEvents: { nodes: { id: string; payload: { decision: { requestId: string | null } } }[] };
    }>(
      '{ agentAuditEvents(first: 100, filter: { types: ["ai_tool_decision_made"] }) { nodes { id payload { ... on AgentDecisionPayload { decision { requestId } } } } } }',
    );
    const recorded = data?.agentAuditEvents.nodes.filter(({ payload }) => payload.decision.requestId === 'r');
    expect(recorded?.map(({ id }) => id)).toEqual([again.id]);
  });

  it('is answered with UNAVAILABLE while Postgres says nothing any more, and decided once it does', async () => {
    network.stall();

    const asked = await askedTwice('s');
    // Its connections are dead by now, as after a pause that was too long.
    await network.cut();
    await network.mend();

    expect(asked).toEqual(unavailable);
    expect(Math.max(...asked.map(({ milliseconds }) => milliseconds))).toBeLessThan(AT_MOST);
    expect(await decisionOn(ada, question({ requestId: 's' }))).toMatchObject({ verdict: 'ALLOW' });
  });
});
