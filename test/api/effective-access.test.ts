import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aPublishedPolicy, decisionOn, registerTool } from '../support/governing.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { statementsDuring } from '../support/statements.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

const ACCESS = 'verdict basis obligations approvalNeeded { level count } dependsOn';
const TOOLS = `query ($agents: [_Any!]!, $projectId: ID!, $userId: ID, $circumstances: AgentCircumstancesInput, $first: Int, $after: String) {
  _entities(representations: $agents) { ... on Agent { effectiveTools(projectId: $projectId, userId: $userId, circumstances: $circumstances, first: $first, after: $after) {
    nodes { toolId tool { id actionType } ${ACCESS} } pageInfo { hasNextPage hasPreviousPage endCursor } } } } }`;
const AGENTS = `query ($projects: [_Any!]!, $tool: String!, $userId: ID, $circumstances: AgentCircumstancesInput, $verdicts: [AgentVerdict!], $first: Int, $after: String) {
  _entities(representations: $projects) { ... on Project { agentToolAccess(tool: $tool, userId: $userId, circumstances: $circumstances, verdicts: $verdicts, first: $first, after: $after) {
    nodes { agentId agent { id } ${ACCESS} } pageInfo { hasNextPage hasPreviousPage endCursor } } } } }`;

interface Page {
  readonly nodes: readonly Readonly<Record<string, unknown>>[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

let subgraph: TestSubgraph;
let company: TestOrganization;
let owner: Client;
let developer: Client;
let ada: string;
/** An agent that ada is responsible for, and one that nobody is. */
let own: string;
let ops: string;

const ASKS = `@approval("maintainer") forbid (principal, action, resource)
when { resource.risk >= 3 && context.environment == "production" } unless { context has approval && context.approval.level >= 40 };`;
const BASE = `permit (principal, action, resource) when { context.role >= 30 };
${ASKS}
@oblige("log:full") forbid (principal in AgentClass::"ops", action, resource in ToolLabel::"exec") unless { context.promises.contains("log:full") };
forbid (principal, action, resource) when { resource.risk >= 2 && resource.hasTag("path") };`;

beforeAll(async () => {
  subgraph = await aSubgraph();
  company = await anOrganization(subgraph);
  ada = `${company.id}/ada`;
  [own, ops] = [`${company.coder}/own`, `${company.coder}/ops`];
  owner = await company.member('OWNER', company.id);
  developer = await company.member('DEVELOPER', company.payments, { userId: ada, scopes: ['decision:request'] });
  await pushed(company.platform, {
    agents: [
      { id: own, classes: [], trust: 10, autonomous: false, ownerId: ada },
      { id: ops, classes: ['ops'], trust: 90, autonomous: true, ownerId: null },
    ],
  });
  for (const [id, actionType, labels] of TOOL_ROWS) await registerTool(owner, { id, actionType, actionTypeReason: 'so', labels });
  await registerTool(owner, { id: 'io.example/web-only', namespaceId: company.web });
  await aPublishedPolicy(owner, company.payments, BASE, 'base');
});
afterAll(() => subgraph.close());

const TOOL_ROWS = [
  ['io.example/drop', 'DESTROY', ['data']],
  ['io.example/exec', 'WRITE', ['exec']],
  ['io.example/read', 'READ', []],
] as const;

async function tools(client: Client, agents: readonly string[], more: object = {}): Promise<readonly (Page | null)[]> {
  const { data, errors } = await client.graphql<{ _entities: readonly { effectiveTools: Page | null }[] }>(TOOLS, {
    agents: agents.map((id) => ({ __typename: 'Agent', id })),
    ...{ projectId: company.api, first: 20, ...more },
  });
  if (data == null) throw new Error(JSON.stringify(errors));
  return data._entities.map(({ effectiveTools }) => effectiveTools);
}

async function agents(client: Client, projects: readonly string[], more: object = {}): Promise<readonly (Page | null)[]> {
  const { data, errors } = await client.graphql<{ _entities: readonly { agentToolAccess: Page | null }[] }>(AGENTS, {
    projects: projects.map((id) => ({ __typename: 'Project', id })),
    ...{ tool: 'io.example/exec', first: 20, ...more },
  });
  if (data == null) throw new Error(JSON.stringify(errors));
  return data._entities.map(({ agentToolAccess }) => agentToolAccess);
}

describe('the tools that an agent may use', () => {
  it('are those of the project and above, each with the verdict, and on what it depends', async () => {
    const [ofOps, ofNobody] = await tools(developer, [ops, 'nobody']);

    expect(ofOps?.nodes).toEqual([
      {
        ...{ toolId: 'io.example/drop', tool: { id: 'io.example/drop', actionType: 'DESTROY' }, verdict: 'ASK', basis: 'APPROVAL_NEEDED' },
        ...{ obligations: [], approvalNeeded: { level: 40, count: 1 }, dependsOn: ['ARGUMENTS', 'ENVIRONMENT'] },
      },
      {
        ...{ toolId: 'io.example/exec', tool: { id: 'io.example/exec', actionType: 'WRITE' }, verdict: 'DENY', basis: 'OBLIGATION_NEEDED' },
        ...{ obligations: ['log:full'], approvalNeeded: null, dependsOn: ['ARGUMENTS'] },
      },
      {
        ...{ toolId: 'io.example/read', tool: { id: 'io.example/read', actionType: 'READ' }, verdict: 'ALLOW', basis: 'PERMITTED' },
        ...{ obligations: [], approvalNeeded: null, dependsOn: [] },
      },
    ]);
    expect(ofNobody?.nodes.map(({ verdict }) => verdict)).toEqual(['ASK', 'ALLOW', 'ALLOW']);
  });

  it('are those that decisions allow, in the same circumstances', async () => {
    const circumstances = { environment: 'staging', promises: ['log'] };
    const [page] = await tools(developer, [ops], { circumstances });

    for (const { toolId, verdict, basis, obligations } of page?.nodes ?? []) {
      const decision = await decisionOn(developer, { agentId: ops, projectId: company.api, tool: toolId, ...circumstances });
      expect({ toolId, verdict, basis }).toEqual({ toolId, verdict: decision.verdict, basis: decision.basis });
      expect(obligations).toEqual(toolId === 'io.example/exec' ? ['log:full'] : []);
    }
    expect(page?.nodes.map(({ verdict }) => verdict)).toEqual(['ALLOW', 'ALLOW', 'ALLOW']);
  });

  it('come in pages, by id', async () => {
    const [first] = await tools(developer, [ops], { first: 2 });
    const [second] = await tools(developer, [ops], { first: 2, after: first?.pageInfo.endCursor });

    expect([first, second]).toMatchObject([
      { nodes: [{ toolId: 'io.example/drop' }, { toolId: 'io.example/exec' }], pageInfo: { hasNextPage: true, hasPreviousPage: false } },
      { nodes: [{ toolId: 'io.example/read' }], pageInfo: { hasNextPage: false, hasPreviousPage: true } },
    ]);
    expect((await tools(developer, [ops], { projectId: company.web }))[0]?.nodes).toHaveLength(4);
  });

  it('take as many statements for a hundred agents as for two', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `${ops}/${index}`);
    await tools(developer, many(1));
    const few = await statementsDuring(() => tools(developer, many(2)));
    const all = await statementsDuring(() => tools(developer, many(100)));

    expect(all.filter((statement) => /FROM (tool|agent|namespace|membership|directory_user)\b/.test(statement))).toHaveLength(
      few.filter((statement) => /FROM (tool|agent|namespace|membership|directory_user)\b/.test(statement)).length,
    );
  });
});

