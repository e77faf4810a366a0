import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What the service is built from. */
const SOURCES = ['src', 'prisma', 'schema.graphql', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
const ENTRY = 'dist/src/main.js';

let built: Promise<string> | null = null;

/** The service's entry in `dist/`, built anew where a source has changed since: what is measured is what runs in production. */
export const builtService = (): Promise<string> => (built ??= build());

async function build(): Promise<string> {
  const newest = Math.max(...(await Promise.all(SOURCES.map((name) => newestIn(join(root, name))))));
  const builtAt = await stat(join(root, ENTRY)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  if (builtAt < newest) await runBuild();
  return ENTRY;
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
