/**
 * No record, no action, by counting: Postgres and the service are killed again and again while decisions are asked for.
 *
 * 12 kills, unless the variable KILLS says otherwise: `KILLS=100 node scripts/test.mjs test/local/killed-decisions`.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../src/platform/postgres.js';
import { openAsOwner } from '../support/database.js';
import { aPublishedPolicy } from '../support/governing.js';
import { pushed } from '../support/organization.js';
import type { Client } from '../support/subgraph.js';
import { until } from './house.js';
import { settled, startKillable, type Killable } from './killable.js';

const KILLS = Number(process.env['KILLS'] ?? 12);
const ASKERS = 8;
/** How many answers there must have been before the next accident. */
const BETWEEN_ACCIDENTS = 40;

jest.setTimeout(60_000 + KILLS * 15_000);

/** What an asker was told. */
interface Told {
  readonly requestId: string;
  readonly id: string;
  readonly verdict: string;
}

let killable: Killable;
let load: Load | undefined;
beforeAll(async () => {
  killable = await startKillable();
});
afterAll(async () => {
  await load?.end();
  await killable.close();
});

interface Load {
  readonly told: readonly Told[];
  /** How many askings had no answer, for which the same was asked again or not. */
  readonly unanswered: number;
  /** Answers that nobody should get. */
  readonly unexpected: readonly unknown[];
  goOn(count: number): Promise<void>;
  end(): Promise<void>;
}

type Answered = { readonly told: Told } | { readonly unexpected: unknown } | null;

/** Null when nothing is known of the decision: the connection broke, nobody listened, or it could not be recorded. */
async function askOnce(client: Client, projectId: string, requestId: string): Promise<Answered> {
  try {
    const response = await client.request('/access/v1/evaluation', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': requestId },
      body: JSON.stringify({
        subject: { type: 'agent', id: 'agent' },
        action: { name: 'invokeTool', properties: { arguments: { requestId } } },
        resource: { type: 'tool', id: 'deploy', properties: { project: projectId } },
      }),
    });
    const body: { decision?: boolean; context?: { id?: string; verdict?: string }; error?: { code?: string } } = Object(
      await response.json(),
    );
    const { id, verdict } = body.context ?? {};
    if (response.status === 200 && id !== undefined && verdict === 'ALLOW' && body.decision === true)
      return { told: { requestId, id, verdict } };
    return response.status === 503 && body.error?.code === 'UNAVAILABLE' ? null : { unexpected: [response.status, body] };
  } catch {
    return null;
  }
}

/** Askers who go on until it is over: half of them ask again what had no answer, under the same request id. */
function asking(client: Client, projectId: string): Load {
  const state = { told: [] as Told[], unexpected: [] as unknown[], unanswered: 0, isOver: false };
  const ask = async (asker: number): Promise<void> => {
    for (let number = 0; !state.isOver; number += 1) {
      const requestId = `${asker}.${number}`;
      for (let isDone = false; !isDone && !state.isOver;) {
        const answer = await askOnce(client, projectId, requestId);
        if (answer === null) state.unanswered += 1;
        else if ('told' in answer) state.told.push(answer.told);
        else state.unexpected.push(answer.unexpected);
        isDone = answer !== null || asker % 2 === 0;
        if (answer === null) await delay(20);
      }
    }
  };
  const all = Promise.all(Array.from({ length: ASKERS }, (_, asker) => ask(asker)));
  return Object.assign(state, {
    async goOn(count: number) {
      const wanted = state.told.length + count;
      await until(() => state.told.length >= wanted || state.unexpected.length > 0);
    },
    async end() {
      state.isOver = true;
      await all;
    },
  });
}

interface Recorded {
  readonly id: string;
  readonly verdict: string;
  readonly requestId: string;
}

/** Every decision in the organization's log, in its order. */
const decisionsOf = (owner: Database, organization: string): Promise<readonly Recorded[]> =>
  owner.sql.query<Recorded>(
    `SELECT e.id, e.verdict, e.json::jsonb #>> '{data,requestId}' AS "requestId"
     FROM log_entry l JOIN audit_event e ON e.id = l.event_id AND e.organization_id = l.organization_id
     WHERE l.organization_id = $1 AND e.type = 'ai_tool_decision_made' ORDER BY l.position`,
    [organization],
  );

describe(`decisions asked for while Postgres and the service are killed, ${KILLS} times`, () => {
  it('were never told as allowed without a record, and are recorded once for each request id', async () => {
    const { id, userId, client } = await killable.anOrganization('company');
    const projectId = `gid://platform/Project/${randomUUID()}`;
    await pushed(client, {
      namespaces: [{ id: projectId, kind: 'PROJECT', parentId: id, path: 'api' }],
      memberships: [{ namespaceId: id, userId, role: 'OWNER' }],
    });
    await aPublishedPolicy(client, id, 'permit (principal, action, resource);');
    const running = (load = asking(client, projectId));

    await running.goOn(BETWEEN_ACCIDENTS);
    for (let kills = 0; kills < KILLS; kills += 1) {
      // The service takes much longer to come back.
      if (kills % 3 !== 2) {
        await killable.killPostgres();
        await killable.bringUpPostgres();
      } else {
        await killable.killService();
        await killable.bringUpService();
      }
      await running.goOn(BETWEEN_ACCIDENTS);
    }
    await running.end();

    expect(running.unexpected).toEqual([]);
    expect(running.unanswered).toBeGreaterThan(0);
    const owner = openAsOwner(killable.databaseUrl());
    await settled(owner);
    const recorded = await decisionsOf(owner, id);
    await owner.close();
    const byId = new Map(recorded.map((decision) => [decision.id, decision]));
    const wrong = running.told.filter((told) => {
      const record = byId.get(told.id);
      return record?.verdict !== told.verdict || record.requestId !== told.requestId;
    });
    expect(running.told.length).toBeGreaterThanOrEqual((KILLS + 1) * BETWEEN_ACCIDENTS);
    expect(wrong).toEqual([]);
    expect(new Set(recorded.map(({ requestId }) => requestId)).size).toBe(recorded.length);
  });
});
