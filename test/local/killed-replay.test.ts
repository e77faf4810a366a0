import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { itWithData, linesOf } from '../support/shared-data.js';
import { anEnvironment, runScript, startHouse, until, type StartedHouse } from './house.js';
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
      readonly agent: { readonly id: string } | null;
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
    const watched = aWatch(house);
    await watched.begun;

    const first = replay();
    await watched.hasSeen(100);
    process.kill(house.pids['subgraph'] ?? Number.NaN, 'SIGKILL');
    await house.script.said(/^The governance subgraph has ended \(SIGKILL\)/);
    const again = runScript(['--import', 'tsx', 'local/start-subgraph.ts'], house.environment);
    await again.said(/^The governance subgraph runs/);
    const { exitCode, stdout } = await first.ended;
    const second = await replay().ended;

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
    const positions = events.map(({ position }) => position).sort((left, right) => left - right);
    expect(positions).toEqual(events.map((_event, index) => index));
    // Who watched through the gateway all the while has every one of them, once and in order.
    const before = positions.length - replayed.length;
    await watched.hasSeen(replayed.length);
    await watched.close();
    expect(watched.positions).toEqual(positions.slice(before));
  });

  itWithData(
    'agentdojo/calls.ndjson',
    'has, after a replay of real runs, exactly the counts of the file per agent, tool and session, through the gateway',
    async (path) => {
      const all = await linesOf<{ readonly traceId: string; readonly model: string; readonly tool: string }>(path);
      // One run in four: all of them take minutes. REPLAY_ALL=1 takes them.
      const runs = [...new Set(all.map(({ traceId }) => traceId))].filter(
        (_, index) => index % 4 === 0 || process.env['REPLAY_ALL'] === '1',
      );
      const chosen = new Set(runs);
      const rows = all.filter(({ traceId }) => chosen.has(traceId));
      const file = join(house.environment['DATA_DIR'] ?? '', 'chosen.ndjson');
      await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

      const { stdout } = await runScript(['bin/agent-governance.mjs', 'replay', file, '--json'], house.environment).ended;
      const decisions = (await everyEvent(house, ['ai_tool_decision_made'])).filter(({ sessionId }) => !/^run-/.test(sessionId ?? 'run-'));

      expect(JSON.parse(stdout.at(-1) ?? '')).toMatchObject({ runs: runs.length, calls: rows.length });
      expect(countsBy(decisions, ({ agent, toolName }) => `${agent?.id ?? ''} ${toolName ?? ''}`)).toEqual(
        countsBy(rows, ({ model, tool }) => `gid://platform/Agent/${model} ${tool}`),
      );
      expect(countsBy(decisions, ({ sessionId }) => sessionId ?? '')).toEqual(countsBy(rows, ({ traceId }) => traceId));
    },
    300_000,
  );
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

/** Somebody who watches the feed through the gateway and, whenever it breaks off, goes on from the last cursor. */
function aWatch(house: StartedHouse) {
  const positions: number[] = [];
  let cursor: string | null = null;
  let isClosed = false;
  let feed = openFeed(house);
  const watch = async (): Promise<void> => {
    while (!isClosed) {
      try {
        for await (const item of feed) {
          cursor = item.cursor;
          if (item.event !== undefined) positions.push(item.event.position);
        }
      } catch (error) {
        // While governance is away the gateway says so, at every try.
        if (!isClosed && !String(error).includes('UNAVAILABLE')) throw error;
      }
      await feed.close();
      // As a client should: not at once while there is nobody.
      if (!isClosed) await delay(100);
      feed = openFeed(house, cursor);
    }
  };
  const watching = watch();
  const wait = async (isSo: () => boolean): Promise<void> => Promise.race([until(isSo), watching]);
  return {
    positions,
    begun: wait(() => cursor !== null),
    hasSeen: (count: number) => wait(() => positions.length >= count),
    async close() {
      isClosed = true;
      await feed.close();
      await watching;
    },
  };
}

function countsBy<Item>(items: readonly Item[], name: (item: Item) => string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[name(item)] = (counts[name(item)] ?? 0) + 1;
  return counts;
}

async function everyEvent(house: StartedHouse, types: readonly string[] | null = null): Promise<Page['agentAuditEvents']['nodes']> {
  const events = [];
  for (let after: string | null = null, hasNext = true; hasNext;) {
    const page: Page = (
      await ask<Page>(
        house,
        'securityTool',
        `{ agentAuditEvents(first: 100, after: ${JSON.stringify(after)}, filter: { types: ${JSON.stringify(types)} }) { nodes { type position sessionId toolName agent { id } } pageInfo { hasNextPage endCursor } } }`,
      )
    ).data;
    events.push(...page.agentAuditEvents.nodes);
    after = page.agentAuditEvents.pageInfo.endCursor;
    hasNext = page.agentAuditEvents.pageInfo.hasNextPage;
  }
  return events;
}
