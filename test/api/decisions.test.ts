import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import {
  aPublishedPolicy,
  askDecision,
  DECIDE,
  decisionOn,
  publishPolicy,
  registerTool,
  retirePolicy,
  type Decided,
} from '../support/governing.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { startRedis } from '../support/redis-server.js';
import { aRedisUrl } from '../support/redis.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

const PERMIT = 'permit (principal, action, resource);';
const FORBID = 'forbid (principal, action, resource);';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph({ REDIS_URL: await aRedisUrl() });
});
afterAll(() => subgraph.close());

interface Company {
  readonly company: TestOrganization;
  readonly owner: Client;
  /** A developer of the project `api`. */
  readonly developer: Client;
  /** A question about the project `api`, with some fields changed. */
  question(more?: object): object;
}

async function aCompany(of: TestSubgraph = subgraph): Promise<Company> {
  const company = await anOrganization(of);
  const [owner, developer] = [
    await company.member('OWNER', company.id),
    await company.member('DEVELOPER', company.api, { userId: `${company.id}/ada` }),
  ];
  return {
    company,
    owner,
    developer,
    question: (more = {}) => ({ agentId: company.coder, projectId: company.api, tool: 'deploy', ...more }),
  };
}

const EVENTS = `query ($types: [String!]) { agentAuditEvents(first: 100, filter: { types: $types }) { nodes {
  id type tool: toolName verdict sessionId callId agent { id } user { id } project { id }
  payload { ... on AgentDecisionPayload { arguments decision { id verdict epoch requestId reasons { policyId policyName revision namespaceId effect } } } } } } }`;

/** The decisions in the audit log, oldest first. */
async function recorded(client: Client): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { data } = await client.graphql<{ agentAuditEvents: { nodes: readonly Readonly<Record<string, unknown>>[] } }>(EVENTS, {
    types: ['ai_tool_decision_made'],
  });
  return [...(data?.agentAuditEvents.nodes ?? [])].reverse();
}

describe('a decision', () => {
  it('names its policies with their revisions, and its event says the same', async () => {
    const { company, owner, developer, question } = await aCompany();
    const policyId = await aPublishedPolicy(owner, company.payments, FORBID, 'all of it');
    await publishPolicy(owner, { policyId, basedOn: 1, text: PERMIT });
    const reasons = [{ policyId, policyName: 'all of it', revision: 2, namespaceId: company.payments, effect: 'PERMIT' }];

    const decision = await decisionOn(
      developer,
      question({ arguments: { path: '/etc', deep: { a: [1] } }, sessionId: 'run 1', callId: 'call 1', requestId: 'r 1' }),
    );

    expect(decision).toMatchObject({ verdict: 'ALLOW', basis: 'PERMITTED', explanation: 'The call is allowed.', reasons });
    expect(await recorded(developer)).toEqual([
      {
        id: decision.id,
        type: 'ai_tool_decision_made',
        tool: 'deploy',
        verdict: 'ALLOW',
        sessionId: 'run 1',
        callId: 'call 1',
        agent: { id: company.coder },
        user: { id: `${company.id}/ada` },
        project: { id: company.api },
        payload: {
          arguments: { path: '/etc', deep: { a: [1] } },
          decision: { id: decision.id, verdict: 'ALLOW', epoch: decision.epoch, requestId: 'r 1', reasons },
        },
      },
    ]);
  });

  it('flips with the next publish, and back with the retirement, through which the epoch rises', async () => {
    const { company, owner, developer, question } = await aCompany();
    const decisions: Decided[] = [];
    const ask = async () => decisions.push(await decisionOn(developer, question()));

    await ask();
    await aPublishedPolicy(owner, company.id, PERMIT);
    await ask();
    const forbid = await aPublishedPolicy(owner, company.core, FORBID);
    await ask();
    await retirePolicy(owner, { policyId: forbid, basedOn: 1 });
    await ask();

    expect(decisions.map(({ verdict, basis }) => `${verdict} ${basis}`)).toEqual([
      'DENY NO_MATCH',
      'ALLOW PERMITTED',
      'DENY FORBIDDEN',
      'ALLOW PERMITTED',
    ]);
    const epochs = decisions.map(({ epoch }) => epoch);
    expect(epochs).toEqual([...new Set(epochs)].sort((left, right) => left - right));
  });

  it('is the same through both doors', async () => {
    const { company, owner, developer, question } = await aCompany();
    await aPublishedPolicy(
      owner,
      company.id,
      'permit (principal, action, resource) when { resource.hasTag("path") && resource.getTag("path") like "/tmp/*" };',
    );

    for (const path of ['/tmp/a', '/etc/a']) {
      const { verdict } = await decisionOn(developer, question({ arguments: { path } }));
      const response = await developer.request('/access/v1/evaluation', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          subject: { type: 'agent', id: company.coder },
          action: { name: 'invokeTool', properties: { arguments: { path } } },
          resource: { type: 'tool', id: 'deploy', properties: { project: company.api } },
        }),
      });
      expect(await response.json()).toMatchObject({ decision: verdict === 'ALLOW', context: { verdict } });
    }
  });

  it('reads arguments that are written into the document, variables in them included', async () => {
    const { company, owner, developer } = await aCompany();
    await aPublishedPolicy(
      owner,
      company.id,
      `${PERMIT} forbid (principal, action, resource) when { resource.hasTag("path") && resource.getTag("path") == "/etc" };`,
    );

    const { data } = await developer.graphql(
      'mutation ($a: ID!, $p: ID!, $path: String) { agentDecisionRequest(input: { agentId: $a, projectId: $p, tool: "deploy", arguments: { path: $path, more: [$path, { __proto__: "x" }] } }) { decision { verdict } } }',
      { a: company.coder, p: company.api, path: '/etc' },
    );

    expect(data).toEqual({ agentDecisionRequest: { decision: { verdict: 'DENY' } } });
    expect(await recorded(developer)).toMatchObject([
      { payload: { arguments: { path: '/etc', more: ['/etc', JSON.parse('{"__proto__":"x"}')] } } },
    ]);
  });

  it('is made of two calls in one request, in their order', async () => {
    const { company, developer, owner } = await aCompany();
    const id = await aPublishedPolicy(owner, company.id, PERMIT);

    const { data } = await owner.graphql(
      `mutation ($a: ID!, $p: ID!, $policy: ID!) {
        one: agentDecisionRequest(input: { agentId: $a, projectId: $p, tool: "t" }) { decision { verdict } }
        two: agentPolicyRetire(input: { policyId: $policy, basedOn: 1 }) { policy { status } }
        three: agentDecisionRequest(input: { agentId: $a, projectId: $p, tool: "t" }) { decision { verdict } }
      }`,
      { a: company.coder, p: company.api, policy: id },
    );

    expect(data).toEqual({
      one: { decision: { verdict: 'ALLOW' } },
      two: { policy: { status: 'RETIRED' } },
      three: { decision: { verdict: 'DENY' } },
    });
    expect(await recorded(developer)).toEqual([]);
  });
});

