import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { anEnvironment, runScript, startHouse, type StartedHouse } from './house.js';
import { ask, openFeed, refusalOfFeed } from './operations.js';

jest.setTimeout(120_000);

const RUNS = 60;
const CALLS = 5;

interface Page {
  readonly agentAuditEvents: {
    readonly nodes: readonly {
      readonly type: string;
      readonly position: number;
      readonly sessionId: string | null;
      readonly toolName: string | null;
    }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

describe('a running house', () => {
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

  it.each([
    ['a token without the scope', 'developerWithout', null, 'FORBIDDEN'],
    ['a cursor of nothing', 'securityTool', 'nonsense', 'BAD_USER_INPUT'],
  ])('tells through the gateway that a feed is refused for %s', async (_reason, holder, after, code) => {
    const token =
      holder === 'securityTool'
        ? house.tokens.securityTool
        : await mint(house, '--user', 'gid://platform/User/1', '--scopes', 'decision:request');
    expect(await refusalOfFeed(house.gateway, token, after)).toBe(code);
  });

  it('loses nothing of a replay when governance is killed in the middle, and adds nothing when all of it is replayed again', async () => {
    const file = await aRecording(join(house.environment['DATA_DIR'] ?? '', 'recorded.ndjson'));
    const replay = () => runScript(['bin/agent-governance.mjs', 'replay', file, '--json'], house.environment);
    const feed = openFeed(house);
    await feed.next();

    const first = replay();
    for (let seen = 0; seen < 100;) if ((await feed.next()).value.event !== undefined) seen += 1;
    process.kill(house.pids['subgraph'] ?? Number.NaN, 'SIGKILL');
    await house.script.said(/^The governance subgraph has ended \(SIGKILL\)/);
    const again = runScript(['--import', 'tsx', 'local/start-subgraph.ts'], house.environment);
    await again.said(/^The governance subgraph runs/);
    const { exitCode, stdout } = await first.ended;
    const second = await replay().ended;
    await feed.close();

    expect({ exitCode, summary: JSON.parse(stdout.at(-1) ?? '') }).toMatchObject({
      exitCode: 0,
      summary: { runs: RUNS, calls: RUNS * CALLS, allowed: RUNS * CALLS, denied: 0 },
    });
    expect(JSON.parse(second.stdout.at(-1) ?? '')).toMatchObject({ calls: RUNS * CALLS, stored: 0 });
    const events = await everyEvent(house);
    const replayed = events.filter(({ sessionId }) => sessionId !== null);
    const countOf = (type: string) => replayed.filter((event) => event.type === type).length;
    expect(
      ['ai_agent_session_started', 'ai_tool_decision_made', 'ai_tool_invoked', 'ai_tool_response_received', 'ai_agent_session_ended'].map(
        countOf,
      ),
    ).toEqual([RUNS, ...[RUNS * CALLS, RUNS * CALLS, RUNS * CALLS], RUNS]);
    expect(events.map(({ position }) => position).sort((left, right) => left - right)).toEqual(events.map((_event, index) => index));
  });
});

async function mint(house: StartedHouse, ...args: readonly string[]): Promise<string> {
  return runScript(['--import', 'tsx', 'local/token.ts', ...args], house.environment).said(/^ey/);
}

/** Runs of an agent that reads a file five times. */
async function aRecording(file: string): Promise<string> {
  const rows = Array.from({ length: RUNS * CALLS }, (_row, index) => ({
    traceId: `run-${Math.floor(index / CALLS)}`,
    model: 'a-model',
    step: index % CALLS,
    tool: 'read_file',
    args: { file_path: `${index}.txt` },
  }));
  await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return file;
}

async function everyEvent(house: StartedHouse): Promise<Page['agentAuditEvents']['nodes']> {
  const events = [];
  for (let after: string | null = null, hasNext = true; hasNext;) {
    const page: Page = (
      await ask<Page>(
        house,
        'securityTool',
        `{ agentAuditEvents(first: 100, after: ${JSON.stringify(after)}) { nodes { type position sessionId toolName } pageInfo { hasNextPage endCursor } } }`,
      )
    ).data;
    events.push(...page.agentAuditEvents.nodes);
    after = page.agentAuditEvents.pageInfo.endCursor;
    hasNext = page.agentAuditEvents.pageInfo.hasNextPage;
  }
  return events;
}
