import { spawnSync } from 'node:child_process';
import { existsSync, readlinkSync, realpathSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { endForeignProcess, isAlive } from '../end-process.js';
import { Refusal } from '../refusal.js';
import type { Cluster } from './cluster.js';

const patience = { gentleMs: 15_000, firmMs: 5_000 };

/** Stops a server that a killed process left running on this cluster, and clears the note that names a dead one. */
export async function stopLeftOver(cluster: Cluster): Promise<void> {
  const note = join(cluster.folder, 'postmaster.pid');
  const pid = Number.parseInt((await readFile(note, 'utf8').catch(() => '')).split('\n')[0] ?? '', 10);
  if (Number.isNaN(pid)) return;
  if (isServerOf(cluster, pid)) {
    const ended = (await endForeignProcess(pid, 'SIGINT', patience.gentleMs)) || (await endForeignProcess(pid, 'SIGQUIT', patience.firmMs));
    if (!ended) throw new Refusal(`The Postgres of an earlier start (process ${String(pid)}) does not end: end it, then start again.`);
  }
  // Postgres itself would refuse to start when another process of the same user has come to bear this id.
  await rm(note, { force: true });
}

function isServerOf(cluster: Cluster, pid: number): boolean {
  if (!isAlive(pid)) return false;
  if (!existsSync('/proc/self/cwd')) return commandLineOf(pid).includes(cluster.folder);
  try {
    return readlinkSync(`/proc/${String(pid)}/cwd`) === realpathSync(cluster.folder);
  } catch {
    // Another user's process: not one that we may have started.
    return false;
  }
}

/** Where there is no /proc (macOS). */
function commandLineOf(pid: number): string {
  return spawnSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' }).stdout;
}
