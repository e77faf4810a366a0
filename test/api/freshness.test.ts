import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aPublishedPolicy, askDecision, DECIDE, decisionOn, publishPolicy } from '../support/governing.js';
import { anOrganization } from '../support/organization.js';
import { aProxy, through, type Proxy } from '../support/proxy.js';
import { aSubgraph, type TestSubgraph } from '../support/subgraph.js';

const PERMIT = 'permit (principal, action, resource);';

let subgraph: TestSubgraph;
let network: Proxy;
let cutOff: TestSubgraph;
/** How far the clock of the process that is cut off is ahead. */
let ahead = 0;
beforeAll(async () => {
  subgraph = await aSubgraph();
  network = await aProxy(subgraph.databaseUrl);
  const environment = { DATABASE_URL: through(network, subgraph.databaseUrl), SEQUENCER: 'off' };
  cutOff = await subgraph.sibling(environment, () => new Date(Date.now() + ahead));
});
afterAll(async () => {
  await network.mend();
  await cutOff.close();
  await network.close();
  await subgraph.close();
});

describe('a process whose database hangs', () => {
  it('says within about a second that it cannot decide, and decides by what is in force then once it answers again', async () => {
    const company = await anOrganization(subgraph);
    const grace = await company.member('OWNER', company.id, { userId: `${company.id}/grace` });
    const policyId = await aPublishedPolicy(grace, company.id, PERMIT);
    const there = await cutOff.as({ userId: `${company.id}/grace`, organizationId: company.id, scopes: ['decision:request'] });
    const call = { agentId: company.coder, projectId: company.api, tool: 'anything' };
    const before = await decisionOn(there, call);

    network.stall();
    await publishPolicy(grace, { policyId, basedOn: 1, text: `forbid (principal, action, resource);` });
    ahead += 500;
    const startedAt = performance.now();
    const answers = await Promise.all([1, 2, 3].map(() => there.graphql(DECIDE, { input: call })));
    const tookMilliseconds = performance.now() - startedAt;
    await network.cut();
    await network.mend();

    expect(before.verdict).toBe('ALLOW');
    expect(answers.map(({ errors }) => errors?.[0]?.extensions?.['code'])).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE']);
    expect(tookMilliseconds).toBeGreaterThan(500);
    expect(tookMilliseconds).toBeLessThan(2_500);
    expect((await askDecision(there, call)).decision?.verdict).toBe('DENY');
  });
});
