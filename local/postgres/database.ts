import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { hasEnded } from '../end-process.js';
import { databaseName, type Cluster } from './cluster.js';

export interface Endpoint {
  readonly port: number;
  readonly password: string;
}

/** Waits until the server of this cluster answers. False when its process ended first, or at `deadline` (ms since 1970). */
export async function answers(child: ChildProcess, cluster: Cluster, endpoint: Endpoint, deadline: number): Promise<boolean> {
  while (!hasEnded(child) && Date.now() < deadline) {
    if (await isServerOf(cluster, endpoint)) return true;
    await delay(50);
  }
  return false;
}

/** Makes the database unless it is there, and returns its connection string. */
export async function openDatabase(endpoint: Endpoint): Promise<string> {
  await withClient(endpoint, async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [databaseName]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${databaseName}`);
  });
  return urlOf(endpoint, databaseName);
}

/** The last reason to stop that the server wrote down; empty when it wrote none. */
export async function lastComplaint(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8').catch(() => '')).trimEnd().split('\n');
  const fatal = lines.findLastIndex((line) => line.includes('FATAL:'));
  const complaint = fatal === -1 ? lines.at(-1) : lines[fatal];
  return (complaint ?? '').replace(/^.*FATAL:\s*/, '');
}

/** Another Postgres may hold the port while ours is failing to get it. */
async function isServerOf(cluster: Cluster, endpoint: Endpoint): Promise<boolean> {
  try {
    return await withClient(endpoint, async (client) => {
      const { rows } = await client.query<{ folder: string }>("SELECT current_setting('data_directory') AS folder");
      return rows[0]?.folder === cluster.folder;
    });
  } catch {
    // Not listening yet, still starting, or not ours. The deadline of who asks bounds how often.
    return false;
  }
}

async function withClient<T>(endpoint: Endpoint, use: (client: pg.Client) => Promise<T>): Promise<T> {
  // Whoever else has the port may take connections and never answer.
  const client = new pg.Client({ connectionString: urlOf(endpoint, 'postgres'), connectionTimeoutMillis: 2_000 });
  // A server that goes away while the connection closes is no news here.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

function urlOf({ port, password }: Endpoint, database: string): string {
  return `postgresql://${databaseName}:${password}@127.0.0.1:${String(port)}/${database}`;
}
