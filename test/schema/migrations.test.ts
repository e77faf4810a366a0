import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { anEmptyDatabase, type TestDatabase } from '../support/database.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
let database: TestDatabase;

beforeAll(async () => {
  database = await anEmptyDatabase();
});
afterAll(() => database.drop());

it('prisma/schema.prisma describes the database that the migrations make', async () => {
  const difference = await prismaDiff();

  expect(difference).toContain('No difference detected.');
}, 60_000);

/** What `prisma migrate diff` prints: the changes that would lead from the migrations to the schema. */
async function prismaDiff(): Promise<string> {
  const args = ['migrate', 'diff', '--from-migrations', 'prisma/migrations', '--to-schema', 'prisma/schema.prisma'];
  const prisma = fileURLToPath(new URL('../../node_modules/prisma/build/index.js', import.meta.url));
  const env = { ...process.env, DATABASE_URL: database.url, CHECKPOINT_DISABLE: '1' };
  const { stdout } = await promisify(execFile)(process.execPath, [prisma, ...args], { cwd: root, env });
  return stdout;
}
