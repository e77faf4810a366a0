import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aDraft, aPublishedPolicy, decisionOn, publishPolicy, registerTool, retirePolicy } from '../support/governing.js';
import { SCOPES } from '../../src/kernel/index.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

const EXPLAIN = `query ($input: AgentPolicyExplainInput!, $first: Int, $after: String) { answer: agentPolicyExplain(input: $input) {
  explanation { verdict basis explanation advice obligations approvalNeeded { level count } reasons { policyName statement }
    shadow { verdict basis } user { id } tool { id } actionType evaluatedAt policiesAsOf isWhole tellsOfAgent recordedVerdict decision { id verdict }
    policies(first: $first, after: $after) { nodes { name level namespaceKind mode isDraft isDeciding outcome revisionNumber revision { revision } policy { name }
      statements { number line effect name outcome isDeciding message error misfits { party asked message } clause { number kind text part } } }
      pageInfo { hasNextPage endCursor } }
    counts { applied failed conditionNotMet notInScope }
    facts { path argument value isAbsent }
    changes { kind from to message policyId verdict basis approvalNeeded { level count } }
    nearMisses { policyName missing message statement { line effect } } }
  errors { __typename ... on AgentRefusal { message } ... on AgentNotFound { field } ... on AgentInputInvalid { problems { path message } } } } }`;

interface Explained {
  readonly verdict: string;
  readonly policies: { readonly nodes: readonly Readonly<Record<string, unknown>>[]; readonly pageInfo: { readonly endCursor: string } };
  readonly changes: readonly Readonly<Record<string, unknown>>[];
  readonly facts: readonly { readonly path: string }[];
  readonly [field: string]: unknown;
}
interface ExplainAnswer {
  readonly explanation: Explained | null;
  readonly errors: readonly Readonly<Record<string, unknown>>[];
}

async function explain(client: Client, input: object, page: object = { first: 20 }): Promise<ExplainAnswer> {
  const { data, errors } = await client.graphql<{ answer: ExplainAnswer | null }>(EXPLAIN, { input, ...page });
  if (data?.answer == null) throw new Error(`The request failed: ${JSON.stringify(errors)}`);
  return data.answer;
}

async function explained(client: Client, input: object, page?: object): Promise<Explained> {
  const { explanation, errors } = await explain(client, input, page);
  if (explanation === null) throw new Error(`Nothing was explained: ${JSON.stringify(errors)}`);
  return explanation;
}

/** A company in which everybody has a project of their own, so that no test sees the policies of another. */
let company: TestOrganization;
let owner: Client;
let developer: Client;
let ada: string;
beforeAll(async () => {
  company = await anOrganization(subgraph);
  ada = `${company.id}/ada`;
  owner = await company.member('OWNER', company.id);
  developer = await company.member('DEVELOPER', company.payments, { userId: ada });
  await registerTool(owner, { id: 'io.example.db/drop', annotations: { destructiveHint: true }, labels: ['data'] });
  await aPublishedPolicy(owner, company.payments, BASE, 'base');
});

let projects = 0;

/** A call in a new project below the policy `base`. */
async function aCall(): Promise<{ readonly agentId: string; readonly projectId: string; readonly tool: string }> {
  const path = `own-${(projects += 1)}`;
  const projectId = `${company.api}/${path}`;
  await pushed(company.platform, { namespaces: [{ id: projectId, kind: 'PROJECT', parentId: company.payments, path }] });
  return { agentId: company.coder, projectId, tool: 'io.example.db/drop' };
}

const BASE = `@id("all")
permit (principal, action, resource);

@id("watched") @reason("Production is watched") @approval("maintainer") @advice("Try it in staging.")
forbid (principal, action, resource)
when { resource.risk >= 3 && context.environment == "production" }
unless { context has approval && context.approval.level >= 40 };

@id("elsewhere")
forbid (principal in AgentClass::"review", action, resource in Server::"io.example.mail");`;

