import type { PageRequest } from '../../kernel/index.js';
import { pageOf } from '../../kernel/index.js';
import { groupByPlace, hasAnyOf, type SqlOf } from '../../platform/postgres.js';
import { EXECUTION_MODES, HUMAN_SOURCES, SURFACES } from '../event.js';
import type { EventScope } from '../ports.js';
import { partsOfSessionKey, SESSION_STATUSES, type Session, type SessionFilter } from '../session.js';
import type { SessionHumans, SessionIdentities, SessionIdentity, SessionOwner, SessionReader } from '../session-ports.js';
import { AUDITED_NAMESPACE, namespacesBelow } from './event-filter.js';
import { RECEIVED, toReceived, type ReceivedRow } from './session-sources.js';
import { Values } from './values.js';

interface SessionRow {
  readonly id: string;
  readonly project_id: string | null;
  readonly user_id: string | null;
  readonly human_id: string | null;
  readonly human_source: string | null;
  readonly agent_id: string | null;
  readonly surface: string | null;
  readonly execution_mode: string | null;
  readonly parent_session_id: string | null;
  readonly workflow_type: string | null;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly last_event_at: Date;
  readonly status: string;
  readonly events: string;
  readonly allowed: string;
  readonly asked: string;
  readonly denied: string;
  readonly succeeded: string;
  readonly failed: string;
  readonly stray_events: string;
}

/** Sessions as they are projected. */
export const postgresSessionReader = (of: SqlOf): SessionReader & SessionHumans & SessionIdentities => ({
  async list(organizationId, scope, filter, page) {
    const values = new Values(organizationId);
    const newest = streamsOf(values, scope, filter, page).join(' UNION ');
    const rows = await of(organizationId).query<SessionRow>(
      `SELECT s.* FROM (SELECT newest.* FROM (${newest}) newest ORDER BY newest.started_at DESC, newest.id DESC LIMIT ${values.add(page.first + 1)}) page
       JOIN agent_session s ON s.organization_id = $1 AND s.id = page.id ORDER BY s.started_at DESC, s.id DESC`,
      values.all,
    );
    return pageOf(rows.map(toSession), page);
  },

  async listByOwner(organizationId, scope, { owner, ids, page }) {
    const values = new Values(organizationId);
    const wanted = values.add(ids);
    const isShown = owner === 'project' ? hasAnyOf('n.ancestors', values.add(scope.memberOf)) : 'true';
    const where = [visible(values, scope), behind(values, page)].join(' AND ');
    const limit = values.add(page.first + 1);
    const newest = OWNER_COLUMNS[owner].map((column) => stream(`s.${column} = wanted.id AND ${where}`, limit)).join(' UNION ');
    const rows = await of(organizationId).query<Nullable<SessionRow> & { place: string; is_shown: boolean | null }>(
      `SELECT wanted.place, ${isShown} AS is_shown, s.*
       FROM unnest(${wanted}::text[]) WITH ORDINALITY AS wanted (id, place)
       ${owner === 'project' ? "LEFT JOIN namespace n ON n.organization_id = $1 AND n.id = wanted.id AND n.kind = 'PROJECT'" : ''}
       LEFT JOIN LATERAL (
         SELECT newest.id FROM (${newest}) newest WHERE ${isShown} ORDER BY newest.started_at DESC, newest.id DESC LIMIT ${limit}
       ) page ON true
       LEFT JOIN agent_session s ON s.organization_id = $1 AND s.id = page.id
       ORDER BY wanted.place, s.started_at DESC, s.id DESC`,
      values.all,
    );
    return groupByPlace(rows, ids.length).map((own) => (own[0]?.is_shown === true ? pageOf(own.filter(isRow).map(toSession), page) : null));
  },

  async byIds(organizationId, scope, ids) {
    const values = new Values(organizationId);
    const rows = await of(organizationId).query<SessionRow>(
      `SELECT s.* FROM agent_session s WHERE s.organization_id = $1 AND s.id = ANY(${values.add(ids)}::text[]) AND ${visible(values, scope)}`,
      values.all,
    );
    return rows.map(toSession);
  },

  async received(organizationId, ids) {
    const rows = await of(organizationId).query<ReceivedRow & { place: string }>(RECEIVED, [organizationId, ids]);
    return groupByPlace(rows, ids.length).map((own) => own.map(toReceived));
  },

  async named(organizationId, sessionIds) {
    const rows = await of(organizationId).query<Pick<SessionRow, 'id' | 'user_id'> & { readonly human_id: string }>(
      `SELECT id, user_id, human_id FROM agent_session
       WHERE organization_id = $1 AND id = ANY($2::text[]) AND human_id IS NOT NULL AND human_source IS NULL`,
      [organizationId, sessionIds],
    );
    return rows.map((row) => ({ sessionId: row.id, userId: row.user_id, humanId: row.human_id }));
  },

  async identity(organizationId, sessionId) {
    const [row] = await of(organizationId).query<IdentityRow>(
      `SELECT user_id, agent_id, surface, execution_mode, parent_session_id FROM agent_session WHERE organization_id = $1 AND id = $2`,
      [organizationId, sessionId],
      'session identity',
    );
    return row === undefined ? null : toIdentity(row);
  },
});

