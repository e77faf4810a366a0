import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openIssuer, serveKeys, type Issuer, type KeyServer } from '../../local/issuer.js';
import { freePort } from '../../local/ports.js';
import { startPostgres, type RunningPostgres } from '../../local/postgres.js';
import { SCOPES } from '../../src/kernel/index.js';
import type { Database } from '../../src/platform/postgres.js';
import { aCloudEvent } from '../support/cloud-events.js';
import { openAsOwner } from '../support/database.js';
import { pushed } from '../support/organization.js';
import { postBatch, type RecordAnswer } from '../support/recording.js';
import { clientOf, type Client } from '../support/subgraph.js';
import { runScript, until, type Script } from './house.js';

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

let folder: string;
let keys: KeyServer;
let issuer: Issuer;
let environment: Readonly<Record<string, string>>;
let postgres: RunningPostgres;
let service: Script;
let load: Load | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-governance-killed-'));
  const [keyPort, port, postgresPort] = [await freePort(), await freePort(), await freePort()];
  const url = `http://127.0.0.1:${keyPort}`;
  issuer = await openIssuer(join(folder, 'key.json'), url);
  keys = await serveKeys(issuer, keyPort);
  environment = { PORT: String(port), TOKEN_ISSUER: url, JWKS_URL: `${url}/.well-known/jwks.json`, POSTGRES_PORT: String(postgresPort) };
  await bringUpPostgres();
  await bringUpService();
});
afterAll(async () => {
  // A test that failed has left its producers behind.
  await load?.end();
  service.child.kill('SIGTERM');
  await service.ended;
  await postgres.stop();
  await keys.close();
  await rm(folder, { recursive: true, force: true });
});

/** On the same data and the same port each time, durable as in production. */
async function bringUpPostgres(): Promise<void> {
  postgres = await startPostgres({ dataDir: join(folder, 'postgres'), port: Number(environment['POSTGRES_PORT']) });
}

async function bringUpService(): Promise<void> {
  service = runScript(['--import', 'tsx', 'src/main.ts'], { ...environment, DATABASE_URL: postgres.url, POLICY_BASELINE: 'off' });
  await service.said(/"listening"/);
}

async function killPostgres(): Promise<void> {
  process.kill(postgres.pid, 'SIGKILL');
  await postgres.ended;
}

async function killService(): Promise<void> {
  service.child.kill('SIGKILL');
  await service.ended;
}

async function anOrganization(name: string): Promise<{ readonly id: string; readonly client: Client }> {
  const id = `gid://platform/Organization/${name}-${randomUUID()}`;
  const token = await issuer.mintToken({ userId: `gid://platform/User/${name}`, organizationId: id, scopes: [...SCOPES] });
  const client = clientOf(`http://127.0.0.1:${environment['PORT'] ?? ''}`, { authorization: `Bearer ${token}` });
  await pushed(client, { namespaces: [{ id, kind: 'ORGANIZATION', parentId: null, path: name }] });
  return { id, client };
}

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

/** Until every event has its position and is counted. */
async function settled(owner: Database): Promise<void> {
  const isBehind = async (): Promise<boolean> =>
    (await owner.sql.query<{ is_due: boolean }>('SELECT log_sequence_peek() OR audit_project_step_due() AS is_due'))[0]?.is_due !== false;
  while (await isBehind()) await delay(20);
}

describe('two organizations that write while Postgres and the service are killed', () => {
  it('find every event that was acknowledged in their log, once, at positions without a gap', async () => {
    const organizations = [await anOrganization('one'), await anOrganization('two')];
    const writing = (load = writers(organizations));

    await writing.goOn(BETWEEN_ACCIDENTS);
    await killPostgres();
    await bringUpPostgres();
    await writing.goOn(BETWEEN_ACCIDENTS);
    await killService();
    await bringUpService();
    await writing.goOn(BETWEEN_ACCIDENTS);
    await writing.end();

    expect(writing.unexpected).toEqual([]);
    const owner = openAsOwner(postgres.url);
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
