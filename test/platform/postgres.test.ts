import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { organizationId } from '../../src/kernel/index.js';
import { databaseFailure, inTransaction, openDatabase, type Database } from '../../src/platform/postgres.js';
import { aDatabase, type TestDatabase } from '../support/database.js';
import { aProxy, through, type Proxy } from '../support/proxy.js';

const acme = organizationId('acme');
const LIMITS = { connectMilliseconds: 400, statementMilliseconds: 200, answerMilliseconds: 600 };

let testDatabase: TestDatabase;
let network: Proxy;
let database: Database;
beforeAll(async () => {
  testDatabase = await aDatabase();
  network = await aProxy(testDatabase.url);
  database = openDatabase(through(network, testDatabase.url), 2, LIMITS);
});
afterAll(async () => {
  await network.mend();
  await database.close();
  await network.close();
  await testDatabase.drop();
});

const ways: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['plain SQL', () => database.sql.query('SELECT 1')],
  ['a transaction', () => inTransaction(database, acme, (tx) => tx.organization.findMany())],
];

describe('a database that does not answer', () => {
  it.each(ways)('is an outage within a bounded time, and forgotten once it answers again: %s', async (_way, ask) => {
    await ask();
    network.stall();
    const startedAt = performance.now();

    const failure = databaseFailure(await errorOf(ask));

    expect(failure).toMatchObject({ code: 'UNAVAILABLE', message: 'The database cannot be reached. Try again.' });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await network.cut();
    await network.mend();
    await expect(ask()).resolves.toBeDefined();
  });

  it.each(ways)('nor listens is an outage at once: %s', async (_way, ask) => {
    await network.cut();

    const failure = databaseFailure(await errorOf(ask));

    expect(failure).toMatchObject({ code: 'UNAVAILABLE' });
    await network.mend();
  });

  it('that breaks off a connection while that is made somebody’s own fails for who asked, and ends no process', async () => {
    const own = openDatabase(through(network, testDatabase.url), 1, LIMITS);
    await own.of(acme).query('SELECT 1');
    network.stall();

    const session = errorOf(() => own.session());
    // It has the connection, and has said that it names nobody: that is never answered.
    await new Promise((resolve) => setImmediate(resolve));
    await network.cut();

    expect(databaseFailure(await session)).toMatchObject({ code: 'UNAVAILABLE' });
    await network.mend();
    await own.close();
  });

  it('ends a statement that takes too long by itself', async () => {
    const plain = await errorOf(() => database.sql.query('SELECT pg_sleep(10)'));
    const within = await errorOf(() => inTransaction(database, acme, (tx) => tx.$queryRawUnsafe('SELECT pg_sleep(10)::text')));

    expect([databaseFailure(plain)?.code, databaseFailure(within)?.code]).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  });
});

describe('a bug in a statement', () => {
  it.each([
    ['that does not parse', () => database.sql.query('SELEC 1')],
    ['about a table that is not there', () => inTransaction(database, acme, (tx) => tx.$queryRawUnsafe('SELECT * FROM nowhere'))],
    [
      'that repeats a key',
      () =>
        inTransaction(database, acme, async (tx) => [
          await tx.organization.create({ data: { id: 'acme' } }),
          await tx.organization.create({ data: { id: 'acme' } }),
        ]),
    ],
  ])('is no outage: %s', async (_what, ask) => {
    expect(databaseFailure(await errorOf(ask))).toBeNull();
  });

  it('is none of the caller’s, but a NUL character is', async () => {
    const plain = await errorOf(() => database.sql.query('SELECT $1::text', ['\u0000']));
    const prisma = await errorOf(() => inTransaction(database, acme, (tx) => tx.organization.findMany({ where: { id: '\u0000' } })));

    expect([databaseFailure(plain)?.code, databaseFailure(prisma)?.code]).toEqual(['BAD_USER_INPUT', 'BAD_USER_INPUT']);
  });
});

async function errorOf(ask: () => Promise<unknown>): Promise<unknown> {
  try {
    await ask();
  } catch (error) {
    return error;
  }
  throw new Error('It answered.');
}
