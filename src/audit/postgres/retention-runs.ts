import type { SqlOf } from '../../platform/postgres.js';
import type { RetentionRuns } from '../retention/ports.js';
import { RECENT_RUNS } from '../retention/read-retention.js';
import { fromDrop, SETTINGS, toSetting, type SettingRow } from './retention-rows.js';

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
      `UPDATE retention_run SET finished_at = clock_timestamp(), is_complete = $3, would_drop = $4::json, error = $5,
         sessions = coalesce($6::bigint, sessions), open_calls = coalesce($7::bigint, open_calls)
       WHERE organization_id = $1 AND id = $2`,
      [
        ...[organizationId, id, isComplete, wouldDrop === null ? null : JSON.stringify(wouldDrop.drops.map(fromDrop)), error],
        ...[wouldDrop?.sessions ?? null, wouldDrop?.openCalls ?? null],
      ],
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
