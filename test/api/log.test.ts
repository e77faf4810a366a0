import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sealOf } from '../../src/audit/index.js';
import type { Database } from '../../src/platform/postgres.js';
import { openAsOwner } from '../support/database.js';
import { auditFeed, eventsBehind, fromTheBeginning } from '../support/audit-feed.js';
import { aCloudEvent } from '../support/cloud-events.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { postBatch, recorded } from '../support/recording.js';
import { aSubgraph, clientOf, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
let database: Database;
beforeAll(async () => {
  subgraph = await aSubgraph();
  database = openAsOwner(subgraph.databaseUrl);
});
afterAll(async () => {
  await database.close();
  await subgraph.close();
});

async function aCompany(): Promise<TestOrganization & { readonly owner: Client }> {
  const company = await anOrganization(subgraph);
  await pushed(company.platform, { memberships: [{ userId: 'owner', namespaceId: company.id, role: 'OWNER' }] });
  return { ...company, owner: await subgraph.as({ userId: 'owner', organizationId: company.id, scopes: ['audit:read'] }) };
}

const logOf = (organizationId: string) =>
  database.sql.query<{ position: string; event_id: string }>(
    'SELECT position, event_id FROM log_entry WHERE organization_id = $1 ORDER BY position',
    [organizationId],
  );

describe('positions', () => {
  it('are given to every event, without gaps and in the order of commits, each organization its own', async () => {
    const [one, other] = [await aCompany(), await aCompany()];

    const write = async (company: TestOrganization, writer: number): Promise<void> => {
      for (let batch = 0; batch < 5; batch += 1)
        await recorded(
          company.platform,
          Array.from({ length: 4 }, (_, n) => aCloudEvent({ id: `${writer} ${batch} ${n}` })),
        );
    };
    await Promise.all([one, other].flatMap((company) => [0, 1, 2, 3].map((writer) => write(company, writer))));

    for (const company of [one, other]) {
      const events = await eventsBehind(company.owner, fromTheBeginning, 80);
      expect(events.map(({ position }) => position)).toEqual([...Array(80).keys()]);
      const inOrder = events.map(({ sourceId }) => sourceId);
      // Who waits for an answer before the next request finds them in this order; and a request stays in its own order.
      for (const writer of [0, 1, 2, 3])
        expect(inOrder.filter((id) => id.startsWith(`${writer} `))).toEqual(
          [...Array(20).keys()].map((n) => `${writer} ${Math.floor(n / 4)} ${n % 4}`),
        );
    }
  });

  it('are shown with the event, everywhere the same; a seal can be recomputed from the stored bytes', async () => {
    const company = await aCompany();
    await recorded(company.platform, [aCloudEvent({ id: 'a' }), aCloudEvent({ id: 'b' })]);
    const events = await eventsBehind(company.owner, fromTheBeginning, 2);

    const { data } = await company.owner.graphql<{ events: { nodes: readonly { id: string; position: number; seal: string }[] } }>(
      '{ events: agentAuditEvents { nodes { id position seal } } }',
    );

    const rows = await database.sql.query<{ id: string; json: string; salt: Buffer }>(
      'SELECT id, json::text AS json, salt FROM audit_event WHERE organization_id = $1',
      [company.id],
    );
    const seals = new Map(rows.map(({ id, json, salt }) => [id, sealOf(salt, json).toString('hex')]));
    expect(data?.events.nodes.toSorted((left, right) => left.position - right.position)).toEqual(
      events.map(({ id, position }) => ({ id, position, seal: seals.get(id) })),
    );
  });

  it('wait for a transaction that is still open, and for nothing else: what is answered is stored at once', async () => {
    const company = await aCompany();
    const holder = await database.session();
    await holder.query('BEGIN');
    await holder.query('SELECT pg_current_xact_id()');

    const [id] = await recorded(company.platform, [aCloudEvent({ id: 'e' })]);
    const { data } = await company.owner.graphql('query ($id: ID!) { agentAuditEvent(id: $id) { sourceId position } }', { id });
    await holder.query('COMMIT');
    holder.release();

    expect(data).toEqual({ agentAuditEvent: { sourceId: 'e', position: null } });
    expect(await eventsBehind(company.owner, fromTheBeginning, 1)).toMatchObject([{ sourceId: 'e', position: 0 }]);
  });
});

describe('a process that leaves positions to others', () => {
  it('stores events, which wait until another process gives them theirs', async () => {
    const first = await aSubgraph({ SEQUENCER: 'off' });
    const company = await anOrganization(first);
    await pushed(company.platform, { memberships: [{ userId: 'owner', namespaceId: company.id, role: 'OWNER' }] });
    const owner = await first.as({ userId: 'owner', organizationId: company.id, scopes: ['audit:read'] });
    const [id] = await recorded(company.platform, [aCloudEvent({ id: 'e' })]);
    // A leader looks every 50 ms.
    await delay(500);
    const before = await owner.graphql('query ($id: ID!) { agentAuditEvent(id: $id) { sourceId position } }', { id });

    const second = await first.sibling({ SEQUENCER: 'on' });
    const events = await eventsBehind(owner, fromTheBeginning, 1);
    await second.close();
    await first.close();

    expect(before.data).toEqual({ agentAuditEvent: { sourceId: 'e', position: null } });
    expect(events).toMatchObject([{ sourceId: 'e', position: 0 }]);
  });
});

describe('a process that is killed', () => {
  it('in the middle of the load loses nothing that it answered; the next one gives the positions, without a gap', async () => {
    const company = await aCompany();
    const answered: string[] = [];
    const process = await aProcess(subgraph);
    const platform = clientOf(process.url, { authorization: `Bearer ${company.platform.token}` });
    let isKilled = false;

    const write = async (writer: number): Promise<void> => {
      for (let batch = 0; !isKilled; batch += 1) {
        const events = Array.from({ length: 5 }, (_, n) => aCloudEvent({ id: `${writer} ${batch} ${n}` }));
        const answer = await postBatch(platform, events).catch(() => null);
        if (answer?.stored !== 5) return;
        answered.push(...events.map((event) => String(event['id'])));
        if (answered.length >= 300) isKilled = process.child.kill('SIGKILL');
      }
    };
    await Promise.all([0, 1, 2, 3, 4, 5].map(write));
    await process.gone;

    expect(answered.length).toBeGreaterThanOrEqual(300);
    // Everything that was answered comes; among it perhaps a few more, whose answer was cut off.
    const missing = new Set(answered);
    const positions: number[] = [];
    for await (const item of auditFeed(company.owner, fromTheBeginning)) {
      if (item.kind === 'heartbeat') continue;
      positions.push(item.event.position);
      missing.delete(item.event.sourceId);
      if (missing.size === 0) break;
    }
    expect(positions).toEqual([...positions.keys()]);
    const log = await logOf(company.id);
    expect(log.map(({ position }) => Number(position))).toEqual([...log.keys()]);
  }, 30_000);

  it('and one that is stopped and started again go on where the log ends', async () => {
    const first = await aSubgraph();
    const company = await anOrganization(first);
    await pushed(company.platform, { memberships: [{ userId: 'owner', namespaceId: company.id, role: 'OWNER' }] });
    await recorded(company.platform, [aCloudEvent({ id: 'a' })]);

    const second = await first.restart();
    const owner = await second.as({ userId: 'owner', organizationId: company.id, scopes: ['audit:read', 'audit:record'] });
    await recorded(owner, [aCloudEvent({ id: 'b' })]);
    const events = await eventsBehind(owner, fromTheBeginning, 2);
    await second.close();

    expect(events.map(({ position, sourceId }) => [position, sourceId])).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
  });
});

/** The service in a process of its own, on the database of `beside`. */
async function aProcess(
  beside: TestSubgraph,
): Promise<{ readonly url: string; readonly child: ChildProcess; readonly gone: Promise<void> }> {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', main], {
    env: { ...process.env, ...beside.environment, PORT: '0', LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const said: string[] = [];
  const lines = [child.stdout, child.stderr].flatMap((stream) => (stream === null ? [] : [createInterface({ input: stream })]));
  const url = await new Promise<string>((resolve, reject) => {
    for (const reader of lines) {
      reader.on('line', (line) => {
        said.push(line);
        const found = /"url":"(http:[^"]+)"/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
    }
    void gone.then(() => reject(new Error(`The service ended before it listened: ${said.join(' ')}`)));
  });
  return { url, child, gone };
}
