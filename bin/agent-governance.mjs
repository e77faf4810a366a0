#!/usr/bin/env node
// The `agent-governance` command: from source in a clone, so that it never runs yesterday's build; from dist/ where
// only the product is installed.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const source = new URL('../src/cli/main.ts', import.meta.url);
const built = new URL('../dist/src/cli/main.js', import.meta.url);

if (existsSync(source) && hasTsx()) {
  const { register } = await import('tsx/esm/api');
  register();
  await import(source.href);
} else if (existsSync(built)) {
  await import(built.href);
} else {
  console.error('agent-governance is not built: run `npm install` and `npm run build` in its folder first.');
  process.exitCode = 1;
}

/** A development dependency: absent where only the product is installed. */
function hasTsx() {
  try {
    createRequire(import.meta.url).resolve('tsx/esm/api');
    return true;
  } catch {
    return false;
  }
}
