import { ORGANIZATION_KEY } from './keys.js';
import type { Prisma } from '../../generated/prisma/client.js';
import { userId } from '../../kernel/index.js';
import { sqlWithin, type Sql, type SqlOf } from '../../platform/postgres.js';
import { RETENTION_CLASSES, type RetentionClass } from '../catalogue.js';
import { postgresAuditLog } from '../postgres.js';
import type { LegalHold } from '../retention/hold.js';
import type {
  Drop,
  RetentionReader,
  RetentionRun,
  RetentionRuns,
  RetentionSetting,
  RetentionTransaction,
  ScheduleState,
} from '../retention/ports.js';
import { RECENT_RUNS } from '../retention/read-retention.js';
import { DECISION_TYPES } from '../retention/rules.js';

interface SettingRow {
  readonly namespace_id: string;
  readonly class: string;
  readonly days: number;
  readonly set_at: Date;
  readonly set_by: string;
}

const SETTINGS = 'SELECT namespace_id, class, days, set_at, set_by FROM retention_setting WHERE organization_id = $1';
const HOLDS = `SELECT id, name, reason, namespace_id, session_id, user_id, agent_id, from_time, to_time, placed_at, placed_by, lifted_at, lifted_by, lift_reason
  FROM legal_hold WHERE organization_id = $1`;

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
    const [row] = await of(organizationId).query<Readonly<Record<RetentionClass, Date | null>>>(OLDEST, [organizationId, DECISION_TYPES]);
    return row ?? { CONTENT: null, METADATA: null, DECISIONS: null };
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

// Along the organization's events in their order: the first of each class is among the first of all, unless all of the other class went.
const OLDEST = `
  SELECT
    uuid_v7_time((SELECT c.event_id FROM audit_event_content c WHERE c.organization_key = ${ORGANIZATION_KEY} AND c.organization_id = $1 ORDER BY c.event_id LIMIT 1)) AS "CONTENT",
    uuid_v7_time((SELECT e.id FROM audit_event e WHERE e.organization_key = ${ORGANIZATION_KEY} AND e.organization_id = $1 AND e.type <> ALL($2::text[]) ORDER BY e.id LIMIT 1)) AS "METADATA",
    uuid_v7_time((SELECT e.id FROM audit_event e WHERE e.organization_key = ${ORGANIZATION_KEY} AND e.organization_id = $1 AND e.type = ANY($2::text[]) ORDER BY e.id LIMIT 1)) AS "DECISIONS"`;

const RUNS = `
  SELECT r.id, r.started_at, r.started_by, r.is_dry_run, r.finished_at, r.is_complete, r.error,
    CASE WHEN r.is_dry_run THEN r.would_drop ELSE (
      SELECT json_agg(d ORDER BY d.class, d.namespace_id COLLATE "C" NULLS FIRST) FROM (
        SELECT class, namespace_id, min(from_time) AS from_time, max(to_time) AS to_time, min(first_position) AS first_position,
          max(last_position) AS last_position, sum(count) AS count
        FROM retention_drop d WHERE d.organization_id = r.organization_id AND d.run_id = r.id GROUP BY class, namespace_id
      ) d) END AS drops
  FROM retention_run r WHERE r.organization_id = $1 ORDER BY r.started_at DESC, r.id DESC LIMIT $2`;

