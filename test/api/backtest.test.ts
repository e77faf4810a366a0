import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { backtested, followed, startBacktest } from '../support/backtesting.js';
import { openAsOwner } from '../support/database.js';
import { aDraft, aPublishedPolicy, decisionOn, publishPolicy, registerTool, retirePolicy, rollBackPolicy } from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { itWithData, linesOf } from '../support/shared-data.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

const PERMIT = 'permit (principal, action, resource);';
const NO_SECRETS =
  '@id("no-secrets")\nforbid (principal, action, resource)\nwhen { resource.hasTag("path") && resource.getTag("path") like "/etc/*" };';
const ASK_WRITES =
  '@approval("maintainer")\nforbid (principal, action, resource)\nwhen { resource.actionType == "WRITE" }\nunless { context has approval && context.approval.level >= 40 };';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

interface Company {
  readonly company: TestOrganization;
  readonly owner: Client;
  readonly ada: Client;
  readonly permitId: string;
  readonly write: string;
  /** Ids of decisions: reads of two files and a write, in two projects. */
  readonly decisions: Readonly<Record<'harmless' | 'secret' | 'written' | 'elsewhere', string>>;
}

/** A company in which four calls were allowed. */
async function aCompany(): Promise<Company> {
  const company = await anOrganization(subgraph);
  const owner = await company.member('OWNER', company.id);
  const ada = await company.member('DEVELOPER', company.payments);
  const permitId = await aPublishedPolicy(owner, company.id, PERMIT, 'everything');
  const write = 'com.example.files/write';
  await registerTool(owner, { id: write, annotations: { destructiveHint: false } });
  const ask = async (projectId: string, tool: string, path: string): Promise<string> =>
    (await decisionOn(ada, { agentId: company.coder, projectId, tool, arguments: { path } })).id;
  return {
    ...{ company, owner, ada, permitId, write },
    decisions: {
      harmless: await ask(company.api, 'read', 'README.md'),
      secret: await ask(company.api, 'read', '/etc/passwd'),
      written: await ask(company.api, write, 'README.md'),
      elsewhere: await ask(company.web, 'read', '/etc/shadow'),
    },
  };
}

const DETAILS = `query ($id: ID!, $change: AgentPolicyBacktestChange, $policyId: ID, $first: Int = 20, $after: String) { backtest: agentPolicyBacktest(id: $id) {
  policy { name } subject baseline startedBy { id }
  agents: groups(by: AGENT) { key agent { id } decisions newlyDenied newlyAsked newlyAllowed }
  tools: groups(by: TOOL) { key decisions newlyDenied newlyAsked newlyAllowed }
  projects: groups(by: PROJECT) { key project { id } newlyDenied newlyAsked newlyAllowed }
  policies: groups(by: POLICY) { key policy { name } newlyDenied newlyAsked newlyAllowed }
  calls(change: $change, policyId: $policyId, first: $first, after: $after) { pageInfo { hasNextPage endCursor }
    nodes { decisionId change before after tool policies { name } event { type toolName } } } } }`;

async function detailsOf(client: Client, id: string, more: object = {}) {
  interface Details {
    readonly [field: string]: unknown;
    readonly calls: { readonly pageInfo: { hasNextPage: boolean; endCursor: string }; readonly nodes: readonly { decisionId: string }[] };
  }
  const { data, errors } = await client.graphql<{ backtest: Details | null }>(DETAILS, { id, ...more });
  if (data?.backtest == null) throw new Error(JSON.stringify(errors ?? 'There is no such backtest.'));
  return data.backtest;
}

