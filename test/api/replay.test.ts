import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../../src/cli/command-error.js';
import { replayFile, type Replaying, type Summary } from '../../src/cli/replay.js';
import { aDatabase, type TestDatabase } from '../support/database.js';
import { aPublishedPolicy, decisionOn, retirePolicy } from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { aProxy, through, type Proxy } from '../support/proxy.js';
import { itWithData, linesOf } from '../support/shared-data.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

interface Row {
  readonly traceId: string;
  readonly model: string;
  readonly step: number;
  readonly tool: string;
  readonly args: object;
  readonly callId?: string | null;
  readonly error?: string | null;
}

let folder: string;
let database: TestDatabase;
let databaseNetwork: Proxy;
let subgraph: TestSubgraph;
let serviceNetwork: Proxy;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replay-'));
  database = await aDatabase();
  databaseNetwork = await aProxy(database.url);
  subgraph = await aSubgraph({ DATABASE_URL: through(databaseNetwork, database.url) });
  serviceNetwork = await aProxy(subgraph.url);
});
afterAll(async () => {
  await subgraph.close();
  await serviceNetwork.close();
  await databaseNetwork.close();
  await database.drop();
  await rm(folder, { recursive: true });
});

/** Where reading is permitted and nothing else. */
async function aCompany() {
  const company = await anOrganization(subgraph);
  const [owner, developer] = [await company.member('OWNER', company.id), await company.member('DEVELOPER', company.api)];
  const policyId = await aPublishedPolicy(owner, company.id, 'permit (principal, action, resource in Tool::"read");');
  return { company, owner, developer, policyId };
}

let files = 0;
async function aFile(rows: readonly object[]): Promise<string> {
  const file = join(folder, `${(files += 1)}.ndjson`);
  await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return file;
}

/** Three runs with seven calls, of which four read. */
const ROWS: readonly Row[] = [
  ...['read', 'write', 'read'].map((tool, step) => ({ traceId: 'a', model: 'm1', step, tool, args: { n: step }, callId: `a${step}` })),
  ...['write', 'read'].map((tool, step) => ({
    traceId: 'b',
    model: 'm2',
    step,
    tool,
    args: {},
    error: tool === 'read' ? 'IOError: broken' : null,
  })),
  ...['read', 'delete'].map((tool, step) => ({ traceId: 'c', model: 'm1', step, tool, args: { deep: { a: [1] } } })),
];
/** Of each run a beginning, an end and that it was all; of each call a decision, of each allowed one two events more. */
const EVENTS = 3 * 3 + 7 + 4 * 2;

const silent = { start: () => undefined, advance: () => undefined, waiting: () => undefined, stop: () => undefined };

/** Replays as somebody with a token, over real HTTP. */
async function replayed(file: string, client: Client, projectId: string, more: Partial<Replaying> = {}): Promise<Summary> {
  return replayFile(file, {
    baseUrl: subgraph.url,
    token: client.token,
    projectId,
    userId: decodeJwt(client.token).sub ?? '',
    agentPrefix: 'agent/',
    concurrency: 4,
    patience: 10,
    progress: silent,
    ...more,
  });
}

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(Number(Object(server.address()).port))));

interface Event {
  readonly type: string;
  readonly tool: string | null;
  readonly verdict: string | null;
  readonly sessionId: string;
  readonly callId: string | null;
  readonly position: number | null;
  readonly agent: { readonly id: string };
}

/** All of the client's events, newest first. */
async function eventsOf(client: Client): Promise<readonly Event[]> {
  const events: Event[] = [];
  let after: string | null = null;
  do {
    const page: { readonly nodes: readonly Event[]; readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string } } =
      await pageBehind(client, after);
    events.push(...page.nodes);
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  return events;
}

