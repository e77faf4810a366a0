import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { apiClient, type Api } from './api.js';
import { CommandError } from './command-error.js';
import type { Connection } from './connection.js';
import { readRuns, sessionIdOf, tell, type Run } from './recorded-run.js';
import type { Progress } from './replay-progress.js';

export interface Replaying extends Connection {
  readonly agentPrefix: string;
  /** How many runs at once. */
  readonly concurrency: number;
  /** How long to try again while the service does not answer, in seconds. */
  readonly patience: number;
  readonly progress: Progress;
}

/** What a replay came to. */
export interface Summary {
  readonly runs: number;
  readonly calls: number;
  readonly allowed: number;
  readonly denied: number;
  /** Events that were not there before, decisions included. */
  readonly stored: number;
  readonly durationSeconds: number;
}

/** How many sessions are looked up at once. */
const LOOK_UP = 100;

/**
 * Replays the recorded runs in `file` over the public API.
 *
 * @throws CommandError when the file cannot be read or is no recording, or the service refuses or does not answer.
 */
export async function replayFile(file: string, options: Replaying): Promise<Summary> {
  const startedAt = performance.now();
  const runs = await runsIn(file);
  // One refusal ends it: the other runs must not go on behind its back.
  const stopping = new AbortController();
  const api = apiClient({ ...options, waiting: () => options.progress.waiting(), signal: stopping.signal });
  const totals = { allowed: 0, denied: 0, stored: 0 };
  const calls = runs.reduce((sum, run) => sum + run.calls.length, 0);

  options.progress.start(calls);
  try {
    for (let first = 0; first < runs.length; first += LOOK_UP) {
      const some = runs.slice(first, first + LOOK_UP);
      const starts = await api.sessionStarts(some.map(sessionIdOf));
      await inParallel(some, options.concurrency, stopping, (run) =>
        replayRun(api, run, starts.get(sessionIdOf(run)) ?? new Date(), options, totals),
      );
    }
  } finally {
    options.progress.stop();
  }
  return { runs: runs.length, calls, ...totals, durationSeconds: (performance.now() - startedAt) / 1_000 };
}

async function runsIn(file: string): Promise<readonly Run[]> {
  const opened = await open(file).catch((cause: unknown) => {
    throw new CommandError(`The file ${file} cannot be read.`, { cause });
  });
  if ((await opened.stat()).isDirectory()) {
    await opened.close();
    throw new CommandError(`${file} is a folder.`);
  }
  return readRuns(createInterface({ input: opened.createReadStream({ encoding: 'utf8' }), crlfDelay: Number.POSITIVE_INFINITY }));
}

interface Totals {
  allowed: number;
  denied: number;
  stored: number;
}

/** A run that was replayed before keeps its start, so that its events have the same ids. */
async function replayRun(api: Api, run: Run, startedAt: Date, options: Replaying, totals: Totals): Promise<void> {
  const telling = tell(run, { ...options, startedAt });
  let sent = 0;
  const record = async (events: readonly object[]): Promise<void> => {
    // The count is read after the answer has come: other runs add to it while this one waits.
    const stored = await api.record(events);
    totals.stored += stored;
    sent += events.length;
  };
  await record([telling.started]);
  for (const { requestId, request, outcome } of telling.steps) {
    const { isAllowed, isNew } = await api.decide(requestId, request);
    if (isNew) totals.stored += 1;
    if (isAllowed) await record(outcome);
    if (isAllowed) totals.allowed += 1;
    else totals.denied += 1;
    options.progress.advance(totals);
  }
  const { sessionId, finalBatchId: batchId, ended } = telling;
  const stored = await api.finish(sessionId, { batchId, events: [ended], totalEventsSent: sent + 1 });
  totals.stored += stored;
}

/** Works on all items, `width` at a time. The first failure stops every other and is thrown once they have ended. */
async function inParallel<Item>(
  items: readonly Item[],
  width: number,
  stopping: AbortController,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const item of rest) {
      if (stopping.signal.aborted) return;
      try {
        await work(item);
      } catch (error) {
        // What fails after the first was stopped by it.
        if (!stopping.signal.aborted) failures.push(error);
        stopping.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
