import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aPublishedPolicy, decisionOn, registerTool } from '../support/governing.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { itWithData, linesOf } from '../support/shared-data.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

async function aCompany(): Promise<{ readonly company: TestOrganization; readonly owner: Client }> {
  const company = await anOrganization(subgraph);
  return { company, owner: await company.member('OWNER', company.id) };
}

const READ_ONLY = { annotations: { readOnlyHint: true } };

/** What the audit log says of the registry, oldest first. */
async function recorded(client: Client): Promise<readonly unknown[]> {
  const { data } = await client.graphql<{ events: { nodes: readonly unknown[] } }>(
    `{ events: agentAuditEvents(first: 100, filter: { types: ["ai_tool_registered", "ai_tool_changed"] }) { nodes { type tool: toolName payload { ... on AgentToolPayload {
      actionType actionTypeReason definitionDigest previousDefinitionDigest tool { id } } } } } }`,
  );
  return [...(data?.events.nodes ?? [])].reverse();
}

describe('registering a tool', () => {
  it('creates it, changes it, and does nothing when nothing changes', async () => {
    const { company, owner } = await aCompany();
    const tool = {
      id: 'com.example/read_file',
      ...READ_ONLY,
      description: 'Reads.',
      aliases: ['cat', 'type', 'cat'],
      inputSchema: { type: 'object', properties: { b: {}, a: {} } },
    };
    const epoch = async (): Promise<number> =>
      (await decisionOn(owner, { agentId: company.coder, projectId: company.api, tool: 't' })).epoch;

    const first = await registerTool(owner, tool);
    const epochBefore = await epoch();
    const again = await registerTool(owner, {
      ...tool,
      aliases: ['type', 'cat'],
      inputSchema: { properties: { a: {}, b: {} }, type: 'object' },
      actionType: 'READ',
      actionTypeReason: 'not needed',
    });
    const epochSame = await epoch();
    const changed = await registerTool(owner, { ...tool, description: 'Reads a file.' });

    expect(first).toEqual({
      change: 'CREATED',
      errors: [],
      tool: {
        id: 'com.example/read_file',
        server: 'com.example',
        name: 'read_file',
        aliases: ['cat', 'type'],
        actionType: 'READ',
        actionTypeReason: null,
        risk: 1,
        definitionDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
        namespaceId: company.id,
        annotations: { readOnlyHint: true, destructiveHint: null },
      },
    });
    expect(again).toEqual({ ...first, change: 'UNCHANGED' });
    expect(epochSame).toBe(epochBefore);
    expect(changed.change).toBe('CHANGED');
    expect(changed.tool?.['definitionDigest']).not.toBe(first.tool?.['definitionDigest']);
    expect(await epoch()).toBe(epochBefore + 1);
    expect(await recorded(owner)).toEqual([
      {
        type: 'ai_tool_registered',
        tool: tool.id,
        payload: {
          actionType: 'READ',
          actionTypeReason: null,
          definitionDigest: first.tool?.['definitionDigest'],
          previousDefinitionDigest: null,
          tool: { id: tool.id },
        },
      },
      {
        type: 'ai_tool_changed',
        tool: tool.id,
        payload: {
          actionType: 'READ',
          actionTypeReason: null,
          definitionDigest: changed.tool?.['definitionDigest'],
          previousDefinitionDigest: first.tool?.['definitionDigest'],
          tool: { id: tool.id },
        },
      },
    ]);
  });

  it('twenty times at once registers it once', async () => {
    const { owner } = await aCompany();

    const answers = await Promise.all(Array.from({ length: 20 }, () => registerTool(owner, { id: 'com.example/once' })));

    expect(answers.map(({ change }) => change).sort()).toEqual(['CREATED', ...Array.from({ length: 19 }, () => 'UNCHANGED')]);
    expect(await recorded(owner)).toHaveLength(1);
  });

  it('as laxer than its annotations say needs a reason, which is kept and recorded; as stricter it needs none', async () => {
    const { owner } = await aCompany();
    const tool = { id: 'com.example/put', annotations: { destructiveHint: true } };

    expect((await registerTool(owner, { ...tool, actionType: 'WRITE' })).errors).toEqual([
      {
        __typename: 'AgentInputInvalid',
        message: expect.any(String),
        inputProblems: [{ path: 'actionTypeReason', message: expect.stringContaining('WRITE') }],
      },
    ]);
    expect((await registerTool(owner, { ...tool, actionType: 'WRITE', actionTypeReason: '  ' })).errors).toMatchObject([
      { inputProblems: [{ path: 'actionTypeReason' }] },
    ]);
    expect((await registerTool(owner, { ...tool, actionType: 'WRITE', actionTypeReason: 'Keeps versions.' })).tool).toMatchObject({
      actionType: 'WRITE',
      actionTypeReason: 'Keeps versions.',
      risk: 2,
    });
    expect((await registerTool(owner, { id: 'com.example/get', ...READ_ONLY, actionType: 'DESTROY' })).tool).toMatchObject({
      actionType: 'DESTROY',
      actionTypeReason: null,
      risk: 3,
    });
    expect(await recorded(owner)).toMatchObject([
      { payload: { actionType: 'WRITE', actionTypeReason: 'Keeps versions.' } },
      { payload: { actionType: 'DESTROY', actionTypeReason: null } },
    ]);
  });

  it.each([
    ['id', { id: 'no-server' }],
    ['id', { id: '/name' }],
    ['id', { id: 'server/' }],
    ['id', { id: 'server/two words' }],
    ['id', { id: `server/${'x'.repeat(129)}` }],
    ['id', { id: `${'s'.repeat(300)}/x` }],
    ['id', { id: 'server//name' }],
    ['id', { id: '../name' }],
    ['inputSchema', { inputSchema: [] }],
    ['inputSchema', { inputSchema: 'object' }],
    ['inputSchema', { inputSchema: { description: 'x'.repeat(256 * 1024) } }],
    ['inputSchema', { inputSchema: JSON.parse(`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`) }],
    ['inputSchema', { inputSchema: { '\ud800': 1 } }],
    ['description', { description: 'a\u0000' }],
    ['description', { description: '\udfff' }],
    ['aliases.0', { aliases: ['two words'] }],
    ['aliases.0', { aliases: ['com.example/other'] }],
    ['aliases', { aliases: Array.from({ length: 21 }, (_, n) => `a${n}`) }],
  ])('is refused for its %s (%#)', async (path, wrong) => {
    const { owner } = await aCompany();

    expect(await registerTool(owner, { id: 'com.example/tool', ...wrong })).toEqual({
      tool: null,
      change: null,
      errors: [{ __typename: 'AgentInputInvalid', message: expect.any(String), inputProblems: [{ path, message: expect.any(String) }] }],
    });
  });

  it('keeps a NUL character inside a schema as it is', async () => {
    const { owner } = await aCompany();
    const inputSchema = { description: 'a\u0000b', '\u0000': [1.5, null, true] };

    await registerTool(owner, { id: 'com.example/nul', inputSchema });

    expect((await owner.graphql('{ agentTool(id: "com.example/nul") { inputSchema } }')).data).toEqual({ agentTool: { inputSchema } });
  });
});

