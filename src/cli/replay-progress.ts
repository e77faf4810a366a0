import { SingleBar } from 'cli-progress';

/** Shows a person how far a replay has come. */
export interface Progress {
  start(calls: number): void;
  /** One more call was decided. */
  advance(totals: { readonly allowed: number; readonly denied: number }): void;
  /** The service does not answer; the replay tries again. */
  waiting(): void;
  stop(): void;
}

/** A progress bar on `stream`; where that is no terminal, a line every two seconds. */
export function replayProgress(stream: NodeJS.WriteStream): Progress {
  const bar = new SingleBar({
    stream,
    format: 'replaying {bar} {percentage}% | {value}/{total} calls | {allowed} allowed, {denied} denied | {eta_formatted} left{note}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    gracefulExit: true,
    noTTYOutput: true,
    notTTYSchedule: 2_000,
  });
  let done = 0;
  return {
    start: (calls) => bar.start(calls, 0, { allowed: 0, denied: 0, note: '' }),
    advance: ({ allowed, denied }) => bar.update((done += 1), { allowed, denied, note: '' }),
    waiting: () => bar.update(done, { note: ' | the service does not answer, trying again' }),
    stop: () => bar.stop(),
  };
}
