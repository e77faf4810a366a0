import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { organizationId } from '../../src/kernel/index.js';
import { inTransaction, openDatabase, type Database } from '../../src/platform/postgres.js';
import { aDatabase, type TestDatabase } from './database.js';
import { statementsDuring } from './statements.js';

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

it('sees what plain SQL and Prisma send, and nothing afterwards', async () => {
  const statements = await statementsDuring(async () => {
    await database.sql.query('SELECT 1 AS plain');
    await inTransaction(database, organizationId('o'), (tx) => tx.organization.findMany());
  });
  await database.sql.query('SELECT 2 AS later');

  expect(statements).toEqual(expect.arrayContaining(['SELECT 1 AS plain', expect.stringMatching(/^SELECT .*"organization"/)]));
  expect(statements).not.toContain('SELECT 2 AS later');
});
