import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventFrom } from '../../src/audit/event.js';
import { callIn } from '../../src/policy/recorded-call.js';
import { evaluate, preparePolicySet } from '../../src/policy/index.js';
import { bothEngines } from '../../src/policy/wasm/engines.js';
import { aPolicy } from '../policy/a-call.js';
import { openAsOwner } from '../support/database.js';
import { aPublishedPolicy, createPolicy, registerTool } from '../support/governing.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

const PERMIT = 'permit (principal, action, resource);';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

interface Company {
  readonly company: TestOrganization;
  readonly owner: Client;
  readonly developer: Client;
  /** Decides in GraphQL: the whole decision. */
  ask(more?: object): Promise<Readonly<Record<string, unknown>>>;
  /** Decides over REST: status and body. */
  evaluation(context: object): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }>;
}

const DECIDE = `mutation ($input: AgentDecisionRequestInput!) { answer: agentDecisionRequest(input: $input) {
  decision { id verdict basis explanation advice obligations approvalNeeded { level count } facts
    reasons { policyName effect statement reason severity }
    event { surface executionMode payload { ... on AgentDecisionPayload { decision { verdict facts approvalNeeded { level } } } } } }
  errors { __typename ... on AgentInputInvalid { problems { path message } } } } }`;

async function aCompany(): Promise<Company> {
  const company = await anOrganization(subgraph);
  const developer = await company.member('DEVELOPER', company.api, { userId: `${company.id}/ada` });
  const question = { agentId: company.coder, projectId: company.api, tool: 'deploy' };
  return {
    company,
    owner: await company.member('OWNER', company.id),
    developer,
    async ask(more = {}) {
      const { data, errors } = await developer.graphql<{
        answer: { decision: Readonly<Record<string, unknown>> | null; errors: readonly object[] };
      }>(DECIDE, {
        input: { ...question, ...more },
      });
      if (data == null) throw new Error(JSON.stringify(errors));
      return data.answer.decision ?? { errors: data.answer.errors };
    },
    async evaluation(context) {
      const response = await developer.request('/access/v1/evaluation', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          subject: { type: 'agent', id: company.coder },
          action: { name: 'invokeTool' },
          resource: { type: 'tool', id: 'deploy', properties: { project: company.api } },
          context,
        }),
      });
      return { status: response.status, body: JSON.parse(await response.text()) };
    },
  };
}

const ASKS = `@id("production") @approval("maintainer:2") @reason("Production is watched") @severity("high") @advice("Try it in staging.")
forbid (principal, action, resource) when { context.environment == "production" }
unless { context has approval && context.approval.level >= 40 && context.approval.count >= 2 };`;
const OBLIGES = `@oblige("redact:pii") forbid (principal, action, resource) when { context.environment == "staging" }
unless { context.promises.contains("redact:pii") };`;

describe('a call that a human must approve', () => {
  it('is answered ASK, with whose approval is needed and why, in GraphQL, over REST and in its record', async () => {
    const { company, owner, ask, evaluation } = await aCompany();
    await aPublishedPolicy(owner, company.id, `${PERMIT} ${ASKS}`, 'watched');
    const reason = { policyName: 'watched', effect: 'FORBID', statement: 'production', reason: 'Production is watched' };

    expect(await ask({ environment: 'production', surface: 'IDE', executionMode: 'INTERACTIVE' })).toMatchObject({
      verdict: 'ASK',
      basis: 'APPROVAL_NEEDED',
      explanation: 'A human must approve this call before it may be made.',
      advice: ['Try it in staging.'],
      obligations: [],
      approvalNeeded: { level: 40, count: 2 },
      reasons: [{ ...reason, severity: 'HIGH' }],
      event: { surface: 'IDE', executionMode: 'INTERACTIVE', payload: { decision: { verdict: 'ASK', approvalNeeded: { level: 40 } } } },
    });
    expect(await evaluation({ environment: 'production' })).toMatchObject({
      status: 200,
      body: {
        decision: false,
        context: {
          ...{ verdict: 'ASK', basis: 'APPROVAL_NEEDED', advice: ['Try it in staging.'], obligations: [] },
          approvalNeeded: { level: 40, count: 2 },
          reasons: [{ ...reason, severity: 'high' }],
        },
      },
    });
    expect(await ask({ environment: 'staging' })).toMatchObject({ verdict: 'ALLOW', approvalNeeded: null });
  });

  it('is asked about no more when by then it is denied, though it comes with the same request id', async () => {
    const { company, owner, ask } = await aCompany();
    await aPublishedPolicy(owner, company.id, `${PERMIT} ${ASKS}`);
    const first = await ask({ requestId: 'r' });

    await aPublishedPolicy(owner, company.id, 'forbid (principal, action, resource);');
    const second = await ask({ requestId: 'r' });

    expect([first['verdict'], second['verdict'], (await ask({ requestId: 'r' }))['id']]).toEqual(['ASK', 'DENY', second['id']]);
  });
});

