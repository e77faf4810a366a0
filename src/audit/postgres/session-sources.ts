import { MAX_RANGES, type ReceivedFromSource } from '../completeness.js';

/** The most sources that are told of one session, by name. */
const MAX_SOURCES = 100;
/** The most ranges in one answer, shared by all sources in it; each is told one at least. */
const MAX_RANGES_TOGETHER = 200_000;

export interface ReceivedRow {
  readonly source: string;
  readonly has_more: boolean;
  readonly last_sequence: string | null;
  readonly numbered: string;
  readonly unnumbered: string;
  readonly is_final: boolean;
  readonly total_events_sent: string | null;
  /** `[from, to]`, both included. */
  readonly ranges: readonly (readonly [number, number])[] | null;
  readonly range_count: string;
}

/** What has come of each of the sessions $2. A multirange gives its ranges in order, their upper bounds not included. */
export const RECEIVED = `
  WITH picked AS MATERIALIZED (
    SELECT wanted.place, s.* FROM unnest($2::text[]) WITH ORDINALITY AS wanted (id, place), LATERAL (
      SELECT * FROM agent_session_source s WHERE s.organization_id = $1 AND s.session_id = wanted.id ORDER BY s.source LIMIT ${MAX_SOURCES}
    ) s
  ), share AS (
    SELECT greatest(1, least(${MAX_RANGES + 1}, ${MAX_RANGES_TOGETHER} / greatest(1, count(*)))) AS ranges FROM picked
  )
  SELECT p.place, p.source, p.has_more, p.last_sequence, p.numbered, p.unnumbered, p.is_final, p.total_events_sent,
    (SELECT count(*) FROM unnest(p.sequences)) AS range_count,
    (SELECT json_agg(json_build_array(lower(shown.range), upper(shown.range) - 1) ORDER BY lower(shown.range))
     FROM (SELECT range FROM unnest(p.sequences) range LIMIT (SELECT ranges FROM share)) shown) AS ranges
  FROM picked p ORDER BY p.place, p.source`;

export function toReceived(row: ReceivedRow): ReceivedFromSource {
  const ranges = (row.ranges ?? []).map(([from, to]) => ({ from, to }));
  return {
    source: row.source,
    ranges,
    hasMore: row.has_more || Number(row.range_count) > ranges.length,
    lastSequence: row.last_sequence === null ? null : Number(row.last_sequence),
    numbered: Number(row.numbered),
    unnumbered: Number(row.unnumbered),
    isFinal: row.is_final,
    totalEventsSent: row.total_events_sent === null ? null : Number(row.total_events_sent),
  };
}
