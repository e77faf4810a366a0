import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { isAlive } from '../../local/end-process.js';
import { anEnvironment, processesOf, runScript, startHouse, until, type StartedHouse } from './house.js';
import { aDecision, ask, openFeed, send } from './operations.js';

jest.setTimeout(120_000);

interface ProjectWithEvents {
  readonly project: { readonly name: string; readonly agentAuditEvents: { readonly nodes: readonly { readonly id: string }[] } | null };
}

const projectWithEvents = '{ project(fullPath: "acme/payments/api") { name agentAuditEvents { nodes { id } } } }';

describe('npm start', () => {
  let house: StartedHouse;
  let cleanUp: () => Promise<void>;

  beforeAll(async () => {
    const place = await anEnvironment();
    cleanUp = place.cleanUp;
    house = await startHouse(place.environment);
  });

  afterAll(async () => {
    await house.stop();
    await cleanUp();
  });

  it('prints one line of JSON with two addresses and three tokens', async () => {
    const { gateway, subgraph, tokens } = house;
    const { developer, policyAdmin, securityTool } = tokens;
    expect(JSON.parse(await house.script.said(/^\{/))).toEqual({ gateway, subgraph, tokens: { developer, policyAdmin, securityTool } });
  });

  it("shows a project's name and what agents did in it in one operation through the gateway", async () => {
    const { id } = await aDecision(house);

    const { data, errors } = await ask<ProjectWithEvents>(house, 'policyAdmin', projectWithEvents);

    expect(errors).toBeUndefined();
    expect(data.project.name).toBe('Payments API');
    expect(data.project.agentAuditEvents?.nodes).toContainEqual({ id });
  });

  it('shows a live event with the name of its project through the gateway', async () => {
    const feed = openFeed(house);
    // A heartbeat proves that the feed is open: what happens from here on must be in it.
    await feed.next();
    const { id } = await aDecision(house);

    const seen = [];
    for await (const { event } of feed) {
      if (event !== undefined) seen.push(event);
      if (event?.id === id) break;
    }
    await feed.close();

    expect(seen.at(-1)).toEqual({ id, position: expect.any(Number), project: { name: 'Payments API' } });
  });

  it('publishes a policy through the gateway, which flips the next decision, and its event names the revision', async () => {
    const input = {
      namespaceId: house.demo.projectId,
      name: 'no reading',
      text: 'forbid (principal, action, resource) when { resource.risk <= 1 };',
    };
    const before = await aDecision(house);
    const created = await mutated(house, 'agentPolicyCreate', 'AgentPolicyCreateInput', input);
    const published = await mutated(house, 'agentPolicyPublish', 'AgentPolicyPublishInput', { policyId: created.id, basedOn: 0 });

    const after = await aDecision(house);
    const { data } = await ask(
      house,
      'securityTool',
      `{ agentAuditEvent(id: "${after.id}") { verdict payload { ... on AgentDecisionPayload { decision { reasons { policyId revision } } } } } }`,
    );
    await mutated(house, 'agentPolicyRetire', 'AgentPolicyRetireInput', { policyId: created.id, basedOn: published.latestRevision });

    expect([before.verdict, after.verdict, (await aDecision(house)).verdict]).toEqual(['ALLOW', 'DENY', 'ALLOW']);
    expect(data).toEqual({
      agentAuditEvent: {
        verdict: 'DENY',
        payload: { decision: { reasons: [{ policyId: created.id, revision: published.latestRevision }] } },
      },
    });
  });

  it('refuses a subscription over HTTP that does not ask for server-sent events', async () => {
    const { errors } = await ask(house, 'securityTool', 'subscription { agentAuditEventAppended { __typename } }');
    expect(errors?.[0]?.message).toContain('text/event-stream');
  });

  it('has demo policies that allow a read, and forbid to share a file outside, by name', async () => {
    const verdict = async (tool: string, args: string) => {
      const input = `{ agentId: "gid://platform/Agent/code-reviewer", projectId: "${house.demo.projectId}", tool: "${tool}", arguments: ${args} }`;
      const { data } = await ask<{ agentDecisionRequest: { decision: unknown } }>(
        house,
        'developer',
        `mutation { agentDecisionRequest(input: ${input}) { decision { verdict reasons { policyName } } } }`,
      );
      return data.agentDecisionRequest.decision;
    };

    expect(await verdict('share_file', '{ file_id: "7", email: "ines@acme.example", permission: "r" }')).toMatchObject({
      verdict: 'ALLOW',
    });
    expect(await verdict('share_file', '{ file_id: "7", email: "eve@elsewhere.example", permission: "r" }')).toEqual({
      verdict: 'DENY',
      reasons: [{ policyName: 'no-files-to-outsiders' }],
    });
    expect(await verdict('send_money', '{ recipient: "X", amount: 1, subject: "s", date: "2026-01-01" }')).toEqual({
      verdict: 'DENY',
      reasons: [],
    });
  });

  it('shows nothing of the organization to a token of another one, nor without a token', async () => {
    const query = '{ projects { id } project(fullPath: "acme/payments/api") { id } agentAuditEvents { nodes { id } } }';
    const args = ['--user', 'gid://platform/User/1', '--organization', 'gid://platform/Organization/2', '--scopes', 'audit:read'];
    const minted = runScript(['--import', 'tsx', 'local/token.ts', ...args], house.environment);
    const token = await minted.said(/^ey/);

    const stranger = await send(house.gateway, { authorization: `Bearer ${token}` }, query);
    const nobody = await send(house.gateway, {}, query);

    expect(stranger.data).toEqual({ projects: [], project: null, agentAuditEvents: { nodes: [] } });
    expect(nobody.data).toEqual({ projects: null, project: null, agentAuditEvents: null });
    expect(new Set(nobody.errors?.map(({ extensions }) => extensions?.code))).toEqual(new Set(['UNAUTHENTICATED']));
  });

  it('does not start twice on one data folder', async () => {
    const { exitCode, stdout, stderr } = await runScript(['local/start.mjs', '--json'], house.environment).ended;
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 1,
      stdout: [],
      stderr: [expect.stringMatching(/^It is running already \(process \d+\)/)],
    });
  });

  it('does not let its data be thrown away while it runs', async () => {
    const { exitCode, stderr } = await runScript(['local/reset.mjs'], house.environment).ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: [expect.stringMatching(/^It is running already/)] });
  });
});

