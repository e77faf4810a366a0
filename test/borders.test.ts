import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseOptions, type ICruiseResult, type IConfiguration } from 'dependency-cruiser';

/** One import that breaks each rule: `[rule, importing file, import statement]`. */
const violations: readonly (readonly [rule: string, file: string, statement: string])[] = [
  ['no-cycles', 'src/audit/event.ts', `import './seal.js';`],
  ['everything-resolves', 'src/audit/lost.ts', `import './nowhere.js';`],
  ['known-places-only', 'src/somewhere/thing.ts', `import '../kernel/index.js';`],
  ['product-does-not-know-its-surroundings', 'src/platform/borrowed.ts', `import '../../local/postgres.js';`],
  ['product-does-not-know-its-surroundings', 'src/platform/tested.ts', `import '../../test/support/double.js';`],
  ['product-needs-no-dev-dependency', 'src/platform/compiler.ts', `import 'typescript';`],
  ['only-main-and-cli-start-the-app', 'src/platform/starter.ts', `import '../app.js';`],
  ['kernel-stands-alone', 'src/kernel/parsed.ts', `import 'zod';`],
  ['kernel-stands-alone', 'src/kernel/reader.ts', `import 'node:fs';`],
  ['cedar-stands-alone', 'src/cedar/worded.ts', `import '../kernel/index.js';`],
  ['config-reads-the-environment-only', 'src/config.ts', `import './platform/postgres.js';`],
  ['config-is-handed-in', 'src/audit/settings.ts', `import { config } from '../config.js';`],
  ['platform-knows-no-room', 'src/platform/knowing.ts', `import '../audit/index.js';`],
  ['rooms-have-doors', 'src/log/intruder.ts', `import type { X } from '../audit/event.js';`],
  ['rooms-have-doors', 'src/log/kernel-intruder.ts', `import '../kernel/ids.js';`],
  ['directory-opens-no-room', 'src/directory/guest.ts', `import '../audit/index.js';`],
  ['audit-opens-directory', 'src/audit/guest.ts', `import '../policy/index.js';`],
  ['log-opens-audit', 'src/log/guest.ts', `import '../directory/index.js';`],
  ['policy-opens-directory-audit-cedar', 'src/policy/guest.ts', `import '../tools/index.js';`],
  ['tools-opens-directory-audit', 'src/tools/guest.ts', `import '../policy/index.js';`],
  ['oversight-opens-directory-audit', 'src/oversight/guest.ts', `import '../policy/index.js';`],
  ['decisions-opens-directory-audit-policy-tools-oversight', 'src/decisions/guest.ts', `import '../cedar/index.js';`],
  ['feed-opens-directory-audit-log', 'src/feed/guest.ts', `import '../policy/index.js';`],
  ['core-does-not-know-its-adapters', 'src/policy/publish.ts', `import './postgres.js';`],
  ['core-does-not-know-its-adapters', 'src/tools/index.ts', `import './graphql.js';`],
  ['core-does-not-know-the-machinery', 'src/policy/clock.ts', `import type { X } from '../platform/postgres.js';`],
  ['core-does-not-know-the-machinery', 'src/policy/shapes.ts', `import type { X } from '../generated/prisma/client.js';`],
  ['core-needs-little', 'src/policy/canonical.ts', `import 'canonicalize';`],
  ['core-needs-little', 'src/policy/files.ts', `import 'node:fs';`],
  ['adapters-do-not-know-each-other', 'src/policy/graphql.ts', `import './postgres.js';`],
  ['adapters-do-not-know-each-other', 'src/policy/rest/routes.ts', `import '../../audit/postgres.js';`],
  ['graphql-and-rest-speak-to-callers', 'src/tools/graphql.ts', `import 'ioredis';`],
  ['graphql-and-rest-speak-to-callers', 'src/tools/rest.ts', `import '../generated/prisma/client.js';`],
  ['graphql-and-rest-speak-to-callers', 'src/tools/graphql/tool.ts', `import '../../platform/postgres.js';`],
  ['resolver-types-are-types', 'src/feed/graphql.ts', `import '../generated/graphql.js';`],
  ['postgres-speaks-to-postgres', 'src/policy/postgres.ts', `import 'graphql';`],
  ['postgres-speaks-to-postgres', 'src/tools/postgres.ts', `import '../platform/redis.js';`],
  ['redis-speaks-to-redis', 'src/policy/redis.ts', `import '../platform/postgres.js';`],
  ['redis-speaks-to-redis', 'src/decisions/redis.ts', `import '../generated/prisma/client.js';`],
  ['wasm-speaks-to-cedar-wasm', 'src/policy/wasm.ts', `import '@cedar-policy/cedar-wasm';`],
  ['thread-runs-the-core-elsewhere', 'src/policy/thread/replay.ts', `import '../../platform/postgres.js';`],
];

