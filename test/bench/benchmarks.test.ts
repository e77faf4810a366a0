import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Figures } from '../../bench/support/figures.js';

jest.setTimeout(120_000);

const RUNS: Readonly<Record<string, readonly string[]>> = {
  ingest: ['--events', '1000', '--single-events', '64', '--memory-events', '1000', '--rounds', '1'],
  cedar: ['--policies', '10,40', '--rounds', '1'],
  revocation: ['--policies', '10', '--rounds', '1'],
  'audit-query': ['--events', '1000', '--rounds', '1', '--only', 'organization,projectToolVerdict'],
};

let folder: string;
let ended: ReadonlyMap<string, Ended>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-test-'));
  ended = new Map(
    await Promise.all(Object.entries(RUNS).map(async ([name, args]) => [name, await runBenchmark([name, ...args])] as const)),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('npm run bench', () => {
  it.each([
    [
      'ingest',
      {
        figures: ['batches', 'batchesWithSequencer', 'singles', 'memory'],
        reference: ['copy', 'copyByFourConnections', 'inserts', 'insertsWithoutIndexes'],
        bars: 5,
      },
    ],
    ['cedar', { figures: ['policies10', 'policies40'], reference: ['policies10', 'policies40'], bars: 8 }],
    ['revocation', { figures: ['redis', 'lossy', 'gone'], reference: ['decisionAlone'], bars: 3 }],
    ['audit-query', { figures: ['large', 'small'], reference: ['large', 'small'], bars: 6 }],
  ])('-- %s prints one line with figures, reference and bars', (name, wanted) => {
    const { code, output, errors } = ended.get(name) ?? { code: null, output: '', errors: '' };

    expect({ code, errors: code === 0 ? '' : errors }).toEqual({ code: 0, errors: '' });
    expect(output.trimEnd().split('\n')).toHaveLength(1);
    const report = Report.parse(JSON.parse(output));
    expect(report.name).toBe(name);
    expect(Object.keys(report.figures)).toEqual(wanted.figures);
    expect(Object.keys(report.reference)).toEqual(wanted.reference);
    expect(report.bars).toHaveLength(wanted.bars);
  });

  it('leaves nothing behind', async () => {
    // The loader of TypeScript keeps its cache there.
    expect((await readdir(folder)).filter((name) => name.startsWith('agent-governance-'))).toEqual([]);
  });
});

const NestedFigures: z.ZodType<Figures> = z.lazy(() => z.record(z.string(), z.union([z.number(), NestedFigures])));
const Report = z.strictObject({
  name: z.string(),
  figures: NestedFigures,
  reference: NestedFigures,
  bars: z.array(z.strictObject({ what: z.string().regex(/, at (least|most)$/), wanted: z.number(), got: z.number(), holds: z.boolean() })),
});

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a benchmark to its end. */
function runBenchmark(args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/run.ts', ...args], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    env: { ...process.env, NODE_OPTIONS: '', TMPDIR: folder, BENCH_FROM_SOURCE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output, errors }));
  });
}