describe('who and what is decided about', () => {
  it('trusts an agent least that the platform has not told of', async () => {
    const { company, owner, developer, question } = await aCompany();
    await aPublishedPolicy(
      owner,
      company.id,
      'permit (principal, action, resource) when { !principal.known && principal.trust == 0 && principal.autonomous && !(principal has owner) };',
    );

    expect(await decisionOn(developer, question({ agentId: 'nobody knows me' }))).toMatchObject({ verdict: 'ALLOW' });
    expect(await decisionOn(developer, question())).toMatchObject({ verdict: 'DENY' });
  });

  it('knows what the platform told of an agent, and what it told since', async () => {
    const { company, owner, developer, question } = await aCompany();
    await aPublishedPolicy(
      owner,
      company.id,
      'permit (principal in AgentClass::"coding", action, resource) when { principal.known && principal.trust >= 50 && !principal.autonomous };',
    );
    const before = await decisionOn(developer, question());

    await pushed(company.platform, { agents: [{ id: company.coder, classes: ['coding'], trust: 49 }] });

    expect([before.verdict, (await decisionOn(developer, question())).verdict]).toEqual(['ALLOW', 'DENY']);
  });

  it.each([
    ['GUEST', 10],
    ['AUDITOR', 10],
    ['REPORTER', 20],
    ['DEVELOPER', 30],
    ['MAINTAINER', 40],
    ['OWNER', 50],
  ] as const)('gives a %s above the project the level %i', async (role, level) => {
    const { company, owner, question } = await aCompany();
    const member = await company.member(role, company.payments);
    await aPublishedPolicy(owner, company.id, `permit (principal, action, resource) when { context.role == ${level} };`);

    expect(await decisionOn(member, question())).toMatchObject({ verdict: 'ALLOW' });
  });

  it('answers the same of a project of others, of a group, and of none', async () => {
    const { company, developer, question } = await aCompany();
    const stranger = (await aCompany()).developer;
    const notFound = { decision: null, errors: [{ __typename: 'AgentNotFound', field: 'projectId', message: expect.any(String) }] };

    expect(await askDecision(stranger, question())).toEqual(notFound);
    expect(await askDecision(await company.outsider(), question())).toEqual(notFound);
    for (const projectId of [company.shop, company.core, company.id, 'nowhere'])
      expect(await askDecision(developer, question({ projectId }))).toEqual(notFound);
    expect(await recorded(developer)).toEqual([]);
  });

  it('forgets a member at once whose membership ends', async () => {
    const { company, owner, developer, question } = await aCompany();
    await aPublishedPolicy(owner, company.id, PERMIT);
    const before = await decisionOn(developer, question());

    await pushed(company.platform, { memberships: [{ namespaceId: company.api, userId: `${company.id}/ada`, deleted: true }] });

    expect(before.verdict).toBe('ALLOW');
    expect(await askDecision(developer, question())).toMatchObject({ decision: null, errors: [{ __typename: 'AgentNotFound' }] });
  });

  it('needs the scope', async () => {
    const { company } = await aCompany();
    const reader = await company.member('OWNER', company.id, { scopes: ['audit:read'] });

    expect(
      await reader.graphql(
        'mutation ($p: ID!) { agentDecisionRequest(input: { agentId: "a", projectId: $p, tool: "t" }) { decision { id } } }',
        { p: company.api },
      ),
    ).toMatchObject({
      data: { agentDecisionRequest: null },
      errors: [{ extensions: { code: 'FORBIDDEN' }, message: expect.stringContaining('decision:request') }],
    });
  });

  it.each([
    ['agentId', { agentId: '' }],
    ['tool', { tool: 'x'.repeat(301) }],
    ['requestId', { requestId: 'x'.repeat(201) }],
    ['arguments', { arguments: ['a'] }],
    ['arguments', { arguments: 'a' }],
    ['arguments', { arguments: { a: 'x'.repeat(256 * 1024) } }],
    ['arguments', { arguments: JSON.parse(`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`) }],
    ['arguments', { arguments: { a: '\ud800' } }],
  ])('refuses a bad %s (%#), and records nothing', async (path, wrong) => {
    const { developer, question } = await aCompany();

    expect(await askDecision(developer, question(wrong))).toEqual({
      decision: null,
      errors: [{ __typename: 'AgentInputInvalid', message: expect.any(String), inputProblems: [{ path, message: expect.any(String) }] }],
    });
    expect(await recorded(developer)).toEqual([]);
  });

  it('records arguments as they came, whatever is in them', async () => {
    const { company, owner, developer, question } = await aCompany();
    await aPublishedPolicy(owner, company.id, PERMIT);
    const given = {
      __entity: { type: 'User', id: 'root' },
      nul: 'a\u0000b',
      '\u0000': 1,
      big: 1e300,
      deep: { __extn: { fn: 'unknown', arg: 'x' } },
      empty: '',
      constructor: null,
      text: '😀\u2028"\\',
    };

    expect(await decisionOn(developer, question({ arguments: given }))).toMatchObject({ verdict: 'ALLOW' });
    expect(await recorded(developer)).toMatchObject([{ payload: { arguments: given } }]);
  });
});

