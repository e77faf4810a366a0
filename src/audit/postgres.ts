import type { JsonObject, OrganizationId } from '../kernel/index.js';
import type { Sql, SqlOf } from '../platform/postgres.js';
import type { Append, AuditLog, Receipt, RecordingModes, RecordingPlaces } from './ports.js';
import { keyOf, ORGANIZATION_KEY, toolKeyOf } from './postgres/keys.js';
import { EVENT_COLUMNS, toStoredEvent, type EventRow } from './postgres/event-reader.js';

/** Remembers which months have a partition, one for each database that a process uses. */
export type KnownMonths = Set<string>;

/** The audit log over one connection or inside one open transaction. */
export const postgresAuditLog = (of: SqlOf, months: KnownMonths): AuditLog => ({
  async append(organizationId, appends) {
    const sql = of(organizationId);
    await ensurePartitions(sql, months, appends);
    const firsts = withoutRepeats(appends);
    const values = [organizationId, JSON.stringify([...firsts.values()].map(toInsert))];
    const rows = await sql.query<{ id: string }>(INSERT, values, 'append-events').catch(async (error: unknown) => {
      if (!isMonthMissing(error)) throw error;
      // It was dropped since it was last seen.
      months.clear();
      await ensurePartitions(sql, months, appends);
      return sql.query<{ id: string }>(INSERT, values, 'append-events');
    });
    const stored = new Set(rows.map((row) => row.id));
    const earlier =
      stored.size === firsts.size
        ? new Map<string, Earlier>()
        : await findEarlier(
            sql,
            organizationId,
            [...firsts.values()].filter(({ sealed }) => !stored.has(sealed.event.id)),
          );
    const answered = new Set<string>();
    return appends.map((append): Receipt => {
      const identity = identityOf(append);
      const { sealed } = firsts.get(identity) ?? append;
      const before = earlier.get(identity);
      if (before === undefined && !stored.has(sealed.event.id)) throw new Error('An audit event was neither stored nor found.');
      const isFirst = before === undefined && !answered.has(identity);
      answered.add(identity);
      return before === undefined
        ? {
            status: isFirst ? 'stored' : 'duplicate',
            stored: { event: sealed.event, seal: sealed.seal, position: null },
            contentSalt: sealed.content?.salt ?? null,
          }
        : { status: 'duplicate', ...before };
    });
  },
});

/** What makes two appends the same event. */
const identityOf = ({ key, sealed }: Append): string => (key === null ? sealed.event.id : key.toString('hex'));

function withoutRepeats(appends: readonly Append[]): ReadonlyMap<string, Append> {
  const firsts = new Map<string, Append>();
  for (const append of appends) if (!firsts.has(identityOf(append))) firsts.set(identityOf(append), append);
  return firsts;
}

// Keys are taken first: who loses the race for a key waits here for the winner's commit and then inserts nothing.
// Keys and ids are taken in their own order, since two requests with the same events in different orders would otherwise wait
// for each other; `seq`, by which the sequencer goes, is given out before, in the order of the request.
const INSERT = `
  WITH input AS MATERIALIZED (
    SELECT *, nextval('audit_event_seq_seq') AS seq FROM json_to_recordset($2::json) AS row (
      id uuid, key text, type text, namespace_id text, project_id text, user_id text, agent_id text, session_id text, tool text, verdict text,
      outcome text, salt text, seal text, bytes int, json text, content_salt text, content_json text)
  ), keys AS (
    INSERT INTO event_key (organization_id, key, event_id)
    SELECT $1, decode(key, 'hex'), id FROM input WHERE key IS NOT NULL ORDER BY key
    ON CONFLICT DO NOTHING RETURNING event_id
  ), events AS (
  INSERT INTO audit_event (id, organization_id, type, namespace_id, project_id, user_id, agent_id, session_id, tool, verdict, outcome, seq, salt, seal, bytes, json,
    organization_key, namespace_key, tool_key, user_key, agent_key, session_key)
  SELECT id, $1, type, namespace_id, project_id, user_id, agent_id, session_id, tool, verdict, outcome, seq, decode(salt, 'hex'), decode(seal, 'hex'), bytes, json::json,
    ${ORGANIZATION_KEY}, ${keyOf('namespace_id')}, ${toolKeyOf('tool', 'namespace_id')}, ${keyOf('user_id')}, ${keyOf('agent_id')}, ${keyOf('session_id')}
  FROM input WHERE (key IS NULL OR id IN (SELECT event_id FROM keys))
    -- An event that was in the log and has been dropped has its position for ever: it does not come a second time.
    AND CASE WHEN id > coalesce((SELECT dropped_to FROM retention_progress WHERE organization_id = $1), '00000000-0000-0000-0000-000000000000')
      THEN true ELSE NOT EXISTS (SELECT 1 FROM log_entry l WHERE l.event_id = input.id) END
  ORDER BY id
  ON CONFLICT (id) DO NOTHING
  RETURNING id
  ), contents AS (
    INSERT INTO audit_event_content (event_id, organization_id, organization_key, salt, json)
    SELECT id, $1, ${ORGANIZATION_KEY}, decode(content_salt, 'hex'), content_json::json FROM input JOIN events USING (id) WHERE content_json IS NOT NULL ORDER BY id
  )
  SELECT id FROM events`;

function toInsert({ key, sealed: { event, content, json, bytes, salt, seal } }: Append): JsonObject {
  return {
    id: event.id,
    key: key?.toString('hex') ?? null,
    type: event.type,
    namespace_id: event.namespaceId,
    project_id: event.projectId,
    user_id: event.userId,
    agent_id: event.agentId,
    session_id: event.sessionId,
    tool: event.tool,
    verdict: event.verdict,
    outcome: event.outcome,
    salt: salt.toString('hex'),
    seal: seal.toString('hex'),
    bytes,
    json,
    content_salt: content?.salt.toString('hex') ?? null,
    content_json: content?.json ?? null,
  };
}

