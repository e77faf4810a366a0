import type { SqlOf } from '../../platform/postgres.js';
import type { HistogramInterval } from '../histogram.js';
import type { RollupReader } from '../session-ports.js';
import { namespacesBelow } from './event-filter.js';
import { Values } from './values.js';

/** Counts of events, as they are projected. */
export const postgresRollups = (of: SqlOf): RollupReader => ({
  async counts(organizationId, { namespaceId, interval, by, from, to, maxValues }) {
    const values = new Values(organizationId);
    // Of the whole organization there are days too: a year of it is some hundred rows for each value.
    const unit = namespaceId === null && interval !== 'HOUR' ? 'DAY' : 'HOUR';
    const where = namespaceId === null ? "r.namespace_id = ''" : `r.namespace_id IN (${namespacesBelow(values.add([namespaceId]))})`;
    const rows = await of(organizationId).query<{ start: Date; value: string | null; events: string }>(
      `WITH counted AS MATERIALIZED (
         SELECT date_trunc('${TRUNCATED[interval]}', r.start, 'UTC') AS start, r.value, sum(r.events) AS events FROM audit_rollup r
         WHERE r.organization_id = $1 AND ${where} AND r.dimension = ${values.add(by)} AND r.unit = '${unit}'
           AND r.start >= ${values.add(from.toISOString())}::timestamptz AND r.start < ${values.add(to.toISOString())}::timestamptz
         GROUP BY 1, 2
       ), shown AS (
         SELECT value FROM counted GROUP BY value ORDER BY sum(events) DESC, value LIMIT ${values.add(maxValues)}
       )
       SELECT start, value, events FROM counted JOIN shown USING (value)
       UNION ALL SELECT start, NULL, sum(events) FROM counted GROUP BY start`,
      values.all,
    );
    return rows.map((row) => ({ start: row.start, value: row.value, events: Number(row.events) }));
  },
});

/** Postgres begins weeks on Monday too. */
const TRUNCATED: Readonly<Record<HistogramInterval, string>> = { HOUR: 'hour', DAY: 'day', WEEK: 'week' };
