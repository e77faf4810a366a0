import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

it('the generated code is what schema.graphql and prisma/schema.prisma give today', async () => {
  const script = fileURLToPath(new URL('../../scripts/generate.mjs', import.meta.url));

  const { stdout } = await promisify(execFile)(process.execPath, [script, '--check']);

  expect(stdout).toBe('Generated code is up to date.\n');
});