describe('a call that is allowed on conditions', () => {
  it.each<[readonly string[], object]>([
    [[], { verdict: 'DENY', basis: 'OBLIGATION_NEEDED', obligations: ['redact:pii'] }],
    [['rate:30/m'], { verdict: 'DENY', basis: 'OBLIGATION_NEEDED', obligations: ['redact:pii'] }],
    [['redact:pii', 'rate:30/m'], { verdict: 'ALLOW', basis: 'PERMITTED', obligations: ['redact:pii'] }],
    [['redact'], { verdict: 'ALLOW', basis: 'PERMITTED', obligations: ['redact:pii'] }],
  ])('names them, or is denied to a caller that promises %j', async (promises, expected) => {
    const { company, owner, ask, evaluation } = await aCompany();
    await aPublishedPolicy(owner, company.id, `${PERMIT} ${OBLIGES}`);

    expect(await ask({ environment: 'staging', promises })).toMatchObject(expected);
    expect((await evaluation({ environment: 'staging', promises })).body['context']).toMatchObject(expected);
  });

  it('is not allowed without them again, though it comes with the same request id', async () => {
    const { company, owner, ask } = await aCompany();
    await aPublishedPolicy(owner, company.id, PERMIT);
    const question = { requestId: 'r', environment: 'staging', promises: ['redact'] };
    const first = await ask(question);

    await aPublishedPolicy(owner, company.id, OBLIGES);

    expect([first['obligations'], (await ask(question))['obligations']]).toEqual([[], ['redact:pii']]);
  });
});

describe('what a caller leaves unsaid', () => {
  const STRICT =
    'permit (principal, action, resource) when { context.environment == "production" && !(context has branch) && context.branchProtected && context.surface == "EXTERNAL" && context.executionMode == "BACKGROUND" && context.local.hour == context.now.toTime().toHours() };';

  it('is read as what policies are strictest about, in GraphQL and over REST', async () => {
    const { company, owner, ask, evaluation } = await aCompany();
    await aPublishedPolicy(owner, company.id, STRICT);

    expect(await ask()).toMatchObject({ verdict: 'ALLOW', event: { surface: null, executionMode: null } });
    expect((await evaluation({})).body).toMatchObject({ decision: true });
    for (const said of [
      { environment: 'dev' },
      { branch: 'main' },
      { branchProtected: false },
      { surface: 'CI' },
      { executionMode: 'INTERACTIVE' },
    ]) {
      expect(await ask(said)).toMatchObject({ verdict: 'DENY' });
      expect((await evaluation(said)).body).toMatchObject({ decision: false });
    }
  });

  it.each<[object, string]>([
    [{ environment: '' }, 'context.environment: must not be empty.'],
    [{ branch: 7 }, 'context.branch: must be a string.'],
    [{ branchProtected: 'yes' }, 'context.branchProtected: must be true or false.'],
    [{ surface: 'PHONE' }, 'context.surface: must be one of WEB, IDE, CLI, CI, EXTERNAL.'],
    [{ executionMode: 'x' }, 'context.executionMode: must be one of INTERACTIVE, BACKGROUND.'],
    [{ promises: 'redact' }, 'context.promises: must be a list.'],
    [
      { promises: ['log:full', 'Redact PII'] },
      'context.promises.1: must be an obligation such as redact:pii, or a kind of them such as redact.',
    ],
    [{ promises: Array.from({ length: 51 }, (_, n) => `a${n}`) }, 'context.promises: must hold at most 50.'],
  ])('what it says must be in form: %j', async (context, message) => {
    const { evaluation } = await aCompany();

    expect(await evaluation(context)).toEqual({ status: 400, body: { error: { code: 'BAD_USER_INPUT', message } } });
  });
});

describe('facts from the platform', () => {
  const only = (condition: string): string => `permit (principal, action, resource) when { ${condition} };`;

  it.each<[string, string, (company: TestOrganization) => Readonly<Record<string, readonly object[]>>]>([
    [
      'how confidential a group is',
      'resource.project.dataClass == 1 && resource.project.classified',
      ({ id, payments }) => ({ namespaces: [{ id: payments, kind: 'GROUP', parentId: id, path: 'payments', dataClass: 'INTERNAL' }] }),
    ],
    [
      'that the project is frozen',
      'resource.project.frozen',
      ({ api, core }) => ({ namespaces: [{ id: api, kind: 'PROJECT', parentId: core, path: 'api', frozen: true }] }),
    ],
    [
      'the clock of the organization',
      'context.local.hour != context.now.toTime().toHours()',
      ({ id }) => ({ namespaces: [{ id, kind: 'ORGANIZATION', path: 'company', timeZone: 'Asia/Tokyo' }] }),
    ],
    [
      'the teams of a user',
      'context.user in Team::"security"',
      ({ id }) => ({ users: [{ id: `${id}/ada`, teams: ['security', 'backend'] }] }),
    ],
  ])('decide from the next call on: %s', async (_what, condition, rows) => {
    const { company, owner, ask } = await aCompany();
    await aPublishedPolicy(owner, company.id, only(condition));
    const before = await ask();

    await pushed(company.platform, rows(company));

    expect([before['verdict'], (await ask())['verdict']]).toEqual(['DENY', 'ALLOW']);
  });

  it('are what a tool is labelled with, and stay when it is registered anew by somebody who says nothing of labels', async () => {
    const { company, owner, ask } = await aCompany();
    const tool = { id: 'com.example/deploy', annotations: { readOnlyHint: true } };
    await aPublishedPolicy(
      owner,
      company.id,
      'permit (principal, action, resource in ToolLabel::"network") when { resource.labels.contains("exec") };',
    );
    await registerTool(owner, tool);
    const before = await ask();

    await registerTool(owner, { ...tool, labels: ['network', 'exec', 'exec'] });
    const labelled = await ask();
    await registerTool(owner, { ...tool, description: 'Deploys.' });
    const again = await ask();
    await registerTool(owner, { ...tool, labels: [] });

    expect([before, labelled, again, await ask()].map(({ verdict }) => verdict)).toEqual(['DENY', 'ALLOW', 'ALLOW', 'DENY']);
  });
});