describe('why a call is answered as it is', () => {
  it('is told by policy and statement, with what would turn it', async () => {
    const call = await aCall();

    const told = await explained(developer, { ...call, arguments: { table: 'users' } });

    expect(told).toMatchObject({
      ...{ verdict: 'ASK', basis: 'APPROVAL_NEEDED', approvalNeeded: { level: 40, count: 1 }, advice: ['Try it in staging.'] },
      ...{ explanation: 'A human must approve this call before it may be made.', reasons: [{ policyName: 'base', statement: 'watched' }] },
      ...{ user: { id: ada }, tool: { id: 'io.example.db/drop' }, actionType: 'DESTROY', isWhole: true, decision: null, shadow: null },
      counts: { applied: 2, failed: 0, conditionNotMet: 0, notInScope: 1 },
    });
    expect(told.policies.nodes).toEqual([
      {
        ...{ name: 'base', level: 2, namespaceKind: 'GROUP', mode: 'ENFORCE', isDraft: false, isDeciding: true, outcome: 'APPLIED' },
        ...{ revisionNumber: 1, revision: { revision: 1 }, policy: { name: 'base' } },
        statements: [
          expect.objectContaining({ number: 1, line: 1, name: 'all', outcome: 'APPLIED', isDeciding: false }),
          expect.objectContaining({
            ...{ number: 2, line: 4, name: 'watched', outcome: 'APPLIED', isDeciding: true },
            message: 'It forbids the call; it gives way to the approval of one MAINTAINER or above.',
          }),
          expect.objectContaining({
            ...{ number: 3, line: 9, name: 'elsewhere', outcome: 'NOT_IN_SCOPE', isDeciding: false, clause: null },
            misfits: [
              {
                ...{ party: 'PRINCIPAL', asked: 'in AgentClass::"review"' },
                message: 'It is about agents of the class “review”, and this agent is not of it.',
              },
              {
                ...{ party: 'RESOURCE', asked: 'in Server::"io.example.mail"' },
                message: 'It is about tools of the server “io.example.mail”, and this tool is not one of them.',
              },
            ],
          }),
        ],
      },
    ]);
    expect(told.facts).toEqual([
      { path: 'context.approval', argument: null, value: null, isAbsent: true },
      { path: 'context.approval.level', argument: null, value: null, isAbsent: true },
      { path: 'context.environment', argument: null, value: 'production', isAbsent: false },
      { path: 'resource.risk', argument: null, value: 3, isAbsent: false },
    ]);
    expect(told.changes).toMatchObject([
      {
        kind: 'APPROVAL',
        from: null,
        to: 'maintainer',
        message: 'If the call had the approval of one MAINTAINER or above.',
        verdict: 'ALLOW',
      },
      { kind: 'ENVIRONMENT', from: 'production', to: 'staging', message: 'If the call acted on “staging”.', verdict: 'ALLOW' },
      { kind: 'ENVIRONMENT', to: 'none', verdict: 'ALLOW' },
      { kind: 'TOOL_ACTION_TYPE', from: 'DESTROY', to: 'WRITE', verdict: 'ALLOW' },
      {
        kind: 'STATEMENT_REMOVAL',
        from: 'watched',
        message: 'If the statement “watched” were taken out of the policy “base”.',
        verdict: 'ALLOW',
      },
    ]);
    expect(await explained(developer, { ...call, approval: { level: 40 } })).toMatchObject({ verdict: 'ALLOW', changes: [] });
  });

  it('names the term that is not so, what failed, and what nearly permitted', async () => {
    await aPublishedPolicy(
      owner,
      company.shop,
      `@id("deploys") permit (principal, action, resource in Project::"${company.shop}")
       when { principal.known && context.role >= 20 && context.surface == "CI" };
       permit (principal in AgentClass::"ops", action, resource);`,
      'shop only',
    );
    const userId = `${company.id}/rita`;
    const reporter = await company.member('REPORTER', company.shop, { userId });
    const call = { ...(await aCall()), projectId: company.shop };

    const told = await explained(reporter, call);

    expect(told).toMatchObject({ verdict: 'DENY', basis: 'NO_MATCH' });
    expect(told.policies.nodes).toMatchObject([
      {
        name: 'shop only',
        statements: [
          {
            outcome: 'CONDITION_NOT_MET',
            message: 'It asks for something that is not so: context.surface == "CI"',
            clause: {
              number: 1,
              kind: 'WHEN',
              text: 'principal.known && context.role >= 20 && context.surface == "CI"',
              part: 'context.surface == "CI"',
            },
          },
          { outcome: 'NOT_IN_SCOPE', line: 3 },
        ],
      },
    ]);
    expect(told.nearMisses).toEqual([
      {
        ...{ policyName: 'shop only', missing: 'context.surface == "CI"', statement: { line: 1, effect: 'PERMIT' } },
        message: 'It would permit the call, if only this were so: context.surface == "CI"',
      },
      {
        ...{ policyName: 'shop only', missing: 'principal in AgentClass::"ops"', statement: { line: 3, effect: 'PERMIT' } },
        message: 'It is about agents of the class “ops”, and this agent is not of it. Everything else that it asks for is so.',
      },
    ]);
    expect((await explained(owner, { ...call, userId })).changes).toMatchObject([
      { kind: 'SURFACE', from: 'EXTERNAL', to: 'CI', verdict: 'ALLOW' },
      { kind: 'AGENT_CLASS', from: null, to: 'ops', verdict: 'ALLOW' },
    ]);
    expect((await explain(developer, call)).errors).toMatchObject([{ field: 'projectId' }]);
  });

  it('shows a policy that cannot be evaluated, and what would come of retiring it', async () => {
    const call = await aCall();
    await aPublishedPolicy(
      owner,
      call.projectId,
      '@id("sum") forbid (principal, action, resource) when { resource.numbers.hasTag("n") && resource.numbers.getTag("n") * 9007199254740991 * 9007199254740991 > 0 };',
      'broken',
    );

    const told = await explained(developer, { ...call, environment: 'staging', arguments: { n: 7 } });

    expect(told).toMatchObject({ verdict: 'DENY', basis: 'POLICY_ERROR' });
    expect(told.policies.nodes[0]).toMatchObject({
      ...{ name: 'broken', level: 3, namespaceKind: 'PROJECT', isDeciding: true, outcome: 'FAILED' },
      statements: [
        {
          error: 'a number grew beyond 64 bits',
          message:
            'It could not be evaluated: a number grew beyond 64 bits, in resource.numbers.getTag("n") * 9007199254740991 * 9007199254740991 > 0. A forbid that cannot be evaluated denies.',
        },
      ],
    });
    expect(told.facts).toContainEqual({ path: 'resource.numbers.getTag("n")', argument: 'n', value: 7, isAbsent: false });
    expect(told.changes).toMatchObject([{ kind: 'POLICY_RETIREMENT', from: 'broken', verdict: 'ALLOW' }]);
  });

  it('marks what is only watched, pages through the policies, and takes a draft for what is in force', async () => {
    const call = await aCall();
    const draft = await aDraft(owner, call.projectId, '@id("n")\nforbid (principal, action, resource);', 'no');
    const watched = await aDraft(owner, call.projectId, 'forbid (principal, action, resource);', 'watched');
    await publishPolicy(owner, { policyId: watched, basedOn: 0, mode: 'SHADOW' });
    const input = { ...call, environment: 'staging' };

    const now = await explained(developer, input, { first: 1 });
    const next = await explained(developer, input, { first: 1, after: now.policies.pageInfo.endCursor });

    expect(now).toMatchObject({
      verdict: 'ALLOW',
      shadow: { verdict: 'DENY', basis: 'FORBIDDEN' },
      policies: { pageInfo: { hasNextPage: true } },
    });
    expect([...now.policies.nodes, ...next.policies.nodes]).toMatchObject([
      { name: 'base', mode: 'ENFORCE', isDeciding: true },
      { name: 'watched', mode: 'SHADOW', isDeciding: false, outcome: 'APPLIED' },
    ]);
    expect(next.policies.pageInfo).toMatchObject({ hasNextPage: false });
    const asIf = await explained(developer, { ...input, draftPolicyId: draft });
    expect(asIf).toMatchObject({ verdict: 'DENY' });
    expect(asIf.policies.nodes[0]).toMatchObject({
      name: 'no',
      isDraft: true,
      revisionNumber: null,
      revision: null,
      statements: [{ name: 'n', line: 1 }],
    });
    const elsewhere = { ...input, projectId: company.shop, draftPolicyId: draft };
    expect((await explain(owner, elsewhere)).errors).toMatchObject([{ problems: [{ path: 'draftPolicyId' }] }]);
    const reporter = await company.member('REPORTER', company.shop);
    expect((await explain(reporter, elsewhere)).errors).toMatchObject([{ field: 'draftPolicyId' }]);
  });

  it('can be asked of another time: its clock, and of what is scheduled what will be in force then', async () => {
    const call = await aCall();
    const policyId = await aDraft(
      owner,
      call.projectId,
      'forbid (principal, action, resource) when { context.local.weekday == 1 };',
      'mondays',
    );
    await publishPolicy(owner, { policyId, basedOn: 0, effectiveFrom: '2099-01-01T00:00:00.000Z' });
    const at = async (time: string) => (await explained(developer, { ...call, environment: 'staging', at: time })).verdict;

    expect([await at('2098-01-06T10:00:00.000Z'), await at('2099-01-05T10:00:00.000Z'), await at('2099-01-06T10:00:00.000Z')]).toEqual([
      ...['ALLOW', 'DENY', 'ALLOW'],
    ]);
  });
});