describe('who may register a tool', () => {
  it.each([
    ['OWNER', 'done'],
    ['MAINTAINER', 'done'],
    ['DEVELOPER', 'FORBIDDEN'],
    ['AUDITOR', 'FORBIDDEN'],
  ] as const)('%s: %s', async (role, wanted) => {
    const { company } = await aCompany();
    const member = await company.member(role, company.payments);

    const answer = await member.graphql(
      'mutation ($n: ID!) { it: agentToolRegister(input: { id: "com.example/tool", namespaceId: $n, inputSchema: {} }) { change } }',
      { n: company.core },
    );

    expect(answer).toMatchObject(
      wanted === 'done' ? { data: { it: { change: 'CREATED' } } } : { data: { it: null }, errors: [{ extensions: { code: wanted } }] },
    );
  });

  it('is nobody without the scope, and nobody outside', async () => {
    const { company } = await aCompany();
    const other = await aCompany();
    const scopeless = await company.member('OWNER', company.id, { scopes: ['policy:write'] });

    expect(
      await scopeless.graphql('mutation { agentToolRegister(input: { id: "com.example/tool", inputSchema: {} }) { change } }'),
    ).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' }, message: expect.stringContaining('tool:write') }] });
    expect((await registerTool(other.owner, { id: 'com.example/tool', namespaceId: company.id })).errors).toEqual([
      { __typename: 'AgentNotFound', field: 'namespaceId', message: expect.any(String) },
    ]);
    expect((await registerTool(other.owner, { id: 'com.example/tool', namespaceId: 'nowhere' })).errors).toEqual([
      { __typename: 'AgentNotFound', field: 'namespaceId', message: expect.any(String) },
    ]);
  });

  it('takes over no tool that somebody else registered for a place that they do not maintain', async () => {
    const { company, owner } = await aCompany();
    await registerTool(owner, { id: 'com.example/tool', namespaceId: company.payments });
    const elsewhere = await company.member('MAINTAINER', company.shop);

    expect((await registerTool(elsewhere, { id: 'com.example/tool', namespaceId: company.shop, ...READ_ONLY })).errors).toMatchObject([
      { __typename: 'AgentNotFound', field: 'id' },
    ]);
    expect((await registerTool(owner, { id: 'com.example/tool', namespaceId: company.shop })).change).toBe('CHANGED');
  });

  it('may register again what was registered for a group that is gone', async () => {
    const { company, owner } = await aCompany();
    await registerTool(owner, { id: 'com.example/tool', namespaceId: company.core });
    await pushed(company.platform, { namespaces: [{ id: company.core, deleted: true }] });

    expect(await registerTool(owner, { id: 'com.example/tool' })).toMatchObject({ change: 'CHANGED', tool: { namespaceId: company.id } });
  });

  it('has the same id in another organization for another tool', async () => {
    const [one, two] = [await aCompany(), await aCompany()];

    await registerTool(one.owner, { id: 'com.example/tool', ...READ_ONLY });
    const other = await registerTool(two.owner, { id: 'com.example/tool', description: 'Something else.' });

    expect(other).toMatchObject({ change: 'CREATED', tool: { actionType: 'DESTROY' } });
    expect((await one.owner.graphql('{ agentTool(id: "com.example/tool") { actionType description } }')).data).toEqual({
      agentTool: { actionType: 'READ', description: null },
    });
  });
});

