import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';

/** Linux alone says this much; elsewhere a process has no CPU time here, and its memory comes from `ps`. */
const hasProc = existsSync('/proc/self/stat');
/** What the kernel counts CPU time in, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU seconds, user and system, that a process and the children which it has waited for have used; 0 where nobody counts them. */
export function cpuSeconds(pid: number): number {
  const stat = statOf(pid);
  return stat === null ? 0 : stat.ticks / TICKS_PER_SECOND;
}

/** The same for a process with the children that it has now: for Postgres, where every connection is one. */
export function cpuSecondsOfTree(pid: number): number {
  if (!hasProc) return 0;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const children = pids.map(Number).filter((child) => statOf(child)?.parent === pid);
  return [pid, ...children].reduce((sum, each) => sum + cpuSeconds(each), 0);
}

/** Resident memory of a process. */
export function rssMebibytes(pid: number): number {
  if (!hasProc) return Number(spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).stdout) / 1024;
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}

/** Null for a process that has gone meanwhile. */
function statOf(pid: number): { readonly parent: number; readonly ticks: number } | null {
  if (!hasProc || !existsSync(`/proc/${pid}/stat`)) return null;
  try {
    // The second field is the program's name in brackets, which may hold spaces and brackets itself; behind it comes the third.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, ofChildren = 0, systemOfChildren = 0] = fields.slice(11, 15);
    return { parent: fields[1] ?? 0, ticks: user + system + ofChildren + systemOfChildren };
  } catch {
    return null;
  }
}