describe('a decision that was made', () => {
  it('is explained with what was known then and by the policies of then, whatever was published or retired since', async () => {
    const call = await aCall();
    const agent = { id: `${company.coder}/7`, classes: [], trust: 60, autonomous: false, ownerId: null };
    await pushed(company.platform, { agents: [agent] });
    const text = `forbid (principal, action, resource)
      when { principal.trust < 90 && resource.hasTag("table") && resource.getTag("table") == "users" };`;
    const policyId = await aPublishedPolicy(owner, call.projectId, text, 'users');
    await publishPolicy(owner, { policyId, basedOn: 1 });
    const asked = {
      ...call,
      agentId: agent.id,
      environment: 'staging',
      arguments: { table: 'users', password: 'correct horse battery staple' },
    };
    const decision = await decisionOn(developer, asked);
    await retirePolicy(owner, { policyId, basedOn: 2 });
    await aPublishedPolicy(owner, call.projectId, 'forbid (principal, action, resource);', 'afterwards');
    await pushed(company.platform, { agents: [{ ...agent, trust: 100 }] });

    const told = await explained(developer, { decisionId: decision.id });

    expect(told).toMatchObject({
      ...{ verdict: 'DENY', recordedVerdict: 'DENY', basis: 'FORBIDDEN', decision: { id: decision.id, verdict: 'DENY' }, isWhole: false },
      ...{ reasons: [{ policyName: 'users' }], policiesAsOf: told['evaluatedAt'] },
    });
    expect(told.policies.nodes).toMatchObject([
      { name: 'users', isDeciding: true, level: 3, namespaceKind: 'PROJECT', revisionNumber: 2, revision: { revision: 2 } },
      { name: 'base', isDeciding: false },
    ]);
    expect(told.facts).toContainEqual({ path: 'principal.trust', argument: null, value: 60, isAbsent: false });
    expect(told.changes).toContainEqual(expect.objectContaining({ kind: 'AGENT_TRUST', from: '60', to: '90', verdict: 'ALLOW' }));
    expect(told.changes).toContainEqual(expect.objectContaining({ kind: 'POLICY_RETIREMENT', from: 'users', verdict: 'ALLOW' }));
    expect(await explained(developer, asked)).toMatchObject({ recordedVerdict: null, reasons: [{ policyName: 'afterwards' }] });
  });

  it('may have come of something else than what was published by then, and shows both', async () => {
    const call = await aCall();
    const policyId = await aDraft(owner, call.projectId, 'forbid (principal, action, resource);', 'by a clock that is behind');
    const decision = await decisionOn(developer, { ...call, environment: 'staging' });
    const userId = `${company.id}/hal`;
    await company.member('OWNER', company.id, { userId });
    const behind = await subgraph.sibling({}, () => new Date(Date.now() - 5_000));
    try {
      const publisher = await behind.as({ userId, organizationId: company.id, scopes: [...SCOPES] });
      expect(await publishPolicy(publisher, { policyId, basedOn: 0 })).toMatchObject({ errors: [] });
    } finally {
      await behind.close();
    }

    expect(await explained(developer, { decisionId: decision.id })).toMatchObject({ recordedVerdict: 'ALLOW', verdict: 'DENY' });
  });

  it('is shown to whoever may see it', async () => {
    const decision = await decisionOn(developer, await aCall());

    expect(await explained(owner, { decisionId: decision.id })).toMatchObject({ recordedVerdict: 'ASK', verdict: 'ASK' });
    const other = await company.member('MAINTAINER', company.web);
    expect((await explain(other, { decisionId: decision.id })).errors).toMatchObject([
      { __typename: 'AgentNotFound', field: 'decisionId' },
    ]);
    expect((await explain(developer, { decisionId: 'nothing', tool: 'x', at: null })).errors).toMatchObject([
      { problems: [{ path: 'tool' }] },
    ]);
    expect((await explain(developer, { decisionId: 'nothing' })).errors).toMatchObject([{ field: 'decisionId' }]);
  });

  it('goes by the namespaces of then, and only for those who may read their policies', async () => {
    const path = `moving-${(projects += 1)}`;
    const projectId = `${company.api}/${path}`;
    const below = (parentId: string) => pushed(company.platform, { namespaces: [{ id: projectId, kind: 'PROJECT', parentId, path }] });
    await below(company.payments);
    const userId = `${company.id}/max`;
    const maintainer = await company.member('MAINTAINER', projectId, { userId });
    const decision = await decisionOn(maintainer, { agentId: company.coder, projectId, tool: 'io.example.db/drop' });
    await below(company.id);

    expect(await explained(owner, { decisionId: decision.id })).toMatchObject({
      ...{ verdict: 'ASK', recordedVerdict: 'ASK' },
      policies: { nodes: [{ name: 'base', level: 2, namespaceKind: 'GROUP' }] },
    });
    expect((await explain(maintainer, { decisionId: decision.id })).errors).toMatchObject([{ problems: [{ path: 'decisionId' }] }]);
  });
});