describe('a number that a double cannot hold', () => {
  it('passes no policy as another one: the question is refused', async () => {
    const { company, owner, developer, question } = await aCompany();
    await aPublishedPolicy(owner, company.id, PERMIT);
    await aPublishedPolicy(
      owner,
      company.id,
      'forbid (principal, action, resource) when { resource.hasTag("account") && resource.getTag("account") == "9007199254740993" };',
    );
    const body = (account: string) =>
      `{"query":${JSON.stringify(DECIDE)},"variables":{"input":${JSON.stringify(question({ arguments: { account: 'HERE' } })).replace(
        '"HERE"',
        account,
      )}}}`;
    const asked = async (account: string): Promise<unknown> =>
      (
        await developer.request('/graphql', { method: 'POST', headers: { 'content-type': 'application/json' }, body: body(account) })
      ).json();

    expect(await asked('"9007199254740993"')).toMatchObject({ data: { answer: { decision: { verdict: 'DENY' } } } });
    expect(await asked('9007199254740993')).toMatchObject({
      data: {
        answer: {
          decision: null,
          errors: [{ inputProblems: [{ path: 'arguments', message: expect.stringContaining('arguments.account') }] }],
        },
      },
    });
    expect(await asked('9007199254740992')).toMatchObject({ data: { answer: { decision: { verdict: 'ALLOW' } } } });
  });
});

