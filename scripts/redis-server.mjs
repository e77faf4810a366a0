import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const aptPatienceMs = 5 * 60_000;

/**
 * Makes sure that the tests find a real `redis-server` on the PATH; installs Debian's where it may.
 *
 * @returns {string | undefined} undefined when it is there, else one sentence that says what to install
 */
export function ensureRedisServer() {
  if (isOnPath('redis-server')) return undefined;
  if (process.getuid?.() === 0 && isOnPath('apt-get')) {
    console.log('Installing redis-server ...');
    aptGet('update');
    aptGet('install', '--yes', '--no-install-recommends', 'redis-server');
    if (isOnPath('redis-server')) return undefined;
  }
  return 'The tests need a real Redis: install the package `redis-server` (Debian, Ubuntu) or `redis`, so that `redis-server` is on the PATH.';
}

function isOnPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Failures show in what is on the PATH afterwards; what apt-get had to say is shown for whoever must find out why. */
function aptGet(...args) {
  spawnSync('apt-get', ['-qq', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: aptPatienceMs,
  });
}
