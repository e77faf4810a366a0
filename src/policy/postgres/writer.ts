import type { Prisma } from '../../generated/prisma/client.js';
import { sqlWithin } from '../../platform/postgres.js';
import type { PolicyWriter } from '../ports.js';
import { postgresBundleWriter } from './bundle.js';
import { DEMANDING_REVIEW, TRUSTED_APPLIERS, type TrustRow } from './reader.js';
import {
  draftColumns,
  fromPolicy,
  POLICY_COLUMNS,
  REVIEW_COLUMNS,
  REVISION_COLUMNS,
  RULE_COLUMNS,
  toPolicy,
  toReview,
  toRevision,
  toRule,
  type PolicyRow,
  type ReviewRow,
  type RevisionRow,
  type RuleRow,
} from './rows.js';

/** Policies inside one open transaction. */
export const postgresPolicyWriter = (tx: Prisma.TransactionClient): PolicyWriter => {
  const sql = sqlWithin(tx);
  return {
    ...postgresBundleWriter(tx),

    async insert(organizationId, policy) {
      const { count } = await tx.policy.createMany({ data: [{ organizationId, ...fromPolicy(policy) }], skipDuplicates: true });
      return count > 0;
    },

    async lock(organizationId, policyId) {
      const rows = await sql.query<PolicyRow>(
        `SELECT ${POLICY_COLUMNS} FROM policy p WHERE p.organization_id = $1 AND p.id = $2::uuid FOR UPDATE`,
        [organizationId, policyId],
      );
      return rows[0] === undefined ? null : toPolicy(rows[0]);
    },

    async revision(organizationId, policyId, revision) {
      const rows = await sql.query<RevisionRow>(
        `SELECT ${REVISION_COLUMNS} FROM policy_revision r WHERE r.organization_id = $1 AND r.policy_id = $2::uuid AND r.revision = $3`,
        [organizationId, policyId, revision],
      );
      return rows[0] === undefined ? null : toRevision(rows[0]);
    },

    async addRevision(organizationId, { statements, ...revision }) {
      const est = JSON.parse(JSON.stringify(statements)) as Prisma.InputJsonValue;
      await tx.policyRevision.create({ data: { organizationId, est, ...revision } });
      await tx.policy.update({
        where: { id: revision.policyId, organizationId },
        data: { status: revision.status, latestRevision: revision.revision },
      });
    },

    async saveDraft(organizationId, policyId, draft) {
      await tx.policy.update({ where: { id: policyId, organizationId }, data: draftColumns(draft) });
    },

    async addReview(organizationId, review) {
      await tx.policyReview.create({ data: { organizationId, ...review } });
    },

    async reviews(organizationId, policyId, subject, number) {
      const rows = await sql.query<ReviewRow>(
        `SELECT ${REVIEW_COLUMNS} FROM policy_review v
         WHERE v.organization_id = $1 AND v.policy_id = $2::uuid AND v.subject = $3 AND v.number = $4 ORDER BY v.reviewed_at DESC`,
        [organizationId, policyId, subject, number],
      );
      return rows.map(toReview);
    },

    async demandingReview(organizationId, line) {
      // Who sets it meanwhile waits, so that no publish without a review comes behind the record that one is needed.
      await sql.query(`SELECT pg_advisory_xact_lock_shared(${SETTINGS_LOCK})::text`, [organizationId]);
      const rows = await sql.query<{ namespace_id: string }>(DEMANDING_REVIEW, [organizationId, line]);
      return rows.map((row) => row.namespace_id);
    },

    async trustedAppliers(organizationId, line) {
      await sql.query(`SELECT pg_advisory_xact_lock_shared(${SETTINGS_LOCK})::text`, [organizationId]);
      const rows = await sql.query<TrustRow>(TRUSTED_APPLIERS, [organizationId, line]);
      return new Map(rows.map((row) => [row.namespace_id, row.trusted_appliers]));
    },

    async lockSettings(organizationId) {
      await sql.query(`SELECT pg_advisory_xact_lock(${SETTINGS_LOCK})::text`, [organizationId]);
    },

    async demandReview(organizationId, namespaceId, by) {
      await sql.query(`SELECT pg_advisory_xact_lock(${SETTINGS_LOCK})::text`, [organizationId]);
      const { count } =
        by === null
          ? await tx.policySetting.deleteMany({ where: { organizationId, namespaceId } })
          : await tx.policySetting.createMany({
              data: [{ organizationId, namespaceId, setAt: by.at, setBy: by.userId }],
              skipDuplicates: true,
            });
      return count > 0;
    },

    async trustAppliers(organizationId, namespaceId, userIds, { at, userId }) {
      await sql.query(`SELECT pg_advisory_xact_lock(${SETTINGS_LOCK})::text`, [organizationId]);
      const { count } = await tx.policySetting.updateMany({
        where: { organizationId, namespaceId, NOT: { appliers: { equals: [...userIds] } } },
        data: { appliers: [...userIds], setAt: at, setBy: userId },
      });
      return count > 0;
    },

    async lockToolRules(organizationId, namespaceId) {
      await sql.query("SELECT pg_advisory_xact_lock(hashtextextended($2, hashtextextended($1 || ' tool rules', 0)))::text", [
        organizationId,
        namespaceId,
      ]);
      const policies = await sql.query<PolicyRow>(
        `SELECT ${POLICY_COLUMNS} FROM policy p
         WHERE p.organization_id = $1 AND p.namespace_id = $2 AND p.origin = 'TOOL_RULES' ORDER BY p.created_at, p.id`,
        [organizationId, namespaceId],
      );
      const rules = await sql.query<RuleRow>(
        `SELECT ${RULE_COLUMNS} FROM tool_rule t WHERE t.organization_id = $1 AND t.namespace_id = $2`,
        [organizationId, namespaceId],
      );
      return { policies: policies.map(toPolicy), rules: rules.map(toRule) };
    },

    async changeToolRules(organizationId, namespaceId, changes, { at, userId }) {
      const [put, removed] = [changes.filter(({ verdict }) => verdict !== null), changes.filter(({ verdict }) => verdict === null)];
      await sql.query(
        `INSERT INTO tool_rule (organization_id, namespace_id, tool, agent_class, verdict, policy_id, set_at, set_by)
         SELECT $1, $2, tool, "agentClass", verdict, "policyId", $4::timestamptz, $5
         FROM json_to_recordset($3::json) AS row (tool text, "agentClass" text, verdict text, "policyId" uuid)
         ON CONFLICT (organization_id, namespace_id, tool, agent_class) DO UPDATE
         SET verdict = excluded.verdict, policy_id = excluded.policy_id, set_at = excluded.set_at, set_by = excluded.set_by`,
        [organizationId, namespaceId, JSON.stringify(put), at.toISOString(), userId],
      );
      await sql.query(
        `DELETE FROM tool_rule t USING json_to_recordset($3::json) AS row (tool text, "agentClass" text)
         WHERE t.organization_id = $1 AND t.namespace_id = $2 AND t.tool = row.tool AND t.agent_class = row."agentClass"`,
        [organizationId, namespaceId, JSON.stringify(removed)],
      );
    },
  };
};

const SETTINGS_LOCK = "hashtextextended($1 || ' policy settings', 0)";