/** Retention inside one open transaction. */
export const postgresRetentionTransaction = (tx: Prisma.TransactionClient): RetentionTransaction => {
  const sql = sqlWithin(tx);
  return {
    // What a transaction made must not be remembered before it has committed: no months are shared with it.
    auditLog: postgresAuditLog(() => sql, new Set()),

    async lock(organizationId) {
      await sql.query("SELECT retention_lock(false)::text, pg_advisory_xact_lock(hashtextextended($1 || ' retention', 0))::text", [
        organizationId,
      ]);
    },

    async setting(organizationId, namespaceId, of) {
      const [row] = await sql.query<SettingRow>(`${SETTINGS} AND namespace_id = $2 AND class = $3`, [organizationId, namespaceId, of]);
      return row === undefined ? null : toSetting(row);
    },

    async putSetting(organizationId, { namespaceId, class: of, days, setAt, setBy }) {
      await sql.query(
        `INSERT INTO retention_setting (organization_id, namespace_id, class, days, set_at, set_by) VALUES ($1, $2, $3, $4::int, $5::timestamptz, $6)
         ON CONFLICT (organization_id, namespace_id, class) DO UPDATE SET days = excluded.days, set_at = excluded.set_at, set_by = excluded.set_by`,
        [organizationId, namespaceId, of, days, setAt, setBy],
      );
    },

    async removeSetting(organizationId, namespaceId, of) {
      await sql.query('DELETE FROM retention_setting WHERE organization_id = $1 AND namespace_id = $2 AND class = $3', [
        organizationId,
        namespaceId,
        of,
      ]);
    },

    async putHold(organizationId, hold) {
      await sql.query(
        `INSERT INTO legal_hold (organization_id, id, name, reason, namespace_id, session_id, user_id, agent_id, from_time, to_time, placed_at, placed_by)
         VALUES ($1, $2::uuid, $3, $4, $5, $6, $7, $8, $9::timestamptz, $10::timestamptz, $11::timestamptz, $12)`,
        [
          organizationId,
          hold.id,
          hold.name,
          hold.reason,
          hold.namespaceId,
          hold.sessionId,
          hold.userId,
          hold.agentId,
          hold.from,
          hold.to,
          hold.placedAt,
          hold.placedBy,
        ],
      );
    },

    async liftHold(organizationId, id, { at, by, reason }) {
      const rows = await sql.query(
        `UPDATE legal_hold SET lifted_at = $3::timestamptz, lifted_by = $4, lift_reason = $5
         WHERE organization_id = $1 AND id = $2::uuid AND lifted_at IS NULL RETURNING id`,
        [organizationId, id, at, by, reason],
      );
      return rows.length > 0;
    },

    async unrecordedDrops(organizationId) {
      const rows = await sql.query<DropRow & { id: string; started_by: string | null }>(
        `SELECT d.id, d.class, d.namespace_id, d.from_time, d.to_time, d.first_position, d.last_position, d.count, r.started_by
         FROM retention_drop d JOIN retention_run r ON r.organization_id = d.organization_id AND r.id = d.run_id
         WHERE d.organization_id = $1 AND d.recorded_at IS NULL ORDER BY d.class, d.namespace_id COLLATE "C" NULLS FIRST, d.id`,
        [organizationId],
      );
      return rows.map((row) => ({ ...toDrop(row), id: row.id, startedBy: row.started_by === null ? null : userId(row.started_by) }));
    },

    async markRecorded(organizationId, ids, at) {
      await sql.query('UPDATE retention_drop SET recorded_at = $3::timestamptz WHERE organization_id = $1 AND id = ANY($2::uuid[])', [
        organizationId,
        ids,
        at,
      ]);
    },
  };
};

/** How long a run by hand that says nothing is believed to be under way. */
const BY_HAND_SECONDS = 120;

/** The account of runs. */
export const postgresRetentionRuns = (of: SqlOf): RetentionRuns => ({
  async rules(organizationId) {
    const sql = of(organizationId);
    const settings = await sql.query<SettingRow>(SETTINGS, [organizationId]);
    const [row] = await sql.query<RulesRow>(RULES, [organizationId]);
    const { swept_as_of: sweptAsOf = null, swept_whole_at: sweptWholeAt = null, rules_digest: digest = null } = row ?? {};
    return {
      settings: settings.map(toSetting),
      holdIds: row?.hold_ids ?? [],
      epoch: Number(row?.epoch ?? 0),
      progress: sweptAsOf === null || sweptWholeAt === null || digest === null ? null : { sweptAsOf, sweptWholeAt, digest },
    };
  },

  async keepProgress(organizationId, { digest, sweptAsOf, sweptWholeAt }) {
    await of(organizationId).query(
      `INSERT INTO retention_progress (organization_id, rules_digest, swept_as_of, swept_whole_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (organization_id) DO UPDATE
       SET rules_digest = excluded.rules_digest, swept_as_of = excluded.swept_as_of, swept_whole_at = excluded.swept_whole_at`,
      [organizationId, digest, sweptAsOf, sweptWholeAt],
    );
  },

  async begin(organizationId, { id, asOf, startedBy, isDryRun }) {
    const sql = of(organizationId);
    await sql.query(INTERRUPT, [organizationId, startedBy === null, BY_HAND_SECONDS, id]);
    const rows = await sql.query(
      `INSERT INTO retention_run (organization_id, id, started_at, started_by, is_dry_run) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING id`,
      [organizationId, id, asOf, startedBy, isDryRun],
    );
    return rows.length > 0 || startedBy === null;
  },

  async finish(organizationId, id, { isComplete, wouldDrop, error }) {
    const sql = of(organizationId);
    await sql.query(
      'UPDATE retention_run SET finished_at = clock_timestamp(), is_complete = $3, would_drop = $4::json, error = $5 WHERE organization_id = $1 AND id = $2',
      [organizationId, id, isComplete, wouldDrop === null ? null : JSON.stringify(wouldDrop.map(fromDrop)), error],
    );
    await sql.query(FORGET, [organizationId, RECENT_RUNS]);
  },
});

