import type { OrganizationId } from '../../kernel/index.js';
import type { Sql, SqlOf } from '../../platform/postgres.js';
import type { EnforcementMode, PolicyInForce, Statement } from '../policy.js';
import type { PolicyReader } from '../ports.js';
import { statementsIn } from './rows.js';
import { COUNTS } from './times.js';

/** The most organizations whose statements are remembered. */
const KEPT_ORGANIZATIONS = 1_000;

/** The statements of revisions, by policy and number. They never change. */
type Known = ReadonlyMap<string, readonly Statement[]>;

/**
 * Reads what is in force. The statements of a revision are read once and then are the same objects every time, so that whoever makes
 * them ready has little to do when one policy of ten thousand has changed.
 */
export function revisionsInForce(of: SqlOf): PolicyReader['inForce'] {
  const remembered = new Map<OrganizationId, Known>();
  return async (organizationId, asOf) => {
    const sql = of(organizationId);
    const rows = await sql.query<InForceRow>(
      `SELECT p.id, p.name, p.namespace_id, r.revision, r.mode, r.effective_from, r.effective_until
       FROM policy p JOIN policy_revision r ON r.policy_id = p.id
       WHERE p.organization_id = $1 AND p.status = 'PUBLISHED' AND ${COUNTS('$2')} ORDER BY p.id, r.revision`,
      [organizationId, asOf.toISOString()],
    );
    const known = remembered.get(organizationId) ?? new Map<string, readonly Statement[]>();
    const unknown = rows.filter((row) => !known.has(nameOf(row)));
    const read = await statementsOf(sql, organizationId, unknown);
    const now = new Map(rows.map((row) => [nameOf(row), known.get(nameOf(row)) ?? read.get(nameOf(row)) ?? missing(row)]));
    remembered.delete(organizationId);
    const [oldest] = remembered.keys();
    if (remembered.size >= KEPT_ORGANIZATIONS && oldest !== undefined) remembered.delete(oldest);
    remembered.set(organizationId, now);
    return rows.map((row) => toInForce(row, now.get(nameOf(row)) ?? []));
  };
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