describe('the agents that may use a tool', () => {
  it('are those of the directory, each with the verdict, on behalf of the user that is named', async () => {
    const [page] = await agents(owner, [company.api], { userId: ada });

    expect(page?.nodes).toEqual([
      expect.objectContaining({ agentId: company.coder, agent: { id: company.coder }, verdict: 'ALLOW', dependsOn: ['ARGUMENTS'] }),
      expect.objectContaining({ agentId: ops, verdict: 'DENY', basis: 'OBLIGATION_NEEDED', obligations: ['log:full'] }),
      expect.objectContaining({ agentId: own, verdict: 'ALLOW' }),
    ]);
  });

  it('are shown to whoever maintains, owns or audits the project; to others, those that they are responsible for', async () => {
    const auditor = await company.member('AUDITOR', company.payments);

    expect((await agents(developer, [company.api]))[0]?.nodes.map(({ agentId }) => agentId)).toEqual([own]);
    expect((await agents(auditor, [company.api]))[0]?.nodes).toHaveLength(3);
  });

  it('can be those with one verdict, in pages that go on where the last one ended', async () => {
    const wanted = { userId: ada, verdicts: ['ALLOW'], first: 1 };
    const [first] = await agents(owner, [company.api], wanted);
    const [second] = await agents(owner, [company.api], { ...wanted, after: first?.pageInfo.endCursor });
    const [none] = await agents(owner, [company.api], { ...wanted, verdicts: [] });

    expect([first, second]).toMatchObject([
      { nodes: [{ agentId: company.coder }], pageInfo: { hasNextPage: true } },
      { nodes: [{ agentId: own }], pageInfo: { hasNextPage: false } },
    ]);
    expect(none).toMatchObject({ nodes: [], pageInfo: { hasNextPage: false } });
  });

  it('are asked about a tool of another place, or an unknown one, as decisions are', async () => {
    const unknown = { tool: 'nobody/knows', userId: ada };
    expect((await agents(owner, [company.api], unknown))[0]?.nodes[0]).toMatchObject({ verdict: 'ASK' });
    const [here, there] = await agents(owner, [company.api, company.web], {
      tool: 'io.example/web-only',
      userId: ada,
      circumstances: { environment: 'dev' },
    });
    expect([here, there]).toMatchObject([{ nodes: [{ verdict: 'ALLOW' }, {}, {}] }, { nodes: [{ verdict: 'ALLOW' }, {}, {}] }]);
  });
});

