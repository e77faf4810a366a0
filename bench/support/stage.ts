import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sentenceOf } from '../../local/refusal.js';
import { stopRequest } from '../../local/supervisor/stop-request.js';

/** Where a benchmark runs: what it starts is ended with it, however it ends. */
export interface Stage {
  /** For this run's files; removed at the end. */
  readonly folder: string;
  /** Has `end` called when the benchmark ends, the last one first; at once when it is ending already. */
  atEnd(end: () => Promise<void>): void;
}

/**
 * Runs `work` on a stage of its own and clears the stage: also when it fails, and on Ctrl-C and SIGTERM, which end this process with
 * code 130.
 */
export async function onStage<Result>(work: (stage: Stage) => Promise<Result>): Promise<Result> {
  const asked = stopRequest(() => process.exit(130)).then((): typeof INTERRUPTED => INTERRUPTED);
  const folder = await mkdtemp(join(tmpdir(), 'agent-governance-bench-'));
  const ends: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  let isEnding = false;
  const endOne = (end: () => Promise<void>): Promise<void> =>
    end().catch((error: unknown) => console.error(`Something could not be ended: ${sentenceOf(error)}`));
  const stage: Stage = {
    folder,
    atEnd(end) {
      if (isEnding) void endOne(end);
      else ends.push(end);
    },
  };
  let result: Result | typeof INTERRUPTED = INTERRUPTED;
  try {
    result = await Promise.race([work(stage), asked]);
  } finally {
    isEnding = true;
    // What is still under way after an interruption loses its servers now; its complaint must not keep the rest from being ended.
    const ignore = (): void => undefined;
    process.on('unhandledRejection', ignore);
    for (const end of ends.reverse()) await endOne(end);
    process.off('unhandledRejection', ignore);
  }
  if (result === INTERRUPTED) process.exit(130);
  return result;
}

const INTERRUPTED = Symbol('interrupted');
