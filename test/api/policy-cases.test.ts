import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  aDraft,
  aPublishedPolicy,
  createAndTry,
  createPolicy,
  publishPolicy,
  publishUnconfirmed,
  retirePolicy,
  reviewPolicy,
  rollBackPolicy,
  saveAndTry,
  saveDraft,
  setReviewRequired,
  testPolicy,
  type PolicyAnswer,
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

const FORCE_PUSH = `@id("developers")
permit (principal, action, resource)
when { context.role >= 30 };

@id("no-force-push")
forbid (principal, action, resource in Tool::"git/push")
when { resource.flags.hasTag("force") && resource.flags.getTag("force") };

@id("ask-before-destroying")
@approval("maintainer")
forbid (principal, action, resource)
when { resource.risk >= 3 }
unless { context has approval && context.approval.level >= 40 };
`;
const push = (force: boolean): object => ({ tool: { id: 'git/push', actionType: 'WRITE' }, arguments: { force } });
const documentOf = (...cases: readonly object[]): string => JSON.stringify({ cases }, null, 1);
const FORCE_PUSH_CASES = documentOf(
  { name: 'no force push', call: push(true), expect: { verdict: 'DENY', reasons: ['no-force-push'] } },
  { name: 'a push', call: push(false), expect: { verdict: 'ALLOW', reasons: ['developers'], obligations: [] } },
  { name: 'destroying', call: { tool: { actionType: 'DESTROY' } }, expect: { verdict: 'ASK', approval: { role: 'MAINTAINER' } } },
  { name: 'a reporter', call: { user: { role: 'REPORTER' } }, expect: { verdict: 'DENY', reasons: [] } },
);

