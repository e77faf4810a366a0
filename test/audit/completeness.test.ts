import { describe, expect, it } from '@jest/globals';
import { completenessOf, MAX_RANGES, type ReceivedFromSource, type SequenceRange } from '../../src/audit/completeness.js';

/** What has come from one source: the numbers from and to, nothing final, nothing without a number, unless `change` says otherwise. */
function received(ranges: readonly (readonly [number, number])[], change: Partial<ReceivedFromSource> = {}): ReceivedFromSource {
  const numbers = ranges.map(([from, to]): SequenceRange => ({ from, to }));
  return {
    source: '/producer',
    ranges: numbers,
    hasMore: false,
    lastSequence: numbers.at(-1)?.to ?? null,
    numbered: numbers.reduce((sum, { from, to }) => sum + to - from + 1, 0),
    unnumbered: 0,
    isFinal: false,
    totalEventsSent: null,
    ...change,
  };
}

const final = (totalEventsSent: number | null, more: Partial<ReceivedFromSource> = {}) => ({ isFinal: true, totalEventsSent, ...more });
const sourceOf = (from: ReceivedFromSource) => completenessOf([from]).sources[0];
const missingOf = (from: ReceivedFromSource) =>
  sourceOf(from)
    ?.missing.map((gap) => `${gap.from}-${gap.to}`)
    .join(' ');

describe('what is missing', () => {
  it.each<[string, ReceivedFromSource, string, string]>([
    ['nothing has come and nothing was said', received([]), '', 'OPEN'],
    ['the first have come', received([[1, 5]]), '', 'OPEN'],
    ['the first have not come', received([[3, 5]]), '1-2', 'INCOMPLETE'],
    ['it began at 0', received([[0, 5]]), '', 'OPEN'],
    [
      'it began at 0 and something is missing',
      received([
        [0, 0],
        [3, 5],
        [9, 9],
      ]),
      '1-2 6-8',
      'INCOMPLETE',
    ],
    ['it was the last batch and nobody said how many', received([[1, 5]], final(null)), '', 'COMPLETE'],
    ['as many have come as were sent', received([[1, 5]], final(5)), '', 'COMPLETE'],
    ['as many have come as were sent, from 0 on', received([[0, 4]], final(5)), '', 'COMPLETE'],
    ['the last have not come', received([[1, 5]], final(9)), '6-9', 'INCOMPLETE'],
    ['the last have not come, from 0 on', received([[0, 5]], final(9)), '6-8', 'INCOMPLETE'],
    ['none have come', received([], final(3)), '1-3', 'INCOMPLETE'],
    ['none were sent', received([], final(0)), '', 'COMPLETE'],
    ['more have come than were sent', received([[1, 5]], final(3)), '', 'COMPLETE'],
    [
      'something is missing in the middle and at the end',
      received(
        [
          [1, 2],
          [4, 5],
        ],
        final(6),
      ),
      '3-3 6-6',
      'INCOMPLETE',
    ],
    ['a total was said and not that it is the last word', received([[1, 2]], { totalEventsSent: 9 }), '', 'OPEN'],
    [
      'the numbers are as large as can be',
      received([[Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]]),
      `1-${Number.MAX_SAFE_INTEGER - 1}`,
      'INCOMPLETE',
    ],
    ['the total is as large as can be', received([[1, 1]], final(Number.MAX_SAFE_INTEGER)), `2-${Number.MAX_SAFE_INTEGER}`, 'INCOMPLETE'],
  ])('when %s', (_what, from, missing, state) => {
    expect([missingOf(from), sourceOf(from)?.state]).toEqual([missing, state]);
  });

  it.each<[string, ReceivedFromSource, number | null, number | null]>([
    [
      'in gaps and at the end',
      received(
        [
          [1, 2],
          [4, 5],
        ],
        final(9),
      ),
      5,
      0,
    ],
    ['none, and one number came twice', received([[1, 4]], { numbered: 5 }), 0, 1],
    ['none, and two came beyond the total, one of them twice', received([[1, 5]], final(3, { numbered: 6 })), 0, 3],
    [
      'one, and one came beyond the total',
      received(
        [
          [1, 2],
          [5, 5],
        ],
        final(3),
      ),
      1,
      1,
    ],
    ['without any number, by the total', received([], final(5, { unnumbered: 3 })), 2, 0],
    ['without any number, more than the total', received([], final(5, { unnumbered: 7 })), 0, 2],
    ['without any number and total', received([], { unnumbered: 7 }), 0, 0],
    ['beside events without a number, which could be anything', received([[1, 2]], final(5, { unnumbered: 3 })), 3, 0],
  ])('is counted: %s', (_what, from, missing, unexpected) => {
    expect([sourceOf(from)?.missingEvents, sourceOf(from)?.unexpected]).toEqual([missing, unexpected]);
  });

  it('is told as it came', () => {
    expect(sourceOf(received([[2, 3]], { unnumbered: 4, numbered: 5, totalEventsSent: 8 }))).toEqual({
      state: 'INCOMPLETE',
      source: '/producer',
      received: 9,
      withoutSequence: 4,
      firstSequence: 2,
      lastSequence: 3,
      missing: [{ from: 1, to: 1 }],
      missingEvents: 1,
      isTruncated: false,
      totalEventsSent: 8,
      isFinal: false,
      unexpected: 3,
    });
  });
});

describe('more gaps than are named', () => {
  const everySecond = (count: number) => Array.from({ length: count }, (_, index) => [2 * index + 2, 2 * index + 2] as const);

  it('are as many as there may be at most', () => {
    const told = sourceOf(received(everySecond(MAX_RANGES)));

    expect(told).toMatchObject({ isTruncated: false, missingEvents: MAX_RANGES, unexpected: 0 });
    expect(told?.missing.at(-1)).toEqual({ from: 2 * MAX_RANGES - 1, to: 2 * MAX_RANGES - 1 });
  });

  it.each([
    ['because there is one range more', received(everySecond(MAX_RANGES + 1))],
    ['because not all ranges are kept', received(everySecond(MAX_RANGES), { hasMore: true })],
    ['because the end is missing too', received(everySecond(MAX_RANGES), final(1_000_000))],
  ])('are not named, nor counted, but said to be there: %s', (_what, from) => {
    const told = sourceOf(from);

    expect(told).toMatchObject({ state: 'INCOMPLETE', isTruncated: true, missingEvents: null, unexpected: null });
    expect(told?.missing).toHaveLength(MAX_RANGES);
    expect(told?.missing.at(-1)).toEqual({ from: 2 * MAX_RANGES - 1, to: 2 * MAX_RANGES - 1 });
  });

  it('are there when too few ranges are known to name any', () => {
    expect(sourceOf(received([[1, 5]], { hasMore: true }))).toMatchObject({ state: 'INCOMPLETE', isTruncated: true, missing: [] });
  });
});

describe('a session', () => {
  const complete = received([[1, 2]], final(2));
  const open = received([[1, 2]]);
  const incomplete = received([[2, 2]], final(2));

  it.each([
    ['no source', [], 'OPEN'],
    ['complete ones', [complete, complete], 'COMPLETE'],
    ['one that is open', [complete, open], 'OPEN'],
    ['one that is incomplete', [complete, open, incomplete], 'INCOMPLETE'],
  ] as const)('with %s', (_what, sources, state) => {
    expect(completenessOf(sources).state).toBe(state);
  });
});
