import { setTimeout as delay } from 'node:timers/promises';
import { atLeast, median, pairedRatio, type Report } from '../support/figures.js';
import { withClient } from '../support/cluster.js';
import { measure, type Measured } from './measure.js';
import type { Setting, Subject } from './setting.js';

export type Part = Omit<Report, 'name'>;

export const BATCH_EVENTS = 500;
export const BATCH_CLIENTS = 4;
/** COPY is fast: once over the rows of a round would be over before the disk has its say. */
const COPY_TIMES = 4;

/** Posts events in batches to one service. */
export const postBatches = (setting: Setting, title: string, subject: Subject, events: number): Promise<Measured> => {
  const { url } = subject.product;
  const job = { kind: 'batches', url, token: subject.token, clients: BATCH_CLIENTS, events, batchEvents: BATCH_EVENTS } as const;
  return measure(setting, title, { ...job, firstEvent: subject.take(events) }, subject);
};

/**
 * Durable ingest in batches, against plain COPY, in one stream, of the same rows in the same Postgres. In each round: the service without
 * a sequencer, COPY of what it has just stored, the service with its sequencer. COPY by as many connections as there are clients is
 * measured too: what the machine can do at most.
 */
export async function measureBatches(setting: Setting, events: number, rounds: number): Promise<Part> {
  const { sequenced, unsequenced } = setting;
  for (const subject of [unsequenced, sequenced]) await postBatches(setting, 'Warming up', subject, Math.min(events, 10_000));
  const plain: Measured[] = [];
  const copied: Measured[] = [];
  const streamed: Measured[] = [];
  const withPositions: Measured[] = [];
  const behind: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const title = (what: string): string => `${what} (round ${round} of ${rounds})`;
    const copy = { kind: 'copy', databaseUrl: unsequenced.product.databaseUrl, rows: events, times: COPY_TIMES } as const;
    plain.push(await postBatches(setting, title('Batches, no sequencer'), unsequenced, events));
    copied.push(await measure(setting, title('COPY'), { ...copy, connections: BATCH_CLIENTS, batchRows: BATCH_EVENTS }, null));
    streamed.push(await measure(setting, title('COPY in one stream'), { ...copy, connections: 1, batchRows: events }, null));
    withPositions.push(await postBatches(setting, title('Batches, sequencer'), sequenced, events));
    behind.push(await secondsUntilSequenced(sequenced));
  }
  const rates = (all: readonly Measured[]): readonly number[] => all.map(({ perSecond }) => perSecond);
  return {
    figures: {
      batches: { ...figuresOf(plain), sizeOfOneEventBytes: await bytesOfAnEvent(unsequenced) },
      batchesWithSequencer: { ...figuresOf(withPositions), secondsBehindAtEnd: median(behind) },
    },
    reference: {
      copy: copyFigures(streamed),
      copyByFourConnections: { ...copyFigures(copied), eventsPerSecondOverIt: pairedRatio(rates(plain), rates(copied)) },
    },
    bars: [
      atLeast('batches: events per second over rows per second of COPY', 0.35, pairedRatio(rates(plain), rates(streamed))),
      atLeast('batches: events per second with the sequencer over without', 0.7, pairedRatio(rates(withPositions), rates(plain))),
    ],
  };
}

const copyFigures = (all: readonly Measured[]) => ({
  rowsPerSecond: median(all.map(({ perSecond }) => perSecond)),
  postgresCpuMicrosecondsPerRow: median(all.map(({ cpuMicroseconds }) => cpuMicroseconds.postgres)),
});

const figuresOf = (all: readonly Measured[]) => ({
  eventsPerSecond: median(all.map(({ perSecond }) => perSecond)),
  batchP50Milliseconds: median(all.map(({ p50Milliseconds }) => p50Milliseconds)),
  batchP99Milliseconds: median(all.map(({ p99Milliseconds }) => p99Milliseconds)),
  serviceCpuMicrosecondsPerEvent: median(all.map(({ cpuMicroseconds }) => cpuMicroseconds.service)),
  postgresCpuMicrosecondsPerEvent: median(all.map(({ cpuMicroseconds }) => cpuMicroseconds.postgres)),
  senderCpuMicrosecondsPerEvent: median(all.map(({ cpuMicroseconds }) => cpuMicroseconds.sender)),
});

/** How long it takes, after the last answer, until every event has its position. */
async function secondsUntilSequenced({ product, taken }: Subject): Promise<number> {
  const beganAt = performance.now();
  await withClient(product.databaseUrl, async (client) => {
    for (;;) {
      const { rows } = await client.query<{ size: string | null }>('SELECT sum(size)::text AS size FROM log_head');
      if (Number(rows[0]?.size ?? 0) >= taken()) return;
      await delay(20);
    }
  });
  return (performance.now() - beganAt) / 1_000;
}

async function bytesOfAnEvent({ product }: Subject): Promise<number> {
  return withClient(product.databaseUrl, async (client) => {
    const newest = 'SELECT bytes FROM audit_event ORDER BY id DESC LIMIT 10000';
    const { rows } = await client.query<{ bytes: string }>(`SELECT avg(bytes)::text AS bytes FROM (${newest}) newest`);
    return Number(rows[0]?.bytes ?? Number.NaN);
  });
}
