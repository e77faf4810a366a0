import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  aDraft,
  createPolicy,
  publishPolicy,
  retirePolicy,
  reviewPolicy,
  rollBackPolicy,
  saveDraft,
  setReviewRequired,
} from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

const READS = 'permit (principal, action, resource) when { resource.risk <= 1 };';
const WRITES = 'permit (principal, action, resource) when { resource.risk <= 2 };';
/** With white space of its own, which has to stay. */
const READ_CASES = '{"cases": [ {"name": "reads", "expect": {"verdict": "ALLOW"}}\n] }\n';
const WRITE_CASES = '{"cases": [{"name": "writes", "call": {"tool": {"actionType": "WRITE"}}, "expect": {"verdict": "ALLOW"}}]}';
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

interface Company {
  readonly company: TestOrganization;
  readonly grace: Client;
  readonly ada: Client;
}

/** A company without a policy, and two of its maintainers. */
async function aCompany(): Promise<Company> {
  const company = await anOrganization(subgraph);
  return { company, grace: await company.member('OWNER', company.id), ada: await company.member('MAINTAINER', company.id) };
}

const POLICY = `query ($id: ID!) { agentPolicy(id: $id) { draft { version text cases casesDigest } latestRevision
  revisions { nodes { revision status text cases casesDigest } } } }`;

interface Written {
  readonly text: string;
  readonly cases: string | null;
  readonly casesDigest: string | null;
}
interface PolicyShown {
  readonly draft: Written & { readonly version: number };
  readonly revisions: { readonly nodes: readonly (Written & { readonly revision: number })[] };
}

async function shown(client: Client, id: string): Promise<PolicyShown> {
  const { data } = await client.graphql<{ agentPolicy: PolicyShown }>(POLICY, { id });
  if (data == null) throw new Error('There is no policy.');
  return data.agentPolicy;
}

describe('the cases of a policy', () => {
  it('stay exactly as they were given, in the draft and in every revision, and its events have their digest', async () => {
    const { company, grace } = await aCompany();
    const { policy } = await createPolicy(grace, { namespaceId: company.id, name: 'reads', text: READS, cases: READ_CASES });
    const id = policy?.id ?? '';
    await publishPolicy(grace, { policyId: id, basedOn: 0 });
    await publishPolicy(grace, { policyId: id, basedOn: 1, text: WRITES, cases: WRITE_CASES });
    await rollBackPolicy(grace, { policyId: id, basedOn: 2, toRevision: 1 });
    await retirePolicy(grace, { policyId: id, basedOn: 3 });

    const { draft, revisions } = await shown(grace, id);
    expect(draft).toEqual({ version: 3, text: READS, cases: READ_CASES, casesDigest: digestOf(READ_CASES) });
    expect(revisions.nodes.map(({ text, cases }) => [text, cases])).toEqual([
      [READS, READ_CASES],
      [READS, READ_CASES],
      [WRITES, WRITE_CASES],
      [READS, READ_CASES],
    ]);
    const { data } = await grace.graphql<{
      agentAuditEvents: { nodes: readonly { readonly type: string; readonly payload: { readonly casesDigest?: string } }[] };
    }>('{ agentAuditEvents(first: 50) { nodes { type payload { ... on AgentPolicyPayload { casesDigest } } } } }');
    const events = [...(data?.agentAuditEvents.nodes ?? [])].reverse().filter(({ type }) => type.startsWith('ai_policy_'));
    expect(events.map(({ type, payload }) => [type, payload.casesDigest])).toEqual([
      ['ai_policy_created', digestOf(READ_CASES)],
      ['ai_policy_published', digestOf(READ_CASES)],
      ['ai_policy_published', digestOf(WRITE_CASES)],
      ['ai_policy_rolled_back', digestOf(READ_CASES)],
      ['ai_policy_retired', digestOf(READ_CASES)],
    ]);
  });

  it('stay when a draft is saved without, go when it is saved with an empty text, and each change is a version', async () => {
    const { company, grace } = await aCompany();
    const { policy } = await createPolicy(grace, { namespaceId: company.id, name: 'reads', text: READS, cases: READ_CASES });
    const policyId = policy?.id ?? '';

    await saveDraft(grace, { policyId, draftVersion: 1, text: WRITES });
    expect((await shown(grace, policyId)).draft).toMatchObject({ version: 2, text: WRITES, cases: READ_CASES });
    await saveDraft(grace, { policyId, draftVersion: 2, text: WRITES, cases: WRITE_CASES });
    expect((await shown(grace, policyId)).draft).toMatchObject({ version: 3, cases: WRITE_CASES });
    await saveDraft(grace, { policyId, draftVersion: 3, text: WRITES, cases: WRITE_CASES });
    expect((await shown(grace, policyId)).draft).toMatchObject({ version: 3 });
    await saveDraft(grace, { policyId, draftVersion: 3, text: WRITES, cases: '' });
    expect((await shown(grace, policyId)).draft).toEqual({ version: 4, text: WRITES, cases: null, casesDigest: null });
  });

  it('are refused with every problem, its place and what would be right, and nothing is stored', async () => {
    const { company, grace } = await aCompany();
    const bad = '{"cases": [\n{"name": "a", "expects": {}}]}';
    const refusal = {
      __typename: 'AgentPolicyCasesInvalid',
      message: expect.any(String),
      caseProblems: [
        { path: 'cases.0.expect', message: 'cases.0.expect is missing.', help: null, line: 2, column: 1 },
        { path: 'cases.0.expects', message: 'cases.0.expects is not known.', help: 'Did you mean “expect”?', line: 2, column: 15 },
      ],
    };

    expect(await createPolicy(grace, { namespaceId: company.id, name: 'bad', text: READS, cases: bad })).toEqual({
      policy: null,
      errors: [refusal],
    });
    const policyId = await aDraft(grace, company.id, READS);
    expect((await saveDraft(grace, { policyId, draftVersion: 1, text: READS, cases: bad })).errors).toEqual([refusal]);
    expect((await publishPolicy(grace, { policyId, basedOn: 0, cases: bad })).errors).toEqual([refusal]);
    expect(await shown(grace, policyId)).toMatchObject({ draft: { version: 1, cases: null }, revisions: { nodes: [] } });
  });

  it('are told of by a diff, line by line', async () => {
    const { company, grace } = await aCompany();
    const { policy } = await createPolicy(grace, { namespaceId: company.id, name: 'reads', text: READS, cases: READ_CASES });
    const id = policy?.id ?? '';
    await publishPolicy(grace, { policyId: id, basedOn: 0 });
    await saveDraft(grace, { policyId: id, draftVersion: 1, text: READS, cases: '{"cases": [\n] }\n' });

    const { data } = await grace.graphql(
      'query ($id: ID!) { agentPolicyDiff(policyId: $id, from: 1) { statements { kind } caseLines { kind text fromLine toLine } } }',
      { id },
    );

    expect(data).toEqual({
      agentPolicyDiff: {
        statements: [],
        caseLines: [
          { kind: 'REMOVED', text: '{"cases": [ {"name": "reads", "expect": {"verdict": "ALLOW"}}', fromLine: 1, toLine: null },
          { kind: 'ADDED', text: '{"cases": [', fromLine: null, toLine: 1 },
          { kind: 'SAME', text: '] }', fromLine: 2, toLine: 2 },
        ],
      },
    });
  });
});

