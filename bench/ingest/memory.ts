import { atMost, median } from '../support/figures.js';
import { rssMebibytes } from '../support/processes.js';
import { postBatches, type Part } from './batches.js';
import type { Setting } from './setting.js';

const SAMPLE_MILLISECONDS = 250;

/**
 * The service's memory while events come in for long. The first quarter is warming up; what counts is whether the last quarter needs
 * more than the second.
 */
export async function measureMemory(setting: Setting, events: number): Promise<Part> {
  const subject = setting.sequenced;
  const samples: number[] = [];
  const watching = setInterval(() => samples.push(rssMebibytes(subject.product.pid)), SAMPLE_MILLISECONDS);
  try {
    const { perSecond } = await postBatches(setting, 'Memory', subject, events);
    samples.push(rssMebibytes(subject.product.pid));
    const quarter = (number: number): number =>
      median(samples.slice(...[number - 1, number].map((at) => Math.floor((at * samples.length) / 4))));
    return {
      figures: {
        memory: {
          events,
          eventsPerSecond: perSecond,
          rssMebibytesInSecondQuarter: quarter(2),
          rssMebibytesInLastQuarter: quarter(4),
          rssMebibytesAtMost: Math.max(...samples),
          rssMebibytesAtEnd: samples.at(-1) ?? Number.NaN,
        },
      },
      reference: {},
      bars: [atMost('memory: resident set in the last quarter over the second', 1.2, quarter(4) / quarter(2))],
    };
  } finally {
    clearInterval(watching);
  }
}
