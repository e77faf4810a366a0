import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aDraft, aPublishedPolicy, decisionOn, publishPolicy, retirePolicy, rollBackPolicy, saveDraft } from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

const PERMIT = 'permit (principal, action, resource);';
const FORBID = 'forbid (principal, action, resource);';
const READS = 'permit (principal, action, resource) when { resource.risk <= 1 };';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

interface Company {
  readonly company: TestOrganization;
  readonly grace: Client;
  readonly ada: Client;
  readonly userOf: (name: string) => string;
}

/** Two maintainers of one company. */
async function aCompany(): Promise<Company> {
  const company = await anOrganization(subgraph);
  const userOf = (name: string): string => `${company.id}/${name}`;
  const [grace, ada] = [
    await company.member('OWNER', company.id, { userId: userOf('grace') }),
    await company.member('MAINTAINER', company.id, { userId: userOf('ada') }),
  ];
  return { company, grace, ada, userOf };
}

const POLICY = `query ($id: ID!) { agentPolicy(id: $id) { status latestRevision draftText origin
  draft { version text savedBy { id } review { reviewedBy { id } } } published { revision }
  revisions { nodes { revision status text json author { id } reviewer { id } publishedBy { id } repeats message mode digest } } } }`;

interface PolicyShown {
  readonly status: string;
  readonly draftText: string;
  readonly draft: { readonly version: number; readonly text: string };
  readonly revisions: { readonly nodes: readonly Readonly<Record<string, unknown>>[] };
}

async function shown(client: Client, id: string): Promise<PolicyShown> {
  const { data } = await client.graphql<{ agentPolicy: PolicyShown }>(POLICY, { id });
  if (data == null) throw new Error('There is no policy.');
  return data.agentPolicy;
}

const EVENTS = `{ agentAuditEvents(first: 100) { nodes { type user { id } payload { ... on AgentPolicyPayload {
  revision draftVersion author { id } reviewer { id } repeats mode effectiveFrom digest message reviewSubject } } } } }`;

/** What is recorded of policies, oldest first. */
async function recorded(
  client: Client,
): Promise<readonly { readonly type: string; readonly payload: Readonly<Record<string, unknown>> }[]> {
  const { data } = await client.graphql<{
    agentAuditEvents: { nodes: readonly { readonly type: string; readonly payload: Readonly<Record<string, unknown>> }[] };
  }>(EVENTS);
  return [...(data?.agentAuditEvents.nodes ?? [])].filter(({ type }) => type.startsWith('ai_policy_')).reverse();
}

describe('a draft', () => {
  it('is edited, and decides nothing until it is published', async () => {
    const { company, grace, userOf } = await aCompany();
    const id = await aPublishedPolicy(grace, company.id, PERMIT);

    expect(await saveDraft(grace, { policyId: id, draftVersion: 1, text: FORBID })).toMatchObject({ policy: { id }, errors: [] });

    expect(await shown(grace, id)).toMatchObject({
      status: 'PUBLISHED',
      draftText: FORBID,
      draft: { version: 2, text: FORBID, savedBy: { id: userOf('grace') }, review: null },
    });
    expect((await decisionOn(grace, { agentId: company.coder, projectId: company.api, tool: 't' })).verdict).toBe('ALLOW');
    await publishPolicy(grace, { policyId: id, basedOn: 1 });
    expect((await decisionOn(grace, { agentId: company.coder, projectId: company.api, tool: 't' })).verdict).toBe('DENY');
    expect((await recorded(grace)).map(({ type, payload }) => [type, payload['revision'], payload['draftVersion']])).toEqual([
      ['ai_policy_created', 0, 1],
      ['ai_policy_published', 1, null],
      ['ai_policy_draft_changed', 1, 2],
      ['ai_policy_published', 2, null],
    ]);
  });

  it('open in two tabs is saved in one: the other is told what is there now, and by whom, and keeps its text', async () => {
    const { company, grace, ada, userOf } = await aCompany();
    const id = await aDraft(grace, company.id, PERMIT);

    const [first, second] = [
      await saveDraft(ada, { policyId: id, draftVersion: 1, text: READS }),
      await saveDraft(grace, { policyId: id, draftVersion: 1, text: FORBID }),
    ];

    expect(first.errors).toEqual([]);
    expect(second).toEqual({
      policy: null,
      errors: [
        {
          __typename: 'AgentPolicyDraftConflict',
          message: expect.stringContaining(userOf('ada')),
          basedOnVersion: 1,
          draft: { version: 2, text: READS, savedBy: { id: userOf('ada') } },
          text: FORBID,
          cases: null,
        },
      ],
    });
    expect((await shown(grace, id)).draft).toMatchObject({ version: 2, text: READS });
  });

  it('saved by eight at once is saved by one', async () => {
    const { company, grace } = await aCompany();
    const id = await aDraft(grace, company.id, PERMIT);

    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => saveDraft(grace, { policyId: id, draftVersion: 1, text: `${READS} // ${n}` })),
    );

    expect(answers.filter(({ errors }) => errors.length === 0)).toHaveLength(1);
    expect((await shown(grace, id)).draft.version).toBe(2);
  });

  it('saved as it is stays as it is, and nothing is recorded', async () => {
    const { company, grace, ada } = await aCompany();
    const id = await aDraft(grace, company.id, PERMIT);

    expect((await saveDraft(ada, { policyId: id, draftVersion: 1, text: PERMIT })).errors).toEqual([]);

    expect(await shown(grace, id)).toMatchObject({ draft: { version: 1 } });
    expect(await recorded(grace)).toHaveLength(1);
  });

  it('does not lose what was worked on in it when somebody publishes another text', async () => {
    const { company, grace, ada } = await aCompany();
    const id = await aPublishedPolicy(grace, company.id, PERMIT);
    await saveDraft(ada, { policyId: id, draftVersion: 1, text: READS });

    await publishPolicy(grace, { policyId: id, basedOn: 1, text: FORBID });

    expect(await shown(grace, id)).toMatchObject({ draftText: READS, draft: { version: 2 }, published: { revision: 2 } });
    // And whoever worked from revision 1 does not publish over revision 2.
    expect((await publishPolicy(ada, { policyId: id, basedOn: 1 })).errors).toMatchObject([
      { __typename: 'AgentPolicyConflict', latest: 2 },
    ]);
    expect(await shown(grace, id)).toMatchObject({ draftText: READS });
  });

  it('is not published by somebody who has seen another version of it', async () => {
    const { company, grace, ada } = await aCompany();
    const id = await aDraft(grace, company.id, READS);
    await saveDraft(ada, { policyId: id, draftVersion: 1, text: PERMIT });

    const { errors } = await publishPolicy(grace, { policyId: id, basedOn: 0, draftVersion: 1 });

    expect(errors).toMatchObject([{ __typename: 'AgentPolicyDraftConflict', basedOnVersion: 1, draft: { version: 2, text: PERMIT } }]);
    expect((await shown(grace, id)).status).toBe('DRAFT');
  });

  it('is refused with its problems when it does not compile', async () => {
    const { company, grace } = await aCompany();
    const id = await aDraft(grace, company.id, PERMIT);

    expect((await saveDraft(grace, { policyId: id, draftVersion: 1, text: 'permit (' })).errors).toMatchObject([
      { __typename: 'AgentPolicyInvalid', problems: [{ line: 1 }] },
    ]);
  });
});