describe('the name of a tool in a call', () => {
  const KNOWN = { actionType: 'READ', tool: { id: 'com.example.files/read_file' } };
  const UNKNOWN = { actionType: 'DESTROY', tool: null, toolDefinitionDigest: null };
  let company: TestOrganization;
  let owner: Client;
  beforeAll(async () => {
    ({ company, owner } = await aCompany());
    await registerTool(owner, { id: 'com.example.files/read_file', ...READ_ONLY, aliases: ['cat', 'shared'] });
    await registerTool(owner, { id: 'com.example.notes/append', ...READ_ONLY, aliases: ['shared', 'note'] });
    await registerTool(owner, { id: 'com.example.mail/append', ...READ_ONLY });
    await registerTool(owner, { id: 'com.example.web/open', namespaceId: company.web, ...READ_ONLY });
    await aPublishedPolicy(owner, company.id, 'permit (principal, action, resource) when { resource.risk < 4 && resource.known };');
  });
  const decided = (tool: string, project = company.api) => decisionOn(owner, { agentId: company.coder, projectId: project, tool });

  it.each(['com.example.files/read_file', 'cat', 'read_file'])('%s is known', async (name) => {
    expect(await decided(name)).toMatchObject({ verdict: 'ALLOW', toolName: name, ...KNOWN });
  });

  it.each([
    ['that nobody registered', 'rm'],
    ['in other letters', 'CAT'],
    ['of a part of a name', 'file'],
    ['of a part of an id', 'files/read_file'],
    ['that two servers offer', 'append'],
    ['that is an alias of two tools', 'shared'],
    ['that is a wildcard', '%'],
    ['that is SQL', "x' OR true --"],
    ['of a tool that is registered for another project', 'com.example.web/open'],
    ['of a tool that is registered for another project, by its short name', 'open'],
  ])('%s is decided as the most dangerous tool: %s', async (_what, name) => {
    expect(await decided(name)).toMatchObject({ verdict: 'DENY', basis: 'NO_MATCH', toolName: name, ...UNKNOWN });
  });

  it('is known where the tool is registered, and below', async () => {
    expect(await decided('open', company.web)).toMatchObject({ verdict: 'ALLOW', tool: { id: 'com.example.web/open' } });
  });

  it('of an unknown tool has risk 4 for policies', async () => {
    await aPublishedPolicy(
      owner,
      company.shop,
      'permit (principal, action, resource) when { resource.risk == 4 && !resource.known && resource.actionType == "DESTROY" && !(resource has definitionDigest) };',
    );

    expect(await decided('never heard of', company.shop)).toMatchObject({ verdict: 'ALLOW', ...UNKNOWN });
  });
});

