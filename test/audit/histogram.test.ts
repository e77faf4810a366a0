import { describe, expect, it } from '@jest/globals';
import { bucketsOf, maxValuesOf, withWholeBuckets, type HistogramInterval, type HistogramRequest } from '../../src/audit/histogram.js';

const request = (interval: HistogramInterval, from: string, to: string): HistogramRequest => ({
  namespaceId: null,
  by: 'TYPE',
  interval,
  from: new Date(from),
  to: new Date(to),
});
const bounds = ({ from, to }: HistogramRequest): string => `${from.toISOString()} ${to.toISOString()}`;

describe('whole buckets', () => {
  it.each<[HistogramInterval, string, string, string]>([
    ['HOUR', '2026-11-22T09:30:00Z', '2026-11-22T09:30:00.001Z', '2026-11-22T09:00:00.000Z 2026-11-22T10:00:00.000Z'],
    ['HOUR', '2026-11-22T09:00:00Z', '2026-11-22T11:00:00Z', '2026-11-22T09:00:00.000Z 2026-11-22T11:00:00.000Z'],
    ['DAY', '2026-11-22T23:59:59.999Z', '2026-11-23T00:00:00.001Z', '2026-11-22T00:00:00.000Z 2026-11-24T00:00:00.000Z'],
    // 2026-11-23 is a Monday, 2026-11-22 a Sunday.
    ['WEEK', '2026-11-22T12:00:00Z', '2026-11-23T00:00:00Z', '2026-11-16T00:00:00.000Z 2026-11-23T00:00:00.000Z'],
    ['WEEK', '2026-11-23T00:00:00Z', '2026-11-30T00:00:00.001Z', '2026-11-23T00:00:00.000Z 2026-12-07T00:00:00.000Z'],
    ['WEEK', '1969-12-30T00:00:00Z', '1970-01-01T00:00:00Z', '1969-12-29T00:00:00.000Z 1970-01-05T00:00:00.000Z'],
  ])('of a %s from %s to %s', (interval, from, to, whole) => {
    expect(bounds(withWholeBuckets(request(interval, from, to)))).toBe(whole);
  });

  it('are at least one', () => {
    expect(() => withWholeBuckets(request('DAY', '2026-11-22T00:00:00Z', '2026-11-22T00:00:00Z'))).toThrow('to: must be later than from.');
  });

  it('are at most 2,000', () => {
    const from = '2026-01-01T00:00:00Z';
    const hours = (count: number) => new Date(Date.parse(from) + count * 3_600_000).toISOString();

    expect(bucketsOf(withWholeBuckets(request('HOUR', from, hours(2_000))), [])).toHaveLength(2_000);
    expect(() => withWholeBuckets(request('HOUR', from, hours(2_001)))).toThrow(
      'from, to: hold 2001 buckets of a HOUR, and may hold at most 2000. Take a longer interval or a shorter time.',
    );
  });
});

describe('buckets', () => {
  it('come in order, the empty ones too, with the most frequent value first', () => {
    const start = (day: number) => new Date(Date.UTC(2026, 10, day));
    const rows = [
      { start: start(24), value: null, events: 9 },
      { start: start(22), value: 'b', events: 2 },
      { start: start(22), value: null, events: 6 },
      { start: start(22), value: 'a', events: 2 },
      { start: start(22), value: 'c', events: 1 },
      { start: start(24), value: 'c', events: 9 },
    ];

    expect(bucketsOf(request('DAY', '2026-11-22T00:00:00Z', '2026-11-25T00:00:00Z'), rows)).toEqual([
      {
        start: start(22),
        events: 6,
        counts: [
          { value: 'a', events: 2 },
          { value: 'b', events: 2 },
          { value: 'c', events: 1 },
        ],
      },
      { start: start(23), events: 0, counts: [] },
      { start: start(24), events: 9, counts: [{ value: 'c', events: 9 }] },
    ]);
  });

  it.each([
    ['2026-11-22T01:00:00Z', 100],
    ['2026-12-31T16:00:00Z', 100],
    ['2027-02-13T08:00:00Z', 50],
  ])('until %s tell a bounded number of values apart', (to, values) => {
    expect(maxValuesOf(request('HOUR', '2026-11-22T00:00:00Z', to))).toBe(values);
  });
});
