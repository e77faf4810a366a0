import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../../local/postgres.js';
import type { Stage } from './stage.js';

/** A Postgres of this run's own. */
export interface Cluster {
  readonly pid: number;
  /** Makes an empty database; where it is. */
  database(name: string): Promise<string>;
}

/** @param durability `on`: it writes to disk what it says it has written; `off` is for benchmarks that only read what they fill in */
export async function startCluster(stage: Stage, durability: 'on' | 'off'): Promise<Cluster> {
  const postgres = await startPostgres({ dataDir: join(stage.folder, 'postgres'), port: 0, durability });
  stage.atEnd(() => postgres.stop());
  return {
    pid: postgres.pid,
    async database(name) {
      await withClient(postgres.url, (client) => client.query(`CREATE DATABASE ${name}`));
      const url = new URL(postgres.url);
      url.pathname = `/${name}`;
      return url.href;
    },
  };
}

/** A connection for the time of `use`. */
export async function withClient<Result>(databaseUrl: string, use: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: databaseUrl });
  // A server that goes away fails the statement under way, if there is one.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