async function pageBehind(client: Client, after: string | null) {
  const { data } = await client.graphql<{
    readonly agentAuditEvents: {
      readonly nodes: readonly Event[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
    };
  }>(
    'query ($after: String) { agentAuditEvents(first: 100, after: $after) { nodes { type tool: toolName verdict sessionId callId position agent { id } } pageInfo { hasNextPage endCursor } } }',
    { after },
  );
  if (data == null) throw new Error('There was no page.');
  return data.agentAuditEvents;
}

interface ToldSession {
  readonly id: string;
  readonly status: string;
  readonly eventCount: number;
}

/** The client's sessions by id, once all events have positions. */
async function sessionsOf(client: Client): Promise<readonly ToldSession[]> {
  while ((await eventsOf(client)).some(({ position }) => position === null));
  const sessions: ToldSession[] = [];
  let after: string | null = null;
  do {
    const page: SessionPage = await sessionsBehind(client, after);
    sessions.push(...page.nodes);
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  return sessions.sort((left, right) => (left.id < right.id ? -1 : 1));
}

interface SessionPage {
  readonly nodes: readonly ToldSession[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
}

async function sessionsBehind(client: Client, after: string | null): Promise<SessionPage> {
  const { data } = await client.graphql<{ agentSessions: SessionPage }>(
    `query ($after: String) { agentSessions(first: 100, after: $after) { pageInfo { hasNextPage endCursor }
      nodes { id status workflowType eventCount strayEvents startedAt endedAt agent { id } project { id }
        verdictCounts { allowed denied } outcomeCounts { succeeded failed } orphans(olderThanSeconds: 0) { nodes { callId } }
        completeness { state sources { source received totalEventsSent unexpected } } } } }`,
    { after },
  );
  if (data == null) throw new Error('There was no page.');
  return data.agentSessions;
}

function countsBy<Item>(items: readonly Item[], name: (item: Item) => string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[name(item)] = (counts[name(item)] ?? 0) + 1;
  return counts;
}

const decisionsIn = (events: readonly Event[]): readonly Event[] => events.filter(({ type }) => type === 'ai_tool_decision_made');

describe('a replay', () => {
  it('stores sessions, decisions and outcomes, and a second one nothing', async () => {
    const { company, developer } = await aCompany();
    const file = await aFile(ROWS);

    const first = await replayed(file, developer, company.api);
    const events = await eventsOf(developer);
    const second = await replayed(file, developer, company.api);

    expect(first).toEqual({ runs: 3, calls: 7, allowed: 4, denied: 3, stored: EVENTS, durationSeconds: expect.any(Number) });
    expect(second).toEqual({ ...first, stored: 0, durationSeconds: expect.any(Number) });
    expect(await eventsOf(developer)).toHaveLength(events.length);
    expect(countsBy(events, ({ type }) => type)).toEqual({
      ai_agent_session_started: 3,
      ai_agent_session_ended: 3,
      ai_agent_session_report_finished: 3,
      ai_tool_decision_made: 7,
      ai_tool_invoked: 4,
      ai_tool_response_received: 3,
      ai_tool_execution_failed: 1,
    });
    expect(countsBy(decisionsIn(events), ({ tool, agent, verdict }) => `${agent.id} ${tool ?? ''} ${verdict ?? ''}`)).toEqual({
      'agent/m1 read ALLOW': 3,
      'agent/m1 write DENY': 1,
      'agent/m2 write DENY': 1,
      'agent/m2 read ALLOW': 1,
      'agent/m1 delete DENY': 1,
    });
  });

  it('leaves a session of each run, with what came of it', async () => {
    const { company, developer } = await aCompany();
    await replayed(await aFile(ROWS), developer, company.api);
    await replayed(await aFile(ROWS), developer, company.api);

    const session = (id: string, model: string, sent: number, counts: readonly number[]) => ({
      ...{
        id,
        eventCount: sent + (counts[0] ?? 0) + (counts[1] ?? 0) + 1,
        status: 'SUCCEEDED',
        workflowType: 'recorded',
        strayEvents: 0,
        startedAt: expect.any(String),
        endedAt: expect.any(String),
      },
      ...{ agent: { id: `agent/${model}` }, project: { id: company.api } },
      verdictCounts: { allowed: counts[0], denied: counts[1] },
      outcomeCounts: { succeeded: counts[2], failed: counts[3] },
      orphans: { nodes: [] },
      completeness: {
        state: 'COMPLETE',
        sources: [{ source: '/agent-governance/replay', received: sent, totalEventsSent: sent, unexpected: 0 }],
      },
    });
    expect(await sessionsOf(developer)).toEqual([
      session('a', 'm1', 2 + 2 * 2, [2, 1, 2, 0]),
      session('b', 'm2', 2 + 1 * 2, [1, 1, 0, 1]),
      session('c', 'm1', 2 + 1 * 2, [1, 1, 1, 0]),
    ]);
  });

  it('adds nothing when the lines stand in another order', async () => {
    const { company, developer } = await aCompany();
    await replayed(await aFile(ROWS), developer, company.api);

    expect(await replayed(await aFile(ROWS.toReversed()), developer, company.api)).toMatchObject({ allowed: 4, denied: 3, stored: 0 });
  });

  it('allows nothing any more that a policy has ceased to allow, and adds the record of that alone', async () => {
    const { company, developer, owner, policyId } = await aCompany();
    await replayed(await aFile(ROWS), developer, company.api);
    await retirePolicy(owner, { policyId, basedOn: 1 });

    expect(await replayed(await aFile(ROWS), developer, company.api)).toMatchObject({ allowed: 0, denied: 7, stored: 4 });
    expect(await replayed(await aFile(ROWS), developer, company.api)).toMatchObject({ allowed: 0, denied: 7, stored: 0 });
  });

  it('in another project is a replay of its own', async () => {
    const { company, owner } = await aCompany();
    const file = await aFile(ROWS);
    await replayed(file, owner, company.api);

    expect(await replayed(file, owner, company.shop)).toMatchObject({ calls: 7, stored: EVENTS });
    expect(await replayed(file, owner, company.api)).toMatchObject({ stored: 0 });
  });

  it('for another user is one of its own, in which nothing is allowed: the sessions are somebody else’s', async () => {
    const { company, developer, owner } = await aCompany();
    const file = await aFile(ROWS);
    await replayed(file, developer, company.api);
    await sessionsOf(developer);
    for (const sessionId of ['a', 'b', 'c']) {
      // Until the service knows whose they are.
      const ask = () => decisionOn(owner, { agentId: 'agent/m1', projectId: company.api, tool: 'read', sessionId });
      while ((await ask()).basis !== 'IDENTITY_CONTRADICTED') await sleep(20);
    }

    const [started, decided, ended, reported] = [3, 7, 3, 3];
    expect(await replayed(file, owner, company.api)).toMatchObject({ denied: 7, stored: started + decided + ended + reported });
    expect(await replayed(file, owner, company.api)).toMatchObject({ denied: 7, stored: 0 });
  });

  it('sends nothing more once the service has refused something', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const refuses = asked.filter((url) => url.startsWith('/access/')).length === 3;
      const answer = request.url?.startsWith('/access/')
        ? { decision: false, context: { id: 'd', explanation: 'No.' } }
        : { data: { agentAuditEvents: { nodes: [] } }, stored: 1, results: [] };
      response.writeHead(refuses ? 403 : 200).end(JSON.stringify(refuses ? { error: { message: 'No more.', code: 'FORBIDDEN' } } : answer));
    });
    const port = await listening(server);
    const { company, developer } = await aCompany();
    const rows = Array.from({ length: 200 }, (_row, index) => ({
      traceId: `run ${index % 50}`,
      model: 'm',
      step: index,
      tool: 'read',
      args: {},
    }));

    await expect(
      replayed(await aFile(rows), developer, company.api, { baseUrl: `http://127.0.0.1:${port}`, concurrency: 8 }),
    ).rejects.toThrow('The service refused POST /access/v1/evaluation: No more.');

    const afterwards = asked.length;
    await new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections());
    expect(asked).toHaveLength(afterwards);
    expect(asked.filter((url) => url.startsWith('/access/')).length).toBeLessThanOrEqual(3 + 8);
  });

  it('that stops half-way and is run again stores everything once', async () => {
    const { company, developer } = await aCompany();
    const file = await aFile(ROWS);
    let advanced = 0;
    const breaking = {
      ...silent,
      advance: () => {
        if ((advanced += 1) === 3) throw new Error('killed');
      },
    };

    await expect(replayed(file, developer, company.api, { progress: breaking, concurrency: 1 })).rejects.toThrow('killed');
    const half = (await eventsOf(developer)).length;
    const rest = await replayed(file, developer, company.api);

    expect(half).toBeGreaterThan(3);
    expect(rest).toMatchObject({ allowed: 4, denied: 3, stored: EVENTS - half });
    expect(await eventsOf(developer)).toHaveLength(EVENTS);
  });

  it('that stops half-way and goes on under other policies is not missing anything: what it had sent before is beyond its total', async () => {
    const { company, developer, owner, policyId } = await aCompany();
    const file = await aFile(ROWS.filter(({ traceId }) => traceId === 'a'));
    let advanced = 0;
    const breaking = {
      ...silent,
      advance: () => {
        if ((advanced += 1) === 3) throw new Error('killed');
      },
    };
    await expect(replayed(file, developer, company.api, { progress: breaking, concurrency: 1 })).rejects.toThrow('killed');
    await retirePolicy(owner, { policyId, basedOn: 1 });

    expect(await replayed(file, developer, company.api)).toMatchObject({ allowed: 0, denied: 3 });
    expect(await replayed(file, developer, company.api)).toMatchObject({ stored: 0 });

    const completeness = { state: 'COMPLETE', sources: [{ received: 2 + 2 * 2, totalEventsSent: 2, unexpected: 2 * 2 }] };
    expect(await sessionsOf(developer)).toMatchObject([{ id: 'a', completeness }]);
  });

  it('waits while the service is away, and goes on', async () => {
    const { company, developer } = await aCompany();
    const waited: string[] = [];
    const cutting = {
      ...silent,
      advance: () => {
        if (waited.length === 0) void serviceNetwork.cut();
      },
      waiting: () => {
        if (waited.push('waiting') === 1) void serviceNetwork.mend();
      },
    };

    const summary = await replayed(await aFile(ROWS), developer, company.api, {
      baseUrl: `http://127.0.0.1:${serviceNetwork.port}`,
      progress: cutting,
    });

    expect(waited.length).toBeGreaterThan(0);
    expect(summary).toMatchObject({ allowed: 4, denied: 3 });
    expect(await eventsOf(developer)).toHaveLength(EVENTS);
  });

  it('waits while the service’s database is away, and goes on', async () => {
    const { company, developer } = await aCompany();
    await databaseNetwork.cut();
    let waited = 0;
    const mending = {
      ...silent,
      waiting: () => {
        if ((waited += 1) === 1) void databaseNetwork.mend();
      },
    };

    const summary = await replayed(await aFile(ROWS), developer, company.api, { progress: mending });

    expect(waited).toBeGreaterThan(0);
    expect(summary).toMatchObject({ allowed: 4, denied: 3, stored: EVENTS });
  });

  it('gives up after its patience, and says how to go on', async () => {
    const { company, developer } = await aCompany();

    const replaying = replayed(await aFile(ROWS), developer, company.api, { baseUrl: 'http://127.0.0.1:1', patience: 0 });

    await expect(replaying).rejects.toThrow(CommandError);
    await expect(replayed(await aFile(ROWS), developer, company.api, { baseUrl: 'http://127.0.0.1:1', patience: 0 })).rejects.toThrow(
      /^The service at http:\/\/127\.0\.0\.1:1 does not answer \(.+\)\. Run the same command again/,
    );
  });

  it.each([
    ['a web page', 200, '<html>hello</html>'],
    ['nothing', 204, ''],
    ['JSON of another kind', 200, '{"hello":"world"}'],
  ])('says in one sentence that something else answers: %s', async (_what, status, text) => {
    const server = createServer((_request, response) => response.writeHead(status).end(text));
    const port = await listening(server);
    const { company, developer } = await aCompany();

    const replaying = replayed(await aFile(ROWS), developer, company.api, { baseUrl: `http://127.0.0.1:${port}` });

    await expect(replaying).rejects.toThrow(
      new CommandError(`The service refused POST /graphql: it answered with status ${status} in a form that this command does not know.`),
    );
    server.close();
    server.closeAllConnections();
  });

  it('says in one sentence that the project is not there for the token', async () => {
    const { company, developer } = await aCompany();

    await expect(replayed(await aFile(ROWS), developer, company.shop)).rejects.toThrow(
      new CommandError('The service rejected an event: projectid must be a project of the organization that the directory knows.'),
    );
  });

  itWithData(
    'agentdojo/calls.ndjson',
    'of real runs leaves, per agent, tool and session, exactly the counts of the file',
    async (path) => {
      const { company, developer } = await aCompany();
      const all = await linesOf<Row>(path);
      // Of both agents; the whole file takes a minute or two.
      const rows = [...all.slice(0, 150), ...all.slice(-150)];

      const summary = await replayed(await aFile(rows), developer, company.api, { concurrency: 8 });
      const events = await eventsOf(developer);
      const decisions = decisionsIn(events);
      const sessions = new Set(rows.map(({ traceId }) => traceId));

      expect(summary).toMatchObject({ runs: sessions.size, calls: rows.length, stored: events.length });
      expect(countsBy(decisions, ({ agent, tool }) => `${agent.id} ${tool ?? ''}`)).toEqual(
        countsBy(rows, ({ model, tool }) => `agent/${model} ${tool}`),
      );
      expect(countsBy(decisions, ({ sessionId }) => sessionId)).toEqual(countsBy(rows, ({ traceId }) => traceId));
      expect(new Set(decisions.map(({ callId }) => callId))).toEqual(
        new Set(rows.map(({ callId, step }) => (callId == null || callId === '' ? `step-${step}` : callId))),
      );
      expect(countsBy(events, ({ type }) => type)).toMatchObject({
        ai_agent_session_started: sessions.size,
        ai_agent_session_ended: sessions.size,
      });
      const told = await sessionsOf(developer);
      expect(Object.fromEntries(told.map(({ id, eventCount }) => [id, eventCount]))).toEqual(
        countsBy(events, ({ sessionId }) => sessionId),
      );
      expect(told.filter(({ status }) => status !== 'SUCCEEDED')).toEqual([]);
      expect(await replayed(await aFile(rows), developer, company.api, { concurrency: 8 })).toMatchObject({
        stored: 0,
        allowed: summary.allowed,
        denied: summary.denied,
      });
    },
    60_000,
  );
});

