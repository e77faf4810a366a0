// Everything that a fresh clone needs before it can run or be tested: packages, generated code, the command.
// Plain JavaScript without imports from npm: nothing is installed yet. `node local/set-up.mjs` does it alone.
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withProgress } from './progress.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const leastNode = [20, 19];

const installArguments = [
  // Not `npm ci`: it refuses a lockfile that was made where packages for other machines' processors could not be looked up.
  ...['install', '--no-save', '--include=dev'],
  // None of these packages needs its install script, and Prisma's would download engines that are not used.
  '--ignore-scripts',
  ...['--no-audit', '--no-fund', '--loglevel=error'],
];

/**
 * Does what is missing; when nothing is, takes a fraction of a second.
 *
 * @throws Error whose message is one sentence for the person at the keyboard
 */
export async function setUp() {
  checkMachine();
  await Promise.all([installPackages(root, 'Installing packages'), installPackages(join(root, 'local'), 'Installing the gateway')]);
  await runStep('Generating code', 'scripts/generate.mjs', ['--quiet']);
  // What npm would have had an install script do.
  if (!existsSync(join(root, 'node_modules/.bin/agent-governance'))) await runStep('Linking the command', 'scripts/link-command.mjs', []);
}

function checkMachine() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = leastNode;
  if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
    throw new Error(`This needs Node ${leastNode.join('.')} or newer, and this is Node ${process.versions.node}.`);
  }
  if (process.platform === 'win32') throw new Error('This runs on Linux and macOS; on Windows use WSL.');
}

async function installPackages(folder, title) {
  if (isInstalled(folder)) return;
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new Error(`Packages must be installed, but this user may not write to ${folder}.`);
  }
  await withProgress(title, () => run(folder, ...npm(installArguments)));
}

/** Whether what npm noted down when it installed is what the lockfile asks for. */
function isInstalled(folder) {
  const note = join(folder, 'node_modules/.package-lock.json');
  if (!existsSync(note)) return false;
  const wanted = packagesIn(join(folder, 'package-lock.json'));
  const present = packagesIn(note);
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true;
    const found = present[path];
    // An optional package may be for other machines.
    if (found === undefined) return optional === true;
    return found.version === version && found.integrity === integrity;
  });
}

function packagesIn(lockfile) {
  try {
    return JSON.parse(readFileSync(lockfile, 'utf8')).packages;
  } catch (error) {
    throw new Error(`${lockfile} cannot be read: ${error.message}`);
  }
}

/** The npm that runs us, or else the one on the PATH. */
function npm(args) {
  const ours = process.env.npm_execpath;
  return ours?.endsWith('.js') === true ? [process.execPath, [ours, ...args]] : ['npm', args];
}

async function runStep(title, script, args) {
  if (!existsSync(join(root, script))) return;
  await withProgress(title, () => run(root, process.execPath, [join(root, script), ...args]));
}

/** Runs a program quietly; its output is shown only in the error that tells of its failure. */
function run(folder, program, args) {
  // npm tells its children which folder it works in; a second npm must not believe it.
  const { npm_config_local_prefix: _outer, ...env } = process.env;
  return new Promise((settle, reject) => {
    const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const forget = endTogether(child);
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.once('error', (error) => reject(new Error(`${program} cannot be run: ${error.message}`)));
    child.once('close', (code) => {
      forget();
      if (code === 0) settle();
      else reject(new Error(`${[program, ...args].join(' ')} failed in ${folder}:\n${Buffer.concat(output).toString().trimEnd()}`));
    });
  });
}

/** Somebody who ends us means our child too. */
function endTogether(child) {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const end = () => {
    child.once('close', () => process.exit(130));
    child.kill('SIGTERM');
  };
  for (const signal of signals) process.once(signal, end);
  return () => {
    for (const signal of signals) process.off(signal, end);
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await setUp().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