describe('who sees which tools', () => {
  it('members see those of their namespaces, of those above and of those below', async () => {
    const { company, owner } = await aCompany();
    for (const [name, namespaceId] of [
      ['a', company.id],
      ['b', company.payments],
      ['c', company.api],
      ['d', company.web],
      ['e', company.shop],
    ])
      await registerTool(owner, { id: `com.example/${name}`, namespaceId });
    const [inCore, inApi, outsider, stranger] = [
      await company.member('GUEST', company.core),
      await company.member('GUEST', company.api),
      await company.outsider(),
      (await aCompany()).owner,
    ];
    const all = async (client: Client) => {
      const { data } = await client.graphql<{
        agentTools: { nodes: readonly { id: string }[] };
        _entities: readonly ({ agentTools: { nodes: readonly { id: string }[] } | null } | null)[];
        agentTool: object | null;
      }>('{ agentTools { nodes { id } } agentTool(id: "com.example/d") { id } }');
      return { tools: data?.agentTools.nodes.map(({ id }) => id.slice(-1)).join(''), d: data?.agentTool !== null };
    };

    expect(await all(owner)).toEqual({ tools: 'abcde', d: true });
    expect(await all(inCore)).toEqual({ tools: 'abc', d: false });
    expect(await all(inApi)).toEqual({ tools: 'abc', d: false });
    expect(await all(outsider)).toEqual({ tools: '', d: false });
    expect(await all(stranger)).toEqual({ tools: '', d: false });
  });

  it('a project shows what can be used in it', async () => {
    const { company, owner } = await aCompany();
    for (const [name, namespaceId] of [
      ['a', company.id],
      ['b', company.payments],
      ['c', company.api],
      ['d', company.web],
    ])
      await registerTool(owner, { id: `com.example/${name}`, namespaceId });
    const projects = [company.api, company.web, company.shop, company.payments, 'nowhere'];

    const { data } = await owner.graphql(
      'query ($it: [_Any!]!) { _entities(representations: $it) { ... on Project { agentTools(first: 2) { nodes { id } pageInfo { hasNextPage } } } } }',
      { it: projects.map((id) => ({ __typename: 'Project', id })) },
    );

    expect(data).toEqual({
      _entities: [
        { agentTools: { nodes: [{ id: 'com.example/a' }, { id: 'com.example/b' }], pageInfo: { hasNextPage: true } } },
        { agentTools: { nodes: [{ id: 'com.example/a' }, { id: 'com.example/b' }], pageInfo: { hasNextPage: true } } },
        { agentTools: { nodes: [{ id: 'com.example/a' }], pageInfo: { hasNextPage: false } } },
        { agentTools: null },
        { agentTools: null },
      ],
    });
  });
});

