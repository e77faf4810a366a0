import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from './refusal.js';

/** Sends `signal` to a child that still runs and waits until it has ended, at most `patienceMs`. True when it has. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals, patienceMs: number): Promise<boolean> {
  if (hasEnded(child)) return true;
  const ended = new Promise<boolean>((settle) => child.once('exit', () => settle(true)));
  child.kill(signal);
  return within(patienceMs, ended);
}

/** The same for a process that is not our child, of which no end is announced: it is looked at every 50 ms. */
export async function endForeignProcess(pid: number, signal: NodeJS.Signals, patienceMs: number): Promise<boolean> {
  const deadline = Date.now() + patienceMs;
  if (isAlive(pid)) process.kill(pid, signal);
  while (isAlive(pid)) {
    if (Date.now() > deadline) return false;
    await delay(50);
  }
  return true;
}

export function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** Whether this process runs, also when it belongs to another user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
  return !isZombie(pid);
}

/** Ended, but not yet waited for by its parent; in a container without a proper init it stays so. */
function isZombie(pid: number): boolean {
  try {
    // The second field is the program's name in brackets, which may hold spaces and brackets itself.
    return /\) [ZX] /.test(readFileSync(`/proc/${String(pid)}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function within(patienceMs: number, ended: Promise<boolean>): Promise<boolean> {
  const waiting = new AbortController();
  const timeout = delay(patienceMs, false, { signal: waiting.signal }).catch(() => false);
  try {
    return await Promise.race([ended, timeout]);
  } finally {
    waiting.abort();
  }
}