/** A house in good order: files that import all that they may. */
const allowed: Readonly<Record<string, string>> = {
  'src/kernel/index.ts': `export { id } from './ids.js';`,
  'src/kernel/ids.ts': `import 'node:crypto'; export const id = 1;`,
  'src/cedar/index.ts': `import 'node:crypto';`,
  'src/config.ts': `import 'zod'; import 'node:fs'; import './kernel/index.js'; export const config = 1;`,
  'src/main.ts': `import './app.js'; import './config.js'; import './platform/postgres.js';`,
  'src/app.ts': `import './audit/postgres.js'; import './audit/index.js'; import './policy/graphql.js'; import './config.js';`,
  'src/cli/main.ts': `import '../app.js'; import 'commander';`,
  'src/platform/postgres.ts': `import type { X } from '../config.js'; import '../kernel/index.js'; import 'pg'; import 'node:fs'; import '../generated/prisma/client.js';`,
  'src/platform/redis.ts': `import 'ioredis';`,
  'src/platform/graphql-errors.ts': `import 'graphql';`,
  'src/platform/http-server.ts': `import 'fastify';`,
  'src/generated/prisma/client.ts': `export const client = 1;`,
  'src/generated/graphql.ts': `export type Resolvers = 1;`,
  'src/directory/index.ts': `import '../kernel/index.js';`,
  'src/audit/index.ts': `import './event.js'; import '../directory/index.js';`,
  'src/audit/event.ts': `import 'zod'; import 'node:crypto'; import '../kernel/index.js';`,
  'src/audit/seal.ts': `import './event.js';`,
  'src/audit/ports.ts': `import type { X } from './event.js';`,
  'src/audit/postgres.ts': `import './ports.js'; import '../generated/prisma/client.js'; import '../platform/postgres.js'; import 'zod';`,
  'src/log/index.ts': `import '../audit/index.js';`,
  'src/policy/index.ts': `import '../directory/index.js'; import '../audit/index.js'; import '../cedar/index.js';`,
  'src/policy/graphql.ts': `import './index.js'; import type { X } from '../generated/graphql.js'; import { type Y } from '../generated/graphql.js'; import '../platform/graphql-errors.js'; import 'graphql'; import 'dataloader'; import 'zod'; import '../audit/index.js';`,
  'src/policy/rest.ts': `import './index.js'; import '../platform/http-server.js'; import 'zod';`,
  'src/policy/postgres.ts': `import './postgres-rows/rows.js';`,
  'src/policy/postgres-rows/rows.ts': `export const rows = 1;`,
  'src/policy/redis.ts': `import './index.js'; import '../platform/redis.js'; import 'ioredis';`,
  'src/policy/wasm.ts': `import './index.js'; import '../platform/cedar-wasm.js';`,
  'src/policy/thread/replay.ts': `import '../index.js'; import '../../platform/worker-thread.js';`,
  'src/platform/cedar-wasm.ts': `import '@cedar-policy/cedar-wasm';`,
  'src/platform/worker-thread.ts': `import 'node:worker_threads';`,
  'src/tools/index.ts': `import '../directory/index.js';`,
  'src/tools/graphql.ts': `import './index.js';`,
  'src/tools/postgres.ts': `import './index.js';`,
  'src/oversight/index.ts': `import '../audit/index.js';`,
  'src/decisions/index.ts': `import '../policy/index.js'; import '../tools/index.js'; import '../oversight/index.js';`,
  'src/feed/index.ts': `import '../log/index.js'; import '../audit/index.js';`,
  'local/postgres.ts': `import '../src/config.js';`,
  'test/support/double.ts': `import '../../src/audit/event.js';`,
};

const packages = ['zod', 'graphql', 'dataloader', 'ioredis', 'pg', 'fastify', 'canonicalize', 'commander', '@cedar-policy/cedar-wasm'];

/** The same house with one more import, in a file of its own or after what the file holds already. */
function withViolation(
  house: Readonly<Record<string, string>>,
  [, file, statement]: (typeof violations)[number],
): Readonly<Record<string, string>> {
  return { ...house, [file]: `${house[file] ?? ''} ${statement}` };
}

describe('the borders', () => {
  let folder: string;
  let brokenRules: readonly string[];
  let brokenInGoodOrder: readonly string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'borders-'));
    const broken = violations.reduce(withViolation, allowed);
    brokenInGoodOrder = await rulesBrokenIn(join(folder, 'good'), allowed);
    brokenRules = await rulesBrokenIn(join(folder, 'broken'), broken);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('let everything through that the architecture allows', () => {
    expect(brokenInGoodOrder).toEqual([]);
  });

  it.each(violations)('%s: %s may not %s', (rule, file) => {
    expect(brokenRules).toContain(`${rule}: ${file}`);
  });

  it('are each proved by a violation', () => {
    const proved = new Set(violations.map(([rule]) => rule));
    expect(
      borders()
        .map((rule) => rule.name ?? '')
        .filter((name) => !proved.has(name)),
    ).toEqual([]);
  });

  it('each say why they are there', () => {
    expect(borders().filter((rule) => (rule.comment ?? '').length < 20)).toEqual([]);
  });
});

/** `RULE: FILE` for each violation found in this tree of files. */
async function rulesBrokenIn(folder: string, files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  await write(folder, files);
  await write(folder, {
    'package.json': JSON.stringify({
      type: 'module',
      dependencies: Object.fromEntries(packages.map((name) => [name, '1'])),
      devDependencies: { typescript: '1' },
    }),
    ...Object.fromEntries([...packages, 'typescript'].flatMap(packageFiles)),
  });
  const { tsConfig: _, ...options } = configuration().options ?? {};
  const cruiseOptions: ICruiseOptions = { ...options, ruleSet: { forbidden: borders() }, validate: true, baseDir: folder };
  const { output } = await cruise(['src', 'test', 'local'], cruiseOptions, options.enhancedResolveOptions);
  return resultOf(output).summary.violations.map((violation) => `${violation.rule.name}: ${violation.from}`);
}

function packageFiles(name: string): [string, string][] {
  return [
    [`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' })],
    [`node_modules/${name}/index.js`, ''],
  ];
}

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
}

function configuration(): IConfiguration {
  return createRequire(import.meta.url)('../.dependency-cruiser.cjs') as IConfiguration;
}

function borders(): NonNullable<IConfiguration['forbidden']> {
  return configuration().forbidden ?? [];
}

function resultOf(output: ICruiseResult | string): ICruiseResult {
  if (typeof output === 'string') throw new Error(output);
  return output;
}
