import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { sealOf } from '../../src/audit/index.js';
import { postgresAuditLog } from '../../src/audit/postgres.js';
import { organizationId } from '../../src/kernel/index.js';
import { inTransaction, isDataError, openDatabase, sqlWithin, type Database } from '../../src/platform/postgres.js';
import { anAppend, someAppends } from '../audit/events.js';
import { aMemoryAuditLog } from '../audit/memory-audit-log.js';
import { aDatabase, openAsOwner, type TestDatabase } from '../support/database.js';
import { describeAuditLog } from './audit-log.js';

describeAuditLog('the double in memory', async () => {
  const log = aMemoryAuditLog();
  return { log, elsewhere: log, close: async () => undefined };
});

describeAuditLog('Postgres', async () => {
  const testDatabase = await aDatabase();
  const processes = [openDatabase(testDatabase.url, 4), openDatabase(testDatabase.url, 4)] as const;
  const [log, elsewhere] = [postgresAuditLog(processes[0].of, new Set()), postgresAuditLog(processes[1].of, new Set())];
  return {
    log,
    elsewhere,
    async close() {
      await Promise.all(processes.map((database) => database.close()));
      await testDatabase.drop();
    },
  };
});

describe('the audit log in Postgres', () => {
  const acme = organizationId('acme');
  let testDatabase: TestDatabase;
  let database: Database;
  let owner: Database;
  beforeAll(async () => {
    testDatabase = await aDatabase();
    database = openDatabase(testDatabase.url, 8);
    owner = openAsOwner(testDatabase.url);
  });
  afterAll(async () => {
    await database.close();
    await owner.close();
    await testDatabase.drop();
  });

  const log = () => postgresAuditLog(database.of, new Set());
  const count = async (text: string, values: readonly unknown[] = []) =>
    Number((await owner.sql.query<{ count: string }>(`SELECT count(*) FROM ${text}`, values))[0]?.count);

  it('keeps the very bytes that were sealed: anybody can recompute every seal', async () => {
    const data = {
      text: 'a\u0000b \u2028 "\\" 😀 é',
      numbers: [1e21, -0, 5e-324, 0.1],
      ['__proto__x']: null,
      deep: JSON.parse('['.repeat(60) + ']'.repeat(60)) as never,
    };
    await log().append(acme, [anAppend({ type: 'other', data }), ...someAppends(50, 'plain')]);

    const rows = await owner.sql.query<{ json: string; salt: Buffer; seal: Buffer; id: string }>(
      'SELECT id, json::text AS json, salt, seal FROM audit_event WHERE organization_id = $1',
      [acme],
    );

    expect(rows).toHaveLength(51);
    expect(rows.filter(({ json, salt, seal }) => !sealOf(salt, json).equals(seal))).toEqual([]);
    expect(rows.every(({ json, id }) => (JSON.parse(json) as { id: string }).id === id)).toBe(true);
  });

  it('stores all or none when one of them cannot be stored', async () => {
    const bad = anAppend({ tool: 'a\u0000b' });

    const failure: unknown = await log()
      .append(acme, [...someAppends(3, 'with-bad'), bad])
      .catch((error: unknown) => error);

    expect(isDataError(failure)).toBe(true);
    expect(await count(`audit_event WHERE json::text LIKE '%"with-bad-%'`)).toBe(0);
  });

  it('gives the order of a request to the sequencer, whatever the ids are', async () => {
    const organization = organizationId(randomUUID());
    const appends = someAppends(50, 'ordered', organization);

    await log().append(organization, appends);

    const rows = await owner.sql.query<{ id: string }>('SELECT id FROM audit_event WHERE organization_id = $1 ORDER BY xid, seq', [
      organization,
    ]);
    expect(rows.map(({ id }) => id)).toEqual(appends.map(({ sealed }) => sealed.event.id));
  });

  it('stores nothing of a transaction that does not commit, and remembers none of its months', async () => {
    const months = new Set<string>();
    const append = anAppend({ occurredAt: '2026-03-05T00:00:00.000Z' });

    await expect(
      inTransaction(database, acme, async (tx) => {
        await postgresAuditLog(() => sqlWithin(tx), new Set()).append(acme, [append]);
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    expect(await count('audit_event WHERE id = $1::uuid', [append.sealed.event.id])).toBe(0);

    const [receipt] = await postgresAuditLog(database.of, months).append(acme, [append]);
    expect(receipt?.status).toBe('stored');
  });

  it('makes the partition of a month once, however many need it at the same moment', async () => {
    // Connections that have been used know that the month is not there, and must learn that it now is.
    for (const month of ['2027-01', '2027-02', '2027-03']) {
      const appends = Array.from({ length: 8 }, () => anAppend({ occurredAt: `${month}-05T00:00:00.000Z` }));

      const receipts = await Promise.all(appends.map((append) => log().append(acme, [append])));

      expect(receipts.map(([receipt]) => receipt?.status)).toEqual(appends.map(() => 'stored'));
    }
    expect(await count(`pg_class WHERE relkind = 'r' AND relname LIKE 'audit_event_2027%'`)).toBe(3);
    expect(await count(`pg_class WHERE relkind = 'r' AND relname LIKE 'audit_event_content_2027%'`)).toBe(3);
  });

  it('never changes what is stored: the same event with another content leaves the first', async () => {
    const known = { sourceId: 'kept', occurredAt: '2026-11-22T09:30:00.000Z' };
    await log().append(acme, [anAppend({ ...known, data: { tool_name: 'kept' } })]);

    await log().append(acme, [anAppend({ ...known, data: { tool_name: 'forged' } })]);

    const rows = await owner.sql.query<{ json: string }>(
      `SELECT json::text AS json FROM audit_event WHERE json::text LIKE '%"sourceId":"kept"%'`,
    );
    expect(rows.map(({ json }) => JSON.parse(json) as unknown)).toMatchObject([{ data: { tool_name: 'kept' } }]);
  });
});
