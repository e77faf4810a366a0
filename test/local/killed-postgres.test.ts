import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../src/platform/postgres.js';
import { aCloudEvent } from '../support/cloud-events.js';
import { openAsOwner } from '../support/database.js';
import { postBatch, type RecordAnswer } from '../support/recording.js';
import type { Client } from '../support/subgraph.js';
import { until } from './house.js';
import { settled, startKillable, type Killable } from './killable.js';

jest.setTimeout(120_000);

const BATCH = 20;
/** How many events each organization must have had acknowledged before the next accident. */
const BETWEEN_ACCIDENTS = 200;

/** What a producer knows of an event that was acknowledged. */
interface Acknowledged {
  readonly organization: string;
  readonly id: string;
  readonly eventId: unknown;
  readonly seal: unknown;
}

let killable: Killable;
let load: Load | undefined;
beforeAll(async () => {
  killable = await startKillable();
});
afterAll(async () => {
  // A test that failed has left its producers behind.
  await load?.end();
  await killable.close();
});

/** Null when there was none: the connection broke, or nobody listened. */
const answerTo = (client: Client, events: readonly object[]): Promise<RecordAnswer | null> => postBatch(client, events).catch(() => null);

interface Load {
  readonly acknowledged: readonly Acknowledged[];
  /** The ids of all events, whatever became of them. */
  readonly sent: ReadonlySet<string>;
  /** Answers that no producer should get. */
  readonly unexpected: readonly RecordAnswer[];
  /** Until each organization has had so many more acknowledged. */
  goOn(count: number): Promise<void>;
  end(): Promise<void>;
}

/** Producers that write until it is over. */
function writers(organizations: readonly { readonly id: string; readonly client: Client }[]): Load {
  const acknowledged: Acknowledged[] = [];
  const sent = new Set<string>();
  const unexpected: RecordAnswer[] = [];
  let isOver = false;

  const write = async ({ id: organization, client }: (typeof organizations)[number], writer: string, isPatient: boolean): Promise<void> => {
    for (let batch = 0; !isOver; batch += 1) {
      const ids = Array.from({ length: BATCH }, (_, index) => `${organization} ${writer} ${batch}.${index}`);
      const events = ids.map((id) =>
        aCloudEvent({ id, source: '/under-load', subject: `${organization} ${writer}`, type: 'ai_tool_invoked' }),
      );
      for (const id of ids) sent.add(id);
      for (let isKnown = false; !isKnown && !isOver;) {
        const answer = await answerTo(client, events);
        if (answer?.status === 200)
          for (const { id, eventId, seal } of answer.results ?? []) acknowledged.push({ organization, id: String(id), eventId, seal });
        if (answer !== null && !isAsPromised(answer)) unexpected.push(answer);
        isKnown = answer?.status === 200 || !isPatient;
        if (answer?.status !== 200) await delay(20);
      }
    }
  };
  // Of each organization one sends again what nobody answered, under the same ids, and one goes on with the next.
  const writing = Promise.all(
    organizations.flatMap((organization) => [write(organization, 'patient', true), write(organization, 'hasty', false)]),
  );
  const countOf = (id: string): number => acknowledged.filter(({ organization }) => organization === id).length;
  return {
    acknowledged,
    sent,
    unexpected,
    async goOn(count) {
      const wanted = organizations.map(({ id }) => ({ id, count: countOf(id) + count }));
      await until(() => isOver || wanted.every((each) => countOf(each.id) >= each.count));
    },
    async end() {
      isOver = true;
      await writing;
    },
  };
}

/** Everything is stored, or nobody can say and the same may be sent again. */
const isAsPromised = ({ status, stored = 0, duplicates = 0, error }: RecordAnswer): boolean =>
  status === 200 ? stored + duplicates === BATCH : status === 503 && error?.code === 'UNAVAILABLE';

interface Logged {
  readonly position: number;
  readonly id: string;
  readonly source: string;
  readonly eventId: string;
  readonly seal: string;
}

/** The organization's log in order, when everything that is stored has its position. */
async function logOf(owner: Database, organization: string): Promise<readonly Logged[]> {
  const rows = await owner.sql.query<Logged & { position: string }>(
    `SELECT l.position, e.json ->> 'sourceId' AS id, e.json ->> 'source' AS source, l.event_id AS "eventId", encode(l.seal, 'hex') AS seal
     FROM log_entry l JOIN audit_event e ON e.id = l.event_id AND e.organization_id = l.organization_id AND e.seal = l.seal
     WHERE l.organization_id = $1 ORDER BY l.position`,
    [organization],
  );
  return rows.map((row) => ({ ...row, position: Number(row.position) }));
}

describe('two organizations that write while Postgres and the service are killed', () => {
  it('find every event that was acknowledged in their log, once, at positions without a gap', async () => {
    const organizations = [await killable.anOrganization('one'), await killable.anOrganization('two')];
    const writing = (load = writers(organizations));

    await writing.goOn(BETWEEN_ACCIDENTS);
    await killable.killPostgres();
    await killable.bringUpPostgres();
    await writing.goOn(BETWEEN_ACCIDENTS);
    await killable.killService();
    await killable.bringUpService();
    await writing.goOn(BETWEEN_ACCIDENTS);
    await writing.end();

    expect(writing.unexpected).toEqual([]);
    const owner = openAsOwner(killable.databaseUrl());
    await settled(owner);
    for (const { id } of organizations) {
      const log = await logOf(owner, id);
      expect(log.map(({ position }) => position)).toEqual(log.map((_entry, index) => index));
      const byId = new Map(log.map((entry) => [entry.id, entry]));
      expect(byId.size).toBe(log.length);
      // Nothing that nobody sent, and nothing of the other organization.
      expect(log.filter((entry) => !entry.id.startsWith(`${id} `) || !writing.sent.has(entry.id))).toEqual([]);
      const acknowledged = writing.acknowledged.filter(({ organization }) => organization === id);
      expect(acknowledged.length).toBeGreaterThanOrEqual(3 * BETWEEN_ACCIDENTS);
      expect(acknowledged.map((one) => [one.id, one.eventId, one.seal])).toEqual(
        acknowledged.map((one) => [one.id, byId.get(one.id)?.eventId, byId.get(one.id)?.seal]),
      );
      const [{ size, stored, counted } = {}] = await owner.sql.query<Readonly<Record<'size' | 'stored' | 'counted', string>>>(
        `SELECT size, (SELECT count(*) FROM audit_event WHERE organization_id = $1) AS stored,
           (SELECT sum(events) FROM audit_rollup WHERE organization_id = $1 AND namespace_id = '' AND unit = 'DAY' AND dimension = 'TYPE') AS counted
         FROM log_head WHERE organization_id = $1`,
        [id],
      );
      expect([size, stored, counted]).toEqual(Array(3).fill(String(log.length)));
    }
    await owner.close();
  });
});
