import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Refusal, sentenceOf } from '../refusal.js';
import type { Launcher } from './launcher.js';

/** Where one Postgres keeps what is its own, inside its data folder. */
export interface Cluster {
  /** What Postgres itself calls the data directory. */
  readonly folder: string;
  readonly passwordFile: string;
  readonly logFile: string;
  exists(): boolean;
}

/** Superuser of the cluster and name of the database. */
export const databaseName = 'governance';

export function clusterIn(dataDir: string): Cluster {
  const folder = join(dataDir, 'cluster');
  return {
    folder,
    passwordFile: join(dataDir, 'password'),
    logFile: join(dataDir, 'postgres.log'),
    exists: () => existsSync(join(folder, 'PG_VERSION')),
  };
}

/**
 * Makes the cluster when there is none, and returns its password.
 *
 * It is made beside its place and then renamed: an interrupted first start leaves nothing half made.
 */
export async function createCluster(cluster: Cluster, launcher: Launcher, initdb: string): Promise<string> {
  if (cluster.exists()) return readFile(cluster.passwordFile, 'utf8');
  const password = randomBytes(24).toString('hex');
  await writeFile(cluster.passwordFile, password, { mode: 0o600 });
  const unfinished = `${cluster.folder}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  if (launcher.owner !== undefined) {
    for (const path of [cluster.passwordFile, unfinished]) chownSync(path, launcher.owner.uid, launcher.owner.gid);
  }
  await runInitdb(launcher, initdb, [`--pgdata=${unfinished}`, `--pwfile=${cluster.passwordFile}`]);
  await rm(cluster.folder, { recursive: true, force: true });
  await rename(unfinished, cluster.folder);
  return password;
}

async function runInitdb(launcher: Launcher, initdb: string, places: readonly string[]): Promise<void> {
  // The built-in locale sorts alike on every machine, whatever its C library.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const { file, args, identity } = launcher.command(initdb, [...places, ...locale, `--username=${databaseName}`, '--auth=scram-sha-256']);
  try {
    await promisify(execFile)(file, args, { ...identity, cwd: '/', env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' } });
  } catch (error) {
    throw new Refusal(`The database could not be created: ${lastLine(error)}`, { cause: error });
  }
}

function lastLine(error: unknown): string {
  const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const complaint = output.split('\n').find((line) => line.includes('error:') || line.includes('FATAL:'));
  return complaint ?? sentenceOf(error).split('\n')[0] ?? '';
}
