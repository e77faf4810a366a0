import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decisionOn, publishPolicy, retirePolicy, rollBackPolicy, saveDraft, setReviewRequired } from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { aSubgraph, type Answer, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

async function aCompany(): Promise<{ readonly company: TestOrganization; readonly owner: Client }> {
  const company = await anOrganization(subgraph);
  return { company, owner: await company.member('OWNER', company.id) };
}

interface Rule {
  readonly tool: string;
  readonly agentClass: string;
  readonly verdict: string | null;
}
const rule = (tool: string, verdict: string | null, agentClass = 'coding'): Rule => ({ tool, agentClass, verdict });

interface SetAnswer {
  readonly results: readonly { readonly status: string; readonly previousVerdict: string | null; readonly reason: string | null }[] | null;
  readonly changed: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly errors: readonly unknown[];
}

const SET = `mutation ($input: AgentToolRuleSetInput!) { agentToolRuleSet(input: $input) { changed unchanged rejected
  results { status previousVerdict reason policy { name origin status } }
  errors { __typename ... on AgentRefusal { message } ... on AgentPolicyReviewNeeded { demandedBy } } } }`;

async function setRules(client: Client, namespaceId: string, rules: readonly Rule[]): Promise<SetAnswer> {
  const { data, errors } = await client.graphql<{ agentToolRuleSet: SetAnswer }>(SET, { input: { namespaceId, rules } });
  if (data == null) throw new Error(JSON.stringify(errors));
  return data.agentToolRuleSet;
}

interface RulePage {
  readonly agentToolRules: {
    readonly nodes: readonly {
      readonly tool: string;
      readonly verdict: string;
      readonly cedar: string;
      readonly policy: { readonly id: string };
    }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
  } | null;
}

async function rulesOf(client: Client, namespaceId: string) {
  const found: NonNullable<RulePage['agentToolRules']>['nodes'][number][] = [];
  let after: string | null = null;
  do {
    const { data }: Answer<RulePage> = await client.graphql<RulePage>(
      `query ($n: ID!, $after: String) { agentToolRules(namespaceId: $n, first: 100, after: $after) {
        nodes { tool agentClass verdict cedar policy { id } setBy { id } } pageInfo { hasNextPage endCursor } } }`,
      { n: namespaceId, after },
    );
    const page: RulePage['agentToolRules'] | undefined = data?.agentToolRules;
    found.push(...(page?.nodes ?? []));
    after = page?.pageInfo.hasNextPage === true ? page.pageInfo.endCursor : null;
  } while (after !== null);
  return found;
}

describe('rules about tools', () => {
  it('decide calls from then on, in the namespace and below, and are read back as rules and as Cedar', async () => {
    const { company, owner } = await aCompany();

    const answer = await setRules(owner, company.payments, [
      rule('files/read', 'ALLOW'),
      rule('files/delete', 'DENY'),
      rule('mail/send', 'ASK'),
    ]);

    expect(answer).toMatchObject({ changed: 3, unchanged: 0, rejected: 0, errors: [] });
    expect(answer.results?.[0]).toEqual({
      ...{ status: 'CHANGED', previousVerdict: null, reason: null },
      policy: { name: 'tool rules 1', origin: 'TOOL_RULES', status: 'PUBLISHED' },
    });
    const basis = async (tool: string, projectId: string) => (await decisionOn(owner, { agentId: company.coder, projectId, tool })).verdict;
    expect(await basis('files/read', company.api)).toBe('ALLOW');
    expect(await basis('files/read', company.shop)).toBe('DENY');
    expect(await basis('files/delete', company.api)).toBe('DENY');
    expect(await basis('mail/send', company.api)).not.toBe('ALLOW');
    const rules = await rulesOf(owner, company.payments);
    expect(rules.map(({ tool, verdict }) => `${tool} ${verdict}`)).toEqual(['files/delete DENY', 'files/read ALLOW', 'mail/send ASK']);
    const { data } = await owner.graphql<{ agentPolicy: { draftText: string } }>(
      'query ($id: ID!) { agentPolicy(id: $id) { draftText } }',
      {
        id: rules[0]?.policy.id,
      },
    );
    for (const { cedar } of rules) expect(data?.agentPolicy.draftText).toContain(cedar);
  });

  it('change one by one, are taken away, and come back; each change is recorded, and what is so already is not', async () => {
    const { company, owner } = await aCompany();
    await setRules(owner, company.api, [rule('a', 'ALLOW'), rule('b', 'DENY')]);

    expect(await setRules(owner, company.api, [rule('a', 'ALLOW'), rule('b', 'ALLOW'), rule('c', null)])).toMatchObject({
      ...{ changed: 1, unchanged: 2 },
      results: [
        { status: 'UNCHANGED', previousVerdict: 'ALLOW' },
        { status: 'CHANGED', previousVerdict: 'DENY' },
        { status: 'UNCHANGED', previousVerdict: null },
      ],
    });
    expect(await setRules(owner, company.api, [rule('a', null), rule('b', null)])).toMatchObject({ changed: 2 });
    expect(await rulesOf(owner, company.api)).toEqual([]);
    expect((await decisionOn(owner, { agentId: company.coder, projectId: company.api, tool: 'a' })).basis).toBe('NO_MATCH');
    expect(await setRules(owner, company.api, [rule('a', 'DENY')])).toMatchObject({
      results: [{ status: 'CHANGED', policy: { name: 'tool rules 1', status: 'PUBLISHED' } }],
    });

    const { data } = await owner.graphql<{
      agentAuditEvents: { nodes: readonly { readonly type: string; readonly payload: Readonly<Record<string, unknown>> }[] };
    }>(
      '{ agentAuditEvents(first: 50) { nodes { type payload { ... on AgentToolRulePayload { tool agentClass verdict previousVerdict policy { id } } ... on AgentPolicyPayload { revision } } } } }',
    );
    // What is recorded in the same millisecond is in no order of ours.
    const events = data?.agentAuditEvents.nodes ?? [];
    const changes = events
      .filter(({ type }) => type === 'ai_tool_rule_changed')
      .map(({ payload }) => `${String(payload['tool'])}: ${String(payload['previousVerdict'])} to ${String(payload['verdict'])}`);
    expect(changes.sort()).toEqual([
      'a: ALLOW to null',
      'a: null to ALLOW',
      'a: null to DENY',
      'b: ALLOW to null',
      'b: DENY to ALLOW',
      'b: null to DENY',
    ]);
    const revisions = events
      .filter(({ type }) => type.startsWith('ai_policy_'))
      .map(({ type, payload }) => `${String(payload['revision'])} ${type}`);
    expect(revisions.sort()).toEqual([
      '0 ai_policy_created',
      '1 ai_policy_published',
      '2 ai_policy_published',
      '3 ai_policy_retired',
      '4 ai_policy_published',
    ]);
  });

  it('come a thousand at a time, with a result for each', async () => {
    const { company, owner } = await aCompany();
    const tools = Array.from({ length: 998 }, (_, n) =>
      rule(`io.github.acme/server-with-a-long-name/tool_${String(n).padStart(4, '0')}`, 'ASK'),
    );

    const answer = await setRules(owner, company.id, [...tools, rule(tools[0]?.tool ?? '', 'DENY'), rule('a\u202eb', 'DENY')]);

    expect(answer).toMatchObject({ changed: 998, unchanged: 0, rejected: 2, errors: [] });
    expect(answer.results?.slice(-2)).toMatchObject([
      { status: 'REJECTED', reason: expect.stringContaining('rule 0') },
      { status: 'REJECTED', reason: expect.stringContaining('tool: must not hold') },
    ]);
    expect(await rulesOf(owner, company.id)).toHaveLength(998);
    const { data } = await owner.graphql<{ agentPolicies: { nodes: readonly { readonly draftText: string }[] } }>(
      '{ agentPolicies(first: 100) { nodes { draftText latestRevision } } }',
    );
    expect(data?.agentPolicies.nodes.every(({ draftText }) => Buffer.byteLength(draftText) <= 16_384)).toBe(true);
    // One more touches one policy.
    await setRules(owner, company.id, [rule(tools[500]?.tool ?? '', 'DENY')]);
    const after = await owner.graphql<{ agentPolicies: { nodes: readonly { readonly latestRevision: number }[] } }>(
      '{ agentPolicies(first: 100) { nodes { latestRevision } } }',
    );
    expect(after.data?.agentPolicies.nodes.filter(({ latestRevision }) => latestRevision === 2)).toHaveLength(1);
  }, 120_000);

  it('of more than a thousand, or none, are refused', async () => {
    const { company, owner } = await aCompany();

    for (const count of [0, 1_001]) {
      const rules = Array.from({ length: count }, (_, n) => rule(`t${n}`, 'DENY'));
      expect((await setRules(owner, company.id, rules)).errors).toMatchObject([{ __typename: 'AgentInputInvalid' }]);
    }
  });

  it('set by several at once are all there afterwards', async () => {
    const { company, owner } = await aCompany();

    const answers = await Promise.all(['a', 'b', 'c'].map((tool) => setRules(owner, company.api, [rule(tool, 'DENY')])));

    expect(answers.map(({ changed }) => changed)).toEqual([1, 1, 1]);
    expect((await rulesOf(owner, company.api)).map(({ tool }) => tool)).toEqual(['a', 'b', 'c']);
  });

  it('leave the name of a policy that somebody has written to it', async () => {
    const { company, owner } = await aCompany();
    await owner.graphql(
      'mutation ($n: ID!) { agentPolicyCreate(input: { namespaceId: $n, name: "tool rules 1", text: "permit (principal, action, resource);" }) { policy { id } } }',
      { n: company.api },
    );

    expect(await setRules(owner, company.api, [rule('a', 'DENY')])).toMatchObject({ results: [{ policy: { name: 'tool rules 2' } }] });
  });

  it('are the only way to change their policy', async () => {
    const { company, owner } = await aCompany();
    await setRules(owner, company.api, [rule('a', 'DENY')]);
    const policyId = (await rulesOf(owner, company.api))[0]?.policy.id;
    const text = 'permit (principal, action, resource);';
    const refused = [{ __typename: 'AgentPolicyGenerated' }];

    expect((await saveDraft(owner, { policyId, draftVersion: 1, text })).errors).toMatchObject(refused);
    expect((await publishPolicy(owner, { policyId, basedOn: 1, text })).errors).toMatchObject(refused);
    expect((await rollBackPolicy(owner, { policyId, basedOn: 1, toRevision: 1 })).errors).toMatchObject(refused);
    expect((await retirePolicy(owner, { policyId, basedOn: 1 })).errors).toMatchObject(refused);
  });

  it('are not set where a second person must review what is published', async () => {
    const { company, owner } = await aCompany();
    await setReviewRequired(owner, company.payments, true);

    expect((await setRules(owner, company.api, [rule('a', 'ALLOW')])).errors).toMatchObject([
      { __typename: 'AgentPolicyReviewNeeded', demandedBy: [company.payments] },
    ]);
    expect(await rulesOf(owner, company.api)).toEqual([]);
  });

  it('are set by maintainers, and read by members', async () => {
    const { company, owner } = await aCompany();
    await setRules(owner, company.api, [rule('a', 'DENY')]);
    const [developer, neighbour] = [await company.member('DEVELOPER', company.api), await company.member('OWNER', company.shop)];
    const input = { namespaceId: company.api, rules: [rule('a', 'ALLOW')] };

    expect((await developer.graphql(SET, { input })).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    expect((await setRules(neighbour, company.api, [rule('a', 'ALLOW')])).errors).toMatchObject([{ __typename: 'AgentNotFound' }]);
    expect(await rulesOf(developer, company.api)).toHaveLength(1);
    expect(
      (await neighbour.graphql('query ($n: ID!) { agentToolRules(namespaceId: $n) { nodes { tool } } }', { n: company.api })).data,
    ).toEqual({
      agentToolRules: null,
    });
  });
});
