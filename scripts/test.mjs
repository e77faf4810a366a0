// `npm test`: everything from a fresh clone to the tests. Arguments go on to Jest: `npm test -- test/log --watch`.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setUp } from '../local/set-up.mjs';
import { ensureRedisServer } from './redis-server.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));

const missing = (await problemOf(setUp)) ?? ensureRedisServer();
if (missing === undefined) {
  process.exitCode = await runJest(process.argv.slice(2));
} else {
  console.error(missing);
  process.exitCode = 1;
}

/** The sentence with which a step refuses; undefined when it succeeds. */
async function problemOf(step) {
  try {
    await step();
    return undefined;
  } catch (error) {
    return error.message;
  }
}

function runJest(args) {
  // Jest runs ES modules through an interface that Node calls experimental, and says so once per worker.
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', '--require', './test/support/end-at-once.cjs'];
  const jest = spawn(process.execPath, [...flags, 'node_modules/jest/bin/jest.js', ...args], { cwd: root, stdio: 'inherit' });
  // Ctrl-C reaches Jest by itself; this process stays until Jest has ended.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => jest.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    jest.once('error', reject);
    jest.once('exit', (code) => resolve(code ?? 1));
  });
}
