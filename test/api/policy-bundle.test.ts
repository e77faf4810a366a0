import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { applyBundle, APPLY, releasePolicy, seenIn, type Bundled } from '../support/bundles.js';
import { openAsOwner } from '../support/database.js';
import {
  aDraft,
  aPublishedPolicy,
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

const PERMIT = 'permit (principal, action, resource);';
const FORBID = 'forbid (principal, action, resource);';
const risk = (number: number): string => `forbid (principal, action, resource) when { resource.risk >= ${number} };`;
/** Says the same of no other place. */
const inPlace = (place: string, number = 2): string =>
  `forbid (principal, action, resource) when { resource.risk >= ${number} && context.environment == "${place}" };`;
const REPOSITORY = 'https://git.example/company/policies';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

interface Company {
  readonly company: TestOrganization;
  readonly owner: Client;
  /** Who applies: a maintainer of the group `core` with a token for policies alone. */
  readonly robot: Client;
}

async function aCompany(): Promise<Company> {
  const company = await anOrganization(subgraph);
  const owner = await company.member('OWNER', company.id, { userId: `${company.id}/owner` });
  const robot = await company.member('MAINTAINER', company.core, { userId: `${company.id}/robot`, scopes: ['policy:write'] });
  return { company, owner, robot };
}

const bundle = (...policies: readonly (readonly [string, string])[]): readonly Bundled[] =>
  policies.map(([name, text]) => ({ name, text }));

interface Recorded {
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What was recorded of policies, oldest first. */
async function recorded(client: Client): Promise<readonly Recorded[]> {
  const { data } = await client.graphql<{ agentAuditEvents: { nodes: readonly Recorded[] } }>(
    `{ agentAuditEvents(first: 100) { nodes { type payload { ... on AgentPolicyPayload { name revision repository bundle message author { id } } } } } }`,
  );
  return [...(data?.agentAuditEvents.nodes ?? [])].reverse();
}

const inShort = (events: readonly Recorded[]): readonly string[] =>
  events.map(({ type, payload }) => `${type.replace('ai_policy_', '')} ${String(payload['name'])} ${String(payload['revision'])}`);

async function epochOf(company: TestOrganization): Promise<number> {
  const database = openAsOwner(subgraph.databaseUrl);
  const [row] = await database.sql.query<{ epoch: string }>('SELECT epoch FROM organization WHERE id = $1', [company.id]);
  await database.close();
  return Number(row?.epoch);
}

const latestOf = async (client: Client, namespaceId: string): Promise<unknown> =>
  (
    await client.graphql<{ agentPolicies: { nodes: unknown } }>(
      `query ($n: ID!) { agentPolicies(namespaceId: $n, first: 100) { nodes { name origin status description appliedAsCode { repository revision }
        draft { text } latest { revision status mode text cases message reviewer { id } } } } }`,
      { n: namespaceId },
    )
  ).data?.agentPolicies.nodes;

describe('applying a folder', () => {
  it('creates, publishes and retires in one epoch, and records each with the folder that it is of', async () => {
    const { company, owner, robot } = await aCompany();

    const first = await applyBundle(robot, company.core, bundle(['b', risk(2)], ['a', PERMIT]), { repository: REPOSITORY, message: 'One' });
    const epoch = await epochOf(company);
    const second = await applyBundle(robot, company.core, bundle(['c', risk(3)], ['b', risk(4)]), { message: 'Two' });

    expect(first).toMatchObject({
      results: [
        { name: 'a', action: 'CREATE', revision: 1 },
        { name: 'b', action: 'CREATE', revision: 1 },
      ],
      errors: [],
    });
    expect(second).toMatchObject({
      results: [
        { name: 'a', action: 'RETIRE', revision: 2 },
        { name: 'b', action: 'PUBLISH', revision: 2 },
        { name: 'c', action: 'CREATE', revision: 1 },
      ],
      errors: [],
    });
    expect((await epochOf(company)) - epoch).toBe(1);
    const events = await recorded(owner);
    const [bundle1, bundle2] = [...new Set(events.map(({ payload }) => payload['bundle']))];
    const ofBundle = (wanted: unknown) => events.filter(({ payload }) => payload['bundle'] === wanted);
    expect(inShort(ofBundle(bundle1)).toSorted()).toEqual(['created a 0', 'created b 0', 'published a 1', 'published b 1']);
    expect(inShort(ofBundle(bundle2)).toSorted()).toEqual(['created c 0', 'published b 2', 'published c 1', 'retired a 2']);
    // What was said of the repository before stays.
    const named = events.filter(({ payload }) => payload['repository'] === REPOSITORY);
    expect(new Set(named.map(({ payload }) => payload['name']))).toEqual(new Set(['a', 'b']));
    expect(await latestOf(owner, company.core)).toMatchObject([
      { name: 'a', origin: 'AS_CODE', status: 'RETIRED', latest: { revision: 2, status: 'RETIRED' } },
      {
        ...{ name: 'b', status: 'PUBLISHED', appliedAsCode: { repository: REPOSITORY, revision: 2 }, draft: { text: risk(4) } },
        latest: { text: risk(4), message: 'Two', reviewer: null },
      },
      { name: 'c', appliedAsCode: { repository: null, revision: 1 } },
    ]);
  });

  it('again changes and records nothing, whatever was seen', async () => {
    const { company, owner, robot } = await aCompany();
    const policies = bundle(['a', PERMIT], ['b', FORBID]);
    await applyBundle(robot, company.core, policies);
    const [epoch, events] = [await epochOf(company), await recorded(owner)];

    const again = await applyBundle(robot, company.core, policies, { basedOn: [] });

    expect(again).toMatchObject({ results: [{ action: 'KEEP', revision: 1 }, { action: 'KEEP' }], errors: [] });
    expect([await epochOf(company), await recorded(owner)]).toEqual([epoch, events]);
  });

  it('keeps texts and cases to the byte, the mode, and what it is for', async () => {
    const { company, owner, robot } = await aCompany();
    const text = '// é😀\r\npermit (principal, action, resource);\r\n\r\n// no end';
    const cases = '{ "cases": [] }\n\n';
    const policy = { name: 'a/b “c”', text, cases, description: 'Why', mode: 'SHADOW' } as const;

    expect(await applyBundle(robot, company.core, [policy])).toMatchObject({ errors: [] });

    const [stored] = (await latestOf(owner, company.core)) as unknown[];
    expect(stored).toMatchObject({ name: policy.name, description: 'Why', latest: { text, cases, mode: 'SHADOW' } });
    expect(await applyBundle(robot, company.core, [{ ...policy, description: 'Else' }])).toMatchObject({
      results: [{ action: 'PUBLISH', revision: 2 }],
    });
  });

  it('is refused with every problem of every text, and nothing of it is stored', async () => {
    const { company, owner, robot } = await aCompany();

    const answer = await applyBundle(robot, company.core, [
      { name: 'good', text: PERMIT },
      { name: 'typo', text: 'permit (principal, action, resource)\nwhen { resource.rsk > 1 && context.rol > 3 };' },
      { name: 'open', text: 'permit (principal, action, resource' },
      { name: 'elsewhere', text: `permit (principal, action, resource in Project::"${company.shop}");` },
      { name: 'cases', text: PERMIT, cases: '{"cases": 1}' },
    ]);

    expect(answer.results).toBeNull();
    expect(answer.errors).toMatchObject([
      {
        __typename: 'AgentPolicyBundleInvalid',
        message: 'The texts of 4 policies are not acceptable; problems says where and why. Nothing of the folder was applied.',
        problems: [
          { name: 'cases', isInCases: true, line: 1 },
          { name: 'elsewhere', isInCases: false, line: 1 },
          { name: 'open', line: 1 },
          { name: 'typo', line: 2, help: 'Did you mean “resource.risk”?' },
          { name: 'typo', line: 2, help: 'Did you mean “context.role”?' },
        ],
      },
    ]);
    expect(await latestOf(owner, company.core)).toEqual([]);
    expect(await recorded(owner)).toEqual([]);
  });

  it.each<[string, readonly Bundled[], string]>([
    ['two policies of one name', bundle(['a', PERMIT], ['a', FORBID]), 'policies.1.name'],
    ['a name with white space at its end', bundle(['a ', PERMIT]), 'policies.0.name'],
    ['an empty name', bundle(['', PERMIT]), 'policies.0.name'],
    ['more than a thousand', Array.from({ length: 1_001 }, (_, n) => ({ name: `p${n}`, text: PERMIT })), 'policies'],
  ])('is refused for %s', async (_what, policies, path) => {
    const { company, robot } = await aCompany();

    expect((await applyBundle(robot, company.core, policies, { basedOn: [] })).errors).toMatchObject([
      { __typename: 'AgentInputInvalid', inputProblems: [{ path }] },
    ]);
  });

  it('takes a hundred policies', async () => {
    const { company, robot } = await aCompany();
    const policies = Array.from({ length: 100 }, (_, n) => ({ name: `p ${n}`, text: inPlace(`p ${n}`) }));

    const { results, errors } = await applyBundle(robot, company.core, policies);

    expect(errors).toEqual([]);
    expect(results).toHaveLength(100);
    expect(
      await applyBundle(robot, company.core, [], {
        basedOn: results?.map(({ action: _done, ...each }) => ({ ...each, origin: 'AS_CODE' })),
      }),
    ).toMatchObject({
      results: expect.arrayContaining([expect.objectContaining({ name: 'p 0', action: 'RETIRE', revision: 2 })]),
      errors: [],
    });
  });
});

describe('what has changed since it was seen', () => {
  it('is named with both revisions, and nothing is stored', async () => {
    const { company, owner, robot } = await aCompany();
    const policyId = await aPublishedPolicy(owner, company.core, PERMIT, 'a');
    const basedOn = await seenIn(robot, company.core, ['a', 'b']);
    await publishPolicy(owner, { policyId, basedOn: 1, text: risk(3) });
    const otherId = await aDraft(owner, company.core, PERMIT, 'b');

    const answer = await applyBundle(robot, company.core, bundle(['a', FORBID], ['b', FORBID]), { basedOn, adopt: ['a', 'b'] });

    expect(answer.errors).toMatchObject([
      {
        __typename: 'AgentPolicyBundleConflict',
        policies: [
          { name: 'a', policyId, seenRevision: 1, nowRevision: 2, seenOrigin: 'AUTHORED', nowOrigin: 'AUTHORED' },
          { name: 'b', policyId: otherId, seenRevision: null, seenOrigin: null, nowRevision: 0, nowOrigin: 'AUTHORED' },
        ],
      },
    ]);
    expect(inShort(await recorded(owner)).at(-1)).toBe('created b 0');
  });

  it('is also that a policy was released which the folder does not hold any more', async () => {
    const { company, robot } = await aCompany();
    const { results } = await applyBundle(robot, company.core, bundle(['a', PERMIT], ['b', PERMIT]));
    const basedOn = await seenIn(robot, company.core, []);
    await releasePolicy(robot, results?.[0]?.policyId ?? '');

    expect((await applyBundle(robot, company.core, bundle(['b', FORBID]), { basedOn })).errors).toMatchObject([
      {
        __typename: 'AgentPolicyBundleConflict',
        policies: [{ name: 'a', seenRevision: 1, seenOrigin: 'AS_CODE', nowRevision: null, nowOrigin: null }],
      },
    ]);
    // Who has seen that it is released leaves it alone.
    expect(await applyBundle(robot, company.core, bundle(['b', FORBID]))).toMatchObject({ results: [{ name: 'b', action: 'PUBLISH' }] });
  });

  it('of two applies at once is in force what one of them said, and the other is refused', async () => {
    const { company, robot } = await aCompany();
    const names = Array.from({ length: 20 }, (_, n) => `p${n}`);
    const of = (number: number): readonly Bundled[] => names.map((name) => ({ name, text: inPlace(name, number) }));

    for (const start of [0, 2]) {
      const basedOn = await seenIn(robot, company.core, names);
      const answers = await Promise.all([1, 2].map((n) => applyBundle(robot, company.core, of(start + n), { basedOn })));

      const [won, lost] = [answers.filter(({ results }) => results !== null), answers.filter(({ results }) => results === null)];
      expect([won.length, lost.length]).toEqual([1, 1]);
      expect(lost[0]?.errors).toMatchObject([{ __typename: 'AgentPolicyBundleConflict' }]);
      const texts = ((await latestOf(robot, company.core)) as { latest: { text: string } }[]).map(({ latest }) => latest.text);
      expect(texts.toSorted()).toEqual(
        of(start + (won[0] === answers[0] ? 1 : 2))
          .map(({ text }) => text)
          .toSorted(),
      );
    }
  });

  it('while somebody publishes by hand, either of the two happens', async () => {
    const { company, owner, robot } = await aCompany();
    for (const name of ['a', 'b']) {
      const policyId = await aPublishedPolicy(owner, company.core, PERMIT, name);
      const basedOn = await seenIn(robot, company.core, [name]);
      const [applied, published] = await Promise.all([
        applyBundle(robot, company.core, bundle([name, risk(1)]), { basedOn, adopt: [name] }),
        publishPolicy(owner, { policyId, basedOn: 1, text: risk(2) }),
      ]);

      const { errors } = published.policy === null ? published : applied;
      expect([applied.results === null, published.policy === null].sort()).toEqual([false, true]);
      expect(errors).toMatchObject([{ __typename: published.policy === null ? 'AgentPolicyAsCode' : 'AgentPolicyBundleConflict' }]);
      // What was applied before is out of the way of the next.
      await applyBundle(robot, company.core, []);
    }
  });
});

describe('an apply that breaks off', () => {
  it('leaves nothing behind, also when everything was written already', async () => {
    const { company, owner, robot } = await aCompany();
    await applyBundle(robot, company.core, bundle(['a', risk(1)]));
    const [before, events] = [await latestOf(owner, company.core), await recorded(owner)];
    const database = openAsOwner(subgraph.databaseUrl);
    const session = await database.session();
    // The epoch is raised last: whoever holds its row stops an apply that has written all the rest.
    await session.query('BEGIN');
    await session.query('SELECT 1 FROM organization WHERE id = $1 FOR UPDATE', [company.id]);

    const applying = robot.graphql(APPLY, {
      input: {
        namespaceId: company.core,
        policies: bundle(['a', risk(2)], ['b', inPlace('b', 1)]),
        basedOn: await seenIn(robot, company.core, ['a', 'b']),
      },
    });
    const killed = await until(async () => {
      const { rowCount } = await session.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ILIKE '%organization%'",
      );
      return (rowCount ?? 0) > 0;
    });
    const answer = await applying;
    await session.query('ROLLBACK');
    session.release();
    await database.close();

    expect(killed).toBe(true);
    expect(answer.errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);
    expect([await latestOf(owner, company.core), await recorded(owner)]).toEqual([before, events]);
  });
});

async function until(isSo: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await isSo()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

describe('cases and warnings of a folder', () => {
  const cases = (verdict: string, beside = 'IN_FORCE'): string =>
    JSON.stringify({
      cases: [{ name: 'a read', call: { tool: { id: 'files/read', actionType: 'READ' } }, expect: { verdict }, beside }],
    });
  const readsOnly = 'permit (principal, action, resource) when { resource.risk <= 1 };';
  const noReads = 'forbid (principal, action, resource) when { resource.risk <= 1 };';

  it('are tried beside all of it, so that one policy cannot break what another promises', async () => {
    const { company, owner, robot } = await aCompany();
    const promising = { name: 'a', text: readsOnly, cases: cases('ALLOW') };
    expect(await applyBundle(robot, company.core, [promising])).toMatchObject({ errors: [] });

    const answer = await applyBundle(robot, company.core, [promising, { name: 'b', text: noReads }]);

    expect(answer.errors).toMatchObject([
      {
        __typename: 'AgentPolicyBundleCasesFailed',
        message: expect.stringMatching(/^1 case fails, and so nothing of the folder was applied\. Of "a", "a read": /),
        failed: [{ name: 'a', result: { name: 'a read', line: 1, verdict: 'DENY' } }],
      },
    ]);
    // Where that is retired by the same apply, all is well.
    expect(await applyBundle(robot, company.core, [{ name: 'c', text: noReads, cases: cases('DENY') }])).toMatchObject({
      results: [{ action: 'RETIRE' }, { action: 'CREATE' }],
    });
    const { data } = await owner.graphql(
      `{ agentAuditEvents(first: 100, filter: { types: ["ai_policy_published"] }) { nodes { payload { ... on AgentPolicyPayload { name casesPassed casesFailed } } } } }`,
    );
    expect(data).toMatchObject({ agentAuditEvents: { nodes: [{ payload: { name: 'c', casesPassed: 1, casesFailed: 0 } }, {}] } });
  });

  it('of what is only watched are tried as if it were enforced, and beside what stays enforced of others', async () => {
    const { company, robot } = await aCompany();
    await applyBundle(robot, company.core, [{ name: 'a', text: readsOnly }]);

    const watched = { name: 'a', text: noReads, mode: 'SHADOW', cases: cases('DENY') } as const;
    const other = { name: 'b', text: inPlace('b'), cases: cases('ALLOW') };
    expect(await applyBundle(robot, company.core, [watched, other])).toMatchObject({ errors: [] });
  });

  it('a warning is to be confirmed by its name, which stays until the text changes', async () => {
    const { company, robot } = await aCompany();
    const apply = (text: string, confirm: readonly string[]) => applyBundle(robot, company.core, bundle(['a', text]), { confirm });

    const { errors } = await apply(FORBID, []);
    expect(errors).toMatchObject([
      { __typename: 'AgentPolicyBundleWarned', warnings: [{ name: 'a', warning: { kind: 'DENIES_EVERY_AGENT', line: 1 } }] },
    ]);
    const [name = ''] = /DENIES_EVERY_AGENT:[^"]+/.exec(JSON.stringify(errors)) ?? [];
    expect(await apply(FORBID, [name])).toMatchObject({ errors: [] });
    expect((await apply(PERMIT, [name])).errors).toMatchObject([{ __typename: 'AgentPolicyBundleWarned' }]);
  });

  it('can be tried by those who could apply it, without the scope for that, once in an operation; and that changes nothing', async () => {
    const { company, owner } = await aCompany();
    const maintainer = await company.member('MAINTAINER', company.core, { scopes: [] });
    const test = `query ($input: AgentPolicyBundleTestInput!) { agentPolicyBundleTest(input: $input) {
      tests { name test { passed failed results { name passed reasons { policyName revision } } } warnings { kind } } errors { __typename } } }`;
    const policies = [
      { name: 'a', text: readsOnly, cases: cases('ALLOW') },
      { name: 'b', text: FORBID, cases: cases('ALLOW', 'NOTHING') },
    ];

    const { data } = await maintainer.graphql(test, { input: { namespaceId: company.core, policies } });

    const reasons = (revision: number) => [{ policyName: 'b', revision }];
    expect(data).toEqual({
      agentPolicyBundleTest: {
        tests: [
          { name: 'a', test: { passed: 0, failed: 1, results: [{ name: 'a read', passed: false, reasons: reasons(1) }] }, warnings: [] },
          {
            name: 'b',
            test: { passed: 0, failed: 1, results: [{ name: 'a read', passed: false, reasons: reasons(0) }] },
            warnings: [{ kind: 'DENIES_EVERY_AGENT' }],
          },
        ],
        errors: [],
      },
    });
    expect(await latestOf(owner, company.core)).toEqual([]);
    const neighbour = await company.member('OWNER', company.shop);
    expect((await neighbour.graphql(test, { input: { namespaceId: company.core, policies } })).data).toMatchObject({
      agentPolicyBundleTest: { tests: null, errors: [{ __typename: 'AgentNotFound' }] },
    });
    const developer = await company.member('DEVELOPER', company.core);
    expect((await developer.graphql(test, { input: { namespaceId: company.core, policies } })).errors).toMatchObject([
      { message: 'This needs the role MAINTAINER or OWNER in the namespace or above it.', extensions: { code: 'FORBIDDEN' } },
    ]);
    const field = 'agentPolicyBundleTest(input: $input) { errors { __typename } }';
    const twice = `query ($input: AgentPolicyBundleTestInput!) { a: ${field} b: ${field} }`;
    expect(await maintainer.graphql(twice, { input: { namespaceId: company.core, policies: [] } })).toMatchObject({
      data: { a: { errors: [] }, b: null },
      errors: [{ path: ['b'], message: 'The operation asks for more than 1 test of a folder. Ask in several operations.' }],
    });
  });
});

describe('a policy that is not as the last apply has left it', () => {
  it('is taken over when it was always written by hand, if it is named', async () => {
    const { company, owner, robot } = await aCompany();
    const [same, other] = [
      await aPublishedPolicy(owner, company.core, PERMIT, 'same'),
      await aPublishedPolicy(owner, company.core, PERMIT, 'other'),
    ];
    const policies = bundle(['same', PERMIT], ['other', FORBID]);

    expect((await applyBundle(robot, company.core, policies, { adopt: ['same'] })).errors).toMatchObject([
      { __typename: 'AgentPolicyBundleDrifted', policies: [{ name: 'other', policyId: other, reason: 'HAND_WRITTEN', revision: 1 }] },
    ]);
    expect(await applyBundle(robot, company.core, policies, { adopt: ['same', 'other'], repository: REPOSITORY })).toMatchObject({
      results: [
        { name: 'other', action: 'PUBLISH', revision: 2 },
        { name: 'same', action: 'ADOPT', policyId: same, revision: 1 },
      ],
      errors: [],
    });
    expect(
      inShort(await recorded(owner))
        .slice(-3)
        .toSorted(),
    ).toEqual(['adopted other 1', 'adopted same 1', 'published other 2']);
    // Other policies of the namespace are nobody's business.
    await aPublishedPolicy(owner, company.core, PERMIT, 'aside');
    expect(await applyBundle(robot, company.core, policies)).toMatchObject({ results: [{ action: 'KEEP' }, { action: 'KEEP' }] });
  });

  it('is refused when it was released, until it is named', async () => {
    const { company, owner, robot } = await aCompany();
    const { results } = await applyBundle(robot, company.core, bundle(['a', PERMIT]));
    const policyId = results?.[0]?.policyId ?? '';
    await releasePolicy(owner, policyId);
    await publishPolicy(owner, { policyId, basedOn: 1, text: risk(4) });

    expect((await applyBundle(robot, company.core, bundle(['a', PERMIT]))).errors).toMatchObject([
      { __typename: 'AgentPolicyBundleDrifted', policies: [{ name: 'a', reason: 'RELEASED', revision: 2 }] },
    ]);
    expect(await applyBundle(robot, company.core, bundle(['a', PERMIT]), { adopt: ['a'] })).toMatchObject({ results: [{ revision: 3 }] });
  });

  it('is refused when it was applied from another repository, until it is named', async () => {
    const { company, robot } = await aCompany();
    await applyBundle(robot, company.core, bundle(['a', PERMIT], ['b', PERMIT]), { repository: REPOSITORY });

    const repository = `${REPOSITORY}-2`;
    expect((await applyBundle(robot, company.core, bundle(['a', PERMIT]), { repository })).errors).toMatchObject([
      {
        policies: [
          { name: 'a', reason: 'OTHER_REPOSITORY', repository: REPOSITORY },
          { name: 'b', reason: 'OTHER_REPOSITORY' },
        ],
      },
    ]);
    expect(await applyBundle(robot, company.core, bundle(['a', PERMIT]), { repository, adopt: ['a', 'b'] })).toMatchObject({
      results: [
        { name: 'a', action: 'ADOPT' },
        { name: 'b', action: 'RETIRE' },
      ],
    });
  });

  it('is never taken over when it follows from rules about tools', async () => {
    const { company, owner, robot } = await aCompany();
    await owner.graphql(
      `mutation ($n: ID!) { agentToolRuleSet(input: { namespaceId: $n, rules: [{ tool: "a/b", agentClass: "coding", verdict: DENY }] }) { errors { __typename } } }`,
      { n: company.core },
    );

    expect((await applyBundle(robot, company.core, bundle(['tool rules 1', PERMIT]), { adopt: ['tool rules 1'] })).errors).toMatchObject([
      { __typename: 'AgentPolicyBundleDrifted', policies: [{ reason: 'TOOL_RULES' }] },
    ]);
  });
});

describe('a policy that is applied as code', () => {
  it('is changed by nobody by hand, and everybody is told where it comes from', async () => {
    const { company, owner, robot } = await aCompany();
    const { results } = await applyBundle(robot, company.core, bundle(['a', PERMIT]), { repository: REPOSITORY });
    const policyId = results?.[0]?.policyId ?? '';
    const before = await recorded(owner);
    const digest = '0'.repeat(64);

    const answers = [
      await saveDraft(owner, { policyId, draftVersion: 1, text: FORBID }),
      await publishPolicy(owner, { policyId, basedOn: 1, text: FORBID }),
      await rollBackPolicy(owner, { policyId, basedOn: 1, toRevision: 1 }),
      await retirePolicy(owner, { policyId, basedOn: 1 }),
      await reviewPolicy(owner, { policyId, digest }),
    ];

    for (const { errors } of answers)
      expect(errors).toEqual([
        {
          __typename: 'AgentPolicyAsCode',
          message: `This policy is applied as code from ${REPOSITORY}. Change it there, in the file of "a", and apply the folder; or release it with agentPolicyRelease to change it by hand.`,
          policyId,
          repository: REPOSITORY,
        },
      ]);
    expect((await createPolicy(owner, { namespaceId: company.core, name: 'a', text: PERMIT })).errors).toMatchObject([
      { __typename: 'AgentPolicyNameTaken' },
    ]);
    expect(await recorded(owner)).toEqual(before);
  });

  it('is released once, and goes on deciding', async () => {
    const { company, owner, robot } = await aCompany();
    const { results } = await applyBundle(robot, company.core, bundle(['a', PERMIT]), { repository: REPOSITORY });
    const policyId = results?.[0]?.policyId ?? '';

    for (const _time of [1, 2])
      expect(await releasePolicy(owner, policyId)).toEqual({
        policy: { id: policyId, origin: 'AUTHORED', appliedAsCode: { repository: REPOSITORY, revision: 1 } },
        errors: [],
      });

    expect(inShort(await recorded(owner)).filter((event) => event.startsWith('released'))).toEqual(['released a 1']);
    expect((await retirePolicy(owner, { policyId, basedOn: 1 })).errors).toEqual([]);
  });
});

describe('where a second person must review', () => {
  it('nothing is applied, unless everybody who demands it trusts who applies', async () => {
    const { company, owner, robot } = await aCompany();
    const userId = `${company.id}/robot`;
    await setReviewRequired(owner, company.id, true);
    await setReviewRequired(owner, company.core, true, [userId]);
    const apply = (client: Client) => applyBundle(client, company.core, bundle(['a', risk(3)]));
    const refused = (demandedBy: readonly string[]) => [{ __typename: 'AgentPolicyReviewNeeded', demandedBy }];

    expect((await apply(robot)).errors).toMatchObject(refused([company.id]));
    await setReviewRequired(owner, company.id, true, [userId, 'somebody']);
    expect(await setReviewRequired(owner, company.core, true)).toMatchObject({
      settings: { reviewRequiredBy: [company.id, company.core], trustedAppliers: [{ id: userId }] },
    });
    // Whoever is trusted to apply, others are not, whatever their role.
    expect((await apply(owner)).errors).toMatchObject(refused([company.id, company.core]));
    expect((await apply(robot)).errors).toEqual([]);
    // What they are trusted with is code, and nothing that is written by hand.
    const policyId = await aDraft(robot, company.core, PERMIT);
    expect((await publishPolicy(robot, { policyId, basedOn: 0 })).errors).toMatchObject([{ __typename: 'AgentPolicyReviewNeeded' }]);
  });

  it('whom it trusts is recorded, and ends with the demand', async () => {
    const { company, owner } = await aCompany();
    await setReviewRequired(owner, company.core, true, ['b', 'a', 'b']);
    await setReviewRequired(owner, company.core, true, ['a', 'b']);
    await setReviewRequired(owner, company.core, false);
    expect(await setReviewRequired(owner, company.core, true)).toMatchObject({ settings: { trustedAppliers: [] } });

    const { data } = await owner.graphql<{ agentAuditEvents: { nodes: readonly { readonly payload: unknown }[] } }>(
      `{ agentAuditEvents(first: 10, filter: { types: ["ai_policy_settings_changed"] }) { nodes { payload { ... on AgentPolicySettingsPayload {
        isReviewRequired trustedAppliers } } } } }`,
    );
    expect(data?.agentAuditEvents.nodes.map(({ payload }) => payload)).toEqual([
      { isReviewRequired: true, trustedAppliers: [] },
      { isReviewRequired: false, trustedAppliers: [] },
      { isReviewRequired: true, trustedAppliers: ['a', 'b'] },
    ]);
  });

  it('a folder needs a backtest of each policy that it changes where backtests are demanded', async () => {
    const { company, owner, robot } = await aCompany();
    await applyBundle(robot, company.core, bundle(['a', risk(3)]));
    await owner.graphql(
      'mutation ($n: ID!) { agentPolicySettingsSet(input: { namespaceId: $n, backtest: { days: 1 } }) { errors { __typename } } }',
      { n: company.core },
    );

    const problemsOf = async (...policies: readonly (readonly [name: string, text: string])[]) => {
      const [refusal] = (await applyBundle(robot, company.core, bundle(...policies))).errors;
      expect(refusal).toMatchObject({ __typename: 'AgentPolicyBacktestNeeded', demandedBy: [company.core] });
      return refusal?.['backtestProblems'];
    };

    expect(await problemsOf(['a', risk(2)])).toEqual([expect.stringMatching(/^a: There is no backtest of exactly this/)]);
    expect(await problemsOf(['a', risk(3)], ['b', inPlace('b')])).toEqual([
      'b is new, and a backtest is of a policy that there is: apply it with the mode SHADOW first.',
    ]);
    // What is harmless of each may not be so of all.
    expect(await problemsOf(['a', risk(2)], ['b', inPlace('b')])).toEqual([expect.stringMatching(/^A backtest is of one policy/)]);
    // What is only watched changes nothing.
    expect(
      await applyBundle(robot, company.core, [
        { name: 'a', text: risk(3) },
        { name: 'b', text: inPlace('b'), mode: 'SHADOW' },
      ]),
    ).toMatchObject({
      results: [{ action: 'KEEP' }, { action: 'CREATE' }],
    });
  });

  it('nobody is trusted where nothing is demanded', async () => {
    const { company, owner } = await aCompany();

    expect((await setReviewRequired(owner, company.id, false, ['a'])).errors).toMatchObject([
      { __typename: 'AgentInputInvalid', inputProblems: [{ path: 'trustedAppliers' }] },
    ]);
  });
});

describe('who may apply and release', () => {
  it('needs the scope and the role', async () => {
    const { company, robot } = await aCompany();
    const { results } = await applyBundle(robot, company.core, bundle(['a', PERMIT]));
    const [unscoped, developer] = [
      await company.member('MAINTAINER', company.core, { scopes: ['audit:read'] }),
      await company.member('DEVELOPER', company.core),
    ];
    const release = 'mutation ($id: ID!) { agentPolicyRelease(input: { policyId: $id }) { errors { __typename } } }';
    const input = { namespaceId: company.core, policies: bundle(['a', FORBID]), basedOn: await seenIn(unscoped, company.core, ['a']) };

    for (const client of [unscoped, developer]) {
      expect((await client.graphql(APPLY, { input })).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
      expect((await client.graphql(release, { id: results?.[0]?.policyId })).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    }
  });

  it('is told of what is elsewhere as of what there is not', async () => {
    const [{ company, robot }, other] = [await aCompany(), await aCompany()];
    const { results } = await applyBundle(robot, company.core, bundle(['a', PERMIT]));
    const neighbour = await company.member('OWNER', company.shop);

    for (const client of [other.owner, neighbour]) {
      expect((await applyBundle(client, company.core, bundle(['a', FORBID]), { basedOn: [] })).errors).toMatchObject([
        { __typename: 'AgentNotFound', field: 'namespaceId' },
      ]);
      expect((await releasePolicy(client, results?.[0]?.policyId ?? '')).errors).toMatchObject([{ __typename: 'AgentNotFound' }]);
      await expect(seenIn(client, company.core, [])).rejects.toThrow('not there');
    }
  });
});