describe('a conflict', () => {
  it('names what the author worked from and what is the latest, with its author and text', async () => {
    const { company, grace, ada, userOf } = await aCompany();
    const id = await aPublishedPolicy(grace, company.id, PERMIT);
    await publishPolicy(ada, { policyId: id, basedOn: 1, text: READS, message: 'Only reads' });

    const { data } = await grace.graphql(
      `mutation ($input: AgentPolicyPublishInput!) { agentPolicyPublish(input: $input) { errors { __typename ... on AgentPolicyConflict {
        basedOn latest text basedOnRevision { revision text author { id } } latestRevision { revision text message author { id } } } } } }`,
      { input: { policyId: id, basedOn: 1, text: FORBID } },
    );

    expect(data?.['agentPolicyPublish']).toEqual({
      errors: [
        {
          __typename: 'AgentPolicyConflict',
          basedOn: 1,
          latest: 2,
          text: FORBID,
          basedOnRevision: { revision: 1, text: PERMIT, author: { id: userOf('grace') } },
          latestRevision: { revision: 2, text: READS, message: 'Only reads', author: { id: userOf('ada') } },
        },
      ],
    });
  });
});

describe('a revision', () => {
  it('names who wrote its text and who published it, and holds its JSON form', async () => {
    const { company, grace, ada, userOf } = await aCompany();
    const id = await aDraft(grace, company.id, PERMIT);
    await saveDraft(ada, { policyId: id, draftVersion: 1, text: READS });

    await publishPolicy(grace, { policyId: id, basedOn: 0, message: 'Reads' });

    const { revisions } = await shown(grace, id);
    expect(revisions.nodes).toMatchObject([
      {
        ...{ revision: 1, text: READS, message: 'Reads', author: { id: userOf('ada') }, publishedBy: { id: userOf('grace') } },
        ...{ reviewer: null, repeats: null, mode: 'ENFORCE', json: [{ effect: 'permit', conditions: [{ kind: 'when' }] }] },
      },
    ]);
  });
});

