import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endProcess } from '../../local/end-process.js';
import type { Stage } from '../support/stage.js';
import { Word, type Job, type Outcome } from './job.js';

/** The process that sends, so that neither the service nor who watches it has to share its thread. */
export interface Load {
  readonly pid: number;
  /** Has one job done; one at a time. */
  run(job: Job, watch: Watch): Promise<Outcome>;
}

export interface Watch {
  /** Everything is ready and the clock starts. */
  begun(): void;
  advanced(count: number): void;
}

export function startLoad(stage: Stage): Load {
  const child = fork(fileURLToPath(new URL('load-process.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    // In a process group of its own: Ctrl-C reaches the benchmark only, which ends the others in order.
    detached: true,
    // Standard output is for the one line of the benchmark.
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  stage.atEnd(async () => {
    await endProcess(child, 'SIGKILL', 5_000);
  });
  return {
    pid: child.pid ?? 0,
    run: (job, watch) =>
      new Promise((resolve, reject) => {
        const settle = (finish: () => void): void => {
          child.off('message', listen);
          child.off('exit', lost);
          finish();
        };
        const listen = (message: unknown): void => {
          const word = Word.parse(message);
          if (word.kind === 'begun') watch.begun();
          else if (word.kind === 'advanced') watch.advanced(word.count);
          else if (word.kind === 'done') settle(() => resolve(word.outcome));
          else settle(() => reject(new Error(word.message)));
        };
        const lost = (): void => settle(() => reject(new Error('The process that sends has ended.')));
        child.on('message', listen);
        child.on('exit', lost);
        child.send(job);
      }),
  };
}
