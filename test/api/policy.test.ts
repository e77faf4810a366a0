import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { aDraft, aPublishedPolicy, createPolicy, decisionOn, publishPolicy, retirePolicy } from '../support/governing.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

const PERMIT = 'permit (principal, action, resource);';
const FORBID = 'forbid (principal, action, resource);';
const NOT_FOUND = [{ __typename: 'AgentNotFound', field: expect.any(String), message: expect.any(String) }];

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

async function aCompany(): Promise<{ readonly company: TestOrganization; readonly owner: Client }> {
  const company = await anOrganization(subgraph);
  return { company, owner: await company.member('OWNER', company.id) };
}

const READ = `query ($id: ID!) { agentPolicy(id: $id) { name status latestRevision draftText published { revision text digest message publishedBy { id } } revisions { nodes { id revision text status } } } }`;
const policyIn = async (client: Client, id: string) => (await client.graphql(READ, { id })).data?.['agentPolicy'];

/** What the audit log says of policies, oldest first. */
async function recorded(client: Client): Promise<readonly string[]> {
  const { data } = await client.graphql<{ events: { nodes: readonly { type: string; payload: { revision: number; name: string } }[] } }>(
    '{ events: agentAuditEvents(first: 100, filter: { types: ["ai_policy_created", "ai_policy_published", "ai_policy_retired"] }) { nodes { type payload { ... on AgentPolicyPayload { revision name } } } } }',
  );
  return (data?.events.nodes ?? []).map(({ type, payload }) => `${type} ${payload.revision}`).reverse();
}

describe('the life of a policy', () => {
  it('goes from a draft through revisions to retirement and back, each step recorded', async () => {
    const { company, owner } = await aCompany();
    const id = await aDraft(owner, company.id, PERMIT, 'everything');

    expect(await policyIn(owner, id)).toEqual({
      name: 'everything',
      status: 'DRAFT',
      latestRevision: 0,
      draftText: PERMIT,
      published: null,
      revisions: { nodes: [] },
    });
    expect(await publishPolicy(owner, { policyId: id, basedOn: 0, message: 'go' })).toEqual({
      policy: { id, status: 'PUBLISHED', latestRevision: 1 },
      errors: [],
    });
    expect(await publishPolicy(owner, { policyId: id, basedOn: 1, text: FORBID })).toEqual({
      policy: { id, status: 'PUBLISHED', latestRevision: 2 },
      errors: [],
    });
    expect(await retirePolicy(owner, { policyId: id, basedOn: 2 })).toEqual({
      policy: { id, status: 'RETIRED', latestRevision: 3 },
      errors: [],
    });
    expect(await retirePolicy(owner, { policyId: id, basedOn: 2 })).toEqual({
      policy: { id, status: 'RETIRED', latestRevision: 3 },
      errors: [],
    });
    expect(await policyIn(owner, id)).toMatchObject({ status: 'RETIRED', published: null, draftText: FORBID });
    // Somebody who has not seen the retirement must not undo it.
    expect(await publishPolicy(owner, { policyId: id, basedOn: 2 })).toMatchObject({
      policy: null,
      errors: [{ __typename: 'AgentPolicyConflict', latest: 3 }],
    });
    expect(await publishPolicy(owner, { policyId: id, basedOn: 3 })).toEqual({
      policy: { id, status: 'PUBLISHED', latestRevision: 4 },
      errors: [],
    });

    expect(await policyIn(owner, id)).toMatchObject({
      published: { revision: 4, text: FORBID },
      revisions: {
        nodes: [
          { id: `${id}/4`, revision: 4, text: FORBID, status: 'PUBLISHED' },
          { revision: 3, text: FORBID, status: 'RETIRED' },
          { revision: 2, text: FORBID },
          { revision: 1, text: PERMIT },
        ],
      },
    });
    expect(await recorded(owner)).toEqual([
      'ai_policy_created 0',
      'ai_policy_published 1',
      'ai_policy_published 2',
      'ai_policy_retired 3',
      'ai_policy_published 4',
    ]);
  });

  it('pages through its revisions, newest first', async () => {
    const { company, owner } = await aCompany();
    const id = await aDraft(owner, company.id, PERMIT);
    for (const basedOn of [0, 1, 2]) await publishPolicy(owner, { policyId: id, basedOn });
    const page = async (after: string | null) => {
      const { data } = await owner.graphql<{
        agentPolicy: { revisions: { nodes: readonly { revision: number }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } };
      }>(
        'query ($id: ID!, $after: String) { agentPolicy(id: $id) { revisions(first: 2, after: $after) { nodes { revision } pageInfo { hasNextPage endCursor } } } }',
        { id, after },
      );
      return data?.agentPolicy.revisions;
    };

    const newest = await page(null);

    expect(newest).toMatchObject({ nodes: [{ revision: 3 }, { revision: 2 }], pageInfo: { hasNextPage: true } });
    expect(await page(newest?.pageInfo.endCursor ?? '')).toMatchObject({ nodes: [{ revision: 1 }], pageInfo: { hasNextPage: false } });
  });

  it('shows who published what, with the digest of the text', async () => {
    const { company } = await aCompany();
    const author = await company.member('MAINTAINER', company.payments, { userId: `${company.id}/grace` });
    const id = await aPublishedPolicy(author, company.api, PERMIT);

    expect(await policyIn(author, id)).toMatchObject({
      published: { publishedBy: { id: `${company.id}/grace` }, digest: '70dc852b2e8a27d8bbc7dea7c75fb0f79f634420db4b4ccc0c1c8b6e8a432baa' },
    });
  });
});