describe('the cases of a policy are run', () => {
  it('when it is created or saved, with what they cover; what fails is told and recorded, and refuses nothing', async () => {
    const { company, grace } = await aCompany();

    const created = await createAndTry(grace, { namespaceId: company.id, name: 'push', text: FORCE_PUSH, cases: FORCE_PUSH_CASES });
    expect(created).toMatchObject({ errors: [], warnings: [], test: { passed: 4, failed: 0, uncovered: [] } });
    expect(created.test?.coverage).toEqual([
      {
        number: 1,
        statement: 'developers',
        applied: 3,
        decided: 1,
        clauses: [{ kind: 'WHEN', line: 3, isTrue: 3, isFalse: 1, isError: 0, isNotReached: 0 }],
      },
      {
        number: 2,
        statement: 'no-force-push',
        applied: 1,
        decided: 1,
        clauses: [{ kind: 'WHEN', line: 7, isTrue: 1, isFalse: 1, isError: 0, isNotReached: 2 }],
      },
      {
        ...{ number: 3, statement: 'ask-before-destroying', applied: 1, decided: 1 },
        clauses: [
          { kind: 'WHEN', line: 12, isTrue: 1, isFalse: 3, isError: 0, isNotReached: 0 },
          { kind: 'UNLESS', line: 13, isTrue: 1, isFalse: 1, isError: 0, isNotReached: 3 },
        ],
      },
    ]);

    const policyId = created.policy?.id ?? '';
    const saved = await saveAndTry(grace, { policyId, draftVersion: 1, text: FORCE_PUSH.replaceAll('"force"', '"forced"') });
    expect(saved.errors).toEqual([]);
    expect(saved.test).toMatchObject({
      ...{ passed: 3, failed: 1 },
      uncovered: [
        { line: 6, message: 'No case is decided by this forbid.' },
        { line: 7, message: 'In no case this when is true.' },
      ],
    });
    expect(saved.test?.results[0]).toEqual({
      ...{ name: 'no force push', line: 3, passed: false, verdict: 'ALLOW' },
      difference:
        'Wanted DENY, but it is ALLOW: “developers” permits it and nothing forbids it. Of the reasons that were wanted “no-force-push” is missing, and “developers” came beside.',
      reasons: [{ policyName: 'push', statement: 'developers', revision: 0 }],
    });
    expect(await trialsRecorded(grace)).toEqual([
      ['ai_policy_created', 4, 0, []],
      ['ai_policy_draft_changed', 3, 1, []],
    ]);
  });

  it('before it is published, and nothing is while one fails', async () => {
    const { company, grace } = await aCompany();
    const wrong = documentOf(
      { name: 'a push', call: push(false), expect: { verdict: 'DENY' } },
      { name: 'nothing', expect: { verdict: 'ALLOW' } },
    );
    const policyId = await aDraft(grace, company.id, FORCE_PUSH);

    expect(await publishUnconfirmed(grace, { policyId, basedOn: 0, cases: wrong })).toEqual({
      policy: null,
      errors: [
        {
          __typename: 'AgentPolicyCasesFailed',
          message: expect.stringMatching(/^1 of 2 cases fail.*“developers” permits it/),
          failed: [{ name: 'a push', difference: expect.stringContaining('Wanted DENY'), verdict: 'ALLOW', wanted: { verdict: 'DENY' } }],
        },
      ],
    });
    expect((await shown(grace, policyId)).revisions.nodes).toEqual([]);
    expect((await publishUnconfirmed(grace, { policyId, basedOn: 0, cases: FORCE_PUSH_CASES })).errors).toEqual([]);
  });

  it('before an old revision comes back, beside what is in force now', async () => {
    const { company, grace } = await aCompany();
    const policyId = await aDraft(grace, company.id, READS);
    await publishPolicy(grace, { policyId, basedOn: 0, cases: READ_CASES });
    await publishPolicy(grace, { policyId, basedOn: 1, text: WRITES, cases: WRITE_CASES });
    const stop = await aPublishedPolicy(
      grace,
      company.id,
      '@id("stop") forbid (principal, action, resource) when { principal.trust > 50 };',
    );

    expect((await rollBackPolicy(grace, { policyId, basedOn: 2, toRevision: 1 })).errors).toMatchObject([
      { __typename: 'AgentPolicyCasesFailed', failed: [{ name: 'reads', difference: expect.stringContaining('“stop” forbids it') }] },
    ]);
    await retirePolicy(grace, { policyId: stop, basedOn: 1 });
    expect((await rollBackPolicy(grace, { policyId, basedOn: 2, toRevision: 1 })).errors).toEqual([]);
  });

  it('beside what they say: what is in force there and above, in its own place; nothing; or a permit of everything', async () => {
    const { company, grace } = await aCompany();
    await aPublishedPolicy(grace, company.id, '@id("above") permit (principal, action, resource);');
    await aPublishedPolicy(grace, company.core, '@id("below") forbid (principal, action, resource);');
    const own = await aPublishedPolicy(
      grace,
      company.payments,
      '@id("own") forbid (principal, action, resource) when { resource.risk >= 3 };',
    );
    const text = '@id("own") forbid (principal, action, resource) when { resource.risk >= 4 };';
    const destroy = (beside?: string): object => ({
      name: beside ?? 'default',
      call: { tool: { actionType: 'DESTROY' } },
      expect: { verdict: 'ALLOW' },
      beside,
    });
    const cases = documentOf(destroy(), destroy('NOTHING'), destroy('PERMIT_ALL'));

    const { test } = await testPolicy(grace, { policyId: own, text, cases });

    expect(test?.results.map(({ verdict, reasons }) => [verdict, reasons])).toEqual([
      ['ALLOW', [expect.objectContaining({ statement: 'above' })]],
      ['DENY', []],
      ['ALLOW', [expect.objectContaining({ policyName: 'permit all' })]],
    ]);
  });

  it('in the line of namespaces of the policy, below which groups and the project are what the case says', async () => {
    const { company, grace } = await aCompany();
    const text = `permit (principal, action, resource in Organization::"${company.id}") when { resource in Group::"${company.core}" && resource in Project::"p" };`;
    const inside = { groups: [company.core], id: 'p' };
    const cases = documentOf(
      { name: 'inside', call: { project: inside }, expect: { verdict: 'ALLOW' } },
      { name: 'elsewhere', call: { project: { id: 'p' } }, expect: { verdict: 'DENY' } },
      { name: 'another', call: { project: { ...inside, id: 'q' } }, expect: { verdict: 'DENY' } },
    );

    expect(await testPolicy(grace, { namespaceId: company.id, text, cases })).toMatchObject({ errors: [], test: { passed: 3, failed: 0 } });
    expect((await testPolicy(grace, { namespaceId: company.core, text: READS, cases })).errors).toMatchObject([
      {
        __typename: 'AgentPolicyCasesInvalid',
        caseProblems: [{ path: 'cases.0.call.project.groups', line: 7 }, { path: 'cases.2.call.project.groups' }],
      },
    ]);
    expect((await testPolicy(grace, { namespaceId: company.api, text: READS, cases })).errors).toMatchObject([
      {
        __typename: 'AgentPolicyCasesInvalid',
        caseProblems: [
          { path: 'cases.0.call.project.groups' },
          { path: 'cases.0.call.project.id' },
          { path: 'cases.1.call.project.id' },
          {},
          {},
        ],
      },
    ]);
  });
});

