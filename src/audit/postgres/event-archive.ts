import type { SqlOf } from '../../platform/postgres.js';
import type { EventArchive } from '../ports.js';
import { filterConditions, scopeCondition, timeConditions } from './event-filter.js';
import { ORGANIZATION_KEY } from './keys.js';
import { Values } from './values.js';

/** How many events one page looks at. */
const MAX_EXAMINED = 4_000;
/** A page ends behind the event with which it has looked at so many bytes of JSON. */
const MAX_PAGE_BYTES = 16 * 1024 * 1024;

interface PageRow {
  readonly id: string;
  /** Null when the filter does not want the event. */
  readonly json: string | null;
}

/**
 * The audit log for whoever looks through all of it. Events are looked at in the order of one index, whatever the filter, so that every
 * page costs the same: where it ends is found by their sizes alone, before any JSON is read.
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
    const rows = await of(organizationId).query<PageRow>(
      `SELECT e.id::text AS id, CASE WHEN ${wanted} THEN e.json::text END AS json
       FROM audit_event e
       WHERE ${range} AND e.id <= (
         SELECT e.id
         FROM (
           SELECT e.id, sum(e.bytes) OVER (ORDER BY e.id ROWS UNBOUNDED PRECEDING) - e.bytes AS bytes_before
           FROM (SELECT e.id, e.bytes FROM audit_event e WHERE ${range} ORDER BY e.id LIMIT ${MAX_EXAMINED}) e
         ) e
         WHERE e.bytes_before < ${MAX_PAGE_BYTES} ORDER BY e.id DESC LIMIT 1
       )
       ORDER BY e.id`,
      values.all,
    );
    return {
      events: rows.flatMap(({ json }) => json ?? []),
      examined: rows.length,
      last: rows.at(-1)?.id ?? null,
    };
  },
});
