import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { isAlive } from '../../local/end-process.js';
import { startPostgres } from '../../local/postgres.js';

describe('the embedded Postgres', () => {
  let folder: string;
  const start = (port = 0) => startPostgres({ dataDir: join(folder, 'postgres'), port, durability: 'off' });

  beforeAll(async () => {
    // Private to this user, as a clone below /root is: as root, Postgres runs as a user who may not enter it.
    folder = await mkdtemp(join(tmpdir(), 'agent-governance-postgres-'));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('keeps its data from one start to the next', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS seven');
    await first.stop();

    const second = await start();
    const rows = await query(second.url, 'SELECT seven FROM kept');
    await second.stop();

    expect(rows).toEqual([{ seven: 7 }]);
  });

  it('is gone after stop', async () => {
    const server = await start();
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });

  it('stops a server that an earlier start left running', async () => {
    const left = await start();
    const server = await start();
    const rows = await query(server.url, 'SELECT 1 AS one');
    await server.stop();

    expect(rows).toEqual([{ one: 1 }]);
    expect(isAlive(left.pid)).toBe(false);
  });

  it('answers to nobody without its password', async () => {
    const server = await start();
    const stranger = new URL(server.url);
    stranger.password = 'guess';
    const refusal = await query(stranger.href, 'SELECT 1').catch((error: unknown) => error);
    await server.stop();

    expect(refusal).toMatchObject({ code: '28P01' });
  });

  it('says that a port is taken', async () => {
    // Read, so that it is seen when whoever knocks has gone: a connection with something unread would stay.
    const holder = createServer((knocking) => knocking.resume()).listen(0, '127.0.0.1');
    await new Promise((settle) => holder.once('listening', settle));
    const { port }: AddressInfo = Object.assign({ port: 0, address: '', family: '' }, holder.address());

    const refusal = await start(port).catch((error: unknown) => error);
    await new Promise((settle) => holder.close(settle));

    expect(refusal).toMatchObject({ name: 'Refusal', message: expect.stringContaining(`port ${String(port)}`) });
  });
});

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