describe('agentPolicyTest', () => {
  it('changes and records nothing, of a draft, of other text or cases for it, and of what does not exist yet', async () => {
    const { company, grace } = await aCompany();
    const policyId = idIn(await createPolicy(grace, { namespaceId: company.id, name: 'reads', text: READS, cases: READ_CASES }));
    const before = [await shown(grace, policyId), await trialsRecorded(grace)];

    expect(await testPolicy(grace, { policyId })).toMatchObject({ errors: [], test: { passed: 1, failed: 0 } });
    expect(await testPolicy(grace, { policyId, text: WRITES, cases: WRITE_CASES })).toMatchObject({ test: { passed: 1, failed: 0 } });
    expect(await testPolicy(grace, { policyId, cases: WRITE_CASES })).toMatchObject({ test: { passed: 0, failed: 1 } });
    expect(await testPolicy(grace, { policyId, cases: '' })).toMatchObject({ test: { passed: 0, failed: 0, results: [] } });
    expect(await testPolicy(grace, { namespaceId: company.api, text: READS, cases: READ_CASES })).toMatchObject({ test: { passed: 1 } });
    expect([await shown(grace, policyId), await trialsRecorded(grace)]).toEqual(before);
  });

  it('is refused as saving is, and says what to name', async () => {
    const { company, grace } = await aCompany();
    const problemsOf = async (input: object): Promise<unknown> => (await testPolicy(grace, input)).errors;

    expect(await problemsOf({ namespaceId: company.id, text: 'permit (principal, action);' })).toMatchObject([
      { __typename: 'AgentPolicyInvalid' },
    ]);
    expect(await problemsOf({ namespaceId: company.id, text: READS, cases: '[' })).toMatchObject([
      { __typename: 'AgentPolicyCasesInvalid' },
    ]);
    expect(await problemsOf({ text: READS })).toMatchObject([{ __typename: 'AgentInputInvalid', inputProblems: [{ path: 'policyId' }] }]);
    expect(await problemsOf({ namespaceId: company.id })).toMatchObject([
      { __typename: 'AgentInputInvalid', inputProblems: [{ path: 'text' }] },
    ]);
  });

  it('of what is not stored is for those who could store it, without a scope for that', async () => {
    const { company, grace } = await aCompany();
    const policyId = idIn(await createPolicy(grace, { namespaceId: company.payments, name: 'reads', text: READS, cases: READ_CASES }));
    const maintainer = await company.member('MAINTAINER', company.payments, { scopes: [] });
    const developer = await company.member('DEVELOPER', company.payments);
    const below = await company.member('OWNER', company.core);
    const elsewhere = await company.member('OWNER', company.shop);
    const ofPolicy = [
      { policyId, text: READS },
      { policyId, cases: READ_CASES },
      { policyId, cases: '' },
    ];
    const ofNone = { namespaceId: company.payments, text: READS };

    for (const input of [...ofPolicy, ofNone]) {
      const field = 'policyId' in input ? 'policyId' : 'namespaceId';
      expect((await testPolicy(maintainer, input)).errors).toEqual([]);
      await expect(testPolicy(developer, input)).rejects.toThrow('This needs the role MAINTAINER or OWNER in the namespace or above it.');
      for (const other of [below, elsewhere])
        expect((await testPolicy(other, input)).errors).toEqual([expect.objectContaining({ __typename: 'AgentNotFound', field })]);
    }
    expect(await testPolicy(below, { policyId })).toMatchObject({ errors: [], test: { passed: 1 } });
  });

  it('is answered ten times in one operation', async () => {
    const { company, grace } = await aCompany();
    const fields = Array.from({ length: 11 }, (_, index) => `n${index}: agentPolicyTest(input: $input) { errors { __typename } }`);
    const query = `query ($input: AgentPolicyTestInput!) { ${fields.join(' ')} }`;

    const { data, errors } = await grace.graphql(query, { input: { namespaceId: company.id, text: READS } });

    expect(data).toMatchObject({ n0: { errors: [] }, n9: { errors: [] }, n10: null });
    expect(errors).toMatchObject([
      { path: ['n10'], message: 'The operation asks for more than 10 tests of policies. Ask in several operations.' },
    ]);
  });

  it('of a draft is for whoever may read the policy, without a scope for changing it; to everybody else it does not exist', async () => {
    const { company, grace } = await aCompany();
    const policyId = idIn(await createPolicy(grace, { namespaceId: company.payments, name: 'reads', text: READS, cases: READ_CASES }));
    const reporter = await company.member('REPORTER', company.payments, { scopes: [] });
    const elsewhere = await company.member('OWNER', company.shop);
    const { platform: stranger } = await anOrganization(subgraph);
    const missing = (field: string) => [expect.objectContaining({ __typename: 'AgentNotFound', field })];

    expect(await testPolicy(reporter, { policyId })).toMatchObject({ errors: [], test: { passed: 1 } });
    expect((await testPolicy(elsewhere, { policyId })).errors).toEqual(missing('policyId'));
    expect((await testPolicy(elsewhere, { namespaceId: company.payments, text: READS })).errors).toEqual(missing('namespaceId'));
    expect((await testPolicy(await company.outsider(), { policyId })).errors).toEqual(missing('policyId'));
    expect((await testPolicy(grace, { policyId: 'no id' })).errors).toEqual(missing('policyId'));
    expect((await testPolicy(stranger, { policyId })).errors).toEqual(missing('policyId'));
  });
});

