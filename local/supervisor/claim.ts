import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../end-process.js';
import { isTaken } from '../ports.js';
import { clusterIn } from '../postgres/cluster.js';
import { stopLeftOver } from '../postgres/left-over.js';
import { Refusal } from '../refusal.js';
import { filesIn, portVariables, type Ports, type Settings } from '../settings.js';
import { makeWritable } from './data-folder.js';
import { takeLock } from './lock.js';

const leftOverPatienceMs = 10_000;

/**
 * Makes sure, before anything is started, that this start can have what it needs: the data folder and every port.
 *
 * @returns a function that gives the data folder back
 * @throws Refusal naming what it cannot have.
 */
export async function claim(settings: Settings): Promise<() => void> {
  await makeWritable(settings.dataDir);
  const release = takeLock(filesIn(settings.dataDir).lock);
  try {
    await outliveEarlierStart(settings);
    const taken = await takenPort(settings);
    if (taken !== undefined) {
      const { variable } = portVariables[taken];
      throw new Refusal(`Port ${String(settings.ports[taken])} is taken: stop what listens there, or set ${variable} to another port.`);
    }
    return release;
  } catch (error) {
    release();
    throw error;
  }
}

/** The processes of a supervisor that was killed end by themselves, a moment later. */
async function outliveEarlierStart(settings: Settings): Promise<void> {
  const files = filesIn(settings.dataDir);
  await stopLeftOver(clusterIn(files.postgres));
  const pids = await earlierPids(files.running);
  const deadline = Date.now() + leftOverPatienceMs;
  while (pids.some(isAlive) && (await takenPort(settings)) !== undefined && Date.now() < deadline) await delay(100);
}

async function earlierPids(file: string): Promise<number[]> {
  try {
    const { pids }: { pids: Record<string, number> } = JSON.parse(await readFile(file, 'utf8'));
    return Object.values(pids);
  } catch {
    return [];
  }
}

async function takenPort({ ports, databaseUrl }: Settings): Promise<keyof Ports | undefined> {
  const needed: (keyof Ports)[] = ['gateway', 'subgraph', 'platform', 'issuer'];
  if (databaseUrl === undefined) needed.push('postgres');
  for (const name of needed) {
    if (await isTaken(ports[name])) return name;
  }
  return undefined;
}