describe('what a draft would have done', () => {
  it('is counted by agent, tool, project and policy, with the calls behind each number', async () => {
    const { company, owner, decisions } = await aCompany();
    const draft = await aDraft(owner, company.id, NO_SECRETS, 'no secrets');

    const { id, report } = await backtested(owner, { policyId: draft });

    expect(report).toMatchObject({
      ...{ decisions: 4, newlyDenied: 2, newlyAsked: 0, newlyAllowed: 0 },
      ...{ skipped: 0, withoutArguments: 0, notReproduced: 0, groupsLeftOut: 0, callsLeftOut: 0 },
    });
    const none = { newlyAsked: 0, newlyAllowed: 0 };
    const { calls, ...details } = await detailsOf(owner, id);
    expect(details).toMatchObject({
      ...{ policy: { name: 'no secrets' }, subject: 'PUBLISH', baseline: 'IN_FORCE' },
      agents: [{ key: company.coder, agent: { id: company.coder }, decisions: 4, newlyDenied: 2, ...none }],
      tools: [{ key: 'read', decisions: 3, newlyDenied: 2, ...none }],
      projects: expect.arrayContaining([
        { key: company.api, project: { id: company.api }, newlyDenied: 1, ...none },
        { key: company.web, project: { id: company.web }, newlyDenied: 1, ...none },
      ]),
      policies: [{ key: draft, policy: { name: 'no secrets' }, newlyDenied: 2, ...none }],
    });
    expect(calls.nodes).toEqual(
      [decisions.secret, decisions.elsewhere].map((decisionId) => ({
        ...{ decisionId, change: 'NEWLY_DENIED', before: 'ALLOW', after: 'DENY', tool: 'read' },
        ...{ policies: [{ name: 'no secrets' }], event: { type: 'ai_tool_decision_made', toolName: 'read' } },
      })),
    );
  });

  it('is told of asking and of allowing as well, and page by page', async () => {
    const { company, owner, decisions, permitId, write } = await aCompany();
    const asking = await aDraft(owner, company.id, ASK_WRITES);
    const forbidding = await aPublishedPolicy(owner, company.id, NO_SECRETS);

    expect((await backtested(owner, { policyId: asking })).report).toMatchObject({ newlyDenied: 0, newlyAsked: 1, newlyAllowed: 0 });
    const lifted = await backtested(owner, { policyId: forbidding, text: 'forbid (principal, action, resource == ToolUse::"no");' });
    expect(lifted.report).toMatchObject({ newlyDenied: 0, newlyAsked: 0, newlyAllowed: 2, notReproduced: 2 });
    const retired = await backtested(owner, { policyId: permitId, subject: 'RETIRE' });
    expect(retired.report).toMatchObject({ decisions: 4, newlyDenied: 2 });
    const first = await detailsOf(owner, retired.id, { first: 1 });
    const second = await detailsOf(owner, retired.id, { first: 1, after: first.calls.pageInfo.endCursor });
    expect([...first.calls.nodes, ...second.calls.nodes].map(({ decisionId }) => decisionId)).toEqual([
      decisions.harmless,
      decisions.written,
    ]);
    expect(second.calls.pageInfo.hasNextPage).toBe(false);
    expect((await detailsOf(owner, retired.id, { change: 'NEWLY_ASKED' })).calls.nodes).toEqual([]);
    expect((await detailsOf(owner, retired.id, { policyId: permitId })).calls.nodes).toHaveLength(2);
    expect((await detailsOf(owner, retired.id)).tools).toEqual(
      expect.arrayContaining([expect.objectContaining({ key: write, newlyDenied: 1 })]),
    );
  });

  it('is nothing for a set that does not change, whatever was decided before', async () => {
    const { company, owner, permitId } = await aCompany();
    await aPublishedPolicy(owner, company.id, NO_SECRETS);

    expect((await backtested(owner, { policyId: permitId })).report).toMatchObject({ decisions: 4, newlyDenied: 0, notReproduced: 2 });
    expect((await backtested(owner, { policyId: permitId, baseline: 'RECORDED' })).report).toMatchObject({
      newlyDenied: 2,
      newlyAllowed: 0,
    });
  });

  it('reaches no further than the policy, the time and the filter', async () => {
    const { company, owner, write } = await aCompany();
    const inCore = await aDraft(owner, company.core, NO_SECRETS);
    const everywhere = await aDraft(owner, company.id, 'forbid (principal, action, resource);');
    const denied = async (input: object) => {
      const { report } = await backtested(owner, { policyId: everywhere, ...input });
      return [report?.['decisions'], report?.['newlyDenied']];
    };

    expect(await denied({ policyId: inCore })).toEqual([3, 1]);
    expect(await denied({ filter: { toolNames: [write] } })).toEqual([1, 1]);
    expect(await denied({ filter: { namespaceIds: [company.core] } })).toEqual([3, 3]);
    expect(await denied({ policyId: inCore, filter: { namespaceIds: [company.web] } })).toEqual([0, 0]);
    expect(await denied({ to: new Date(Date.now() - 3_600_000).toISOString() })).toEqual([0, 0]);
  }, 30_000);

  itWithData('agentdojo/calls.ndjson', 'is exactly what a plain script over the recorded calls finds', async (path) => {
    const { company, owner, ada } = await aCompany();
    interface RecordedCall {
      readonly tool: string;
      readonly args: Readonly<Record<string, unknown>>;
    }
    const calls = (await linesOf<RecordedCall>(path)).filter((_, index) => index % 40 === 0).slice(0, 150);
    const asked: { readonly call: RecordedCall; readonly id: string }[] = [];
    for (const call of calls) {
      const input = { agentId: company.coder, projectId: company.web, tool: call.tool, arguments: call.args };
      asked.push({ call, id: (await decisionOn(ada, input)).id });
    }
    const text =
      'forbid (principal, action, resource)\nwhen { resource.hasTag("channel") && resource.getTag("channel") like "*e*" || resource.lists.hasTag("recipients") };';
    const draft = await aDraft(owner, company.web, text);

    const { id } = await backtested(owner, { policyId: draft });

    const isForbidden = ({ args }: RecordedCall): boolean =>
      String(args['channel'] ?? '').includes('e') || args['recipients'] !== undefined;
    const found = asked.filter(({ call }) => isForbidden(call)).map((each) => each.id);
    expect(found.length).toBeGreaterThan(10);
    expect((await detailsOf(owner, id, { first: 100 })).calls.nodes.map(({ decisionId }) => decisionId).sort()).toEqual(found.sort());
  });
});