describe('what an author may not have meant', () => {
  const STOP = '@id("stop") forbid (principal, action, resource);';

  it('is told when it is saved and tested, and published only when it is confirmed by its name; the event says so', async () => {
    const { company, grace } = await aCompany();
    const created = await createAndTry(grace, { namespaceId: company.id, name: 'stop', text: STOP });
    const policyId = created.policy?.id ?? '';
    const warning = {
      ...{
        kind: 'DENIES_EVERY_AGENT',
        line: 1,
        column: 13,
        statement: 'stop',
        message: expect.stringContaining('every call of every agent'),
      },
      name: expect.stringMatching(/^DENIES_EVERY_AGENT:stop:[0-9a-f]{12}$/),
      help: expect.any(String),
    };
    const name = created.warnings[0]?.name ?? '';

    expect(created).toMatchObject({ errors: [], warnings: [warning] });
    expect((await testPolicy(grace, { policyId })).warnings).toEqual([warning]);
    for (const confirm of [undefined, [], ['stop'], [`${name}0`]])
      expect((await publishUnconfirmed(grace, { policyId, basedOn: 0, confirm })).errors).toEqual([
        { __typename: 'AgentPolicyWarned', message: expect.stringContaining('every name in confirm'), warnings: [warning] },
      ]);
    expect((await publishUnconfirmed(grace, { policyId, basedOn: 0, confirm: [name] })).errors).toEqual([]);
    expect((await trialsRecorded(grace)).at(-1)).toEqual(['ai_policy_published', 0, 0, [name]]);
  });

  it('is confirmed for exactly this: a statement that is changed is warned of anew', async () => {
    const { company, grace } = await aCompany();
    const { policy, warnings } = await createAndTry(grace, { namespaceId: company.id, name: 'stop', text: STOP });
    const confirm = warnings.map(({ name }) => name);
    const changed = STOP.replace('resource)', `resource) when { resource.risk >= 1 }`);

    expect((await publishUnconfirmed(grace, { policyId: policy?.id, basedOn: 0, text: changed, confirm })).errors).toMatchObject([
      { __typename: 'AgentPolicyWarned', warnings: [{ kind: 'DENIES_EVERY_AGENT', statement: 'stop' }] },
    ]);
  });

  it('includes what is in force above already, and what it is', async () => {
    const { company, grace } = await aCompany();
    await aPublishedPolicy(
      grace,
      company.id,
      '@id("reads") permit (principal, action, resource) when { resource.risk <= 2 };',
      'org rules',
    );
    const text = 'permit (principal, action, resource) when { resource.risk <= 1 };';

    expect((await testPolicy(grace, { namespaceId: company.core, text })).warnings).toMatchObject([
      { kind: 'REDUNDANT', message: expect.stringContaining('“reads” of the policy "org rules" (revision 1)') },
    ]);
    const ofItself = await aPublishedPolicy(grace, company.shop, text, 'own');
    expect(
      (await testPolicy(grace, { policyId: ofItself, text: 'permit (principal, action, resource) when { resource.risk == 3 };' })).warnings,
    ).toEqual([]);
  });
});

/** What was recorded of trials, oldest first. */
async function trialsRecorded(client: Client): Promise<readonly unknown[]> {
  const { data } = await client.graphql<{
    agentAuditEvents: { nodes: readonly { readonly type: string; readonly payload: Readonly<Record<string, unknown>> }[] };
  }>(
    '{ agentAuditEvents(first: 50, filter: { types: ["ai_policy_created", "ai_policy_draft_changed", "ai_policy_published"] }) { nodes { type payload { ... on AgentPolicyPayload { casesPassed casesFailed warnings } } } } }',
  );
  return [...(data?.agentAuditEvents.nodes ?? [])]
    .reverse()
    .map(({ type, payload }) => [type, payload['casesPassed'], payload['casesFailed'], payload['warnings']]);
}

const idIn = ({ policy }: PolicyAnswer): string => policy?.id ?? '';
