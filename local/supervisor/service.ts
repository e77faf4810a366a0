import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { endProcess, hasEnded } from '../end-process.js';
import { Refusal } from '../refusal.js';

export interface ServicePlan {
  /** What people call it, as in "The gateway". */
  readonly title: string;
  /** The file that it runs: TypeScript as it is, or built. */
  readonly entry: string;
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Answers 200 once the service can be used. */
  readonly healthUrl: string;
  readonly logFile: string;
}

export interface Service {
  readonly plan: ServicePlan;
  readonly pid: number;
  /** Settles when the process has ended, with the words for how. */
  readonly ended: Promise<string>;
  /** Waits until it can be used. @throws Refusal when it ends before, or is not ready after a minute. */
  ready(): Promise<void>;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

const readyPatienceMs = 60_000;
const stopPatienceMs = 12_000;

/** Starts a process of ours in the background. It ends itself when this process is gone: its channel to us breaks. */
export function startService(plan: ServicePlan): Service {
  const child = spawnDetached(plan);
  const ended = new Promise<string>((settle) => {
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, signal) => settle(signal ?? `exit code ${String(code)}`));
  });
  return {
    plan,
    pid: child.pid ?? 0,
    ended,
    ready: () => becomeReady(child, plan),
    stop: async () => {
      if (await endProcess(child, 'SIGTERM', stopPatienceMs)) return;
      await endProcess(child, 'SIGKILL', stopPatienceMs);
    },
    kill: () => child.kill('SIGKILL'),
  };
}

/** As `npm run start:production` has them. */
const NODE_FLAGS = ['--max-semi-space-size=64'];

function spawnDetached({ entry, root, environment, logFile }: ServicePlan): ChildProcess {
  const log = openSync(logFile, 'a', 0o600);
  try {
    return spawn(process.execPath, [...NODE_FLAGS, ...(entry.endsWith('.ts') ? ['--import', 'tsx'] : []), entry], {
      cwd: root,
      env: { ...withoutOurs(process.env), ...environment },
      stdio: ['ignore', log, log, 'ipc'],
      // In a process group of its own: Ctrl-C must reach the supervisor only, which ends the others in order.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

/** What the supervisor was told is not for its services, which get their own; NODE_OPTIONS and the like pass. */
function withoutOurs(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { DATABASE_URL: _database, PORT: _port, NODE_CHANNEL_FD: _channel, ...rest } = environment;
  return rest;
}

async function becomeReady(child: ChildProcess, { title, healthUrl, logFile }: ServicePlan): Promise<void> {
  const deadline = Date.now() + readyPatienceMs;
  while (!(await answersOk(healthUrl))) {
    if (hasEnded(child)) throw new Refusal(`${title} did not start: ${lastLine(logFile)} (log: ${logFile})`);
    if (Date.now() > deadline) throw new Refusal(`${title} is not ready after ${String(readyPatienceMs / 1000)} s (log: ${logFile})`);
    await delay(50);
  }
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** The line of the log that most likely says why a process ended. */
function lastLine(logFile: string): string {
  const lines = readFileSync(logFile, 'utf8')
    .split('\n')
    .map((line) => line.trim());
  const told = lines.filter((line) => line !== '' && !line.startsWith('at ') && !line.startsWith('Node.js v') && line !== '}');
  return told.findLast((line) => /error/i.test(line)) ?? told.at(-1) ?? 'it left no word';
}
