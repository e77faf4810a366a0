import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../local/ports.js';
import type { Running } from '../../local/supervisor/house.js';

const root = resolve(import.meta.dirname, '../..');

export type Environment = Readonly<Record<string, string>>;

type Lines = Readonly<Record<'stdout' | 'stderr', readonly string[]>>;

/** What somebody sees who runs one of our scripts. */
export interface Script {
  readonly child: ChildProcess;
  /** Settles with the first line, on stdout or stderr, that matches; fails when the script ends without one. */
  said(pattern: RegExp): Promise<string>;
  /** What it has said so far. */
  readonly lines: Lines;
  /** Settles when the script has ended. */
  readonly ended: Promise<{ readonly exitCode: number | null; readonly stdout: readonly string[]; readonly stderr: readonly string[] }>;
}

/** A house that runs: `npm start -- --json` on ports and a data folder of its own. */
export interface StartedHouse extends Running {
  readonly script: Script;
  readonly environment: Environment;
  /** Ctrl-C, and the end of it. */
  stop(): Promise<{ readonly exitCode: number | null }>;
}

/** The environment of a house that disturbs no other one. The folder is removed when the test says so. */
export async function anEnvironment(): Promise<{ readonly environment: Environment; cleanUp(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-governance-start-'));
  const variables = ['GATEWAY_PORT', 'PORT', 'PLATFORM_PORT', 'ISSUER_PORT', 'POSTGRES_PORT'];
  const ports = new Set<number>();
  while (ports.size < variables.length) ports.add(await freePort());
  const environment = Object.fromEntries([...ports].map((port, index) => [variables[index] ?? '', String(port)]));
  return {
    environment: { ...environment, DATA_DIR: join(folder, 'data'), FEED_HEARTBEAT_SECONDS: '1', DATABASE_URL: '' },
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  };
}

export async function startHouse(environment: Environment): Promise<StartedHouse> {
  const script = runScript(['local/start.mjs', '--json'], environment);
  await script.said(/^\{"gateway":/);
  const running: Running = JSON.parse(await readFile(join(environment['DATA_DIR'] ?? '', 'local.json'), 'utf8'));
  const stop = async () => {
    script.child.kill('SIGINT');
    return script.ended;
  };
  return { ...running, script, environment, stop };
}

/** Runs a script of the clone with Node. It ends with this process: their channel breaks. */
export function runScript(args: readonly string[], environment: Environment): Script {
  return scriptOf(spawn(process.execPath, [...args], { cwd: root, env: withPath(environment), stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }));
}

/** Runs `npm` as somebody does at a terminal in `folder`: in a process group of its own, to which Ctrl-C goes. */
export function runNpm(folder: string, args: readonly string[], environment: Environment): Script {
  return scriptOf(spawn('npm', [...args], { cwd: folder, env: withPath(environment), stdio: ['ignore', 'pipe', 'pipe'], detached: true }));
}

const withPath = (environment: Environment) => ({ PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment });

function scriptOf(child: ChildProcess): Script {
  const lines = { stdout: [] as string[], stderr: [] as string[] };
  const readers = [reader(child, 'stdout', lines.stdout), reader(child, 'stderr', lines.stderr)];
  const ended = once(child, 'close').then(() => ({ exitCode: child.exitCode, ...lines }));
  return { child, lines, ended, said: (pattern) => firstMatch(pattern, lines, readers, ended) };
}

function reader(child: ChildProcess, stream: 'stdout' | 'stderr', lines: string[]): Interface {
  const input = child[stream];
  if (input === null) throw new Error(`The script was started without a pipe for its ${stream}.`);
  return createInterface({ input }).on('line', (line) => lines.push(line));
}

function firstMatch(pattern: RegExp, lines: Lines, readers: readonly Interface[], ended: Script['ended']): Promise<string> {
  const earlier = [...lines.stdout, ...lines.stderr].find((line) => pattern.test(line));
  if (earlier !== undefined) return Promise.resolve(earlier);
  return new Promise((settle, reject) => {
    for (const lineReader of readers) lineReader.on('line', (line) => pattern.test(line) && settle(line));
    void ended.then(({ exitCode, stderr }) =>
      reject(new Error(`The script ended (${String(exitCode)}) without saying ${String(pattern)}:\n${stderr.join('\n')}`)),
    );
  });
}

/** Waits for something that announces itself to nobody: a file, the end of a process that is not our child. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(10);
}

/** Ids of the processes that were started for this data folder: it stands on their command line or in their environment. */
export function processesOf(dataDir: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => ['cmdline', 'environ'].some((file) => textOf(`/proc/${pid}/${file}`).includes(dataDir)))
    .map(Number);
}

/** Empty for a process that has ended meanwhile. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