interface RulesRow {
  readonly hold_ids: readonly string[];
  readonly epoch: string | null;
  readonly swept_as_of: Date | null;
  readonly swept_whole_at: Date | null;
  readonly rules_digest: string | null;
}

const RULES = `
  SELECT ARRAY(SELECT id::text FROM legal_hold WHERE organization_id = $1 AND lifted_at IS NULL) AS hold_ids,
    (SELECT epoch FROM organization WHERE id = $1) AS epoch, p.swept_as_of, p.swept_whole_at, p.rules_digest
  FROM (SELECT 1) always LEFT JOIN retention_progress p ON p.organization_id = $1`;

// Who has the seat knows that no other run of the schedule is alive. A run by hand ends within a bound.
const INTERRUPT = `
  UPDATE retention_run SET finished_at = clock_timestamp(), error = 'The process that ran it ended in the middle. What it had not dropped is left to the next run.'
  WHERE organization_id = $1 AND finished_at IS NULL AND id <> $4
    AND (CASE WHEN started_by IS NULL THEN $2::boolean ELSE started_at < clock_timestamp() - make_interval(secs => $3) END)`;

const FORGET = `
  DELETE FROM retention_run r WHERE r.organization_id = $1 AND r.finished_at IS NOT NULL
    AND r.id NOT IN (SELECT id FROM retention_run WHERE organization_id = $1 ORDER BY started_at DESC, id DESC LIMIT $2)
    AND NOT EXISTS (SELECT 1 FROM retention_drop d WHERE d.organization_id = $1 AND d.run_id = r.id AND d.recorded_at IS NULL)`;

const toSetting = (row: SettingRow): RetentionSetting => ({
  namespaceId: row.namespace_id,
  class: classIn(row.class),
  days: row.days,
  setAt: row.set_at,
  setBy: row.set_by,
});

function classIn(text: string): RetentionClass {
  const found = RETENTION_CLASSES.find((each) => each === text);
  if (found === undefined) throw new Error(`There is no retention class ${text}.`);
  return found;
}

interface HoldRow {
  readonly id: string;
  readonly name: string;
  readonly reason: string;
  readonly namespace_id: string | null;
  readonly session_id: string | null;
  readonly user_id: string | null;
  readonly agent_id: string | null;
  readonly from_time: Date | null;
  readonly to_time: Date | null;
  readonly placed_at: Date;
  readonly placed_by: string;
  readonly lifted_at: Date | null;
  readonly lifted_by: string | null;
  readonly lift_reason: string | null;
}

const toHold = (row: HoldRow): LegalHold => ({
  id: row.id,
  name: row.name,
  reason: row.reason,
  namespaceId: row.namespace_id,
  sessionId: row.session_id,
  userId: row.user_id,
  agentId: row.agent_id,
  from: row.from_time,
  to: row.to_time,
  placedAt: row.placed_at,
  placedBy: row.placed_by,
  lift:
    row.lifted_at === null || row.lifted_by === null || row.lift_reason === null
      ? null
      : { at: row.lifted_at, by: row.lifted_by, reason: row.lift_reason },
});

/** A drop as a row and as JSON have it. */
export interface DropRow {
  readonly class: string;
  readonly namespace_id: string | null;
  readonly from_time: Date | string;
  readonly to_time: Date | string;
  readonly first_position: bigint | number | string;
  readonly last_position: bigint | number | string;
  readonly count: bigint | number | string;
}

export const toDrop = (row: DropRow): Drop => ({
  class: classIn(row.class),
  namespaceId: row.namespace_id,
  from: new Date(row.from_time),
  to: new Date(row.to_time),
  firstPosition: Number(row.first_position),
  lastPosition: Number(row.last_position),
  count: Number(row.count),
});

const fromDrop = (drop: Drop): DropRow => ({
  class: drop.class,
  namespace_id: drop.namespaceId,
  from_time: drop.from.toISOString(),
  to_time: drop.to.toISOString(),
  first_position: drop.firstPosition,
  last_position: drop.lastPosition,
  count: drop.count,
});

interface RunRow {
  readonly id: string;
  readonly started_at: Date;
  readonly started_by: string | null;
  readonly is_dry_run: boolean;
  readonly finished_at: Date | null;
  readonly is_complete: boolean;
  readonly error: string | null;
  readonly drops: readonly DropRow[] | null;
}

const toRun = (row: RunRow): RetentionRun => ({
  id: row.id,
  startedAt: row.started_at,
  startedBy: row.started_by,
  isDryRun: row.is_dry_run,
  finishedAt: row.finished_at,
  isComplete: row.is_complete,
  drops: (row.drops ?? []).map(toDrop),
  error: row.error,
});
