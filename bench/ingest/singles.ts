import { atLeast, atMost, median, pairedRatio } from '../support/figures.js';
import type { Part } from './batches.js';
import { measure, type Measured } from './measure.js';
import type { Setting } from './setting.js';

const CLIENTS = 32;

/**
 * One event a request from 32 clients, against 32 connections that commit single-row inserts of the same rows into one table with the
 * log's indexes. The same into a table with a primary key and no other index is measured too: what storing alone can cost at least.
 */
export async function measureSingles(setting: Setting, events: number, rounds: number): Promise<Part> {
  const { sequenced: subject } = setting;
  const post = (title: string, count: number): Promise<Measured> => {
    const { url } = subject.product;
    return measure(
      setting,
      title,
      { kind: 'singles', url, token: subject.token, clients: CLIENTS, events: count, firstEvent: subject.take(count) },
      subject,
    );
  };
  await post('Warming up', Math.min(events, 2_000));
  const posted: Measured[] = [];
  const inserted: Measured[] = [];
  const bare: Measured[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    posted.push(await post(`Single events (round ${round} of ${rounds})`, events));
    for (const [indexes, into] of [['asTheLog', inserted] as const, ['primaryKey', bare] as const]) {
      const job = { kind: 'inserts', databaseUrl: subject.product.databaseUrl, connections: CLIENTS, rows: events, indexes } as const;
      into.push(await measure(setting, `Single-row inserts, ${indexes} (round ${round} of ${rounds})`, job, null));
    }
  }
  const rates = (all: readonly Measured[]): readonly number[] => all.map(({ perSecond }) => perSecond);
  const middle = (all: readonly Measured[], figure: (each: Measured) => number): number => median(all.map(figure));
  const p99Milliseconds = middle(posted, (each) => each.p99Milliseconds);
  return {
    figures: {
      singles: {
        eventsPerSecond: median(rates(posted)),
        p50Milliseconds: middle(posted, (each) => each.p50Milliseconds),
        p99Milliseconds,
        serviceCpuMicrosecondsPerEvent: middle(posted, (each) => each.cpuMicroseconds.service),
        postgresCpuMicrosecondsPerEvent: middle(posted, (each) => each.cpuMicroseconds.postgres),
        senderCpuMicrosecondsPerEvent: middle(posted, (each) => each.cpuMicroseconds.sender),
      },
    },
    reference: { inserts: figuresOf(inserted), insertsWithoutIndexes: figuresOf(bare) },
    bars: [
      atLeast('singles: events per second over single-row inserts per second', 1.5, pairedRatio(rates(posted), rates(inserted))),
      atMost('singles: p99 in milliseconds', 50, p99Milliseconds),
    ],
  };
}

const figuresOf = (all: readonly Measured[]) => ({
  rowsPerSecond: median(all.map(({ perSecond }) => perSecond)),
  p50Milliseconds: median(all.map(({ p50Milliseconds }) => p50Milliseconds)),
  p99Milliseconds: median(all.map(({ p99Milliseconds }) => p99Milliseconds)),
  postgresCpuMicrosecondsPerRow: median(all.map(({ cpuMicroseconds }) => cpuMicroseconds.postgres)),
  senderCpuMicrosecondsPerRow: median(all.map(({ cpuMicroseconds }) => cpuMicroseconds.sender)),
});
