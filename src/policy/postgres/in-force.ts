import type { OrganizationId } from '../../kernel/index.js';
import type { Sql, SqlOf } from '../../platform/postgres.js';
import type { EnforcementMode, PolicyInForce, Statement } from '../policy.js';
import type { PolicyReader } from '../ports.js';
import { statementsIn } from './rows.js';
import { COUNTED, COUNTS, STARTED } from './times.js';

/** The most organizations whose statements are remembered. */
const KEPT_ORGANIZATIONS = 1_000;

/** The statements of revisions, by policy and number. They never change. */
type Known = ReadonlyMap<string, readonly Statement[]>;

/**
 * Reads what is in force. The statements of a revision are read once and then are the same objects every time, so that whoever makes
 * them ready has little to do when one policy of ten thousand has changed.
 */
export function policiesInForce(of: SqlOf): Pick<PolicyReader, 'inForce' | 'enforcedAlong' | 'inForceThen'> {
  const remembered = new Map<OrganizationId, Known>();
  const knownOf = (organizationId: OrganizationId): Known => remembered.get(organizationId) ?? new Map();
  return {
    async inForce(organizationId, asOf) {
      const sql = of(organizationId);
      const rows = await sql.query<InForceRow>(`${REVISIONS} AND ${IS_PUBLISHED} AND ${COUNTS('$2')} ORDER BY p.id, r.revision`, [
        organizationId,
        asOf.toISOString(),
      ]);
      const now = await withStatements(sql, organizationId, rows, knownOf(organizationId));
      remembered.delete(organizationId);
      const [oldest] = remembered.keys();
      if (remembered.size >= KEPT_ORGANIZATIONS && oldest !== undefined) remembered.delete(oldest);
      remembered.set(organizationId, now);
      return rows.map((row) => toInForce(row, now.get(nameOf(row)) ?? []));
    },

    async enforcedAlong(organizationId, namespaceIds, now) {
      const sql = of(organizationId);
      const rows = await sql.query<InForceRow>(
        `${REVISIONS} AND ${IS_PUBLISHED} AND ${COUNTS('$2')} AND ${STARTED('$2')} AND r.mode = 'ENFORCE'
           AND p.namespace_id = ANY($3::text[]) ORDER BY p.id`,
        [organizationId, now.toISOString(), namespaceIds],
      );
      const known = await withStatements(sql, organizationId, rows, knownOf(organizationId));
      return rows.map((row) => toInForce(row, known.get(nameOf(row)) ?? []));
    },

    async inForceThen(organizationId, namespaceIds, then) {
      const sql = of(organizationId);
      // Whatever has become of the policies since.
      const rows = await sql.query<InForceRow>(
        `${REVISIONS} AND ${COUNTED('$2')} AND ${STARTED('$2')} AND p.namespace_id = ANY($3::text[]) ORDER BY p.id, r.revision`,
        [organizationId, then.toISOString(), namespaceIds],
      );
      const known = await withStatements(sql, organizationId, rows, knownOf(organizationId));
      return rows.map((row) => toInForce(row, known.get(nameOf(row)) ?? []));
    },
  };
}

const REVISIONS = `SELECT p.id, p.name, p.namespace_id, r.revision, r.mode, r.effective_from, r.effective_until
  FROM policy p JOIN policy_revision r ON r.policy_id = p.id WHERE p.organization_id = $1`;
const IS_PUBLISHED = "p.status = 'PUBLISHED'";

/** The statements of these revisions, those that are known as they are. */
async function withStatements(sql: Sql, organizationId: OrganizationId, rows: readonly InForceRow[], known: Known): Promise<Known> {
  const unknown = rows.filter((row) => !known.has(nameOf(row)));
  const read = await statementsOf(sql, organizationId, unknown);
  return new Map(rows.map((row) => [nameOf(row), known.get(nameOf(row)) ?? read.get(nameOf(row)) ?? missing(row)]));
}

async function statementsOf(sql: Sql, organizationId: OrganizationId, revisions: readonly InForceRow[]): Promise<Known> {
  if (revisions.length === 0) return new Map();
  const rows = await sql.query<{ id: string; revision: number; est: string }>(
    `SELECT r.policy_id AS id, r.revision, r.est::text AS est FROM unnest($2::uuid[], $3::int[]) AS wanted (policy_id, revision)
     JOIN policy_revision r ON r.policy_id = wanted.policy_id AND r.revision = wanted.revision WHERE r.organization_id = $1`,
    [organizationId, revisions.map(({ id }) => id), revisions.map(({ revision }) => revision)],
  );
  return new Map(rows.map((row) => [nameOf(row), statementsIn(row.est)]));
}

function missing(row: InForceRow): never {
  throw new Error(`A revision has gone that is never deleted: ${nameOf(row)}`);
}

const nameOf = ({ id, revision }: { readonly id: string; readonly revision: number }): string => `${id}/${revision}`;

interface InForceRow {
  readonly id: string;
  readonly name: string;
  readonly namespace_id: string;
  readonly revision: number;
  readonly mode: string;
  readonly effective_from: Date | null;
  readonly effective_until: Date | null;
}

const toInForce = (row: InForceRow, statements: readonly Statement[]): PolicyInForce => ({
  id: row.id,
  name: row.name,
  namespaceId: row.namespace_id,
  revision: row.revision,
  mode: row.mode as EnforcementMode,
  effectiveFrom: row.effective_from,
  effectiveUntil: row.effective_until,
  statements,
});
