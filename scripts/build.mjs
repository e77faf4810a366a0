// `npm run build`: dist/, which runs without development dependencies. It has the layout of the clone (dist/src,
// dist/prisma, dist/schema.graphql), so that files which are found by `new URL('...', import.meta.url)` still are.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from './generate.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
await generate({ log: console.log });
const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--project', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

// What the compiler does not carry over: workers in JavaScript, Cedar schemas and the like.
cpSync(join(root, 'src'), join(dist, 'src'), { recursive: true, filter: (file) => !/\.ts$|\.made-from\.json$/.test(file) });
for (const asset of ['schema.graphql', 'prisma/migrations']) cpSync(join(root, asset), join(dist, asset), { recursive: true });
console.log('Built dist/.');
