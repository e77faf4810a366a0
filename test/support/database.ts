import { randomBytes } from 'node:crypto';
import { openDatabase, type Database } from '../../src/platform/postgres.js';
import { templateDatabase, withDatabaseNamed, withMaintenance } from './template-database.js';
import { shared } from './shared.js';

export interface TestDatabase {
  readonly url: string;
  /** Removes the database, also while connections to it are open. */
  drop(): Promise<void>;
}

/** A database of its own with all migrations applied and no rows, on the Postgres that the test run shares. */
export async function aDatabase(): Promise<TestDatabase> {
  const server = postgresUrl();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await withMaintenance(server, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${templateDatabase}`));
  return { url: withDatabaseNamed(server, name), drop: () => drop(server, name) };
}

/** A database of its own without any table, for tests of the migrations themselves. */
export async function anEmptyDatabase(): Promise<TestDatabase> {
  const server = postgresUrl();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await withMaintenance(server, (client) => client.query(`CREATE DATABASE ${name}`));
  return { url: withDatabaseNamed(server, name), drop: () => drop(server, name) };
}

/** The database as its owner sees it, for whom row-level security does not hold: for looking at what is stored. */
export const openAsOwner = (url: string): Database => openDatabase(url, 2, { role: 'none' });

/** The Postgres that the test run shares: its maintenance database. */
export function postgresUrl(): string {
  return shared('TEST_POSTGRES_URL');
}

async function drop(server: string, name: string): Promise<void> {
  await withMaintenance(server, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
}