describe('an outage', () => {
  let house: StartedHouse;
  let cleanUp: () => Promise<void>;

  beforeAll(async () => {
    const place = await anEnvironment();
    cleanUp = place.cleanUp;
    house = await startHouse(place.environment);
    await aDecision(house);
  });

  afterAll(async () => {
    await house.stop();
    await cleanUp();
  });

  it("of governance leaves the platform's own fields, and ends with npm run start:subgraph", async () => {
    kill(house, 'subgraph');
    await house.script.said(/^The governance subgraph has ended \(SIGKILL\)/);
    const during = await ask<ProjectWithEvents>(house, 'policyAdmin', projectWithEvents);

    const again = runScript(['--import', 'tsx', 'local/start-subgraph.ts'], house.environment);
    await again.said(/^The governance subgraph runs/);
    const after = await ask<ProjectWithEvents>(house, 'policyAdmin', projectWithEvents);

    expect(during.data.project).toEqual({ name: 'Payments API', agentAuditEvents: null });
    expect(during.errors?.map(({ message, extensions }) => ({ message, code: extensions?.code }))).toEqual([
      { message: 'The subgraph "governance" cannot be reached.', code: 'UNAVAILABLE' },
    ]);
    expect(after.data.project.agentAuditEvents?.nodes.length).toBeGreaterThan(0);
  });

  it('of the platform leaves the root fields of governance', async () => {
    kill(house, 'platform');
    await house.script.said(/^The example platform has ended/);

    const { data, errors } = await ask<{ agentAuditEvents: { nodes: unknown[] } }>(
      house,
      'policyAdmin',
      '{ agentAuditEvents(first: 1) { nodes { type project { name } } } }',
    );

    expect(data.agentAuditEvents.nodes).toEqual([{ type: 'ai_tool_decision_made', project: null }]);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'UNAVAILABLE', serviceName: 'platform' });
  });
});

describe('Ctrl-C', () => {
  it('leaves no process behind, and the data to the next start, which adds nothing', async () => {
    const { environment, cleanUp } = await anEnvironment();
    const first = await startHouse(environment);
    await aDecision(first);
    const before = await everything(first);

    const { exitCode } = await first.stop();
    const left = Object.entries(first.pids).filter(([, pid]) => isAlive(pid));
    const second = await startHouse(environment);
    const after = await everything(second);
    await second.stop();
    await cleanUp();

    expect({ exitCode, left }).toEqual({ exitCode: 0, left: [] });
    expect(after).toEqual(before);
  });
});