describe('a backtest', () => {
  it('is told of from its start to its end, and recorded', async () => {
    const { company, owner } = await aCompany();
    const draft = await aDraft(owner, company.id, NO_SECRETS, 'no secrets');
    const { backtest } = await startBacktest(owner, { policyId: draft });

    const told = await followed(owner, backtest?.id ?? '');

    expect([backtest?.status, told.at(-1)?.status, told.at(-1)?.progress]).toEqual(['RUNNING', 'DONE', 1]);
    const { data } = await owner.graphql(
      `query ($id: ID!) { agentPolicy(id: $id) { backtests { nodes { id status } } }
        agentAuditEvents(first: 1, filter: { types: ["ai_policy_backtested"] }) { nodes { payload { ... on AgentPolicyBacktestPayload { policy { id } name backtestId newlyDenied reportDigest } } } } }`,
      { id: draft },
    );
    expect(data).toEqual({
      agentPolicy: { backtests: { nodes: [{ id: backtest?.id, status: 'DONE' }] } },
      agentAuditEvents: {
        nodes: [
          {
            payload: {
              ...{ policy: { id: draft }, name: 'no secrets', backtestId: backtest?.id, newlyDenied: 2 },
              reportDigest: told.at(-1)?.report?.['digest'],
            },
          },
        ],
      },
    });
  });

  it('that another process runs can be cancelled; one whose process has vanished has failed', async () => {
    const { company, owner } = await aCompany();
    const policyId = await aDraft(owner, company.id, NO_SECRETS);
    const [running, vanished] = [
      await aRunningBacktest(company, policyId, 'now()'),
      await aRunningBacktest(company, policyId, "now() - interval '2 minutes'"),
    ];
    const cancel = `mutation ($id: ID!) { answer: agentPolicyBacktestCancel(input: { backtestId: $id }) { backtest { status report { digest } } errors { __typename } } }`;

    expect((await followed(owner, vanished)).map(({ status, problem }) => [status, problem])).toEqual([
      ['FAILED', 'The process that ran it has ended. Start it again.'],
    ]);
    const { data } = await owner.graphql(cancel, { id: running });
    expect(data).toEqual({ answer: { backtest: { status: 'CANCELLED', report: null }, errors: [] } });
    expect((await followed(owner, running)).map(({ status }) => status)).toEqual(['CANCELLED']);
    expect((await owner.graphql(cancel, { id: running })).data).toEqual(data);
  });

  /** The id of a backtest that a process of which nothing is known here runs, and when it was heard of. */
  async function aRunningBacktest(company: TestOrganization, policyId: string, heardOf: string): Promise<string> {
    const database = openAsOwner(subgraph.databaseUrl);
    try {
      const [row] = await database.sql.query<{ readonly id: string }>(
        `INSERT INTO policy_backtest (organization_id, id, policy_id, namespace_id, subject, digest, baseline, range_from, range_to, is_filtered, status, started_at, started_by, progress_at)
         VALUES ($1, gen_random_uuid(), $2, $1, 'PUBLISH', 'd', 'IN_FORCE', now() - interval '1 day', now(), false, 'RUNNING', now(), 'somebody', ${heardOf}) RETURNING id`,
        [company.id, policyId],
      );
      return row?.id ?? '';
    } finally {
      await database.close();
    }
  }

  it('is refused with what would be right', async () => {
    const { company, owner } = await aCompany();
    const policyId = await aDraft(owner, company.id, NO_SECRETS);
    const errorsOf = async (input: object) => (await startBacktest(owner, { policyId, ...input })).errors;

    expect(await errorsOf({ text: 'permit (principal, action, resourc);' })).toEqual([
      expect.objectContaining({ __typename: 'AgentPolicyInvalid', textProblems: [expect.objectContaining({ line: 1 })] }),
    ]);
    expect(await errorsOf({ subject: 'RETIRE', text: PERMIT })).toEqual([
      expect.objectContaining({ problems: [{ path: 'text', message: 'a retirement has none: leave it out' }] }),
    ]);
    expect(await errorsOf({ from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' })).toEqual([
      expect.objectContaining({ problems: [{ path: 'from', message: 'must lie before the end, 2026-01-01T00:00:00.000Z' }] }),
    ]);
    expect(await errorsOf({ filter: { types: ['ai_tool_invoked'] } })).toEqual([
      expect.objectContaining({ problems: [expect.objectContaining({ path: 'filter.types' })] }),
    ]);
  });

  it('is there for those alone who may change the policy', async () => {
    const { company, owner, ada } = await aCompany();
    const { company: other } = await aCompany();
    const stranger = await other.member('OWNER', other.id);
    const policyId = await aDraft(owner, company.id, NO_SECRETS);
    const { id } = await backtested(owner, { policyId });
    const notFound = [expect.objectContaining({ __typename: 'AgentNotFound', field: 'policyId' })];

    for (const client of [ada, stranger]) {
      expect((await startBacktest(client, { policyId })).errors).toEqual(notFound);
      expect((await client.graphql('query ($id: ID!) { agentPolicyBacktest(id: $id) { id } }', { id })).data).toEqual({
        agentPolicyBacktest: null,
      });
      expect(await followed(client, id)).toEqual([]);
    }
    const unread = await company.member('OWNER', company.id, { scopes: ['policy:write'] });
    await expect(startBacktest(unread, { policyId })).rejects.toThrow('audit:read');
  });
});

const SET = `mutation ($input: AgentPolicySettingsSetInput!) { answer: agentPolicySettingsSet(input: $input) {
  settings { isReviewRequired backtestDemands { namespaceId days maxNewlyDenied maxNewlyAsked maxNewlyAllowed } } errors { __typename } } }`;

describe('where a backtest must precede a publish', () => {
  const demand = async (client: Client, namespaceId: string, backtest: object | null) =>
    (await client.graphql(SET, { input: { namespaceId, backtest } })).data?.['answer'];
  const needed = (...problems: readonly unknown[]) => [
    expect.objectContaining({ __typename: 'AgentPolicyBacktestNeeded', backtestProblems: problems }),
  ];
  const none = 'There is no backtest of exactly this up to the last 24 hours, unfiltered and compared with what is in force.';

  it('a text is published with the digest of a report that stays within the bounds', async () => {
    const { company, owner } = await aCompany();
    expect(await demand(owner, company.payments, { days: 7, maxNewlyDenied: 1 })).toEqual({
      settings: {
        isReviewRequired: false,
        backtestDemands: [{ namespaceId: company.payments, days: 7, maxNewlyDenied: 1, maxNewlyAsked: null, maxNewlyAllowed: null }],
      },
      errors: [],
    });
    const policyId = await aDraft(owner, company.payments, NO_SECRETS);
    const publish = (more: object = {}) => publishPolicy(owner, { policyId, basedOn: 0, ...more });

    expect((await publish()).errors).toEqual(needed(none));
    await backtested(owner, { policyId, filter: { toolNames: ['read'] } });
    expect((await publish()).errors).toEqual(needed(none));
    await backtested(owner, { policyId, from: '2020-01-01T00:00:00Z', to: '2020-03-01T00:00:00Z' });
    expect((await publish()).errors).toEqual(needed(none));
    await backtested(owner, { policyId });
    expect((await publish({ effectiveUntil: new Date(Date.now() + 3_600_000).toISOString() })).errors).toEqual(
      needed(expect.stringMatching(/^What needs a backtest comes in force at once and for good/)),
    );
    expect((await publish()).errors).toEqual(
      needed(`${company.payments} demands at most 1 calls newly denied; the latest backtest has 2.`),
    );
    await demand(owner, company.payments, { days: 31, maxNewlyDenied: 2 });
    expect((await publish()).errors).toEqual(needed(`${company.payments} demands a backtest of at least 31 days; the latest covers 30.`));
    await demand(owner, company.payments, { days: 30, maxNewlyDenied: 2 });
    expect((await publish({ text: `${NO_SECRETS}\n` })).errors).toEqual(needed(none));
    expect((await publish()).policy).toMatchObject({ status: 'PUBLISHED' });

    const { data } = await owner.graphql(
      `query ($id: ID!) { agentPolicy(id: $id) { published { backtestDigest } backtests { nodes { isFiltered report { digest } } } }
        agentAuditEvents(first: 1, filter: { types: ["ai_policy_published"] }) { nodes { payload { ... on AgentPolicyPayload { backtestDigest } } } } }`,
      { id: policyId },
    );
    const { agentPolicy, agentAuditEvents } = JSON.parse(JSON.stringify(data));
    const [whole] = agentPolicy.backtests.nodes;
    expect(whole).toMatchObject({ isFiltered: false });
    expect(agentPolicy.published.backtestDigest).toBe(whole.report.digest);
    expect(agentAuditEvents.nodes[0].payload.backtestDigest).toBe(whole.report.digest);
  }, 30_000);

  it('what is harmless of each policy is not done to two at once', async () => {
    const { company, owner } = await aCompany();
    const [first, second] = [
      await aPublishedPolicy(owner, company.core, NO_SECRETS),
      await aPublishedPolicy(owner, company.core, `${NO_SECRETS}\n// And once more.`),
    ];
    await demand(owner, company.payments, { maxNewlyAllowed: 0 });
    for (const policyId of [first, second])
      expect((await backtested(owner, { policyId, subject: 'RETIRE' })).report).toMatchObject({ newlyAllowed: 0 });

    const outcomes = await Promise.all([first, second].map((policyId) => retirePolicy(owner, { policyId, basedOn: 1 })));

    expect(outcomes.map(({ policy }) => policy?.status ?? null).sort()).toEqual(['RETIRED', null].sort());
    expect(outcomes.flatMap(({ errors }) => errors)).toEqual(
      needed('Other policies that decide there have changed since the latest backtest. Start another one.'),
    );
  }, 30_000);

  it('watching needs none, retiring and rolling back do, and what is taken back is not demanded', async () => {
    const { company, owner } = await aCompany();
    const policyId = await aPublishedPolicy(owner, company.core, NO_SECRETS);
    await demand(owner, company.id, { maxNewlyAllowed: 0 });

    expect((await publishPolicy(owner, { policyId, basedOn: 1, text: PERMIT, mode: 'SHADOW' })).errors).toEqual([]);
    expect((await rollBackPolicy(owner, { policyId, basedOn: 2, toRevision: 1 })).errors).toEqual([
      expect.objectContaining({ __typename: 'AgentPolicyBacktestNeeded' }),
    ]);
    await backtested(owner, { policyId, text: NO_SECRETS });
    expect((await rollBackPolicy(owner, { policyId, basedOn: 2, toRevision: 1 })).errors).toEqual([]);
    await backtested(owner, { policyId, subject: 'RETIRE' });
    expect((await retirePolicy(owner, { policyId, basedOn: 3 })).errors).toEqual(
      needed(`${company.id} demands at most 0 calls newly allowed; the latest backtest has 1.`),
    );
    await demand(owner, company.id, null);
    expect((await retirePolicy(owner, { policyId, basedOn: 3 })).policy).toMatchObject({ status: 'RETIRED' });
  }, 30_000);
});