describe('two authors', () => {
  it('who work from the same revision: one wins, and the other is told what is the latest', async () => {
    const { company, owner } = await aCompany();
    const id = await aDraft(owner, company.id, PERMIT);

    const answers = await Promise.all(Array.from({ length: 8 }, () => publishPolicy(owner, { policyId: id, basedOn: 0 })));

    expect(answers.filter(({ policy }) => policy !== null)).toEqual([
      { policy: { id, status: 'PUBLISHED', latestRevision: 1 }, errors: [] },
    ]);
    expect(answers.flatMap(({ errors }) => errors)).toEqual(
      Array.from({ length: 7 }, () => ({ __typename: 'AgentPolicyConflict', basedOn: 0, latest: 1, message: expect.any(String) })),
    );
    expect(await recorded(owner)).toEqual(['ai_policy_created 0', 'ai_policy_published 1']);
  });

  it.each([[0], [2], [2_147_483_647]])('cannot publish or retire from revision %i when the latest is 1', async (basedOn) => {
    const { company, owner } = await aCompany();
    const id = await aPublishedPolicy(owner, company.id, PERMIT);
    const conflict = [{ __typename: 'AgentPolicyConflict', basedOn, latest: 1, message: expect.any(String) }];

    expect((await publishPolicy(owner, { policyId: id, basedOn })).errors).toEqual(conflict);
    expect((await retirePolicy(owner, { policyId: id, basedOn })).errors).toEqual(conflict);
  });

  it('who take the same name at once: one has it', async () => {
    const { company, owner } = await aCompany();

    const answers = await Promise.all(
      Array.from({ length: 5 }, () => createPolicy(owner, { namespaceId: company.id, name: ' mine ', text: PERMIT })),
    );

    expect(answers.filter(({ policy }) => policy !== null)).toHaveLength(1);
    expect(answers.flatMap(({ errors }) => errors)).toEqual(
      Array.from({ length: 4 }, () => ({ __typename: 'AgentPolicyNameTaken', name: 'mine', message: expect.any(String) })),
    );
    expect(await recorded(owner)).toEqual(['ai_policy_created 0']);
  });

  it('of two namespaces may take the same name', async () => {
    const { company, owner } = await aCompany();

    await aDraft(owner, company.api, PERMIT, 'same');
    await aDraft(owner, company.web, PERMIT, 'same');

    expect(await recorded(owner)).toHaveLength(2);
  });
});

