import { cpuSeconds, cpuSecondsOfTree } from '../support/processes.js';
import { showProgress } from '../support/progress.js';
import type { Job, Outcome } from './job.js';
import type { Setting } from './setting.js';

/** What a job did, and whose processor it took. */
export interface Measured extends Outcome {
  readonly perSecond: number;
  /** CPU time of each process for one event or row, user and system. */
  readonly cpuMicroseconds: { readonly service: number; readonly postgres: number; readonly sender: number };
}

/** Who is measured: the service that a job is about. */
export interface Served {
  readonly product: { readonly pid: number };
}

/** Has a job done, with a bar that shows it; `subject` is the service that it is about, if any. */
export async function measure(
  setting: Pick<Setting, 'cluster' | 'load'>,
  title: string,
  job: Job,
  subject: Served | null,
): Promise<Measured> {
  const progress = showProgress(title, ...workOf(job));
  const used = () => ({
    service: subject === null ? 0 : cpuSeconds(subject.product.pid),
    postgres: cpuSecondsOfTree(setting.cluster.pid),
    sender: cpuSeconds(setting.load.pid),
  });
  let before = used();
  try {
    const begun = (): void => {
      before = used();
      progress.begin();
    };
    const outcome = await setting.load.run(job, { begun, advanced: (count) => progress.advance(count) });
    const after = used();
    const each = (who: keyof typeof before): number => ((after[who] - before[who]) * 1e6) / outcome.count;
    return {
      ...outcome,
      perSecond: outcome.count / outcome.seconds,
      cpuMicroseconds: { service: each('service'), postgres: each('postgres'), sender: each('sender') },
    };
  } finally {
    progress.stop();
  }
}

function workOf(job: Job): readonly [number, string] {
  if (job.kind === 'copy') return [job.rows * job.times, 'rows'];
  if (job.kind === 'inserts') return [job.rows, 'rows'];
  return job.kind === 'posts' ? [job.requests * job.units, 'decisions'] : [job.events, 'events'];
}
