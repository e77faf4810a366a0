import type { AuditEvent } from '../../src/audit/event.js';
import { postgresSessionReader } from '../../src/audit/postgres/sessions.js';
import type { Session } from '../../src/audit/session.js';
import { userId, type OrganizationId } from '../../src/kernel/index.js';
import type { Database } from '../../src/platform/postgres.js';
import { anAppend } from './events.js';
import type { Projected } from './projected.js';

/** Reads what the projection says, and the log that it is made from. */
export interface ProjectedTables {
  /** The organization's events in the order of its log, as far as they are there. */
  logOf(organization: OrganizationId): Promise<readonly AuditEvent[]>;
  /** What the tables hold of an organization, as the model says it. */
  tablesOf(organization: OrganizationId): Promise<Omit<Projected, 'sessions'> & { readonly sessions: readonly Session[] }>;
}

const auditor = { userId: userId('nobody'), isWhole: true, namespaceIds: [], memberOf: [] };

export const projectedTables = (database: Database, owner: Database): ProjectedTables => ({
  async logOf(organization) {
    const rows = await owner.sql.query<{ json: Partial<AuditEvent> }>(
      'SELECT e.json FROM log_entry l JOIN audit_event e ON e.id = l.event_id WHERE l.organization_id = $1 ORDER BY l.position',
      [organization],
    );
    const nothing = anAppend({}, organization).sealed.event;
    const none = Object.fromEntries(Object.keys(nothing).map((field) => [field, null]));
    return rows.map(({ json }) => {
      const humanId = json.humanId ?? (json.humanSource === 'UNKNOWN' ? null : (json.userId ?? null));
      return { ...nothing, ...none, ...json, humanId };
    });
  },

  async tablesOf(organization) {
    const query = <Row>(text: string) => owner.sql.query<Row>(`${text.replace('$of', 'organization_id = $1')}`, [organization]);
    const reader = postgresSessionReader(database.of);
    const ids = (await query<{ id: string }>('SELECT id FROM agent_session WHERE $of ORDER BY id COLLATE "C"')).map(({ id }) => id);
    const sessions = new Map((await reader.byIds(organization, auditor, ids)).map((session) => [session.id, session]));
    const received = await reader.received(organization, ids);
    const calls = await query<{ event_id: string }>('SELECT event_id FROM agent_open_call WHERE $of ORDER BY event_id');
    const rollups = await query<{ namespace_id: string; unit: string; start: Date; dimension: string; value: string; events: string }>(
      'SELECT * FROM audit_rollup WHERE $of',
    );
    return {
      sessions: ids.flatMap((id) => sessions.get(id) ?? []),
      sources: received.flatMap((sources, index) => sources.map(({ hasMore: _, ...source }) => ({ session: ids[index], ...source }))),
      openCalls: calls.map((row) => row.event_id),
      rollups: new Map(
        rollups.map((row) => [
          [row.namespace_id, row.unit, row.start.toISOString(), row.dimension, row.value].join('|'),
          Number(row.events),
        ]),
      ),
    };
  },
});
