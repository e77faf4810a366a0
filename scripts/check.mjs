// `npm run check`: everything that must hold before a change lands. Prints each check with its time, the output of
// those that fail, and as its last line `N passed, N failed` (checks and tests together).
//
// --without-tests       leaves the tests out
// --tests-from=FILE     counts the tests of a run that is over, from Jest's `--json --outputFile=FILE`
// --tests-exit=CODE     and how it ended: a run that failed outside its tests counts as one failure
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const node = process.execPath;
const bin = (path) => join('node_modules', path);
const eslint = [bin('eslint/bin/eslint.js'), '.', '--cache', '--cache-location', bin('.cache/eslint/'), '--max-warnings', '0'];
const depcruise = [bin('dependency-cruiser/bin/dependency-cruise.mjs'), 'src', 'test', 'local', 'bench', 'scripts'];

const checks = [
  { name: 'lockfile', commands: [['scripts/complete-lockfile.mjs', '--check']] },
  {
    name: 'generated code',
    commands: [
      ['scripts/generate.mjs', '--quiet'],
      ['scripts/generate.mjs', '--check'],
    ],
  },
  { name: 'types', commands: [[bin('typescript/bin/tsc')]] },
  { name: 'lint', commands: [eslint] },
  { name: 'format', commands: [[bin('prettier/bin/prettier.cjs'), '--check', '--cache', '--log-level', 'warn', '.']] },
  { name: 'borders', commands: [[...depcruise, '--config', '.dependency-cruiser.cjs']] },
  {
    name: 'database schema',
    commands: [
      [bin('prisma/build/index.js'), 'validate'],
      [bin('prisma/build/index.js'), 'format', '--check'],
    ],
  },
  { name: 'schema compatibility', commands: [['--import', 'tsx', 'scripts/check-schema.ts', 'compatibility']] },
  { name: 'composition', commands: [['--import', 'tsx', 'scripts/check-schema.ts', 'composition']] },
  { name: 'build', commands: [['scripts/build.mjs']] },
];

const results = { passed: 0, failed: 0, skipped: 0 };
for (const check of checks) add(await runCheck(check));
add(await tests());

const skipped = results.skipped > 0 ? `, ${results.skipped} skipped` : '';
console.log(`${results.passed} passed, ${results.failed} failed${skipped}`);
process.exitCode = results.failed > 0 ? 1 : 0;

function add({ passed = 0, failed = 0, skipped = 0 }) {
  results.passed += passed;
  results.failed += failed;
  results.skipped += skipped;
}

async function runCheck({ name, commands }) {
  const began = performance.now();
  for (const command of commands) {
    const { code, output } = await run(command);
    if (code === 0) continue;
    console.log(`✗ ${name} (${secondsSince(began)} s)\n${output.trimEnd()}`);
    return { failed: 1 };
  }
  console.log(`✓ ${name} (${secondsSince(began)} s)`);
  return { passed: 1 };
}

/** The numbers of a run that is over, of one that is made now, or none. */
async function tests() {
  const option = process.argv.find((argument) => argument.startsWith('--tests-from='));
  const exit = process.argv.find((argument) => argument.startsWith('--tests-exit='))?.slice('--tests-exit='.length) ?? '0';
  if (option !== undefined) return endedWith(Number(exit), countsIn(option.slice('--tests-from='.length)));
  if (process.argv.includes('--without-tests')) return {};

  const folder = mkdtempSync(join(tmpdir(), 'check-'));
  const report = join(folder, 'tests.json');
  try {
    const began = performance.now();
    const { code } = await run(['scripts/test.mjs', '--json', `--outputFile=${report}`], 'inherit');
    const counts = countsIn(report);
    console.log(`${counts.failed === 0 && code === 0 ? '✓' : '✗'} tests (${secondsSince(began)} s)`);
    return endedWith(code, counts);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A run can fail without a failed test: in its set-up, say, or because it did not end. */
function endedWith(code, counts) {
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** A test file that could not even be loaded counts as one failure, and so does a run that left no report. */
function countsIn(report) {
  if (!existsSync(report)) return { failed: 1 };
  const run = JSON.parse(readFileSync(report, 'utf8'));
  return {
    passed: run.numPassedTests,
    failed: run.numFailedTests + run.numRuntimeErrorTestSuites,
    skipped: run.numPendingTests + run.numTodoTests,
  };
}

/** Runs a Node program to its end, without standard input. */
function run(args, output = 'pipe') {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, { cwd: root, stdio: ['ignore', output, output] });
    const chunks = [];
    child.stdout?.on('data', (chunk) => chunks.push(chunk));
    child.stderr?.on('data', (chunk) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}

function secondsSince(began) {
  return ((performance.now() - began) / 1000).toFixed(1);
}
