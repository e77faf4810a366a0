import type { OrganizationId } from '../kernel/index.js';
import type { Sql, SqlOf } from '../platform/postgres.js';
import type { Append, AuditLog, Receipt, RecordingModes, RecordingPlaces } from './ports.js';
import { EVENT_COLUMNS, toStoredEvent, type EventRow } from './postgres/event-reader.js';
import { insertStatement, insertValues } from './postgres/insert.js';

/** Remembers which months have a partition, one for each database that a process uses. */
export type KnownMonths = Set<string>;

/** The audit log over one connection or inside one open transaction. */
export const postgresAuditLog = (of: SqlOf, months: KnownMonths): AuditLog => ({
  async append(organizationId, appends) {
    const sql = of(organizationId);
    await ensurePartitions(sql, months, appends);
    const firsts = withoutRepeats(appends);
    const missing = await insert(sql, organizationId, [...firsts.values()]).catch(async (error: unknown) => {
      if (!isMonthMissing(error)) throw error;
      // It was dropped since it was last seen.
      months.clear();
      await ensurePartitions(sql, months, appends);
      return insert(sql, organizationId, [...firsts.values()]);
    });
    const earlier = missing.length === 0 ? NOTHING : await findEarlier(sql, organizationId, missing);
    const unstored = new Set(missing.map(identityOf));
    const answered = new Set<string>();
    return appends.map((append): Receipt => {
      const identity = identityOf(append);
      const { sealed } = firsts.get(identity) ?? append;
      const before = earlier.get(identity);
      if (before === undefined && unstored.has(identity)) throw new Error('An audit event was neither stored nor found.');
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

/** Stores what is not stored yet; what it was given without what it has stored. */
async function insert(sql: Sql, organizationId: OrganizationId, appends: readonly Append[]): Promise<readonly Append[]> {
  const { text, name } = insertStatement(appends);
  const [row] = await sql.query<{ missing: readonly string[] | null }>(text, [organizationId, ...insertValues(appends)], name);
  if (row === undefined) throw new Error('The statement that stores events did not say what it has stored.');
  if (row.missing === null) return [];
  const missing = new Set(row.missing);
  return appends.filter(({ sealed }) => missing.has(sealed.event.id));
}

/** SQLSTATE 23514 is also that of other checks; this one has no name of its own. */
const isMonthMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '23514' && error.message.startsWith('no partition of relation');

type Earlier = Pick<Receipt, 'stored' | 'contentSalt'>;

const NOTHING: ReadonlyMap<string, Earlier> = new Map();

/** What is in the log under the identities of events that were not stored for it. */
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
