import type { Sql, SqlOf } from '../../platform/postgres.js';
import type { RetentionReader, RetentionRun, ScheduleState } from '../retention/ports.js';
import { ORGANIZATION_KEY } from './keys.js';
import { HOLDS, SETTINGS, toDrop, toHold, toSetting, type DropRow, type HoldRow, type SettingRow } from './retention-rows.js';

/** What retention is set to and what it did, for readers. `sql` is for what belongs to no organization. */
export const postgresRetentionReader = (of: SqlOf, sql: Sql): RetentionReader => ({
  async settings(organizationId) {
    return (await of(organizationId).query<SettingRow>(`${SETTINGS} ORDER BY namespace_id, class`, [organizationId])).map(toSetting);
  },

  async holds(organizationId, isInForce, { first, after }) {
    const rows = await of(organizationId).query<HoldRow>(
      `${HOLDS} AND ($2::boolean IS NULL OR (lifted_at IS NULL) = $2) AND ($3::uuid IS NULL OR id < $3::uuid) ORDER BY id DESC LIMIT $4`,
      [organizationId, isInForce, after, first + 1],
    );
    return rows.map(toHold);
  },

  async hold(organizationId, id) {
    const [row] = await of(organizationId).query<HoldRow>(`${HOLDS} AND id = $2::uuid`, [organizationId, id]);
    return row === undefined ? null : toHold(row);
  },

  async runs(organizationId, limit) {
    return (await of(organizationId).query<RunRow>(RUNS, [organizationId, limit])).map(toRun);
  },

  async oldestKept(organizationId) {
    const [row] = await of(organizationId).query<{ event: Date | null; content: Date | null }>(OLDEST, [organizationId]);
    return { event: row?.event ?? null, content: row?.content ?? null };
  },

  async schedule() {
    const [row] = await sql.query<{ started_at: Date | null; finished_at: Date | null; leader: string | null }>(
      'SELECT started_at, finished_at, leader FROM retention_cycle WHERE id = 1',
    );
    return {
      startedAt: row?.started_at ?? null,
      finishedAt: row?.finished_at ?? null,
      leader: row?.leader ?? null,
    } satisfies ScheduleState;
  },

  months: () => monthsIn(sql),
});

/** The first days of the months for which there are partitions of events and of contents. */
export async function monthsIn(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.query<{ first_day: string }>(`
    SELECT to_char(to_date(right(p.relname, 6), 'YYYYMM'), 'YYYY-MM-DD') AS first_day
    FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid
    WHERE i.inhparent = 'audit_event'::regclass AND EXISTS (
      SELECT 1 FROM pg_inherits c JOIN pg_class q ON q.oid = c.inhrelid
      WHERE c.inhparent = 'audit_event_content'::regclass AND right(q.relname, 6) = right(p.relname, 6))
    ORDER BY 1`);
  return rows.map((row) => row.first_day);
}

const OLDEST = `
  SELECT
    uuid_v7_time((SELECT e.id FROM audit_event e WHERE e.organization_key = ${ORGANIZATION_KEY} AND e.organization_id = $1 ORDER BY e.id LIMIT 1)) AS event,
    uuid_v7_time((SELECT c.event_id FROM audit_event_content c WHERE c.organization_key = ${ORGANIZATION_KEY} AND c.organization_id = $1 ORDER BY c.event_id LIMIT 1)) AS content`;

const RUNS = `
  SELECT r.id, r.started_at, r.started_by, r.is_dry_run, r.finished_at, r.is_complete, r.error, r.sessions, r.open_calls,
    CASE WHEN r.is_dry_run THEN r.would_drop ELSE (
      SELECT json_agg(d ORDER BY d.class, d.namespace_id COLLATE "C" NULLS FIRST) FROM (
        SELECT class, namespace_id, min(from_time) AS from_time, max(to_time) AS to_time, min(first_position) AS first_position,
          max(last_position) AS last_position, sum(count) AS count
        FROM retention_drop d WHERE d.organization_id = r.organization_id AND d.run_id = r.id GROUP BY class, namespace_id
      ) d) END AS drops
  FROM retention_run r WHERE r.organization_id = $1 ORDER BY r.started_at DESC, r.id DESC LIMIT $2`;

interface RunRow {
  readonly id: string;
  readonly started_at: Date;
  readonly started_by: string | null;
  readonly is_dry_run: boolean;
  readonly finished_at: Date | null;
  readonly is_complete: boolean;
  readonly error: string | null;
  readonly drops: readonly DropRow[] | null;
  readonly sessions: string;
  readonly open_calls: string;
}

const toRun = (row: RunRow): RetentionRun => ({
  id: row.id,
  startedAt: row.started_at,
  startedBy: row.started_by,
  isDryRun: row.is_dry_run,
  finishedAt: row.finished_at,
  isComplete: row.is_complete,
  drops: (row.drops ?? []).map(toDrop),
  sessions: Number(row.sessions),
  openCalls: Number(row.open_calls),
  error: row.error,
});