describe('the record of a decision', () => {
  it('holds the call as it was evaluated: evaluated again, it has the same verdict, and under other policies another', async () => {
    const { company, owner, ask } = await aCompany();
    await pushed(company.platform, {
      namespaces: [{ id: company.core, kind: 'GROUP', parentId: company.payments, path: 'core', dataClass: 2 }],
      users: [{ id: `${company.id}/ada`, teams: ['security'] }],
    });
    await registerTool(owner, { id: 'com.example/deploy', labels: ['exec'], annotations: { readOnlyHint: true } });
    const condition = [
      'resource in Server::"com.example" && resource.project.dataClass == 2 && resource.labels.contains("exec")',
      'context.user in Team::"security" && context has branch && principal.trust == 60 && resource.numbers.hasTag("a.b")',
    ].join(' && ');
    const text = `${PERMIT}
      @approval("owner") forbid (principal in AgentClass::"coding", action, resource in Group::"${company.core}")
      when { ${condition} } unless { context has approval && context.approval.level >= 50 };`;
    await aPublishedPolicy(owner, company.id, text);

    const decision = await ask({
      arguments: { a: { b: 7 } },
      branch: 'main',
      branchProtected: false,
      promises: ['redact'],
      sessionId: 's',
    });

    const recorded = await recordOf(String(decision['id']));
    const replayed = async (policy: string) => evaluate(preparePolicySet(bothEngines, [await aPolicy(policy)]), recorded.call);
    expect(decision).toMatchObject({ verdict: 'ASK', facts: { model: '2.0.0', branch: 'main', environment: 'production' } });
    expect(recorded).toMatchObject({
      isWhole: true,
      call: { sessionId: 's', promises: ['redact'], circumstances: { isBranchProtected: false }, arguments: { a: { b: 7 } } },
    });
    expect(await replayed(text)).toMatchObject({ verdict: 'ASK', approval: { level: 50, count: 1 } });
    expect(await replayed(PERMIT)).toMatchObject({ verdict: 'ALLOW' });
    expect(await replayed('permit (principal, action, resource) when { context.branchProtected };')).toMatchObject({ verdict: 'DENY' });
  });

  it('says so when a secret in the arguments was redacted, or arguments are not recorded', async () => {
    const { company, owner, ask } = await aCompany();
    const whole = await recordOf(String((await ask({ arguments: { path: '/tmp' } }))['id']));
    const redacted = await recordOf(String((await ask({ arguments: { password: 'correct horse battery staple' } }))['id']));
    await owner.graphql(
      'mutation ($id: ID!) { agentRecordingModeSet(input: { namespaceId: $id, mode: METADATA_ONLY }) { errors { __typename } } }',
      { id: company.id },
    );
    const bare = await recordOf(String((await ask({ arguments: { path: '/tmp' } }))['id']));

    expect([whole, redacted, bare].map(({ isWhole }) => isWhole)).toEqual([true, false, false]);
    expect(bare.call).toMatchObject({ arguments: {}, circumstances: { environment: 'production' }, user: { level: 30 } });
  });

  async function recordOf(id: string) {
    const database = openAsOwner(subgraph.databaseUrl);
    try {
      const [row] = await database.sql.query<{ readonly json: string }>('SELECT json::text AS json FROM audit_event WHERE id = $1', [id]);
      const recorded = row === undefined ? null : callIn({ event: eventFrom(row.json) });
      if (recorded === null) throw new Error('The decision has no record from which it can be evaluated again.');
      return recorded;
    } finally {
      await database.close();
    }
  }
});

describe('a text that is not acceptable', () => {
  it('comes back with every problem, annotations and conditions alike', async () => {
    const { company, owner } = await aCompany();
    const text = '@aproval("maintainer")\nforbid (principal, action, resource)\nwhen { principal.trus > 3 };';

    expect((await createPolicy(owner, { namespaceId: company.id, name: 'p', text })).errors).toMatchObject([
      {
        __typename: 'AgentPolicyInvalid',
        problems: [
          { line: 1, column: 1, message: 'There is no annotation @aproval.', help: expect.stringContaining('@approval') },
          { line: 3, column: 8, message: 'principal has no attribute “trus”.', help: 'Did you mean “principal.trust”?' },
        ],
      },
    ]);
  });
});
