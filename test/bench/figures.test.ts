import { describe, expect, it } from '@jest/globals';
import { atLeast, atMost, median, pairedRatio, percentile, roundedFigures } from '../../bench/support/figures.js';

const upTo = (count: number): readonly number[] => [...Array(count).keys()].map((number) => count - number);

describe('percentile', () => {
  it.each([
    [100, 0.5, 50],
    [100, 0.99, 99],
    [100, 1, 100],
    [3, 0.5, 2],
    [3, 0.99, 3],
    [1, 0.01, 1],
  ])('of %d samples that at least %d of them do not exceed', (count, share, wanted) => {
    expect(percentile(upTo(count), share)).toBe(wanted);
  });

  it('orders numbers as numbers and leaves the samples as they were', () => {
    const samples = [10, 9, 100];

    expect(percentile(samples, 1)).toBe(100);
    expect(samples).toEqual([10, 9, 100]);
  });

  it('of no sample is an error rather than a figure', () => {
    expect(() => percentile([], 0.5)).toThrow('There is no sample to take a percentile of.');
  });
});

describe('median', () => {
  it.each([
    [[7], 7],
    [[9, 1], 5],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('of %j', (samples, wanted) => {
    expect(median(samples)).toBe(wanted);
  });
});

describe('pairedRatio', () => {
  it('compares what was measured together: a slow minute of both changes nothing', () => {
    expect(pairedRatio([100, 10, 100], [200, 20, 200])).toBe(0.5);
  });
});

describe('a bar', () => {
  it.each([
    [atLeast('rate', 1.5, 1.5), true],
    [atLeast('rate', 1.5, 1.4999999), false],
    [atMost('p99', 60, 60), true],
    [atMost('p99', 60, 60.00001), false],
    [atMost('p99', 60, Number.NaN), false],
  ])('holds by the exact figure, however it is shown: %j', (bar, holds) => {
    expect(bar.holds).toBe(holds);
  });

  it('says its direction', () => {
    expect([atLeast('rate', 1.5, 2).what, atMost('p99', 60, 2).what]).toEqual(['rate, at least', 'p99, at most']);
  });
});

describe('roundedFigures', () => {
  it('keeps four digits of every number, however deep', () => {
    expect(roundedFigures({ events: 5_000_000, batches: { eventsPerSecond: 10_123.456, p50: { milliseconds: 0.123456 } } })).toEqual({
      events: 5_000_000,
      batches: { eventsPerSecond: 10_120, p50: { milliseconds: 0.1235 } },
    });
  });
});