describe('a question asked again with its request id', () => {
  it('has one answer and one record, also when policies have changed', async () => {
    const { company, owner, developer, question } = await aCompany();
    const first = await decisionOn(developer, question({ requestId: 'r', arguments: { a: 1, b: 2 } }));
    await aPublishedPolicy(owner, company.id, PERMIT);

    const again = await decisionOn(developer, question({ requestId: 'r', arguments: { b: 2, a: 1 } }));
    const fresh = await decisionOn(developer, question({ requestId: 'r 2', arguments: { a: 1, b: 2 } }));

    expect(again).toEqual(first);
    expect([first.verdict, fresh.verdict]).toEqual(['DENY', 'ALLOW']);
    expect(await recorded(developer)).toHaveLength(2);
  });

  it('is not allowed any more once a policy has ceased to allow it, and has one record of that', async () => {
    const { company, owner, developer, question } = await aCompany();
    await aPublishedPolicy(owner, company.id, PERMIT);
    const asked = question({ requestId: 'r' });
    const first = await decisionOn(developer, asked);
    const policyId = await aPublishedPolicy(owner, company.id, FORBID);

    const forbidden = [await decisionOn(developer, asked), await decisionOn(developer, asked)];
    await retirePolicy(owner, { policyId, basedOn: 1 });
    const last = await decisionOn(developer, asked);

    expect(forbidden.map(({ verdict }) => verdict)).toEqual(['DENY', 'DENY']);
    expect(forbidden[0]?.id).toBe(forbidden[1]?.id);
    expect(last).toEqual(first);
    expect((await recorded(developer)).map(({ verdict }) => verdict)).toEqual(['ALLOW', 'DENY']);
  });

  it('twenty times at once, at two processes, has one answer and one record', async () => {
    const { company, owner, developer, question } = await aCompany();
    await aPublishedPolicy(owner, company.id, PERMIT);
    const other = await subgraph.sibling();
    const elsewhere = await other.as({ userId: `${company.id}/ada`, organizationId: company.id, scopes: ['decision:request'] });

    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => decisionOn(n % 2 === 0 ? developer : elsewhere, question({ requestId: 'r' }))),
    );

    await other.close();
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(new Set(answers.map(({ verdict }) => verdict))).toEqual(new Set(['ALLOW']));
    expect(await recorded(developer)).toHaveLength(1);
  });

  it.each([
    ['other arguments', { arguments: { a: 2 } }],
    ['another tool', { tool: 'destroy' }],
    ['another agent', { agentId: 'other' }],
    ['another session', { sessionId: 'other' }],
    ['another call', { callId: 'other' }],
  ])('but with %s is another question', async (_what, more) => {
    const { developer, question } = await aCompany();
    const first = await decisionOn(developer, question({ requestId: 'r' }));

    expect((await decisionOn(developer, question({ requestId: 'r', ...more }))).id).not.toBe(first.id);
    expect(await recorded(developer)).toHaveLength(2);
  });

  it('is another question of another user', async () => {
    const { company, owner, developer, question } = await aCompany();
    const other = await company.member('DEVELOPER', company.api);

    const [one, two] = [await decisionOn(developer, question({ requestId: 'r' })), await decisionOn(other, question({ requestId: 'r' }))];

    expect(one.id).not.toBe(two.id);
    expect(await recorded(owner)).toHaveLength(2);
  });

  it('without a request id is decided every time', async () => {
    const { developer, question } = await aCompany();

    await Promise.all([decisionOn(developer, question()), decisionOn(developer, question())]);

    expect(await recorded(developer)).toHaveLength(2);
  });
});

