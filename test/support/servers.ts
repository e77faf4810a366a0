/**
 * The servers that the whole test run shares: one Postgres with a migrated template database, one Redis.
 *
 * Loaded by Jest's global set-up, outside of Jest's own module system. Tests reach the servers through
 * `database.ts` and `redis.ts`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../local/postgres.js';
import { migrate } from '../../src/platform/postgres-migrate.js';
import { startRedis } from './redis-server.js';
import { templateDatabase, withDatabaseNamed, withMaintenance } from './template-database.js';

export interface TestServers {
  /** Connection string of the server's maintenance database; its user may create databases. */
  readonly postgresUrl: string;
  readonly redisUrl: string;
  /** Ends what `startServers` started and removes its files. */
  stop(): Promise<void>;
}

export async function startServers(): Promise<TestServers> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-governance-test-'));
  const stops: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const stopOne of stops.splice(0).reverse()) await stopOne();
  };
  try {
    const [postgres, redis] = await Promise.all([
      startPostgres({ dataDir: join(folder, 'postgres'), port: 0, durability: 'off' }),
      startRedis(),
    ]);
    stops.push(
      () => postgres.stop(),
      () => redis.stop(),
    );
    await makeTemplate(postgres.url);
    return { postgresUrl: postgres.url, redisUrl: redis.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Migrates once; every `aDatabase()` is a copy of the result. */
async function makeTemplate(postgresUrl: string): Promise<void> {
  await withMaintenance(postgresUrl, (client) => client.query(`CREATE DATABASE ${templateDatabase}`));
  await migrate(withDatabaseNamed(postgresUrl, templateDatabase));
}