describe('where a second person must review', () => {
  it('they review the cases too: a draft that was reviewed is published with these and no others', async () => {
    const { company, grace, ada } = await aCompany();
    await setReviewRequired(grace, company.id, true);
    const { policy } = await createPolicy(grace, { namespaceId: company.id, name: 'reads', text: READS, cases: READ_CASES });
    const policyId = policy?.id ?? '';
    const [digest, casesDigest] = [digestOf(READS), digestOf(READ_CASES)];
    const conflict = [expect.objectContaining({ __typename: 'AgentPolicyDraftConflict', basedOnVersion: null })];
    const needed = [expect.objectContaining({ __typename: 'AgentPolicyReviewNeeded' })];

    expect((await reviewPolicy(ada, { policyId, digest })).errors).toEqual(conflict);
    expect((await reviewPolicy(ada, { policyId, digest, casesDigest: digestOf(WRITE_CASES) })).errors).toEqual(conflict);
    expect((await reviewPolicy(ada, { policyId, digest, casesDigest })).errors).toEqual([]);

    const other = READ_CASES.replace('"reads"', '"others"');
    expect((await publishPolicy(grace, { policyId, basedOn: 0, cases: other })).errors).toEqual(needed);
    expect((await publishPolicy(grace, { policyId, basedOn: 0, cases: '' })).errors).toEqual(needed);
    expect((await publishPolicy(grace, { policyId, basedOn: 0, text: READS })).errors).toEqual([]);
    await saveDraft(grace, { policyId, draftVersion: 1, text: READS, cases: other });
    expect((await publishPolicy(grace, { policyId, basedOn: 1 })).errors).toEqual(needed);
  });
});

describe('two authors of cases', () => {
  it('who save at once save one of the two, and the other gets theirs back', async () => {
    const { company, grace, ada } = await aCompany();
    const policyId = await aDraft(grace, company.id, READS);

    const answers = await Promise.all(
      [
        [grace, READ_CASES],
        [ada, WRITE_CASES],
      ].map(([author, cases]) => saveDraft(author as Client, { policyId, draftVersion: 1, text: READS, cases })),
    );

    const lost = answers.flatMap(({ errors }) => errors);
    expect(lost).toMatchObject([{ __typename: 'AgentPolicyDraftConflict', draft: { version: 2 } }]);
    expect([READ_CASES, WRITE_CASES]).toContain(lost[0]?.['cases']);
    expect((await shown(grace, policyId)).draft.cases).not.toBe(lost[0]?.['cases']);
  });

  it('who publish lose nothing that was saved in between', async () => {
    const { company, grace, ada } = await aCompany();
    const policyId = await aDraft(grace, company.id, READS);
    await saveDraft(ada, { policyId, draftVersion: 1, text: READS, cases: READ_CASES });

    expect((await publishPolicy(grace, { policyId, basedOn: 0, draftVersion: 1, cases: WRITE_CASES })).errors).toMatchObject([
      { __typename: 'AgentPolicyDraftConflict', cases: WRITE_CASES },
    ]);
  });
});