const OWNER_COLUMNS: Readonly<Record<SessionOwner, readonly string[]>> = {
  project: ['project_id'],
  user: ['user_id', 'human_id'],
  agent: ['agent_id'],
  parent: ['parent_session_id'],
};

/** Selects the newest sessions under a condition. Each stream has an index in this order, and the newest of all are among those of each. */
const stream = (where: string, limit: string): string =>
  `(SELECT s.started_at, s.id FROM agent_session s WHERE s.organization_id = $1 AND ${where} ORDER BY s.started_at DESC, s.id DESC LIMIT ${limit})`;

function streamsOf(values: Values, scope: EventScope, filter: SessionFilter, page: PageRequest): readonly string[] {
  const limit = values.add(page.first + 1);
  const where = [...conditions(values, filter), behind(values, page)].join(' AND ');
  const by = (column: string, wanted: readonly string[]): string =>
    `(SELECT s.started_at, s.id FROM unnest(${values.add(wanted)}::text[]) AS wanted (value),
      LATERAL ${stream(`s.${column} = wanted.value AND ${visible(values, scope)} AND ${where}`, limit)} s)`;
  const { projectIds, agentIds, userIds, statuses } = filter;
  if (agentIds !== null) return [by('agent_id', agentIds)];
  if (userIds !== null) return [by('user_id', userIds), by('human_id', userIds)];
  if (projectIds !== null) return [by('project_id', projectIds)];
  if (scope.isWhole) return [statuses === null ? stream(where, limit) : by('status', statuses)];
  const own = ['user_id', 'human_id'].map((column) => stream(`s.${column} = ${values.add(scope.userId)} AND ${where}`, limit));
  if (scope.namespaceIds.length === 0) return own;
  const inNamespaces = `(SELECT s.started_at, s.id FROM ${AUDITED_NAMESPACE} n, LATERAL ${stream(`s.project_id = n.id AND ${where}`, limit)} s
    WHERE n.organization_id = $1 AND ${hasAnyOf('n.ancestors', values.add(scope.namespaceIds))})`;
  return [...own, inNamespaces];
}

/** The condition that the viewer may see it. */
function visible(values: Values, scope: EventScope): string {
  if (scope.isWhole) return 'true';
  const user = values.add(scope.userId);
  const own = `s.user_id = ${user} OR s.human_id = ${user}`;
  if (scope.namespaceIds.length === 0) return `(${own})`;
  return `(${own} OR s.project_id IN (${namespacesBelow(values.add(scope.namespaceIds))}))`;
}

function behind(values: Values, { after }: PageRequest): string {
  if (after === null) return 'true';
  const { startedAt, id } = partsOfSessionKey(after);
  return `(s.started_at, s.id) < (${values.add(startedAt)}::timestamptz, ${values.add(id)})`;
}

function conditions(values: Values, { projectIds, agentIds, userIds, statuses, started }: SessionFilter): readonly string[] {
  const any = (column: string, wanted: readonly string[]): string => `s.${column} = ANY(${values.add(wanted)}::text[])`;
  const bound = (sign: string, moment: Date): string => `s.started_at ${sign} ${values.add(moment.toISOString())}::timestamptz`;
  return [
    ...(projectIds === null ? [] : [any('project_id', projectIds)]),
    ...(agentIds === null ? [] : [any('agent_id', agentIds)]),
    ...(userIds === null ? [] : [`(${any('user_id', userIds)} OR ${any('human_id', userIds)})`]),
    ...(statuses === null ? [] : [any('status', statuses)]),
    ...(started?.from == null ? [] : [bound('>=', started.from)]),
    ...(started?.to == null ? [] : [bound('<', started.to)]),
  ];
}

type Nullable<Row> = { readonly [Field in keyof Row]: Row[Field] | null };
const isRow = <Row extends Nullable<SessionRow>>(row: Row): row is Row & SessionRow => row.id !== null;

type IdentityRow = Pick<SessionRow, 'user_id' | 'agent_id' | 'surface' | 'execution_mode' | 'parent_session_id'>;

const toIdentity = (row: IdentityRow): SessionIdentity => ({
  userId: row.user_id,
  agentId: row.agent_id,
  surface: SURFACES.find((surface) => surface === row.surface) ?? null,
  executionMode: EXECUTION_MODES.find((mode) => mode === row.execution_mode) ?? null,
  parentSessionId: row.parent_session_id,
});

/** The way out of this table. */
function toSession(row: SessionRow): Session {
  return {
    ...toIdentity(row),
    id: row.id,
    projectId: row.project_id,
    humanId: row.human_id ?? (row.human_source === 'UNKNOWN' ? null : row.user_id),
    humanSource: HUMAN_SOURCES.find((source) => source === row.human_source) ?? null,
    workflowType: row.workflow_type,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    lastEventAt: row.last_event_at,
    status: SESSION_STATUSES.find((status) => status === row.status) ?? 'ENDED',
    events: Number(row.events),
    allowed: Number(row.allowed),
    asked: Number(row.asked),
    denied: Number(row.denied),
    succeeded: Number(row.succeeded),
    failed: Number(row.failed),
    strayEvents: Number(row.stray_events),
  };
}