describe('no record, no action', () => {
  it('every answered decision is in the log after the process has gone', async () => {
    const own = await aSubgraph();
    const { company, owner, developer, question } = await aCompany(own);
    await aPublishedPolicy(owner, company.id, PERMIT);
    const answered = await Promise.all(Array.from({ length: 50 }, (_, n) => decisionOn(developer, question({ requestId: `r ${n}` }))));

    const restarted = await own.restart();
    const again = await restarted.as({
      userId: `${company.id}/ada`,
      organizationId: company.id,
      scopes: ['audit:read', 'decision:request'],
    });

    expect((await recorded(again)).map(({ id }) => id).sort()).toEqual(answered.map(({ id }) => id).sort());
    expect((await decisionOn(again, question({ requestId: 'r 7' }))).id).toBe(answered[7]?.id);
    await restarted.close();
  });

  it('an append that fails is an error and no answer, and so are the others that waited with it', async () => {
    const { company, owner, developer, question } = await aCompany();
    await aPublishedPolicy(owner, company.id, PERMIT);
    const admin = await connectedTo(subgraph.databaseUrl);
    await admin.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION SQLSTATE '53100' USING MESSAGE = 'disk full'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON audit_event FOR EACH ROW WHEN (NEW.organization_id = '${company.id}') EXECUTE FUNCTION refuse()`);

    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => decisionOn(developer, question())));
    await admin.query('DROP TRIGGER refuse ON audit_event; DROP FUNCTION refuse()');
    await admin.end();

    expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 'rejected'));
    expect(outcomes.every((outcome) => outcome.status === 'rejected' && String(outcome.reason).includes('UNAVAILABLE'))).toBe(true);
    expect(await recorded(developer)).toEqual([]);
    expect(await decisionOn(developer, question())).toMatchObject({ verdict: 'ALLOW' });
  });

  it('waits for the commit: while the table is locked there is no answer', async () => {
    const { company, owner, developer, question } = await aCompany();
    await aPublishedPolicy(owner, company.id, PERMIT);
    await decisionOn(developer, question());
    const admin = await connectedTo(subgraph.databaseUrl);
    await admin.query('BEGIN; LOCK TABLE audit_event IN SHARE MODE');
    let isAnswered = false;

    const asking = decisionOn(developer, question()).finally(() => (isAnswered = true));
    await untilSomebodyWaits(admin);
    const before = isAnswered;
    await admin.query('COMMIT');
    await asking;
    await admin.end();

    expect([before, isAnswered]).toEqual([false, true]);
  });
});

describe('a change reaches another process', () => {
  /** How long it takes, in milliseconds, until a policy published at one process decides at another, which had its answer ready. */
  async function timeToReach({
    environment = {},
    clock,
    meanwhile,
  }: {
    environment?: Readonly<Record<string, string>>;
    clock?: () => Date;
    meanwhile?: () => Promise<void>;
  }): Promise<number> {
    const first = await aSubgraph(environment);
    const second = await first.sibling({}, clock);
    const { company, owner, question } = await aCompany(first);
    const elsewhere = await second.as({ userId: `${company.id}/ada`, organizationId: company.id, scopes: ['decision:request'] });
    const verdict = async () => (await decisionOn(elsewhere, question())).verdict;
    expect(await verdict()).toBe('DENY');
    await meanwhile?.();
    await aPublishedPolicy(owner, company.id, PERMIT);
    const publishedAt = performance.now();
    while ((await verdict()) === 'DENY') expect(performance.now() - publishedAt).toBeLessThan(3_000);
    const took = performance.now() - publishedAt;
    await second.close();
    await first.close();
    return took;
  }

  it('within a second without Redis', async () => {
    expect(await timeToReach({})).toBeLessThan(1_000);
  });

  it('at once through Redis: one whose clock stands still never looks by itself', async () => {
    const now = new Date();

    expect(await timeToReach({ environment: { REDIS_URL: await aRedisUrl() }, clock: () => now })).toBeLessThan(1_000);
  });

  it('within a second when Redis has gone', async () => {
    const redis = await startRedis();

    const took = await timeToReach({ environment: { REDIS_URL: redis.url }, meanwhile: () => redis.stop() });

    expect(took).toBeLessThan(1_000);
  });

  it('also when Redis was never there', async () => {
    const redis = await startRedis();
    await redis.stop();

    expect(await timeToReach({ environment: { REDIS_URL: redis.url } })).toBeLessThan(1_000);
  });

  it('a registered tool and a pushed agent as much as a policy', async () => {
    const first = await aSubgraph();
    const second = await first.sibling();
    const { company, owner, question } = await aCompany(first);
    await aPublishedPolicy(owner, company.id, 'permit (principal, action, resource) when { resource.known && principal.trust > 60 };');
    const elsewhere = await second.as({ userId: `${company.id}/ada`, organizationId: company.id, scopes: ['decision:request'] });
    const ask = () => decisionOn(elsewhere, question());
    expect((await ask()).verdict).toBe('DENY');

    await registerTool(owner, { id: 'com.example/deploy' });
    await pushed(company.platform, { agents: [{ id: company.coder, trust: 61 }] });
    const changedAt = performance.now();
    while ((await ask()).verdict === 'DENY') expect(performance.now() - changedAt).toBeLessThan(1_000);

    await second.close();
    await first.close();
  });
});

async function connectedTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

/** Until some other connection waits for a lock. */
async function untilSomebodyWaits(admin: pg.Client): Promise<void> {
  const waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
  while ((await admin.query(waiting)).rowCount === 0) await new Promise((resolve) => setImmediate(resolve));
}
