// Puts this package's own command where `npx agent-governance` looks first, as npm does for the commands of
// dependencies. Without it npx installs a link to the clone into its cache, for which it may want the network.
import { lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('../node_modules/.bin/', import.meta.url);
const link = fileURLToPath(new URL('agent-governance', folder));

// Windows has no links that an ordinary user may make; there npx does its own.
if (process.platform !== 'win32') {
  mkdirSync(folder, { recursive: true });
  if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link);
  symlinkSync('../../bin/agent-governance.mjs', link);
}
