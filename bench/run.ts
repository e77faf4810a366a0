/**
 * `npm run bench -- NAME [ARGUMENTS]`: runs bench/NAME.ts, which exports
 *
 * - `summary`: one line that says what is measured,
 * - `run(args)`: measures, shows on standard error how far it is, and prints one line of JSON on standard output (Report in
 *   support/figures.ts).
 *
 * Without a name, or with one that does not exist, it lists them.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const Benchmark = z.object({
  summary: z.string(),
  run: z.custom<(args: readonly string[]) => Promise<void>>((value) => typeof value === 'function'),
});

const [name, ...args] = process.argv.slice(2);

if (name !== undefined && names().includes(name)) {
  const benchmark = await load(name);
  await benchmark.run(args);
} else {
  if (name !== undefined) console.error(`There is no benchmark called ${name}.\n`);
  await list();
  process.exitCode = name === undefined ? 0 : 1;
}

async function list(): Promise<void> {
  const found = names();
  console.log(found.length === 0 ? 'There are no benchmarks yet.' : 'Usage: npm run bench -- NAME [ARGUMENTS]\n');
  const width = Math.max(0, ...found.map((each) => each.length));
  for (const each of found) console.log(`  ${each.padEnd(width)}  ${(await load(each)).summary}`);
}

/** Every file of this folder but this one is a benchmark; what they share goes into folders. */
function names(): readonly string[] {
  return readdirSync(fileURLToPath(new URL('.', import.meta.url)))
    .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
    .map((file) => file.replace(/\.ts$/, ''))
    .sort();
}

async function load(benchmark: string): Promise<z.infer<typeof Benchmark>> {
  return Benchmark.parse({ ...(await import(new URL(`${benchmark}.ts`, import.meta.url).href)) });
}
