import type { SqlOf } from '../../platform/postgres.js';
import type { EventArchive } from '../ports.js';
import { filterConditions, scopeCondition, timeConditions } from './event-filter.js';
import { ORGANIZATION_KEY } from './keys.js';
import { Values } from './values.js';

/** How many events one page looks at. */
const MAX_EXAMINED = 4_000;
/** A page ends behind the event with which it has looked at so many bytes of JSON, as they are stored. */
const MAX_PAGE_BYTES = 16 * 1024 * 1024;

interface PageRow {
  readonly lines: string | null;
  readonly count: bigint | string;
  readonly examined: bigint | string;
  readonly last: string | null;
}

/**
 * The audit log for whoever looks through all of it. A page comes as one text: a row for each event would cost more than reading it.
 * Events are looked at in the order of one index, whatever the filter, so that every page costs the same.
 */
export const postgresEventArchive = (of: SqlOf): EventArchive => ({
  async read(organizationId, scope, filter, after) {
    const values = new Values(organizationId);
    const range = [
      `e.organization_key = ${ORGANIZATION_KEY}`,
      'e.organization_id = $1',
      ...timeConditions(values, filter),
      ...(after === null ? [] : [`e.id > ${values.add(after)}::uuid`]),
    ].join(' AND ');
    const wanted = [scopeCondition(values, scope), ...filterConditions(values, filter)].join(' AND ');
    const [page] = await of(organizationId).query<PageRow>(
      `SELECT string_agg(e.json::text, E'\\n' ORDER BY e.id) FILTER (WHERE e.is_wanted) AS lines, count(*) FILTER (WHERE e.is_wanted) AS count,
         count(*) AS examined, max(e.id::text) AS last
       FROM (
         SELECT e.id, e.json, ${wanted} AS is_wanted,
           sum(pg_column_size(e.json)) OVER (ORDER BY e.id ROWS UNBOUNDED PRECEDING) - pg_column_size(e.json) AS bytes_before
         FROM (SELECT * FROM audit_event e WHERE ${range} ORDER BY e.id LIMIT ${MAX_EXAMINED}) e
       ) e
       WHERE e.bytes_before < ${MAX_PAGE_BYTES}`,
      values.all,
    );
    return {
      lines: page?.lines ?? '',
      count: Number(page?.count ?? 0),
      examined: Number(page?.examined ?? 0),
      last: page?.last ?? null,
    };
  },
});
