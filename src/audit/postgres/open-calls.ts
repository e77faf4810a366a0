import { pageOf, type PageRequest } from '../../kernel/index.js';
import { groupByPlace, hasAnyOf, type SqlOf } from '../../platform/postgres.js';
import type { EventScope } from '../ports.js';
import type { OpenCall } from '../session.js';
import type { OpenCallReader } from '../session-ports.js';
import { AUDITED_NAMESPACE } from './event-filter.js';
import { Values } from './values.js';

interface OpenCallRow {
  readonly event_id: string;
  readonly session_id: string;
  readonly call_id: string;
  readonly project_id: string | null;
  readonly user_id: string | null;
  readonly agent_id: string | null;
  readonly tool: string | null;
}

/** Allowed calls without an outcome, as they are projected. */
export const postgresOpenCalls = (of: SqlOf): OpenCallReader => ({
  async list(organizationId, scope, { namespaceIds, before, page }) {
    const values = new Values(organizationId);
    const oldest = streamsOf(values, scope, namespaceIds, { before, page }).join(' UNION ');
    const rows = await of(organizationId).query<OpenCallRow>(
      `SELECT c.* FROM (${oldest}) c ORDER BY c.event_id LIMIT ${values.add(page.first + 1)}`,
      values.all,
    );
    return pageOf(rows.map(toOpenCall), page);
  },

  async listBySession(organizationId, sessions, { before, page }) {
    const values = new Values(organizationId);
    const ids = values.add(sessions.map(({ id }) => id));
    const projects = values.add(sessions.map(({ projectId }) => projectId));
    // A decision about another project under the session's id is not the session's.
    const own = `c.session_id = wanted.id AND c.project_id = wanted.project_id AND ${range(values, { before, page })}`;
    const rows = await of(organizationId).query<OpenCallRow & { place: string }>(
      `SELECT wanted.place, c.* FROM unnest(${ids}::text[], ${projects}::text[]) WITH ORDINALITY AS wanted (id, project_id, place),
       LATERAL ${stream(own, values.add(page.first + 1))} c ORDER BY wanted.place, c.event_id`,
      values.all,
    );
    return groupByPlace(rows, sessions.length).map((calls) => pageOf(calls.map(toOpenCall), page));
  },
});

interface Part {
  readonly before: Date;
  readonly page: PageRequest;
}

const stream = (where: string, limit: string): string =>
  `(SELECT c.* FROM agent_open_call c WHERE c.organization_id = $1 AND ${where} ORDER BY c.event_id LIMIT ${limit})`;

/** A decision's id begins with the milliseconds of when it was made. */
function range(values: Values, { before, page }: Part): string {
  const older = `c.event_id < uuid_v7_floor(${values.add(before.toISOString())}::timestamptz)`;
  return page.after === null ? older : `${older} AND c.event_id > ${values.add(page.after)}::uuid`;
}

/** Each stream has an index in this order, and the oldest of all are among the oldest of each. */
function streamsOf(values: Values, scope: EventScope, namespaceIds: readonly string[] | null, part: Part): readonly string[] {
  const limit = values.add(part.page.first + 1);
  const where = range(values, part);
  const below = (roots: readonly string[]): string =>
    `(SELECT c.* FROM ${AUDITED_NAMESPACE} n, LATERAL ${stream(`c.project_id = n.id AND ${where}`, limit)} c
      WHERE n.organization_id = $1 AND ${hasAnyOf('n.ancestors', values.add(roots))})`;
  if (namespaceIds !== null) return [below(namespaceIds)];
  if (scope.isWhole) return [stream(where, limit)];
  const own = stream(`c.user_id = ${values.add(scope.userId)} AND ${where}`, limit);
  return scope.namespaceIds.length === 0 ? [own] : [own, below(scope.namespaceIds)];
}

const toOpenCall = (row: OpenCallRow): OpenCall => ({
  decisionId: row.event_id,
  decidedAt: new Date(Number.parseInt(row.event_id.replaceAll('-', '').slice(0, 12), 16)),
  callId: row.call_id,
  sessionId: row.session_id === '' ? null : row.session_id,
  projectId: row.project_id,
  userId: row.user_id,
  agentId: row.agent_id,
  tool: row.tool,
});
