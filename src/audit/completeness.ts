/** Whether everything that a session's producers have sent has come. */
export type CompletenessState = 'COMPLETE' | 'INCOMPLETE' | 'OPEN';

/** Whole numbers from one to another, both included. */
export interface SequenceRange {
  readonly from: number;
  readonly to: number;
}

/** What has come from one source. */
export interface ReceivedFromSource {
  readonly source: string;
  /** The numbers received, in order and with gaps between them; of very many the first `MAX_RANGES` and one more. */
  readonly ranges: readonly SequenceRange[];
  /** Whether there were more ranges than are kept: nothing can be said of the numbers behind them. */
  readonly hasMore: boolean;
  readonly lastSequence: number | null;
  /** Events with a number, those included that have the number of another one. */
  readonly numbered: number;
  readonly unnumbered: number;
  /** Whether the source has said that it has sent everything. */
  readonly isFinal: boolean;
  /** How many events it has said to have sent. */
  readonly totalEventsSent: number | null;
}

/** How complete what has come from one source is. */
export interface SourceCompleteness {
  readonly state: CompletenessState;
  readonly source: string;
  readonly received: number;
  readonly withoutSequence: number;
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
  /** The gaps, at most `MAX_RANGES` of them. */
  readonly missing: readonly SequenceRange[];
  /** How many events are missing; null when there are too many gaps to count them. */
  readonly missingEvents: number | null;
  /** Whether there are, or may be, more gaps than `missing` names. */
  readonly isTruncated: boolean;
  readonly totalEventsSent: number | null;
  readonly isFinal: boolean;
  /** Events that have the number of another one, or one beyond the total; null when there are too many gaps to count them. */
  readonly unexpected: number | null;
}

export interface Completeness {
  readonly state: CompletenessState;
  readonly sources: readonly SourceCompleteness[];
}

/** The most gaps that are named of one source. */
export const MAX_RANGES = 1_000;

/**
 * What is missing of a session. Pure.
 *
 * A producer numbers its events of a session from 1 on, one by one; one of whom there is a number 0, from 0 on. What lies between two
 * numbers, or before the first, is missing; what comes behind the last, only once the producer has said how many there were. Of a
 * producer without any numbers the total alone can be held against what has come.
 *
 * INCOMPLETE when anything is missing; otherwise COMPLETE once every source has said that it has sent everything, and OPEN before.
 */
export function completenessOf(received: readonly ReceivedFromSource[]): Completeness {
  const sources = received.map(ofSource);
  const has = (state: CompletenessState): boolean => sources.some((source) => source.state === state);
  if (has('INCOMPLETE')) return { state: 'INCOMPLETE', sources };
  return { state: sources.length === 0 || has('OPEN') ? 'OPEN' : 'COMPLETE', sources };
}

function ofSource(received: ReceivedFromSource): SourceCompleteness {
  const { source, ranges, isFinal, numbered, unnumbered } = received;
  // A total says something once it is the last word.
  const total = isFinal ? received.totalEventsSent : null;
  const found = numbered === 0 && unnumbered > 0 ? withoutNumbers(unnumbered, total) : withNumbers(received, total);
  const isMissing = found.isTruncated || found.missingEvents !== 0;
  return {
    state: isMissing ? 'INCOMPLETE' : isFinal ? 'COMPLETE' : 'OPEN',
    source,
    received: numbered + unnumbered,
    withoutSequence: unnumbered,
    firstSequence: ranges[0]?.from ?? null,
    lastSequence: received.lastSequence,
    totalEventsSent: received.totalEventsSent,
    isFinal,
    ...found,
  };
}

type Found = Pick<SourceCompleteness, 'missing' | 'missingEvents' | 'isTruncated' | 'unexpected'>;

const withoutNumbers = (unnumbered: number, total: number | null): Found => ({
  missing: [],
  missingEvents: total === null ? 0 : Math.max(0, total - unnumbered),
  isTruncated: false,
  unexpected: total === null ? 0 : Math.max(0, unnumbered - total),
});

function withNumbers({ ranges, hasMore, numbered }: ReceivedFromSource, total: number | null): Found {
  const start = ranges[0]?.from === 0 ? 0 : 1;
  const isTruncated = hasMore || ranges.length > MAX_RANGES;
  const shown = ranges.slice(0, MAX_RANGES);
  // Beyond what is shown of the ranges nobody knows here what is missing.
  const end = isTruncated || total === null ? (shown.at(-1)?.to ?? start - 1) : start + total - 1;
  const missing = gapsIn(shown, start, end);
  if (isTruncated || missing.length > MAX_RANGES)
    return { missing: missing.slice(0, MAX_RANGES), missingEvents: null, isTruncated: true, unexpected: null };
  const expected = sizeOf(shown.map(({ from, to }) => ({ from, to: Math.min(to, end) })));
  return { missing, missingEvents: sizeOf(missing), isTruncated: false, unexpected: numbered - expected };
}

/** What of `start` to `end` is in none of `ranges`, which are in order and do not touch. */
function gapsIn(ranges: readonly SequenceRange[], start: number, end: number): readonly SequenceRange[] {
  const gaps: SequenceRange[] = [];
  let next = start;
  for (const { from, to } of ranges) {
    if (from > end) break;
    if (from > next) gaps.push({ from: next, to: from - 1 });
    next = to + 1;
  }
  if (next <= end) gaps.push({ from: next, to: end });
  return gaps;
}

const sizeOf = (ranges: readonly SequenceRange[]): number => ranges.reduce((sum, { from, to }) => sum + Math.max(0, to - from + 1), 0);
