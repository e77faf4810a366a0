import type { Prisma } from '../../generated/prisma/client.js';
import { userId } from '../../kernel/index.js';
import { sqlWithin } from '../../platform/postgres.js';
import { postgresAuditLog } from '../postgres.js';
import type { RetentionTransaction } from '../retention/ports.js';
import { SETTINGS, toDrop, toSetting, type DropRow, type SettingRow } from './retention-rows.js';

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