describe('the command', () => {
  let company: TestOrganization;
  let developer: Client;
  beforeAll(async () => {
    ({ company, developer } = await aCompany());
  });

  const run = (...args: readonly string[]) => commandRun(['replay', ...args]);
  const connected = (token = developer.token): readonly string[] => [
    '--url',
    subgraph.url,
    '--token',
    token,
    '--project',
    company.api,
    '--agent-prefix',
    'agent/',
  ];

  it('prints a summary for people, and one of JSON for scripts', async () => {
    const file = await aFile(ROWS);

    const first = await run(file, ...connected());
    const second = await run(file, ...connected(), '--json');

    expect(first.code).toBe(0);
    expect(first.out.split('\n').slice(0, 5)).toEqual([
      'runs      3',
      'calls     7',
      'allowed   4',
      'denied    3',
      `stored    ${EVENTS} events`,
    ]);
    expect(JSON.parse(second.out)).toMatchObject({ runs: 3, calls: 7, allowed: 4, denied: 3, stored: 0 });
  });

  it.each<[string, () => Promise<readonly string[]>, RegExp]>([
    [
      'a token that does not verify',
      async () => [await aFile(ROWS), ...connected('nonsense')],
      /^The service refused POST \/graphql: The token does not verify\.$/,
    ],
    [
      'a file that is not there',
      async () => [join(folder, 'missing.ndjson'), ...connected()],
      /^The file .*missing\.ndjson cannot be read\.$/,
    ],
    ['a folder in place of a file', async () => [folder, ...connected()], /^.* is a folder\.$/],
    [
      'a file of something else',
      async () => [await aFile([{ hello: 'world' }]), ...connected()],
      /^Line 1 is not a recorded tool call: traceId: /,
    ],
    [
      'a URL that is none',
      async () => [await aFile(ROWS), ...connected(), '--url', 'nowhere'],
      /^--url: must be an http or https URL; got "nowhere"\.$/,
    ],
  ])('fails with one sentence: %s', async (_what, make, sentence) => {
    const { code, out, err } = await run(...(await make()));

    expect({
      code,
      out,
      sentences: err
        .trim()
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('replaying')),
    }).toEqual({ code: 1, out: '', sentences: [expect.stringMatching(sentence)] });
  });

  it('says how it is used when it is used otherwise', async () => {
    const { code, err } = await run('--concurrency', '0', 'file');

    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/It must be a whole number from 1 to 64\.[^]*Usage: /) });
  });
});

const COMMAND = fileURLToPath(new URL('../../bin/agent-governance.mjs', import.meta.url));

function commandRun(args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => (out += String(text)));
  child.stderr.on('data', (text) => (err += String(text)));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}
