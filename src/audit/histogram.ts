import { Failure } from '../kernel/index.js';

/** How long a bucket is. Weeks begin on Monday (ISO 8601); all in UTC. */
export type HistogramInterval = 'HOUR' | 'DAY' | 'WEEK';
/** By what events are told apart. */
export type HistogramDimension = 'TYPE' | 'VERDICT' | 'TOOL' | 'AGENT';

export interface HistogramRequest {
  /** With everything below; null for the whole organization. */
  readonly namespaceId: string | null;
  readonly interval: HistogramInterval;
  readonly by: HistogramDimension;
  /** The beginning of the first bucket. */
  readonly from: Date;
  /** The end of the last one. */
  readonly to: Date;
}

/** How often a value occurred in a bucket. A null value stands for all values together, the more seldom ones included. */
export interface HistogramRow {
  readonly start: Date;
  readonly value: string | null;
  readonly events: number;
}

export interface HistogramBucket {
  readonly start: Date;
  readonly events: number;
  readonly counts: readonly { readonly value: string; readonly events: number }[];
}

/** The most buckets of one histogram. */
export const MAX_BUCKETS = 2_000;
/** The most values that are told apart, and the most counts in all buckets together. */
const MAX_VALUES = 100;
const MAX_COUNTS = 100_000;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MILLISECONDS: Readonly<Record<HistogramInterval, number>> = { HOUR, DAY, WEEK: 7 * DAY };
/** 1970-01-01 was a Thursday. */
const FIRST_MONDAY = 4 * DAY;

/**
 * The request with whole buckets: from the beginning of the one that holds `from` to the end of the one that holds what comes last
 * before `to`.
 *
 * @throws Failure BAD_USER_INPUT when it would have no bucket, or more than 2,000.
 */
export function withWholeBuckets(request: HistogramRequest): HistogramRequest {
  const size = MILLISECONDS[request.interval];
  const offset = request.interval === 'WEEK' ? FIRST_MONDAY : 0;
  const beginning = (time: number): number => Math.floor((time - offset) / size) * size + offset;
  if (request.to <= request.from) throw new Failure('BAD_USER_INPUT', 'to: must be later than from.');
  const from = beginning(request.from.getTime());
  const to = beginning(request.to.getTime() - 1) + size;
  const buckets = (to - from) / size;
  if (buckets > MAX_BUCKETS)
    throw new Failure(
      'BAD_USER_INPUT',
      `from, to: hold ${buckets} buckets of a ${request.interval}, and may hold at most ${MAX_BUCKETS}. Take a longer interval or a shorter time.`,
    );
  return { ...request, from: new Date(from), to: new Date(to) };
}

/** How many values are told apart in a histogram of so many buckets: the most frequent ones. */
export const maxValuesOf = (request: HistogramRequest): number => Math.min(MAX_VALUES, Math.floor(MAX_COUNTS / startsOf(request).length));

/** Every bucket of the request in order, the empty ones too; of each the values by frequency, the most frequent first. Pure. */
export function bucketsOf(request: HistogramRequest, rows: readonly HistogramRow[]): readonly HistogramBucket[] {
  const totals = new Map<number, number>();
  const counts = new Map<number, { readonly value: string; readonly events: number }[]>();
  for (const { start, value, events } of rows) {
    const own = counts.get(start.getTime()) ?? [];
    if (value === null) totals.set(start.getTime(), events);
    else counts.set(start.getTime(), [...own, { value, events }]);
  }
  return startsOf(request).map((start) => ({
    start: new Date(start),
    events: totals.get(start) ?? 0,
    counts: (counts.get(start) ?? []).sort((left, right) => right.events - left.events || (left.value < right.value ? -1 : 1)),
  }));
}

function startsOf({ interval, from, to }: HistogramRequest): readonly number[] {
  const size = MILLISECONDS[interval];
  return Array.from({ length: (to.getTime() - from.getTime()) / size }, (_, index) => from.getTime() + index * size);
}