interface Descriptor {
  readonly server: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema?: object;
  readonly outputSchema?: object;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

describe('the tools of real servers', () => {
  itWithData(
    'mcp/tools.ndjson',
    'are accepted, all but two whose names MCP does not allow, and read back as they were',
    async (path) => {
      const { owner } = await aCompany();
      const descriptors = await linesOf<Descriptor>(path);
      const refused: string[] = [];
      const rest = descriptors.values();
      const register = async (): Promise<void> => {
        for (const { server, name, title, description, inputSchema, outputSchema, annotations: { title: _title, ...hints } = {} } of rest) {
          const { tool, errors } = await registerTool(owner, {
            id: `${server}/${name}`,
            title,
            description,
            inputSchema: inputSchema ?? { type: 'object' },
            outputSchema,
            annotations: hints,
          });
          if (tool === null) refused.push(`${server}/${name}: ${JSON.stringify(errors)}`);
        }
      };
      await Promise.all([register(), register(), register(), register()]);

      expect(refused.sort()).toEqual([
        expect.stringContaining('Summarize Detection'),
        expect.stringContaining('Visualize Entity Detections'),
      ]);
      expect(descriptors).toHaveLength(1_216);
      const read = await allTools(owner);
      const everything = descriptors.filter(({ name }) => !name.includes(' '));
      expect(read.map(({ id }) => id)).toEqual(everything.map(({ server, name }) => `${server}/${name}`).sort());
      const byId = new Map(read.map((tool) => [tool.id, tool]));
      for (const { server, name, inputSchema, description } of everything) {
        expect(byId.get(`${server}/${name}`)).toMatchObject({
          name,
          server,
          description: description ?? null,
          inputSchema: inputSchema ?? { type: 'object' },
        });
      }
    },
    60_000,
  );
});

async function allTools(client: Client): Promise<readonly { readonly id: string }[]> {
  const tools: { readonly id: string }[] = [];
  for (let after: string | null = null, more = true; more;) {
    const {
      data,
    }: { data?: { agentTools: { nodes: readonly { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } } | null } =
      await client.graphql(
        'query ($after: String) { agentTools(first: 100, after: $after) { nodes { id server name description inputSchema } pageInfo { hasNextPage endCursor } } }',
        { after },
      );
    tools.push(...(data?.agentTools.nodes ?? []));
    after = data?.agentTools.pageInfo.endCursor ?? null;
    more = data?.agentTools.pageInfo.hasNextPage ?? false;
  }
  return tools;
}

describe('a tool that is registered for another part of the organization', () => {
  it('is permitted by name there alone, and forbidden by name everywhere', async () => {
    const { company, owner } = await aCompany();
    const ask = (projectId: string, tool: string) => decisionOn(owner, { agentId: company.coder, projectId, tool });
    await registerTool(owner, { id: 'com.example/deploy', namespaceId: company.core, ...READ_ONLY });
    await registerTool(owner, { id: 'com.example/wipe', namespaceId: company.core, ...READ_ONLY });
    await aPublishedPolicy(owner, company.id, 'permit (principal, action, resource in Tool::"com.example/deploy");');

    expect([await ask(company.api, 'com.example/deploy'), await ask(company.shop, 'com.example/deploy')]).toMatchObject([
      { verdict: 'ALLOW', actionType: 'READ' },
      { verdict: 'DENY', basis: 'NO_MATCH', actionType: 'DESTROY', tool: null },
    ]);

    await aPublishedPolicy(owner, company.id, 'permit (principal, action, resource);');
    await aPublishedPolicy(owner, company.id, 'forbid (principal, action, resource in Tool::"com.example/wipe");');

    expect([await ask(company.shop, 'com.example/deploy'), await ask(company.shop, 'com.example/wipe')]).toMatchObject([
      { verdict: 'ALLOW', actionType: 'DESTROY' },
      { verdict: 'DENY', basis: 'FORBIDDEN' },
    ]);
  });
});
