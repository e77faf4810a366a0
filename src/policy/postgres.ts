import type { Prisma } from '../generated/prisma/client.js';
import { cursorKey } from './cursor.js';
import { groupByPlace, hasAnyOf, sqlWithin, type SqlOf } from '../platform/postgres.js';
import type { Effect, Policy, PolicyInForce, PolicyStatus, Revision, Statement } from './policy.js';
import type { PolicyReader, PolicyWriter } from './ports.js';

interface PolicyRow {
  readonly id: string;
  readonly namespace_id: string;
  readonly name: string;
  readonly description: string | null;
  readonly status: string;
  readonly draft_text: string;
  readonly latest_revision: number;
  readonly created_at: Date;
  readonly created_by: string;
}

const COLUMNS = 'p.id, p.namespace_id, p.name, p.description, p.status, p.draft_text, p.latest_revision, p.created_at, p.created_by';
/** By name, then by id: names are unique in one namespace only. The bound is a cursor's key. */
const BEHIND = (bound: string): string => `(${bound}::text[] IS NULL OR (p.name, p.id::text) > (${bound}[1], ${bound}[2]))`;

/** Policies for readers. */
export const postgresPolicies = (of: SqlOf): PolicyReader => ({
  async byIds(organizationId, ids) {
    const rows = await of(organizationId).query<PolicyRow>(
      `SELECT ${COLUMNS} FROM policy p WHERE p.organization_id = $1 AND p.id = ANY($2::uuid[])`,
      [organizationId, ids],
    );
    return rows.map(toPolicy);
  },

  async listAttached(organizationId, namespaceId, { first, after }) {
    const rows = await of(organizationId).query<PolicyRow>(
      `SELECT ${COLUMNS} FROM policy p WHERE p.organization_id = $1 AND p.namespace_id = $2 AND ${BEHIND('$3')} ORDER BY p.name, p.id::text LIMIT $4`,
      [organizationId, namespaceId, cursorKey(after), first + 1],
    );
    return rows.map(toPolicy);
  },

  async listInForce(organizationId, memberOf, projectIds, { first, after }) {
    const rows = await of(organizationId).query<PolicyRow & { place: string; is_shown: boolean | null }>(
      `SELECT wanted.place, ${hasAnyOf('n.ancestors', '$3')} AS is_shown, p.*
       FROM unnest($2::text[]) WITH ORDINALITY AS wanted (id, place)
       LEFT JOIN namespace n ON n.organization_id = $1 AND n.id = wanted.id AND n.kind = 'PROJECT'
       LEFT JOIN LATERAL (
         SELECT ${COLUMNS} FROM policy p
         WHERE p.organization_id = $1 AND p.namespace_id = ANY(n.ancestors) AND p.status = 'PUBLISHED' AND ${BEHIND('$4')}
         ORDER BY p.name, p.id::text LIMIT $5
       ) p ON ${hasAnyOf('n.ancestors', '$3')}
       ORDER BY wanted.place, p.name, p.id::text`,
      [organizationId, projectIds, memberOf, cursorKey(after), first + 1],
    );
    return groupByPlace(rows, projectIds.length).map((own) => {
      return own[0]?.is_shown === true ? own.flatMap((row) => (row.id === null ? [] : [toPolicy(row)])) : null;
    });
  },

  async revisions(organizationId, policyIds, { first, after }) {
    const rows = await of(organizationId).query<RevisionRow & { place: string }>(
      `SELECT wanted.place, r.* FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted (id, place), LATERAL (
         SELECT policy_id, revision, status, text, est::text AS est, digest, message, published_at, published_by FROM policy_revision
         WHERE organization_id = $1 AND policy_id = wanted.id AND ($3::int IS NULL OR revision < $3) ORDER BY revision DESC LIMIT $4
       ) r ORDER BY wanted.place, r.revision DESC`,
      [organizationId, policyIds, after, first + 1],
    );
    return groupByPlace(rows, policyIds.length).map((own) => own.map(toRevision));
  },

  async inForce(organizationId) {
    const rows = await of(organizationId).query<{ id: string; name: string; namespace_id: string; revision: number; est: string }>(
      `SELECT p.id, p.name, p.namespace_id, r.revision, r.est::text AS est
       FROM policy p JOIN policy_revision r ON r.policy_id = p.id AND r.revision = p.latest_revision
       WHERE p.organization_id = $1 AND p.status = 'PUBLISHED' ORDER BY p.id`,
      [organizationId],
    );
    return rows.map((row): PolicyInForce => ({
      id: row.id,
      name: row.name,
      namespaceId: row.namespace_id,
      revision: row.revision,
      statements: statementsIn(row.est),
    }));
  },
});

/** Policies inside one open transaction. */
export const postgresPolicyWriter = (tx: Prisma.TransactionClient): PolicyWriter => {
  const sql = sqlWithin(tx);
  return {
    async insert(organizationId, policy) {
      const rows = await sql.query(
        `INSERT INTO policy (id, organization_id, namespace_id, name, description, status, draft_text, latest_revision, created_at, created_by)
         VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id`,
        [
          policy.id,
          organizationId,
          policy.namespaceId,
          policy.name,
          policy.description,
          policy.status,
          policy.draftText,
          policy.latestRevision,
          policy.createdAt,
          policy.createdBy,
        ],
      );
      return rows.length > 0;
    },

    async lock(organizationId, policyId) {
      const rows = await sql.query<PolicyRow>(
        `SELECT ${COLUMNS} FROM policy p WHERE p.organization_id = $1 AND p.id = $2::uuid FOR UPDATE`,
        [organizationId, policyId],
      );
      return rows[0] === undefined ? null : toPolicy(rows[0]);
    },

    async addRevision(organizationId, { policyId, statements, ...revision }) {
      const est = JSON.parse(JSON.stringify(statements)) as Prisma.InputJsonValue;
      await tx.policyRevision.create({ data: { organizationId, policyId, est, ...revision } });
      await tx.policy.update({
        where: { id: policyId, organizationId },
        data: { status: revision.status, draftText: revision.text, latestRevision: revision.revision },
      });
    },
  };
};

const toPolicy = (row: PolicyRow): Policy => ({
  id: row.id,
  namespaceId: row.namespace_id,
  name: row.name,
  description: row.description,
  status: row.status as PolicyStatus,
  draftText: row.draft_text,
  latestRevision: row.latest_revision,
  createdAt: row.created_at,
  createdBy: row.created_by,
});

interface RevisionRow {
  readonly policy_id: string;
  readonly revision: number;
  readonly status: string;
  readonly text: string;
  readonly est: string;
  readonly digest: string;
  readonly message: string | null;
  readonly published_at: Date;
  readonly published_by: string;
}

const toRevision = (row: RevisionRow): Revision => ({
  policyId: row.policy_id,
  revision: row.revision,
  status: row.status as Revision['status'],
  text: row.text,
  statements: statementsIn(row.est),
  digest: row.digest,
  message: row.message,
  publishedAt: row.published_at,
  publishedBy: row.published_by,
});

const statementsIn = (est: string): readonly Statement[] =>
  (JSON.parse(est) as { effect: Effect; est: Statement['est'] }[]).map(({ effect, est: json }) => ({ effect, est: json }));
