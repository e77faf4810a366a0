import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SCOPES } from '../../src/kernel/index.js';
import { aPublishedPolicy, decisionOn, publishPolicy, registerTool, retirePolicy } from '../support/governing.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { aSubgraph, type Answer, type Client, type TestSubgraph } from '../support/subgraph.js';

const PERMIT = 'permit (principal, action, resource);';
const FORBID = 'forbid (principal, action, resource);';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

const verdictIn = async (client: Client, company: TestOrganization, project = company.api): Promise<string> =>
  (await decisionOn(client, { agentId: company.coder, projectId: project, tool: 't' })).verdict;

describe('a schedule', () => {
  const start = Date.now();
  const seconds = (count: number): Date => new Date(start + count * 1_000);
  let now = start;
  /** Two processes on one database that hear nothing of each other, with one clock, which the test moves. */
  const processes: TestSubgraph[] = [];
  beforeAll(async () => {
    const clock = () => new Date(now);
    processes.push(await subgraph.sibling({}, clock), await subgraph.sibling({}, clock));
  });
  afterAll(async () => {
    for (const process of processes) await process.close();
  });

  async function aCompany(): Promise<{ readonly company: TestOrganization; readonly owner: Client; readonly elsewhere: Client }> {
    const [one, other] = processes;
    if (one === undefined || other === undefined) throw new Error('Nothing runs.');
    const company = await anOrganization(one);
    const userId = `${company.id}/owner`;
    const owner = await company.member('OWNER', company.id, { userId });
    const scopes = SCOPES.filter((scope) => scope !== 'act:any');
    return { company, owner, elsewhere: await other.as({ userId, organizationId: company.id, scopes }) };
  }
  const at = async (moment: Date, clients: readonly Client[], company: TestOrganization): Promise<readonly string[]> => {
    now = moment.getTime();
    return Promise.all(clients.map((client) => verdictIn(client, company)));
  };
  const justBefore = (moment: Date): Date => new Date(moment.getTime() - 1);

  it('is kept to the millisecond, in every process, with nobody publishing anything', async () => {
    now = start;
    const { company, owner, elsewhere } = await aCompany();
    const id = await aPublishedPolicy(owner, company.id, PERMIT);
    const [from, until] = [seconds(60), seconds(120)];
    const { policy } = await publishPolicy(owner, { policyId: id, basedOn: 1, text: FORBID, effectiveFrom: from, effectiveUntil: until });
    const both = [owner, elsewhere];

    expect(policy).toMatchObject({ latestRevision: 2 });
    // What was in force stays so until the start; behind the end nothing is.
    expect(await at(seconds(1), both, company)).toEqual(['ALLOW', 'ALLOW']);
    expect(await at(justBefore(from), both, company)).toEqual(['ALLOW', 'ALLOW']);
    expect(await at(from, both, company)).toEqual(['DENY', 'DENY']);
    const during = await decisionOn(owner, { agentId: company.coder, projectId: company.api, tool: 't' });
    expect(await at(justBefore(until), both, company)).toEqual(['DENY', 'DENY']);
    expect(await at(until, both, company)).toEqual(['DENY', 'DENY']);
    const after = await decisionOn(elsewhere, { agentId: company.coder, projectId: company.api, tool: 't' });

    expect([during, after]).toMatchObject([
      { basis: 'FORBIDDEN', reasons: [{ policyId: id, revision: 2 }] },
      { basis: 'NO_MATCH', reasons: [] },
    ]);
    expect(after.epoch).toBe(during.epoch);
  });

  it('is shown: what is in force, what is to come, what has been', async () => {
    now = start;
    const { company, owner } = await aCompany();
    const id = await aPublishedPolicy(owner, company.id, PERMIT);
    await publishPolicy(owner, { policyId: id, basedOn: 1, text: FORBID, effectiveFrom: seconds(60), effectiveUntil: seconds(120) });
    const shownAt = async (moment: Date) => {
      now = moment.getTime();
      const { data } = await owner.graphql<{
        agentPolicy: unknown;
        _entities: readonly { readonly agentPolicies: { readonly nodes: readonly unknown[] } }[];
      }>(
        `query ($id: ID!, $it: [_Any!]!) {
          agentPolicy(id: $id) { published { revision } scheduled { revision effectiveFrom effectiveUntil } }
          _entities(representations: $it) { ... on Project { agentPolicies { nodes { id } } } } }`,
        { id, it: [{ __typename: 'Project', id: company.api }] },
      );
      return [data?.agentPolicy, data?._entities[0]?.agentPolicies.nodes.length];
    };
    const scheduled = { revision: 2, effectiveFrom: seconds(60).toISOString(), effectiveUntil: seconds(120).toISOString() };

    expect(await shownAt(seconds(1))).toEqual([{ published: { revision: 1 }, scheduled: [scheduled] }, 1]);
    expect(await shownAt(seconds(60))).toEqual([{ published: { revision: 2 }, scheduled: [] }, 1]);
    expect(await shownAt(seconds(120))).toEqual([{ published: null, scheduled: [] }, 0]);
  });

  it('is called off by the next publish and by a retirement', async () => {
    now = start;
    const { company, owner } = await aCompany();
    const id = await aPublishedPolicy(owner, company.id, PERMIT);
    await publishPolicy(owner, { policyId: id, basedOn: 1, text: FORBID, effectiveFrom: seconds(60) });
    await publishPolicy(owner, { policyId: id, basedOn: 2, text: PERMIT });
    const other = await aPublishedPolicy(owner, company.id, PERMIT);
    await publishPolicy(owner, { policyId: other, basedOn: 1, text: FORBID, effectiveFrom: seconds(60) });
    await retirePolicy(owner, { policyId: other, basedOn: 2 });

    expect(await at(seconds(90), [owner], company)).toEqual(['ALLOW']);
  });

  it('follows a clock that is set back', async () => {
    now = start;
    const { company, owner } = await aCompany();
    const id = await aPublishedPolicy(owner, company.id, PERMIT);
    await publishPolicy(owner, { policyId: id, basedOn: 1, text: FORBID, effectiveFrom: seconds(60) });

    expect([...(await at(seconds(90), [owner], company)), ...(await at(seconds(30), [owner], company))]).toEqual(['DENY', 'ALLOW']);
  });

  it.each([
    ['a start that is over', { effectiveFrom: seconds(-1) }, 'effectiveFrom'],
    ['an end that is over', { effectiveUntil: seconds(0) }, 'effectiveUntil'],
    ['an end before the start', { effectiveFrom: seconds(60), effectiveUntil: seconds(60) }, 'effectiveUntil'],
    ['a start that is no time', { effectiveFrom: 'tomorrow' }, 'effectiveFrom'],
  ])('is refused with %s', async (_what, times, path) => {
    now = start;
    const { company, owner } = await aCompany();
    const id = await aPublishedPolicy(owner, company.id, PERMIT);

    expect((await publishPolicy(owner, { policyId: id, basedOn: 1, ...times })).errors).toMatchObject([
      { __typename: 'AgentInputInvalid', inputProblems: [{ path }] },
    ]);
  });
});

