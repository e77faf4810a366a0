import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { isAlive } from '../../local/end-process.js';

const Running = z.object({ folder: z.string(), child: z.number() });

describe('the stage of a benchmark', () => {
  it.each([
    ['an interruption', [], 'SIGINT', 130],
    ['a request to end', [], 'SIGTERM', 130],
    ['a failure', ['--fail'], null, 1],
  ] as const)('is cleared after %s, though one thing on it could not be ended', async (_ending, args, signal, code) => {
    const stage = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('a-stage.ts', import.meta.url)), ...args], {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve) => stage.once('close', resolve));
    let errors = '';
    stage.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const lines: string[] = [];
    for await (const line of createInterface({ input: stage.stdout })) {
      lines.push(line);
      if (lines.length === 1 && signal !== null) stage.kill(signal);
    }

    expect(await ended).toBe(code);
    const { folder, child } = Running.parse(JSON.parse(lines[0] ?? ''));
    expect(lines[1]).toBe('the child has ended');
    expect([existsSync(folder), isAlive(child)]).toEqual([false, false]);
    expect(errors).toContain('Something could not be ended: this one would not');
  });
});