describe('a time that is over', () => {
  it('is explained by what was in force then, shadows marked, not by what has been published or retired since', async () => {
    const call = { ...(await aCall()), environment: 'staging' };
    const policyId = await aPublishedPolicy(owner, call.projectId, 'forbid (principal, action, resource);', 'gone');
    const watched = await aDraft(owner, call.projectId, 'forbid (principal, action, resource);', 'watched');
    await publishPolicy(owner, { policyId: watched, basedOn: 0, mode: 'SHADOW' });
    const { policiesAsOf: at } = await explained(developer, call);
    await retirePolicy(owner, { policyId, basedOn: 1 });
    await publishPolicy(owner, { policyId: watched, basedOn: 1 });
    await aPublishedPolicy(owner, call.projectId, 'permit (principal, action, resource);', 'afterwards');

    const told = await explained(developer, { ...call, at });

    expect(told).toMatchObject({
      verdict: 'DENY',
      reasons: [{ policyName: 'gone' }],
      policiesAsOf: at,
      evaluatedAt: at,
      recordedVerdict: null,
    });
    expect(told.policies.nodes).toMatchObject([
      { name: 'gone', mode: 'ENFORCE', isDeciding: true, revisionNumber: 1 },
      { name: 'base', mode: 'ENFORCE' },
      { name: 'watched', mode: 'SHADOW', isDeciding: false, outcome: 'APPLIED', revisionNumber: 1 },
    ]);
    expect(await explained(developer, call)).toMatchObject({ reasons: [{ policyName: 'watched' }] });
    const before = await explained(developer, { ...call, at: '2020-01-01T00:00:00.000Z' });
    expect(before).toMatchObject({ verdict: 'DENY', basis: 'NO_MATCH', policies: { nodes: [] } });
  });
});