async function aCompany(): Promise<{ readonly company: TestOrganization; readonly owner: Client }> {
  const company = await anOrganization(subgraph);
  return { company, owner: await company.member('OWNER', company.id) };
}

const SHADOWED = `mutation ($input: AgentDecisionRequestInput!) { agentDecisionRequest(input: $input) { decision {
  verdict reasons { policyId revision } shadow { verdict basis reasons { policyId revision effect } } } } }`;

async function shadowedDecision(client: Client, company: TestOrganization, tool = 't'): Promise<unknown> {
  const input = { agentId: company.coder, projectId: company.api, tool };
  const { data } = await client.graphql<{ agentDecisionRequest: { decision: unknown } }>(SHADOWED, { input });
  return data?.agentDecisionRequest.decision;
}

describe('a policy that is only watched', () => {
  it('changes no verdict, and what it would have changed is in the record and, once, in the log', async () => {
    const { company, owner } = await aCompany();
    const permit = await aPublishedPolicy(owner, company.id, PERMIT);
    const watched = await aPublishedPolicy(owner, company.core, PERMIT);
    await publishPolicy(owner, { policyId: watched, basedOn: 1, text: FORBID, mode: 'SHADOW' });
    const would = { verdict: 'DENY', basis: 'FORBIDDEN', reasons: [{ policyId: watched, revision: 2, effect: 'FORBID' }] };

    const decisions = [await shadowedDecision(owner, company), await shadowedDecision(owner, company)];

    const reasons = [{ policyId: permit }, { policyId: watched, revision: 1 }];
    expect(decisions).toEqual(
      [1, 2].map(() => ({
        verdict: 'ALLOW',
        reasons: expect.arrayContaining(reasons.map((each) => expect.objectContaining(each))),
        shadow: would,
      })),
    );
    const { data } = await owner.graphql(
      '{ agentAuditEvents(first: 1, filter: { types: ["ai_tool_decision_made"] }) { nodes { payload { ... on AgentDecisionPayload { decision { verdict shadow { verdict basis reasons { policyId revision effect } } } } } } } }',
    );
    expect(data).toEqual({ agentAuditEvents: { nodes: [{ payload: { decision: { verdict: 'ALLOW', shadow: would } } }] } });
    expect(subgraph.logged.filter((line) => line.includes('only watched would have changed') && line.includes(watched))).toHaveLength(1);
    // Beside the namespace nothing is watched.
    expect((await decisionOn(owner, { agentId: company.coder, projectId: company.shop, tool: 't' })).verdict).toBe('ALLOW');
  });

  it('is told when it would have allowed what is denied, and not when it would change nothing', async () => {
    const { company, owner } = await aCompany();
    await registerTool(owner, { id: 'com.example/read', namespaceId: company.id, annotations: { readOnlyHint: true } });
    const watched = await aPublishedPolicy(owner, company.id, 'permit (principal, action, resource) when { resource.risk >= 5 };');
    await publishPolicy(owner, {
      policyId: watched,
      basedOn: 1,
      text: 'permit (principal, action, resource) when { resource.risk <= 1 };',
      mode: 'SHADOW',
    });

    expect(await shadowedDecision(owner, company, 'com.example/read')).toMatchObject({ verdict: 'DENY', shadow: { verdict: 'ALLOW' } });
    expect(await shadowedDecision(owner, company)).toMatchObject({ verdict: 'DENY', shadow: null });
  });

  it('keeps nobody from an answer when it cannot be evaluated', async () => {
    const { company, owner } = await aCompany();
    await aPublishedPolicy(owner, company.id, PERMIT);
    const watched = await aPublishedPolicy(owner, company.id, PERMIT);
    await publishPolicy(owner, {
      policyId: watched,
      basedOn: 1,
      text: 'forbid (principal, action, resource) when { resource.risk + 9007199254740991 * 9007199254740991 > 0 };',
      mode: 'SHADOW',
    });

    expect(await shadowedDecision(owner, company)).toMatchObject({ verdict: 'ALLOW', shadow: { verdict: 'DENY', basis: 'POLICY_ERROR' } });
  });

  it('is enforced by the next publish, and shown as what it is', async () => {
    const { company, owner } = await aCompany();
    const id = await aPublishedPolicy(owner, company.id, PERMIT);
    await publishPolicy(owner, { policyId: id, basedOn: 1, text: FORBID, mode: 'SHADOW' });
    const shown = async () =>
      (await owner.graphql('query ($id: ID!) { agentPolicy(id: $id) { published { revision } shadow { revision mode } } }', { id })).data?.[
        'agentPolicy'
      ];

    expect(await shown()).toEqual({ published: { revision: 1 }, shadow: { revision: 2, mode: 'SHADOW' } });
    await publishPolicy(owner, { policyId: id, basedOn: 2, text: FORBID });
    expect(await shown()).toEqual({ published: { revision: 3 }, shadow: null });
    expect(await verdictIn(owner, company)).toBe('DENY');
  });
});

