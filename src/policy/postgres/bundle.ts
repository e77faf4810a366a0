import type { Prisma } from '../../generated/prisma/client.js';
import type { OrganizationId } from '../../kernel/index.js';
import { sqlWithin, type Sql } from '../../platform/postgres.js';
import type { Policy } from '../policy.js';
import type { PolicyWithLatest, PolicyWriter } from '../ports.js';
import { fromPolicy, POLICY_COLUMNS, REVISION_COLUMNS_ALONE, toPolicy, toRevisionAlone, type PolicyRow, type RevisionRow } from './rows.js';

/** The policies `p` that a bundle minds: $1 the organization, $2 the namespace, $3 the names of the bundle. */
export const IN_BUNDLE = "p.organization_id = $1 AND p.namespace_id = $2 AND (p.origin = 'AS_CODE' OR p.name = ANY($3::text[]))";

/** What a bundle does inside one open transaction. */
export const postgresBundleWriter = (
  tx: Prisma.TransactionClient,
): Pick<PolicyWriter, 'lockBundle' | 'insertAll' | 'addRevisions' | 'saveAll'> => {
  const sql = sqlWithin(tx);
  return {
    async lockBundle(organizationId, namespaceId, names) {
      await sql.query("SELECT pg_advisory_xact_lock(hashtextextended($2, hashtextextended($1 || ' policy bundle', 0)))::text", [
        organizationId,
        namespaceId,
      ]);
      // In one order, so that no two transactions wait for each other.
      return withLatest(sql, organizationId, await lockedPolicies(sql, organizationId, namespaceId, names));
    },

    async insertAll(organizationId, policies) {
      let stored = 0;
      for (let first = 0; first < policies.length; first += ROWS_A_STATEMENT) {
        const data = policies.slice(first, first + ROWS_A_STATEMENT).map((policy) => ({ organizationId, ...fromPolicy(policy) }));
        stored += (await tx.policy.createMany({ data, skipDuplicates: true })).count;
      }
      return stored;
    },

    async addRevisions(organizationId, revisions) {
      for (let first = 0; first < revisions.length; first += ROWS_A_STATEMENT) {
        const data = revisions.slice(first, first + ROWS_A_STATEMENT).map(({ statements, ...revision }) => ({
          ...{ organizationId, est: JSON.parse(JSON.stringify(statements)) as Prisma.InputJsonValue },
          ...revision,
        }));
        await tx.policyRevision.createMany({ data });
      }
    },

    async saveAll(organizationId, policies) {
      await sql.query(SAVE_ALL, [organizationId, JSON.stringify(policies.map(fromPolicy))]);
    },
  };
};

/** With est of at most some tens of kilobytes each; what is made ready for a statement keeps others waiting. */
const ROWS_A_STATEMENT = 50;

const lockedPolicies = async (sql: Sql, organizationId: OrganizationId, namespaceId: string, names: readonly string[]) =>
  (
    await sql.query<PolicyRow>(`SELECT ${POLICY_COLUMNS} FROM policy p WHERE ${IN_BUNDLE} ORDER BY p.id FOR UPDATE`, [
      organizationId,
      namespaceId,
      names,
    ])
  ).map(toPolicy);

/** Policies with what they were published with last. */
export async function withLatest(
  sql: Sql,
  organizationId: OrganizationId,
  policies: readonly Policy[],
): Promise<readonly PolicyWithLatest[]> {
  const rows = await sql.query<Omit<RevisionRow, 'est'>>(
    `SELECT ${REVISION_COLUMNS_ALONE} FROM unnest($2::uuid[], $3::int[]) AS wanted (id, revision)
     JOIN policy_revision r ON r.organization_id = $1 AND r.policy_id = wanted.id AND r.revision = wanted.revision`,
    [organizationId, policies.map(({ id }) => id), policies.map(({ latestRevision }) => latestRevision)],
  );
  const latest = new Map(rows.map((row) => [row.policy_id, toRevisionAlone(row)]));
  return policies.map((policy) => ({ policy, latest: latest.get(policy.id) ?? null }));
}

const SAVE_ALL = `
  UPDATE policy p SET description = row.description, origin = row.origin, status = row.status, draft_text = row."draftText", draft_cases = row."draftCases",
    draft_version = row."draftVersion", draft_saved_at = row."draftSavedAt", draft_saved_by = row."draftSavedBy",
    latest_revision = row."latestRevision", applied_revision = row."lastApplied", repository = row.repository
  FROM json_to_recordset($2::json) AS row (id uuid, description text, origin text, status text, "draftText" text, "draftCases" text, "draftVersion" int,
    "draftSavedAt" timestamptz, "draftSavedBy" text, "latestRevision" int, "lastApplied" int, repository text)
  WHERE p.organization_id = $1 AND p.id = row.id`;