describe('a publish whose record cannot be written', () => {
  it('publishes nothing', async () => {
    const { company, owner } = await aCompany();
    const id = await aDraft(owner, company.id, 'permit (principal, action, resource) when { resource.risk <= 1 };');
    const admin = new pg.Client({ connectionString: subgraph.databaseUrl });
    await admin.connect();
    const refuse = `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON audit_event FOR EACH ROW WHEN (NEW.organization_id = '${company.id}') EXECUTE FUNCTION refuse()`;

    await admin.query(refuse);
    const failed = await owner.graphql(
      'mutation ($id: ID!) { agentPolicyPublish(input: { policyId: $id, basedOn: 0 }) { policy { id } } }',
      { id },
    );
    const created = await owner.graphql(
      'mutation ($id: ID!) { agentPolicyCreate(input: { namespaceId: $id, name: "x", text: "permit (principal, action, resource);" }) { policy { id } } }',
      { id: company.id },
    );
    const registered = await owner.graphql(
      'mutation { agentToolRegister(input: { id: "com.example/tool", inputSchema: {} }) { tool { id } } }',
    );
    const decided = await owner.graphql(
      'mutation ($p: ID!) { agentDecisionRequest(input: { agentId: "a", projectId: $p, tool: "t" }) { decision { verdict } } }',
      { p: company.api },
    );
    await admin.query('DROP TRIGGER refuse ON audit_event; DROP FUNCTION refuse()');
    await admin.end();

    for (const answer of [failed, created, registered, decided]) {
      expect(answer).toMatchObject({ status: 200, errors: [{ message: 'Internal server error' }] });
      expect(Object.values(answer.data ?? {})).toEqual([null]);
    }
    expect(await policyIn(owner, id)).toMatchObject({ status: 'DRAFT', latestRevision: 0, revisions: { nodes: [] } });
    expect((await owner.graphql('{ agentTools { nodes { id } } agentPolicies { nodes { id } } }')).data).toEqual({
      agentTools: { nodes: [] },
      agentPolicies: { nodes: [{ id }] },
    });
    expect(await recorded(owner)).toEqual(['ai_policy_created 0']);
  });
});

describe('what is not acceptable', () => {
  it.each([
    ['an empty name', 'name', { name: '' }],
    ['a name of white space', 'name', { name: ' \n ' }],
    ['a name of 101 characters', 'name', { name: 'x'.repeat(101) }],
    ['a name with an escape sequence', 'name', { name: 'a\u001bb' }],
    ['a description of 1,001 characters', 'description', { description: 'x'.repeat(1_001) }],
  ])('is named: %s', async (_what, path, wrong) => {
    const { company, owner } = await aCompany();

    const { policy, errors } = await createPolicy(owner, { namespaceId: company.id, name: 'p', text: PERMIT, ...wrong });

    expect({ policy, errors }).toEqual({
      policy: null,
      errors: [{ __typename: 'AgentInputInvalid', message: expect.any(String), inputProblems: [expect.objectContaining({ path })] }],
    });
  });

  it('is shown with line, column and help when it is the text, and nothing is stored', async () => {
    const { company, owner } = await aCompany();
    const published = await aPublishedPolicy(owner, company.id, PERMIT);
    const text = 'permit (principal, action, resource)\nwhen { principal.trus > 3 };';
    const invalid = [
      {
        __typename: 'AgentPolicyInvalid',
        message: expect.any(String),
        problems: [
          { message: expect.stringContaining('trus'), help: expect.stringContaining('trust'), line: 2, column: expect.any(Number) },
        ],
      },
    ];

    expect(await createPolicy(owner, { namespaceId: company.id, name: 'typo', text })).toEqual({ policy: null, errors: invalid });
    expect(await publishPolicy(owner, { policyId: published, basedOn: 1, text })).toEqual({ policy: null, errors: invalid });
    expect(await recorded(owner)).toEqual(['ai_policy_created 0', 'ai_policy_published 1']);
  });

  it.each([
    [
      'with more clauses than evaluating can bear',
      `permit (principal, action, resource) ${'when { principal.known } '.repeat(17)};`,
      /^A permit or forbid has 17 when/,
    ],
    ['that can never match, though it parses', 'forbid (principal, action, resource == Tool::"a/b");', /^This statement can never match/],
  ])('is a text %s', async (_what, text, message) => {
    const { company, owner } = await aCompany();

    expect(await createPolicy(owner, { namespaceId: company.id, name: 'p', text })).toMatchObject({
      policy: null,
      errors: [
        {
          __typename: 'AgentPolicyInvalid',
          problems: expect.arrayContaining([expect.objectContaining({ message: expect.stringMatching(message) })]),
        },
      ],
    });
  });

  it('is a text of more than 16 KiB', async () => {
    const { company, owner } = await aCompany();

    expect((await createPolicy(owner, { namespaceId: company.id, name: 'long', text: PERMIT.padEnd(16_385) })).errors).toMatchObject([
      { __typename: 'AgentPolicyInvalid', problems: [{ message: expect.stringContaining('16385 bytes') }] },
    ]);
    expect((await createPolicy(owner, { namespaceId: company.id, name: 'long', text: PERMIT.padEnd(16_384) })).errors).toEqual([]);
  });
});