describe('a rollback', () => {
  it('publishes an old revision anew, as the next one, and names it', async () => {
    const { company, grace, ada, userOf } = await aCompany();
    const id = await aPublishedPolicy(grace, company.id, PERMIT);
    await publishPolicy(ada, { policyId: id, basedOn: 1, text: FORBID });

    expect(await rollBackPolicy(ada, { policyId: id, basedOn: 2, toRevision: 1, message: 'Broke the build' })).toEqual({
      policy: { id, status: 'PUBLISHED', latestRevision: 3 },
      errors: [],
    });

    expect((await shown(grace, id)).revisions.nodes[0]).toMatchObject({
      ...{ revision: 3, text: PERMIT, repeats: 1, message: 'Broke the build' },
      ...{ author: { id: userOf('grace') }, publishedBy: { id: userOf('ada') } },
    });
    expect((await decisionOn(grace, { agentId: company.coder, projectId: company.api, tool: 't' })).verdict).toBe('ALLOW');
    expect((await recorded(grace)).at(-1)).toMatchObject({ type: 'ai_policy_rolled_back', payload: { revision: 3, repeats: 1 } });
  });

  it('is refused from a revision that is not the latest, to one that there is not, and to a retirement', async () => {
    const { company, grace } = await aCompany();
    const id = await aPublishedPolicy(grace, company.id, PERMIT);
    await retirePolicy(grace, { policyId: id, basedOn: 1 });

    expect((await rollBackPolicy(grace, { policyId: id, basedOn: 1, toRevision: 1 })).errors).toMatchObject([
      { __typename: 'AgentPolicyConflict', latest: 2 },
    ]);
    expect((await rollBackPolicy(grace, { policyId: id, basedOn: 2, toRevision: 7 })).errors).toMatchObject([
      { __typename: 'AgentNotFound', field: 'toRevision' },
    ]);
    expect((await rollBackPolicy(grace, { policyId: id, basedOn: 2, toRevision: 2 })).errors).toMatchObject([
      { __typename: 'AgentInputInvalid', inputProblems: [{ path: 'toRevision' }] },
    ]);
    expect((await rollBackPolicy(grace, { policyId: id, basedOn: 2, toRevision: 1 })).policy).toMatchObject({ status: 'PUBLISHED' });
  });

  it('does not touch a draft that somebody works on', async () => {
    const { company, grace } = await aCompany();
    const id = await aPublishedPolicy(grace, company.id, PERMIT);
    await publishPolicy(grace, { policyId: id, basedOn: 1, text: FORBID });
    await saveDraft(grace, { policyId: id, draftVersion: 2, text: READS });

    await rollBackPolicy(grace, { policyId: id, basedOn: 2, toRevision: 1 });

    expect(await shown(grace, id)).toMatchObject({ draftText: READS });
  });
});

describe('a retirement', () => {
  it('says what was in force, whatever the draft says by then', async () => {
    const { company, grace } = await aCompany();
    const id = await aPublishedPolicy(grace, company.id, PERMIT);
    await saveDraft(grace, { policyId: id, draftVersion: 1, text: READS });

    await retirePolicy(grace, { policyId: id, basedOn: 1 });

    expect(await shown(grace, id)).toMatchObject({
      draftText: READS,
      revisions: { nodes: [{ text: PERMIT, status: 'RETIRED', json: [] }, {}] },
    });
  });
});

describe('a diff', () => {
  const DIFF = `query ($id: ID!, $from: Int!, $to: Int) { agentPolicyDiff(policyId: $id, from: $from, to: $to) {
    from { revision } to { revision } lines { kind text fromLine toLine } statements { kind effect before after } } }`;

  it('shows what changes between two revisions, from nothing, and to the draft', async () => {
    const { company, grace } = await aCompany();
    const id = await aPublishedPolicy(grace, company.id, `${PERMIT}\n`);
    await publishPolicy(grace, { policyId: id, basedOn: 1, text: `${READS}\n${FORBID}\n` });
    await saveDraft(grace, { policyId: id, draftVersion: 2, text: `${FORBID}\n${READS}\n` });
    const diff = async (from: number, to?: number) => (await grace.graphql(DIFF, { id, from, to })).data?.['agentPolicyDiff'];

    expect(await diff(1, 2)).toEqual({
      from: { revision: 1 },
      to: { revision: 2 },
      lines: [
        { kind: 'REMOVED', text: PERMIT, fromLine: 1, toLine: null },
        { kind: 'ADDED', text: READS, fromLine: null, toLine: 1 },
        { kind: 'ADDED', text: FORBID, fromLine: null, toLine: 2 },
      ],
      statements: [
        { kind: 'CHANGED', effect: 'PERMIT', before: PERMIT, after: READS },
        { kind: 'ADDED', effect: 'FORBID', before: null, after: FORBID },
      ],
    });
    expect(await diff(0, 1)).toMatchObject({ from: null, lines: [{ kind: 'ADDED' }], statements: [{ kind: 'ADDED' }] });
    // The same statements in another order: lines differ, and nothing else.
    expect(await diff(2)).toMatchObject({
      from: { revision: 2 },
      to: null,
      lines: expect.arrayContaining([expect.objectContaining({ kind: 'REMOVED' })]),
      statements: [],
    });
  });

  it('is not there for a revision that is not, or for somebody who may not see the policy', async () => {
    const { company, grace } = await aCompany();
    const id = await aPublishedPolicy(grace, company.core, PERMIT);
    const outsider = await company.member('OWNER', company.shop);

    expect((await grace.graphql(DIFF, { id, from: 1, to: 2 })).data).toEqual({ agentPolicyDiff: null });
    expect((await outsider.graphql(DIFF, { id, from: 0, to: 1 })).data).toEqual({ agentPolicyDiff: null });
    expect((await grace.graphql(DIFF, { id, from: -1 })).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});
