import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What the service is built from. */
const SOURCES = ['src', 'prisma', 'schema.graphql', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
const ENTRY = 'dist/src/main.js';
const LOCK = join(root, 'node_modules/.cache/built-service.lock');

let built: Promise<string> | null = null;

/**
 * The service's entry in `dist/`, built anew where a source has changed since: what is measured is what runs in production. With
 * `BENCH_FROM_SOURCE=1`, for those who want to know whether a benchmark runs and not what it measures, the entry in `src/`.
 */
export const builtService = (): Promise<string> =>
  (built ??= process.env['BENCH_FROM_SOURCE'] === '1' ? Promise.resolve('src/main.ts') : build());

async function build(): Promise<string> {
  if (await isCurrent()) return ENTRY;
  await alone(async () => {
    if (!(await isCurrent())) await runBuild();
  });
  return ENTRY;
}

async function isCurrent(): Promise<boolean> {
  const newest = Math.max(...(await Promise.all(SOURCES.map((name) => newestIn(join(root, name))))));
  const builtAt = await stat(join(root, ENTRY)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  return builtAt >= newest;
}

/** Two benchmarks that are started together build once: the other waits. Whoever holds the lock and is gone holds it no more. */
async function alone(work: () => Promise<void>): Promise<void> {
  await mkdir(dirname(LOCK), { recursive: true });
  while (!(await take())) await delay(200);
  try {
    await work();
  } finally {
    await rm(LOCK, { force: true });
  }
}

async function take(): Promise<boolean> {
  try {
    await writeFile(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const holder = Number(await readFile(LOCK, 'utf8').catch(() => ''));
    if (holder > 0 && !isAlive(holder)) await rm(LOCK, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function newestIn(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.mtimeMs;
  const files = await readdir(path, { recursive: true, withFileTypes: true });
  const times = files.map(async (file) => (file.isFile() ? (await stat(join(file.parentPath, file.name))).mtimeMs : 0));
  return Math.max(found.mtimeMs, ...(await Promise.all(times)));
}

async function runBuild(): Promise<void> {
  console.error('Building the service, as it runs in production.');
  // Standard output is for the one line of the benchmark.
  const child = spawn(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root, stdio: ['ignore', 2, 2] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error('The service could not be built: see above.');
}