describe('who may ask', () => {
  it('is a member of the project; on behalf of another, who maintains, owns or audits it. Else there is nothing', async () => {
    const others = await anOrganization(subgraph);
    const stranger = await others.member('OWNER', others.id);
    const reporter = await company.member('REPORTER', company.api, { scopes: [] });

    expect(await tools(stranger, [ops])).toEqual([null]);
    expect(await tools(await company.outsider(), [ops])).toEqual([null]);
    expect(await tools(developer, [ops], { projectId: 'none' })).toEqual([null]);
    expect(await tools(owner, [ops], { projectId: company.core })).toEqual([null]);
    expect(await tools(reporter, [ops], { userId: ada })).toEqual([null]);
    expect(await tools(owner, [ops], { userId: 'nobody' })).toEqual([null]);
    expect((await tools(reporter, [ops]))[0]?.nodes.map(({ verdict }) => verdict)).toEqual(['DENY', 'DENY', 'DENY']);
    expect((await tools(owner, [ops], { userId: ada }))[0]?.nodes.map(({ verdict }) => verdict)).toEqual(['ASK', 'DENY', 'ALLOW']);
    expect(await agents(stranger, [company.api])).toEqual([null]);
    expect(await agents(reporter, [company.api], { userId: ada })).toEqual([null]);
    expect((await agents(reporter, [company.api]))[0]?.nodes).toEqual([]);
  });

  it('is told what of the question is not acceptable', async () => {
    const refusal = async (more: object) =>
      (await developer.graphql(TOOLS, { agents: [{ __typename: 'Agent', id: ops }], projectId: company.api, ...more })).errors?.[0];

    expect(await refusal({ circumstances: { environment: '', promises: ['A b'] } })).toMatchObject({
      message:
        'circumstances.environment: must not be empty. circumstances.promises.0: must be an obligation such as redact:pii, or a kind of them such as redact.',
      extensions: { code: 'BAD_USER_INPUT' },
    });
    expect(await refusal({ userId: '' })).toMatchObject({ message: 'userId: must not be empty.' });
    expect(await refusal({ first: 101 })).toMatchObject({ message: 'first: must be from 1 to 100; got 101.' });
  });
});