/** SQLSTATE 23514 is also that of other checks; this one has no name of its own. */
const isMonthMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '23514' && error.message.startsWith('no partition of relation');

type Earlier = Pick<Receipt, 'stored' | 'contentSalt'>;

async function findEarlier(sql: Sql, organizationId: OrganizationId, missing: readonly Append[]): Promise<ReadonlyMap<string, Earlier>> {
  const kept = await findKept(sql, organizationId, missing);
  const gone = missing.filter((append) => !kept.has(identityOf(append)));
  return gone.length === 0 ? kept : new Map([...kept, ...(await findDropped(sql, organizationId, gone))]);
}

/** Events that have been dropped since: their seals stay with their positions. */
async function findDropped(sql: Sql, organizationId: OrganizationId, missing: readonly Append[]): Promise<ReadonlyMap<string, Earlier>> {
  const rows = await sql.query<{ event_id: string; seal: Uint8Array; position: bigint | string }>(
    'SELECT event_id, seal, position FROM log_entry WHERE organization_id = $1 AND event_id = ANY($2::uuid[])',
    [organizationId, missing.map(({ sealed }) => sealed.event.id)],
  );
  const entries = new Map(rows.map((row) => [row.event_id, { seal: Buffer.from(row.seal), position: Number(row.position) }]));
  return new Map(
    missing.flatMap((append): [string, Earlier][] => {
      const { event } = append.sealed;
      const entry = entries.get(event.id);
      return entry === undefined ? [] : [[identityOf(append), { stored: { event, ...entry }, contentSalt: null }]];
    }),
  );
}

async function findKept(sql: Sql, organizationId: OrganizationId, missing: readonly Append[]): Promise<ReadonlyMap<string, Earlier>> {
  const rows = await sql.query<EventRow & { identity: string; content_salt: Uint8Array | null }>(
    `SELECT ${EVENT_COLUMNS}, c.salt AS content_salt, coalesce(encode(k.key, 'hex'), wanted.id::text) AS identity
     FROM json_to_recordset($2::json) AS wanted (id uuid, key text)
     LEFT JOIN event_key k ON k.organization_id = $1 AND k.key = decode(wanted.key, 'hex')
     JOIN audit_event e ON e.id = coalesce(k.event_id, wanted.id) AND e.organization_id = $1
     LEFT JOIN log_entry l ON l.event_id = e.id
     LEFT JOIN audit_event_content c ON c.event_id = e.id`,
    [organizationId, JSON.stringify(missing.map(({ key, sealed }) => ({ id: sealed.event.id, key: key?.toString('hex') ?? null })))],
  );
  return new Map(
    rows.map((row) => [
      row.identity,
      { stored: toStoredEvent(row), contentSalt: row.content_salt === null ? null : Buffer.from(row.content_salt) },
    ]),
  );
}

async function ensurePartitions(sql: Sql, months: KnownMonths, appends: readonly Append[]): Promise<void> {
  const wanted = new Set(appends.map(({ sealed }) => sealed.event.occurredAt.slice(0, 7)).filter((month) => !months.has(month)));
  for (const month of wanted) {
    await sql.query('SELECT audit_event_partition_ensure($1::text::date)::text', [`${month}-01`]);
    months.add(month);
  }
}

/** Where events are recorded: projects as the directory has them, and what is set for those above them. */
export const postgresRecordingPlaces = (of: SqlOf): RecordingPlaces => ({
  async places(organizationId, projectIds) {
    const rows = await of(organizationId).query<{ id: string; ancestors: readonly string[]; is_metadata_only: boolean }>(PLACES, [
      organizationId,
      [organizationId, ...projectIds],
    ]);
    return new Map(rows.map((row) => [row.id, { ancestors: row.ancestors, mode: row.is_metadata_only ? 'METADATA_ONLY' : 'FULL' }]));
  },
});

const PLACES = `
  SELECT wanted.id, line.ancestors,
    EXISTS (SELECT 1 FROM recording_setting s WHERE s.organization_id = $1 AND s.namespace_id = ANY(line.ancestors)) AS is_metadata_only
  FROM unnest($2::text[]) AS wanted (id)
  LEFT JOIN namespace n ON n.organization_id = $1 AND n.id = wanted.id,
  LATERAL (SELECT coalesce(n.ancestors, ARRAY[$1::text]) AS ancestors) line
  WHERE n.kind = 'PROJECT' OR wanted.id = $1`;

/** How namespaces are recorded, inside one open transaction. */
export const postgresRecordingModes = (of: SqlOf): RecordingModes => ({
  async put(organizationId, namespaceId, mode, { userId, at }) {
    const sql = of(organizationId);
    const rows = await (mode === 'FULL'
      ? sql.query('DELETE FROM recording_setting WHERE organization_id = $1 AND namespace_id = $2 RETURNING 1', [
          organizationId,
          namespaceId,
        ])
      : sql.query(
          `INSERT INTO recording_setting (organization_id, namespace_id, mode, set_at, set_by) VALUES ($1, $2, $3, $4::timestamptz, $5)
           ON CONFLICT DO NOTHING RETURNING 1`,
          [organizationId, namespaceId, mode, at.toISOString(), userId],
        ));
    // A row that was there to delete, or was there already, set the mode.
    const wasSet = mode === 'FULL' ? rows.length > 0 : rows.length === 0;
    return wasSet ? 'METADATA_ONLY' : 'FULL';
  },
});