describe('who may change policies', () => {
  it.each([
    ['OWNER', true],
    ['MAINTAINER', true],
    ['DEVELOPER', false],
    ['REPORTER', false],
    ['GUEST', false],
    ['AUDITOR', false],
  ] as const)('%s: %s', async (role, may) => {
    const { company, owner } = await aCompany();
    const id = await aPublishedPolicy(owner, company.core, PERMIT);
    const member = await company.member(role, company.payments);
    const wanted = may
      ? { errors: undefined }
      : {
          errors: [{ message: 'This needs the role MAINTAINER or OWNER in the namespace or above it.', extensions: { code: 'FORBIDDEN' } }],
        };

    const create = await member.graphql(
      'mutation ($n: ID!) { it: agentPolicyCreate(input: { namespaceId: $n, name: "new", text: "permit (principal, action, resource);" }) { policy { id } } }',
      { n: company.core },
    );
    const retire = await member.graphql(
      'mutation ($id: ID!) { it: agentPolicyRetire(input: { policyId: $id, basedOn: 1 }) { policy { id } } }',
      { id },
    );

    expect({ errors: create.errors }).toMatchObject(wanted);
    expect({ errors: retire.errors }).toMatchObject(wanted);
    expect(await policyIn(owner, id)).toMatchObject({ status: may ? 'RETIRED' : 'PUBLISHED' });
  });

  it('is nobody without the scope, whatever their role', async () => {
    const { company } = await aCompany();
    const owner = await company.member('OWNER', company.id, { scopes: ['audit:read', 'tool:write'] });

    expect(
      await owner.graphql('mutation ($n: ID!) { agentPolicyCreate(input: { namespaceId: $n, name: "n", text: "x" }) { policy { id } } }', {
        n: company.id,
      }),
    ).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' }, message: 'This needs a token with the scope policy:write.' }] });
  });

  it('is told the same of what is not theirs and of what does not exist', async () => {
    const { company, owner } = await aCompany();
    const other = await aCompany();
    const sibling = await company.member('OWNER', company.shop);
    const id = await aPublishedPolicy(owner, company.core, PERMIT);
    const nobody = '00000000-0000-4000-8000-000000000000';

    for (const [client, policyId, namespaceId] of [
      [other.owner, id, company.core],
      [sibling, id, company.core],
      [owner, nobody, 'nowhere'],
      [owner, 'no uuid', ''],
    ] as const) {
      expect((await publishPolicy(client, { policyId, basedOn: 1 })).errors).toEqual(NOT_FOUND);
      expect((await retirePolicy(client, { policyId, basedOn: 1 })).errors).toEqual(NOT_FOUND);
      expect((await createPolicy(client, { namespaceId, name: 'n', text: PERMIT })).errors).toEqual(NOT_FOUND);
      expect(await policyIn(client, policyId)).toBeNull();
      expect(
        (await client.graphql('query ($n: ID!) { agentPolicies(namespaceId: $n) { nodes { id } } }', { n: namespaceId })).data,
      ).toEqual({ agentPolicies: null });
    }
  });

  it('does not keep members below from reading what decides their calls', async () => {
    const { company, owner } = await aCompany();
    const [above, own, beside] = await Promise.all(
      [company.payments, company.api, company.shop].map((place, index) => aPublishedPolicy(owner, place, PERMIT, `p${index}`)),
    );
    const developer = await company.member('DEVELOPER', company.api);

    const { data } = await developer.graphql(
      `query ($api: ID!, $it: [_Any!]!) { agentPolicies(namespaceId: $api) { nodes { id } } _entities(representations: $it) { ... on Project { agentPolicies { nodes { id name } } } ... on AgentPolicy { id } } }`,
      {
        api: company.payments,
        it: [
          { __typename: 'Project', id: company.api },
          { __typename: 'Project', id: company.shop },
          { __typename: 'AgentPolicy', id: above },
          { __typename: 'AgentPolicy', id: beside },
        ],
      },
    );

    expect(data).toEqual({
      agentPolicies: { nodes: [{ id: above }] },
      _entities: [
        {
          agentPolicies: {
            nodes: [
              { id: above, name: 'p0' },
              { id: own, name: 'p1' },
            ],
          },
        },
        { agentPolicies: null },
        { id: above },
        null,
      ],
    });
  });
});

