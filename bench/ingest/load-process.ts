/** The process that sends: takes one job after the other from the benchmark that started it, and ends with it. */
import { percentile } from '../support/figures.js';
import { batchesJob, postsJob, singlesJob } from './http-jobs.js';
import { Job, type Outcome, type Ready, type Word } from './job.js';
import { copyJob, insertsJob } from './sql-jobs.js';

process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  doJob(Job.parse(message)).catch((error: unknown) =>
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
});

async function doJob(job: Job): Promise<void> {
  const outcome = await runPrepared(await prepare(job));
  tell({ kind: 'done', outcome });
}

async function runPrepared(ready: Ready): Promise<Outcome> {
  try {
    tell({ kind: 'begun' });
    return await runAll(ready);
  } finally {
    await ready.end();
  }
}

function prepare(job: Job): Promise<Ready> {
  switch (job.kind) {
    case 'batches':
      return batchesJob(job);
    case 'singles':
      return singlesJob(job);
    case 'posts':
      return postsJob(job);
    case 'copy':
      return copyJob(job);
    case 'inserts':
      return insertsJob(job);
  }
}

/** Every client waits for the answer to one piece before it takes the next. */
async function runAll(ready: Ready): Promise<Outcome> {
  const latencies: number[] = [];
  let count = 0;
  let told = 0;
  const work = async (client: number): Promise<void> => {
    for (;;) {
      const askedAt = performance.now();
      const done = await ready.next(client);
      if (done === 0) return;
      latencies.push(performance.now() - askedAt);
      count += done;
      if (count - told < 500) continue;
      tell({ kind: 'advanced', count: count - told });
      told = count;
    }
  };
  const beganAt = performance.now();
  await Promise.all(Array.from({ length: ready.clients }, (_, client) => work(client)));
  const seconds = (performance.now() - beganAt) / 1_000;
  return { count, seconds, p50Milliseconds: percentile(latencies, 0.5), p99Milliseconds: percentile(latencies, 0.99) };
}

function tell(word: Word): void {
  process.send?.(word);
}
