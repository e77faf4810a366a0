import { groupByPlace, hasAnyOf, type SqlOf } from '../../platform/postgres.js';
import { cursorKey } from '../cursor.js';
import type { EnforcementMode } from '../policy.js';
import type { EffectivePolicy, PolicyReader } from '../ports.js';
import { revisionsInForce } from './in-force.js';
import {
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
import { COUNTS, STARTED } from './times.js';

/** By name, then by id: names are unique in one namespace only. The bound is a cursor's key. */
const BEHIND = (bound: string): string => `(${bound}::text[] IS NULL OR (p.name, p.id::text) > (${bound}[1], ${bound}[2]))`;

/** Policies for readers. */
export const postgresPolicies = (of: SqlOf): PolicyReader => ({
  async byIds(organizationId, ids) {
    const rows = await of(organizationId).query<PolicyRow>(
      `SELECT ${POLICY_COLUMNS} FROM policy p WHERE p.organization_id = $1 AND p.id = ANY($2::uuid[])`,
      [organizationId, ids],
    );
    return rows.map(toPolicy);
  },

  async listAttached(organizationId, namespaceId, { first, after }) {
    const rows = await of(organizationId).query<PolicyRow>(
      `SELECT ${POLICY_COLUMNS} FROM policy p WHERE p.organization_id = $1 AND p.namespace_id = $2 AND ${BEHIND('$3')} ORDER BY p.name, p.id::text LIMIT $4`,
      [organizationId, namespaceId, cursorKey(after), first + 1],
    );
    return rows.map(toPolicy);
  },

  async listInForce(organizationId, { memberOf, now }, projectIds, { first, after }) {
    const rows = await of(organizationId).query<PolicyRow & { place: string; is_shown: boolean | null }>(
      `SELECT wanted.place, ${hasAnyOf('n.ancestors', '$3')} AS is_shown, p.*
       FROM unnest($2::text[]) WITH ORDINALITY AS wanted (id, place)
       LEFT JOIN namespace n ON n.organization_id = $1 AND n.id = wanted.id AND n.kind = 'PROJECT'
       LEFT JOIN LATERAL (
         SELECT ${POLICY_COLUMNS} FROM policy p
         WHERE p.organization_id = $1 AND p.namespace_id = ANY(n.ancestors) AND p.status = 'PUBLISHED' AND ${BEHIND('$4')}
           AND EXISTS (SELECT 1 FROM policy_revision r WHERE r.policy_id = p.id AND r.mode = 'ENFORCE' AND ${STARTED('$6')} AND ${COUNTS('$6')})
         ORDER BY p.name, p.id::text LIMIT $5
       ) p ON ${hasAnyOf('n.ancestors', '$3')}
       ORDER BY wanted.place, p.name, p.id::text`,
      [organizationId, projectIds, memberOf, cursorKey(after), first + 1, now.toISOString()],
    );
    return shown(rows, projectIds.length, (row) => (row.id === null ? [] : [toPolicy(row)]));
  },

  async listEffective(organizationId, { memberOf, now }, projectIds, { first, after }) {
    const rows = await of(organizationId).query<EffectiveRow & { place: string; is_shown: boolean | null }>(EFFECTIVE, [
      organizationId,
      projectIds,
      memberOf,
      cursorKey(after),
      first + 1,
      now.toISOString(),
    ]);
    return shown(rows, projectIds.length, (row) => (row.id === null ? [] : [toEffective(row)]));
  },

  async revisions(organizationId, policyIds, { first, after }) {
    const rows = await of(organizationId).query<RevisionRow & { place: string }>(
      `SELECT wanted.place, r.* FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted (id, place), LATERAL (
         SELECT ${REVISION_COLUMNS} FROM policy_revision r
         WHERE r.organization_id = $1 AND r.policy_id = wanted.id AND ($3::int IS NULL OR r.revision < $3) ORDER BY r.revision DESC LIMIT $4
       ) r ORDER BY wanted.place, r.revision DESC`,
      [organizationId, policyIds, after, first + 1],
    );
    return groupByPlace(rows, policyIds.length).map((own) => own.map(toRevision));
  },

  async revisionsByNumber(organizationId, wanted) {
    const rows = await of(organizationId).query<RevisionRow>(
      `SELECT ${REVISION_COLUMNS} FROM unnest($2::uuid[], $3::int[]) AS wanted (id, revision)
       JOIN policy_revision r ON r.organization_id = $1 AND r.policy_id = wanted.id AND r.revision = wanted.revision`,
      [organizationId, wanted.map(({ policyId }) => policyId), wanted.map(({ revision }) => revision)],
    );
    return rows.map(toRevision);
  },

  async currentRevisions(organizationId, policyIds, now) {
    const rows = await of(organizationId).query<RevisionRow & { place: string }>(
      `SELECT wanted.place, ${REVISION_COLUMNS} FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted (id, place)
       JOIN policy_revision r ON r.organization_id = $1 AND r.policy_id = wanted.id
       WHERE ${COUNTS('$3')} ORDER BY wanted.place, r.revision`,
      [organizationId, policyIds, now.toISOString()],
    );
    return groupByPlace(rows, policyIds.length).map((own) => own.map(toRevision));
  },

  async draftReviews(organizationId, policyIds) {
    const rows = await of(organizationId).query<ReviewRow & { place: string }>(
      `SELECT DISTINCT ON (wanted.place) wanted.place, ${REVIEW_COLUMNS} FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted (id, place)
       JOIN policy p ON p.organization_id = $1 AND p.id = wanted.id
       JOIN policy_review v ON v.policy_id = p.id AND v.subject = 'PUBLISH' AND v.number = p.draft_version
       ORDER BY wanted.place, v.reviewed_at DESC`,
      [organizationId, policyIds],
    );
    return groupByPlace(rows, policyIds.length).map(([row]) => (row === undefined ? null : toReview(row)));
  },

  async demandingReview(organizationId, namespaceIds) {
    const rows = await of(organizationId).query<{ namespace_id: string }>(DEMANDING_REVIEW, [organizationId, namespaceIds]);
    return rows.map((row) => row.namespace_id);
  },

  async listToolRules(organizationId, namespaceId, { first, after }) {
    const rows = await of(organizationId).query<RuleRow>(
      `SELECT ${RULE_COLUMNS} FROM tool_rule t WHERE t.organization_id = $1 AND t.namespace_id = $2
         AND ($3::text[] IS NULL OR (t.tool, t.agent_class) > ($3[1], $3[2]))
       ORDER BY t.tool, t.agent_class LIMIT $4`,
      [organizationId, namespaceId, cursorKey(after), first + 1],
    );
    return rows.map(toRule);
  },

  inForce: revisionsInForce(of),
});

export const DEMANDING_REVIEW = 'SELECT namespace_id FROM policy_setting WHERE organization_id = $1 AND namespace_id = ANY($2::text[])';

/** What there is in each project, or null where it is not shown. */
const shown = <Row extends { readonly place: string; readonly is_shown: boolean | null }, Item>(
  rows: readonly Row[],
  count: number,
  itemsIn: (row: Row) => readonly Item[],
): readonly (readonly Item[] | null)[] =>
  groupByPlace(rows, count).map((own) => (own[0]?.is_shown === true ? own.flatMap((row) => itemsIn(row)) : null));

const EFFECTIVE = `
  SELECT wanted.place, ${hasAnyOf('n.ancestors', '$3')} AS is_shown, cardinality(n.ancestors) AS depth, e.*
  FROM unnest($2::text[]) WITH ORDINALITY AS wanted (id, place)
  LEFT JOIN namespace n ON n.organization_id = $1 AND n.id = wanted.id AND n.kind = 'PROJECT'
  LEFT JOIN LATERAL (
    SELECT p.id, p.name, p.namespace_id, line.level, r.revision, r.mode, r.effective_from, r.effective_until
    FROM unnest(n.ancestors) WITH ORDINALITY AS line (id, level)
    JOIN policy p ON p.organization_id = $1 AND p.namespace_id = line.id AND p.status = 'PUBLISHED'
    JOIN policy_revision r ON r.policy_id = p.id AND ${STARTED('$6')} AND ${COUNTS('$6')}
    WHERE $4::text[] IS NULL OR (line.level, p.name, p.id::text, r.revision) > ($4[1]::bigint, $4[2], $4[3], $4[4]::int)
    ORDER BY line.level, p.name, p.id::text, r.revision LIMIT $5
  ) e ON ${hasAnyOf('n.ancestors', '$3')}
  ORDER BY wanted.place, e.level, e.name, e.id::text, e.revision`;

interface EffectiveRow {
  readonly id: string;
  readonly name: string;
  readonly namespace_id: string;
  readonly level: string;
  readonly depth: number;
  readonly revision: number;
  readonly mode: string;
  readonly effective_from: Date | null;
  readonly effective_until: Date | null;
}

function toEffective(row: EffectiveRow): EffectivePolicy {
  const level = Number(row.level);
  return {
    policyId: row.id,
    name: row.name,
    namespaceId: row.namespace_id,
    level,
    kind: level === 1 ? 'ORGANIZATION' : level === row.depth ? 'PROJECT' : 'GROUP',
    revision: row.revision,
    mode: row.mode as EnforcementMode,
    effectiveFrom: row.effective_from,
    effectiveUntil: row.effective_until,
  };
}
