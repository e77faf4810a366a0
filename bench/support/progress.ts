import { SingleBar } from 'cli-progress';

/** Shows a person how far something long has come. */
export interface Progress {
  /** The work begins only now; what came before was getting ready. */
  begin(): void;
  advance(count: number): void;
  stop(): void;
}

/** A bar on standard error with the rate and the time that is left; where that is no terminal, a line every five seconds. */
export function showProgress(title: string, total: number, unit: string): Progress {
  const bar = new SingleBar({
    stream: process.stderr,
    format: `${title} {bar} {percentage}% | {value}/{total} ${unit} | {rate} ${unit}/s | {eta_formatted} left`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    noTTYOutput: true,
    notTTYSchedule: 5_000,
    // Rates change while something warms up.
    etaBuffer: 50,
  });
  let beganAt = performance.now();
  let done = 0;
  bar.start(total, 0, { rate: 0 });
  return {
    begin: () => (beganAt = performance.now()),
    advance(count) {
      done += count;
      bar.update(done, { rate: Math.round((done * 1_000) / (performance.now() - beganAt)) });
    },
    stop: () => bar.stop(),
  };
}

/** One line for a person. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`);
