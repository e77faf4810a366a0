import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { organizationId } from '../../src/kernel/index.js';
import { byteaArray, integerArray, textArray, uuidArray } from '../../src/platform/postgres-arrays.js';
import { inTransaction, openDatabase, sqlWithin, type Database } from '../../src/platform/postgres.js';
import { aDatabase, type TestDatabase } from '../support/database.js';

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await aDatabase();
  database = openDatabase(testDatabase.url, 2);
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

const uuids = [randomUUID(), '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'];
const bytes = [randomBytes(16), Buffer.alloc(0), null, randomBytes(70_000)];
const texts = ['a', '', null, '{"a\\"b": [1, null]}', 'é€😀\u2028', 'NULL', '{', '"', '\u{10ffff}'.repeat(3_000), 'x'.repeat(1_000_000)];
const integers = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)];

describe('an array in binary form', () => {
  it.each<[type: string, given: Buffer, values: readonly unknown[]]>([
    ['uuid', uuidArray(uuids), uuids],
    ['bytea', byteaArray(bytes), bytes],
    ['text', textArray(texts), texts],
    ['int', integerArray(integers), integers],
    ['text', textArray([null]), [null]],
    ['text', textArray([]), []],
    ['uuid', uuidArray([]), []],
  ])('is read by Postgres as the values that it was made of: %s', async (type, given, values) => {
    const rows = await database.sql.query<{ value: unknown }>(`SELECT value FROM unnest($1::${type}[]) AS array_of (value)`, [given]);

    expect(rows.map(({ value }) => value)).toEqual(values);
  });

  it('is the very one that Postgres itself sends', async () => {
    const [row] = await database.sql.query<{ sent: Buffer }>('SELECT array_send($1::text[]) AS sent', [texts]);

    expect(textArray(texts).equals(row?.sent ?? Buffer.alloc(0))).toBe(true);
  });

  it('passes through a transaction of Prisma’s too', async () => {
    const read = await inTransaction(database, organizationId('acme'), (tx) =>
      sqlWithin(tx).query<{ value: string | null }>('SELECT value FROM unnest($1::text[]) AS array_of (value)', [textArray(texts)]),
    );

    expect(read.map(({ value }) => value)).toEqual(texts);
  });

  it('with a text that Postgres has no form for is refused', async () => {
    await expect(database.sql.query('SELECT $1::text[]', [textArray(['a\u0000b'])])).rejects.toMatchObject({ code: '22021' });
  });
});