describe('who may ask', () => {
  it('is a member of the project for themselves and, on behalf of another, who maintains, owns or audits it', async () => {
    const call = await aCall();
    const reporter = await company.member('REPORTER', company.payments, { scopes: [] });
    const auditor = await company.member('AUDITOR', company.id);

    expect(await explained(reporter, call)).toMatchObject({ verdict: 'ASK' });
    expect(await explained(owner, { ...call, userId: ada })).toMatchObject({ user: { id: ada } });
    expect(await explained(auditor, { ...call, userId: ada })).toMatchObject({ user: { id: ada } });
    const refused = { explanation: null, errors: [{ __typename: 'AgentNotFound', field: 'userId' }] };
    expect(await explain(reporter, { ...call, userId: ada })).toMatchObject(refused);
    expect(await explain(owner, { ...call, userId: 'nobody' })).toMatchObject(refused);
    expect(await explain(developer, { ...call, userId: ada })).toMatchObject({ errors: [] });
  });

  it('sees nothing of a project of others: it is as if there were none', async () => {
    const call = await aCall();
    const others = await anOrganization(subgraph);
    const stranger = await others.member('OWNER', others.id);
    const nothing = { explanation: null, errors: [{ __typename: 'AgentNotFound', field: 'projectId' }] };

    expect(await explain(stranger, call)).toMatchObject(nothing);
    expect(await explain(await company.outsider(), call)).toMatchObject(nothing);
    expect(await explain(await company.outsider(), { ...call, projectId: 'none' })).toMatchObject(nothing);
    expect(await explain(owner, { ...call, projectId: company.core })).toMatchObject(nothing);
  });

  it('is answered for an unknown tool and an unknown agent as decisions are, and nothing is recorded', async () => {
    const call = await aCall();
    const events = async () => (await owner.graphql('{ agentAuditEvents(first: 100) { nodes { id } } }')).data;
    const before = await events();

    expect(await explained(owner, { ...call, tool: 'nothing/known', agentId: 'nobody' })).toMatchObject({
      ...{ verdict: 'ASK', tool: null, actionType: 'DESTROY' },
      changes: expect.arrayContaining([
        expect.objectContaining({ kind: 'TOOL_REGISTRATION', to: 'WRITE', message: expect.stringContaining('registered for the project') }),
      ]),
    });
    expect(await events()).toEqual(before);
  });

  it('is told of the agent what the directory says of it, when responsible for it or overseeing the project', async () => {
    const { projectId, tool } = await aCall();
    const [mine, other] = [`${company.coder}/mine`, `${company.coder}/other`];
    const guestId = `${company.id}/gus`;
    const guest = await company.member('GUEST', projectId, { userId: guestId });
    const auditor = await company.member('AUDITOR', projectId);
    const agents = [mine, other].map((id) => ({ id, classes: [], trust: 40, autonomous: true, ownerId: id === mine ? guestId : null }));
    await pushed(company.platform, { agents });
    const text = `forbid (principal, action, resource) when { principal.trust < 50 && context.role > 0 };
      forbid (principal, action, resource) when { principal in AgentClass::"x" && Agent::"${other}".autonomous };`;
    await aPublishedPolicy(owner, projectId, text, 'trusted');
    const answerTo = async (client: Client, agentId: string, more: object = {}) => {
      const { tellsOfAgent, facts, changes } = await explained(client, { agentId, projectId, tool, environment: 'staging', ...more });
      return { tellsOfAgent, paths: facts.map(({ path }) => path), kinds: changes.map(({ kind }) => kind) };
    };
    const all = ['context.role', 'principal in AgentClass::"x"', 'principal.trust'];

    expect(await answerTo(guest, other)).toEqual({
      ...{
        tellsOfAgent: false,
        paths: ['context.approval', 'context.approval.level', 'context.environment', 'context.role', 'resource.risk'],
      },
      kinds: ['STATEMENT_REMOVAL', 'POLICY_RETIREMENT'],
    });
    expect(await answerTo(guest, 'nobody')).toMatchObject({ tellsOfAgent: false });
    for (const told of [await answerTo(guest, mine), await answerTo(auditor, other, { userId: guestId }), await answerTo(owner, other)]) {
      expect(told).toMatchObject({ tellsOfAgent: true, paths: expect.arrayContaining(all) });
      expect(told.kinds).toContain('AGENT_TRUST');
    }
  });

  it('is told what of the question is not acceptable', async () => {
    const call = await aCall();
    const problems = async (input: object) => (await explain(developer, input)).errors[0]?.['problems'];

    expect(await problems({ tool: 'x' })).toMatchObject([{ path: 'agentId' }, { path: 'projectId' }]);
    expect(await problems({ ...call, at: 'noon', approval: { level: 7, count: 11 }, environment: '' })).toMatchObject([
      { path: 'environment', message: 'must not be empty' },
      { path: 'approval.level', message: 'must be one of 20, 30, 40, 50' },
      { path: 'approval.count', message: 'must be at most 10' },
      { path: 'at' },
    ]);
  });

  it('is answered ten times in one operation', async () => {
    const { agentId, projectId, tool } = await aCall();
    const fields = Array.from({ length: 11 }, (_, index) => `n${index}: agentPolicyExplain(input: $input) { explanation { verdict } }`);
    const query = `query ($input: AgentPolicyExplainInput!) { ${fields.join(' ')} }`;

    const { data, errors } = await developer.graphql(query, { input: { agentId, projectId, tool } });

    expect(data).toMatchObject({ n0: { explanation: { verdict: 'ASK' } }, n9: { explanation: { verdict: 'ASK' } }, n10: null });
    expect(errors).toMatchObject([
      { path: ['n10'], message: 'The operation asks for more than 10 explanations. Ask in several operations.' },
    ]);
  });
});
