import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aPublishedPolicy, decisionOn, REFUSALS, type DecisionAnswer } from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { statementsDuring } from '../support/statements.js';
import { aSubgraph, type Answer, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
let company: TestOrganization;
let developer: Client;
beforeAll(async () => {
  subgraph = await aSubgraph();
  company = await anOrganization(subgraph);
  developer = await company.member('DEVELOPER', company.api);
  const owner = await company.member('OWNER', company.id);
  await aPublishedPolicy(owner, company.id, 'permit (principal, action, resource in Tool::"read");', 'reading');
});
afterAll(() => subgraph.close());

const BULK = `mutation ($inputs: [AgentDecisionRequestInput!]!) { answers: agentDecisionRequests(inputs: $inputs) {
  decision { id verdict basis toolName requestId event { id } } errors { ${REFUSALS} } } }`;

const question = (more: object = {}): object => ({ agentId: company.coder, projectId: company.api, tool: 'read', ...more });
const ask = (inputs: readonly object[], client = developer): Promise<Answer<{ readonly answers: readonly DecisionAnswer[] | null }>> =>
  client.graphql(BULK, { inputs });

describe('agentDecisionRequests', () => {
  it('answers each call as agentDecisionRequest does, in the order asked', async () => {
    const tools = ['read', 'write', 'read', 'delete'];

    const { data } = await ask(tools.map((tool) => question({ tool })));

    const alone = await Promise.all(tools.map((tool) => decisionOn(developer, question({ tool }))));
    expect(data?.answers).toMatchObject(
      alone.map(({ verdict, basis, toolName }) => ({ decision: { verdict, basis, toolName }, errors: [] })),
    );
    expect(new Set(data?.answers?.map(({ decision }) => decision?.id)).size).toBe(4);
  });

  it('tells of an ill-formed call what is wrong with it, and decides the others', async () => {
    const inputs = [question({ environment: '' }), question(), question({ projectId: company.shop }), question({ arguments: [] })];

    const { data } = await ask(inputs);

    const ill = (path: string) => ({
      decision: null,
      errors: [{ __typename: 'AgentInputInvalid', inputProblems: [expect.objectContaining({ path })] }],
    });
    expect(data?.answers).toMatchObject([
      ill('environment'),
      { decision: { verdict: 'ALLOW' }, errors: [] },
      { decision: null, errors: [{ __typename: 'AgentNotFound', field: 'projectId' }] },
      ill('arguments'),
    ]);
  });

  it('shares commits among them', async () => {
    const sent = await statementsDuring(async () => {
      expect((await ask(Array.from({ length: 50 }, () => question()))).data?.answers).toHaveLength(50);
    });

    expect(sent.filter((statement) => statement.includes('INSERT INTO audit_event')).length).toBeLessThanOrEqual(5);
  });

  it('gives a question that is asked twice under one request id one record', async () => {
    const { data } = await ask([question({ requestId: 'one' }), question({ requestId: 'one' }), question({ requestId: 'two' })]);

    const ids = data?.answers?.map(({ decision }) => decision?.id) ?? [];
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it('takes none, and at most 50', async () => {
    expect((await ask([])).data?.answers).toEqual([]);
    expect((await ask(Array.from({ length: 51 }, () => question()))).errors).toMatchObject([
      { message: 'inputs: must hold at most 50; got 51.', extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  it('needs the scope decision:request', async () => {
    const reader = await company.member('DEVELOPER', company.api, { scopes: ['audit:read'] });

    expect(await ask([question()], reader)).toMatchObject({ data: { answers: null }, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });
});
