import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

describe('a set of policies that breaks cedar-wasm', () => {
  it('breaks neither the sets of others nor the process', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'test/platform/breaking-cedar.ts']);

    const first = 'cedar-wasm broke on a set of policies; it was replaced.';
    const later = 'This set of policies has broken cedar-wasm before; it is not evaluated again.';
    expect(JSON.parse(stdout)).toEqual({ answers: [first, later, later, later].map((broke) => [broke, 'allow']), later: 'allow' });
  });
});