interface PageOfPolicies {
  readonly nodes: readonly { readonly name: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
}

describe('a list of policies', () => {
  it('is read in pages by name, the same names in order of their ids', async () => {
    const { company, owner } = await aCompany();
    for (const name of ['b', 'a', 'c']) for (const place of [company.api, company.core]) await aPublishedPolicy(owner, place, PERMIT, name);
    const pageBehind = async (after: string | null): Promise<PageOfPolicies> => {
      const { data } = await owner.graphql<{ readonly _entities: readonly [{ readonly agentPolicies: PageOfPolicies }] }>(
        'query ($it: [_Any!]!, $after: String) { _entities(representations: $it) { ... on Project { agentPolicies(first: 2, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } } } }',
        { it: [{ __typename: 'Project', id: company.api }], after },
      );
      if (data == null) throw new Error('There was no page.');
      return data._entities[0].agentPolicies;
    };
    const seen: string[] = [];

    let after: string | null = null;
    do {
      const page: PageOfPolicies = await pageBehind(after);
      seen.push(...page.nodes.map((node) => node.name));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);

    expect(seen).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
  });
});

describe('inheritance', () => {
  it.each([
    ['organization', ['api', 'web', 'shop']],
    ['payments', ['api', 'web']],
    ['core', ['api']],
    ['api', ['api']],
  ] as const)('what is attached to %s decides in %j and nowhere else', async (place, reached) => {
    const { company, owner } = await aCompany();
    await aPublishedPolicy(owner, place === 'organization' ? company.id : company[place], PERMIT);

    const verdicts = await Promise.all(
      (['api', 'web', 'shop'] as const).map(
        async (project) =>
          [project, (await decisionOn(owner, { agentId: company.coder, projectId: company[project], tool: 't' })).verdict] as const,
      ),
    );

    expect(verdicts.filter(([, verdict]) => verdict === 'ALLOW').map(([project]) => project)).toEqual(reached);
  });

  it.each(['id', 'payments', 'core', 'api'] as const)('a forbid at %s beats permits at every level', async (place) => {
    const { company, owner } = await aCompany();
    for (const level of [company.id, company.payments, company.core, company.api]) await aPublishedPolicy(owner, level, PERMIT);
    const forbid = await aPublishedPolicy(owner, company[place], FORBID);

    expect(await decisionOn(owner, { agentId: company.coder, projectId: company.api, tool: 't' })).toMatchObject({
      verdict: 'DENY',
      basis: 'FORBIDDEN',
      reasons: [{ policyId: forbid, effect: 'FORBID', namespaceId: company[place] }],
    });
  });

  it('follows a project that moves', async () => {
    const { company, owner } = await aCompany();
    await aPublishedPolicy(owner, company.payments, PERMIT);
    const ask = async () => (await decisionOn(owner, { agentId: company.coder, projectId: company.shop, tool: 't' })).verdict;
    const before = await ask();

    await pushed(company.platform, { namespaces: [{ id: company.shop, kind: 'PROJECT', parentId: company.core, path: 'shop' }] });

    expect([before, await ask()]).toEqual(['DENY', 'ALLOW']);
  });

  it('lets no project see into its sibling by naming it, also when the sibling was below once', async () => {
    const { company, owner } = await aCompany();
    await aPublishedPolicy(owner, company.core, `permit (principal, action, resource in Project::"${company.api}");`);
    await pushed(company.platform, { namespaces: [{ id: company.api, kind: 'PROJECT', parentId: company.payments, path: 'api' }] });

    expect((await decisionOn(owner, { agentId: company.coder, projectId: company.api, tool: 't' })).verdict).toBe('DENY');
  });
});

describe('texts in force', () => {
  it('decide on whatever they say that parses, one broken forbid included', async () => {
    const { company, owner } = await aCompany();
    await aPublishedPolicy(owner, company.id, PERMIT);
    const broken = await aPublishedPolicy(
      owner,
      company.id,
      'forbid (principal, action, resource) when { resource.risk + 9007199254740991 * 9007199254740991 > 0 };',
      'broken',
    );

    const decision = await decisionOn(owner, { agentId: company.coder, projectId: company.api, tool: 't' });

    expect(decision).toMatchObject({
      verdict: 'DENY',
      basis: 'POLICY_ERROR',
      reasons: [{ policyId: broken, policyName: 'broken', effect: 'FORBID' }],
    });
    expect(subgraph.logged.filter((line) => line.includes('policies could not be evaluated') && line.includes(broken))).toHaveLength(1);
  });
});
