// `npm run generate`: src/generated from schema.graphql (resolver types) and prisma/schema.prisma (database client).
// Does nothing for a part whose inputs are as they were when it was last made, so every command may call it first.
// `--check` makes nothing and fails when something is out of date; `--quiet` says nothing when nothing is.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const stampFile = join(root, 'src/generated/.made-from.json');

const parts = [
  {
    name: 'resolver types',
    output: 'src/generated/graphql.ts',
    inputs: ['schema.graphql', 'scripts/generate/resolver-types.mjs', 'scripts/generate/federation-directives.mjs'],
    packages: ['@graphql-codegen/core', '@graphql-codegen/typescript', '@graphql-codegen/typescript-resolvers'],
    async make() {
      const { resolverTypesFor } = await import('./generate/resolver-types.mjs');
      const code = await resolverTypesFor(readFileSync(join(root, 'schema.graphql'), 'utf8'));
      mkdirSync(join(root, 'src/generated'), { recursive: true });
      writeFileSync(join(root, this.output), code);
    },
  },
  {
    name: 'Prisma client',
    output: 'src/generated/prisma/client.ts',
    inputs: ['prisma/schema.prisma', 'prisma.config.ts'],
    packages: ['prisma', '@prisma/client'],
    make() {
      const prisma = join(root, 'node_modules/prisma/build/index.js');
      const run = spawnSync(process.execPath, [prisma, 'generate', '--no-hints'], { cwd: root, encoding: 'utf8' });
      if (run.status !== 0) throw new Error(`prisma generate failed:\n${run.stdout}${run.stderr}`);
    },
  },
];

/**
 * Makes what is missing or out of date.
 *
 * @param {{ log?: (line: string) => void }} [options]
 * @returns {Promise<string[]>} the names of the parts that were made
 */
export async function generate({ log = () => {} } = {}) {
  const made = [];
  for (const part of outOfDate()) {
    await part.make();
    writeFileSync(stampFile, `${JSON.stringify({ ...stamps(), [part.name]: digestOf(part) }, null, 2)}\n`);
    made.push(part.name);
    log(`Generated: ${part.name} (${part.output})`);
  }
  return made;
}

/** The parts whose inputs, generators or output are not those of the last time. */
function outOfDate() {
  const present = parts.filter((part) => part.inputs.every((file) => existsSync(join(root, file))));
  return present.filter((part) => !existsSync(join(root, part.output)) || stamps()[part.name] !== digestOf(part));
}

function stamps() {
  return existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, 'utf8')) : {};
}

function digestOf(part) {
  const hash = createHash('sha256');
  for (const file of part.inputs)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  for (const name of part.packages) hash.update(`${name}@${versionOf(name)}\0`);
  return hash.digest('hex');
}

function versionOf(name) {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const stale = outOfDate().map((part) => part.output);
  if (stale.length === 0) {
    if (!process.argv.includes('--quiet')) console.log('Generated code is up to date.');
  } else if (process.argv.includes('--check')) {
    console.error(`Out of date: ${stale.join(', ')}. Run \`npm run generate\`.`);
    process.exitCode = 1;
  } else {
    await generate({ log: console.log });
  }
}