describe('five levels', () => {
  /** organization / payments / core / cards / ledger */
  async function fiveLevels() {
    const { company, owner } = await aCompany();
    const cards = `${company.id.replace('Organization', 'Group')}/cards`;
    const ledger = `${company.id.replace('Organization', 'Project')}/ledger`;
    await pushed(company.platform, {
      namespaces: [
        { id: cards, kind: 'GROUP', parentId: company.core, path: 'cards' },
        { id: ledger, kind: 'PROJECT', parentId: cards, path: 'ledger' },
      ],
    });
    return { company, owner, ledger, line: [company.id, company.payments, company.core, cards, ledger] };
  }

  it('say each what holds in a project, from which level and in which mode', async () => {
    const { owner, ledger, line } = await fiveLevels();
    const ids: string[] = [];
    for (const [index, place] of line.entries()) ids.push(await aPublishedPolicy(owner, place, PERMIT, `level ${index + 1}`));
    const until = new Date(Date.now() + 3_600_000).toISOString();
    await publishPolicy(owner, { policyId: ids[1], basedOn: 1, mode: 'SHADOW', effectiveUntil: until });
    await retirePolicy(owner, { policyId: ids[3], basedOn: 1 });
    await publishPolicy(owner, { policyId: ids[4], basedOn: 1, text: FORBID, effectiveFrom: until });

    const seen: unknown[] = [];
    let after: string | null = null;
    do {
      const { data }: Answer<EffectivePage> = await owner.graphql<EffectivePage>(EFFECTIVE, {
        it: [{ __typename: 'Project', id: ledger }],
        after,
      });
      const page: EffectivePage['_entities'][0]['agentEffectivePolicies'] | undefined = data?._entities[0].agentEffectivePolicies;
      seen.push(...(page?.nodes ?? []));
      after = page?.pageInfo.hasNextPage === true ? page.pageInfo.endCursor : null;
    } while (after !== null);

    const entry = (level: number, namespaceKind: string, more: object = {}) => ({
      ...{ policyId: ids[level - 1], policy: { name: `level ${level}` }, name: `level ${level}`, namespaceId: line[level - 1] },
      ...{
        namespaceKind,
        level,
        mode: 'ENFORCE',
        revisionNumber: 1,
        revision: { text: PERMIT },
        effectiveFrom: null,
        effectiveUntil: null,
      },
      ...more,
    });
    expect(seen).toEqual([
      entry(1, 'ORGANIZATION'),
      entry(2, 'GROUP'),
      entry(2, 'GROUP', { mode: 'SHADOW', revisionNumber: 2, effectiveUntil: until }),
      entry(3, 'GROUP'),
      entry(5, 'PROJECT'),
    ]);
  });

  const EFFECTIVE = `query ($it: [_Any!]!, $after: String) { _entities(representations: $it) { ... on Project { agentEffectivePolicies(first: 2, after: $after) {
    nodes { policyId policy { name } name namespaceId namespaceKind level mode revisionNumber revision { text } effectiveFrom effectiveUntil }
    pageInfo { hasNextPage endCursor } } } } }`;
  interface EffectivePage {
    readonly _entities: readonly [
      {
        readonly agentEffectivePolicies: {
          readonly nodes: readonly unknown[];
          readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
        };
      },
    ];
  }

  it('are not shown of a project that is not the viewer’s', async () => {
    const { company } = await fiveLevels();
    const neighbour = await company.member('OWNER', company.shop);

    expect((await neighbour.graphql(EFFECTIVE, { it: [{ __typename: 'Project', id: company.api }] })).data).toEqual({
      _entities: [{ agentEffectivePolicies: null }],
    });
  });

  it.each([0, 1, 2, 3, 4])('a forbid at level %i is lifted by nothing that the levels below can say', async (level) => {
    const { owner, ledger, line, company } = await fiveLevels();
    await aPublishedPolicy(owner, line[level] ?? '', FORBID);
    const tricks = [
      PERMIT,
      `permit (principal, action, resource in Project::"${ledger}");`,
      'permit (principal, action, resource) when { true || resource.risk + 9007199254740991 * 9007199254740991 > 0 };',
      'permit (principal, action, resource) unless { false };',
      'forbid (principal, action, resource) when { false || resource.risk > 99 };',
    ];
    for (const [index, text] of tricks.entries()) await aPublishedPolicy(owner, ledger, text, `trick ${index}`);

    expect(await decisionOn(owner, { agentId: company.coder, projectId: ledger, tool: 't' })).toMatchObject({
      verdict: 'DENY',
      basis: 'FORBIDDEN',
    });
  });

  it('let a level add a restriction for itself and below, and not for its siblings', async () => {
    const { owner, ledger, line, company } = await fiveLevels();
    await aPublishedPolicy(owner, company.id, PERMIT);
    await aPublishedPolicy(owner, line[3] ?? '', FORBID);

    expect([await verdictIn(owner, company, ledger), await verdictIn(owner, company, company.api)]).toEqual(['DENY', 'ALLOW']);
  });

  it('let nobody attach what reaches above or beside: the text is refused with a sentence', async () => {
    const { owner, line, company } = await fiveLevels();
    const attached = (namespaceId: string, resource: string) =>
      aPublishedPolicy(owner, namespaceId, `permit (principal, action, ${resource});`);

    await expect(attached(line[2] ?? '', `resource in Group::"${company.payments}"`)).rejects.toThrow('AgentPolicyInvalid');
    await expect(attached(line[2] ?? '', `resource in Project::"${company.web}"`)).rejects.toThrow('AgentPolicyInvalid');
    await expect(attached(company.id, 'resource in ?resource')).rejects.toThrow('Templates');
    await attached(company.payments, `resource in Group::"${line[3] ?? ''}"`);
    expect(await verdictIn(owner, company, line[4])).toBe('ALLOW');
  });
});