describe('a start that is interrupted', () => {
  it.each([
    ['when the example platform has been started', 'logs/platform.log'],
    ['while the database is being made', 'postgres/cluster.new'],
    ['when governance has been started', 'logs/subgraph.log'],
  ])('%s leaves nothing running, and the next one goes on', async (_when, sign) => {
    const { environment, cleanUp } = await anEnvironment();
    const folder = environment['DATA_DIR'] ?? '';
    const interrupted = runScript(['local/start.mjs', '--json'], environment);
    await until(() => existsSync(join(folder, sign)));

    interrupted.child.kill('SIGINT');
    const { exitCode, stdout } = await interrupted.ended;
    const left = processesOf(folder);
    const next = await startHouse(environment);
    await next.stop();
    await cleanUp();

    expect({ exitCode, stdout, left }).toEqual({ exitCode: 0, stdout: [], left: [] });
  });

  it('by kill -9 of npm start ends everything all the same', async () => {
    const { environment, cleanUp } = await anEnvironment();
    const house = await startHouse(environment);

    kill(house, 'supervisor');
    await house.script.ended;
    await until(() => processesOf(environment['DATA_DIR'] ?? '').length === 0);

    await cleanUp();
  });
});

describe('a start that cannot be', () => {
  it.each([
    ['a taken port', takenPort, /^Port \d+ is taken: stop what listens there, or set GATEWAY_PORT to another port\.$/],
    [
      'an unreachable database',
      async () => ({ DATABASE_URL: 'postgres://me:secret@127.0.0.1:1/db' }),
      /^The database of DATABASE_URL \(127\.0\.0\.1:1\/db\) cannot be reached: .*ECONNREFUSED/,
    ],
    ['a database address that is none', async () => ({ DATABASE_URL: 'secret' }), /^DATABASE_URL is not a URL like postgresql:/],
    ['a port that is none', async () => ({ PORT: '4001x' }), /^PORT=4001x is not a port/],
    ['two parts on one port', async () => ({ PORT: '4999', GATEWAY_PORT: '4999' }), /^GATEWAY_PORT and PORT are both 4999/],
    ['a folder that cannot be written', folderInAFile, /^The data folder .* cannot be written \(ENOTDIR\)/],
  ])('because of %s says so in one sentence and leaves nothing running', async (_reason, prepare, sentence) => {
    const { environment, cleanUp } = await anEnvironment();
    const { release, ...changes } = { release: () => undefined, ...(await prepare(environment)) };

    const { exitCode, stdout, stderr } = await runScript(['local/start.mjs', '--json'], { ...environment, ...changes }).ended;
    release();
    await cleanUp();

    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 1, stdout: [], stderr: [expect.stringMatching(sentence)] });
    expect(stderr.join()).not.toContain('secret');
  });
});

async function takenPort(environment: Readonly<Record<string, string>>): Promise<{ release: () => undefined }> {
  const server = createServer();
  await new Promise<void>((settle) => server.listen(Number(environment['GATEWAY_PORT']), '127.0.0.1', settle));
  return { release: () => void server.close() };
}

async function folderInAFile(environment: Readonly<Record<string, string>>): Promise<{ DATA_DIR: string }> {
  const file = `${environment['DATA_DIR'] ?? ''}-is-a-file`;
  await writeFile(file, '');
  return { DATA_DIR: `${file}/data` };
}

interface Answered {
  readonly answer: { readonly policy: { readonly id: string; readonly latestRevision: number } };
}

/** What a mutation on policies made, through the gateway. */
async function mutated(house: StartedHouse, field: string, type: string, input: object): Promise<Answered['answer']['policy']> {
  const query = `mutation ($input: ${type}!) { answer: ${field}(input: $input) { policy { id latestRevision } } }`;
  const { data } = await send<Answered>(house.gateway, { authorization: `Bearer ${house.tokens.policyAdmin}` }, query, { input });
  return data.answer.policy;
}

function kill({ pids }: StartedHouse, name: string): void {
  process.kill(pids[name] ?? Number.NaN, 'SIGKILL');
}

/** Ids of all that the demo and the test left in the organization. */
async function everything(house: StartedHouse): Promise<unknown> {
  const { data } = await ask(
    house,
    'policyAdmin',
    '{ agentAuditEvents(first: 100) { nodes { id position } } agentTools(first: 100) { nodes { id } } agentPolicies { nodes { id latestRevision } } agents { id } }',
  );
  return data;
}
