// After `npm install`: enters the binaries for other machines that the registry in use does not carry. npm leaves what it
// cannot find out of package-lock.json, and then `npm ci` refuses the lockfile everywhere. An entry for another machine is
// never fetched, and on that machine npm finds it by its version.
//
// `--check` changes nothing and fails when an entry is missing.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const lockfile = JSON.parse(readFileSync(file, 'utf8'));
const missing = missingEntries(lockfile.packages);
const names = missing.map(([path]) => path.replace('node_modules/', ''));

if (missing.length === 0) {
  console.log('package-lock.json is complete.');
} else if (process.argv.includes('--check')) {
  console.error(`package-lock.json lacks ${names.join(', ')}: run \`node scripts/complete-lockfile.mjs\`.`);
  process.exitCode = 1;
} else {
  // npm keeps the entries in this order; any other would be rearranged by the next installation.
  const entries = [...Object.entries(lockfile.packages), ...missing].sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(file, `${JSON.stringify({ ...lockfile, packages: Object.fromEntries(entries) }, null, 2)}\n`);
  console.log(`Added to package-lock.json: ${names.join(', ')}`);
}

function missingEntries(packages) {
  const present = new Set(Object.keys(packages).map((path) => path.split('node_modules/').at(-1)));
  return Object.values(packages).flatMap((owner) =>
    Object.entries(owner.optionalDependencies ?? {})
      .filter(([name]) => !present.has(name))
      .map(([name, version]) => [`node_modules/${name}`, entryFor(name, version, owner)]),
  );
}

function entryFor(name, version, { dev }) {
  const { os, cpu } = machineOf(name);
  return { version, cpu, ...(dev ? { dev } : {}), optional: true, os };
}

/** `@swc/core-linux-arm-gnueabihf` is for `linux` on `arm`: what npm compares before it fetches anything. */
function machineOf(name) {
  const [, os, cpu] = /-(android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)(?:-[a-z]+)?$/.exec(name) ?? [];
  if (os === undefined) throw new Error(`${name} does not tell its machine by its name: enter it by hand.`);
  return { os: [os], cpu: [cpu] };
}
