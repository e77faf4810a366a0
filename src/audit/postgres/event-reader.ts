import type { OrganizationId, Page } from '../../kernel/index.js';
import { groupByPlace, hasAnyOf, type Sql, type SqlOf } from '../../platform/postgres.js';
import { eventFrom, type StoredEvent } from '../event.js';
import type { EventFilter, EventPage, EventReader, EventScope, OwnersRequest } from '../ports.js';
import { driveOf, MAX_NAMESPACES, OWNER_NAME, type Drive } from './drive.js';
import { filterConditions, namespacesBelow, scopeCondition, timeConditions } from './event-filter.js';
import { keyOf, toolKeyOf } from './keys.js';
import { Values } from './values.js';

export interface EventRow {
  readonly json: string;
  readonly seal: Uint8Array;
  readonly position: bigint | string | null;
}

export const EVENT_COLUMNS = 'e.json::text AS json, e.seal, l.position';
const EVENT_SOURCE = '(audit_event e LEFT JOIN log_entry l ON l.event_id = e.id)';

/**
 * How many events one page looks at when no index serves all of its conditions. Behind the last one it ends, with whatever it has found,
 * and the next page goes on there.
 */
export const MAX_EXAMINED = 20_000;

/** A list ends behind the event with which it has so many bytes of JSON, over all owners together; each gets one event at least. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

/**
 * The audit log for readers.
 *
 * @param maxExamined how many events one page looks at; of each of several streams a share, but at least a hundredth
 */
export const postgresEventReader = (of: SqlOf, maxExamined = MAX_EXAMINED): EventReader => ({
  async list(organizationId, scope, filter, page) {
    if (selectsNothing(filter)) return { items: [], hasNextPage: false, hasPreviousPage: page.after !== null };
    const sql = of(organizationId);
    const few = await fewNamespaces(sql, organizationId, scope, filter);
    const listing = listingOf(organizationId, scope, filter, { page, few, maxExamined });
    const rows = await sql.query<PageRow>(listing.text, listing.values.all);
    const items = rows.map(toStoredEvent);
    const hasMore = Number(rows[0]?.candidates ?? 0) > rows.length;
    if (hasMore || listing.frontier === null) return { items, hasNextPage: hasMore, hasPreviousPage: page.after !== null };
    // Fewer than asked for: is there no more, or did the looking end before?
    const [last] = await sql.query<{ id: string | null }>(listing.frontier.text, listing.frontier.values.all);
    const end = last?.id ?? null;
    return { items, hasNextPage: end !== null, hasPreviousPage: page.after !== null, ...(end !== null && { end }) };
  },

  async listByOwner(organizationId, scope, { owner, ids, filter, page }) {
    const sql = of(organizationId);
    const listing = ownersListing(organizationId, scope, { owner, ids, filter, page, maxExamined });
    const rows = await sql.query<OwnerRow>(listing.text, listing.values.all);
    const groups = groupByPlace(rows, ids.length);
    const pages = groups.map((own) => (own[0]?.is_shown === true ? ownPage(own.flatMap(present), page) : null));
    if (listing.frontier === null || pages.every((own) => own === null || own.hasNextPage)) return pages;
    const ends = await sql.query<{ place: bigint | string; id: string | null }>(listing.frontier.text, listing.frontier.values.all);
    const endOf = new Map(ends.map((row) => [Number(row.place) - 1, row.id]));
    return pages.map((own, place) => {
      const end = endOf.get(place) ?? null;
      return own === null || own.hasNextPage || end === null ? own : { ...own, hasNextPage: true, end };
    });
  },

  async contents(organizationId, ids) {
    const rows = await of(organizationId).query<{ event_id: string; json: string; salt: Uint8Array }>(
      'SELECT event_id, json::text AS json, salt FROM audit_event_content WHERE organization_id = $1 AND event_id = ANY($2::uuid[])',
      [organizationId, ids],
    );
    return new Map(rows.map((row) => [row.event_id, { json: row.json, salt: Buffer.from(row.salt) }]));
  },

  async byIds(organizationId, scope, ids) {
    if (ids.length === 0) return [];
    const values = new Values(organizationId);
    const rows = await of(organizationId).query<EventRow>(
      `SELECT ${EVENT_COLUMNS} FROM ${EVENT_SOURCE}
       WHERE e.organization_id = $1 AND ${scopeCondition(values, scope)} AND e.id = ANY(${values.add(ids)}::uuid[])`,
      values.all,
    );
    return rows.map(toStoredEvent);
  },
});

interface Statement {
  readonly text: string;
  readonly values: Values;
}

/** A statement that lists, and one that says where the looking ended; null when an index serves all of it. */
interface Listing extends Statement {
  readonly frontier: Statement | null;
}

interface PageRow extends EventRow {
  /** How many events there were to choose from, of which one more than the page holds at most. */
  readonly candidates: bigint | string;
}

/** The ids of the namespaces in which a list is read one by one; null when there are too many, or it is not read so. */
async function fewNamespaces(
  sql: Sql,
  organizationId: OrganizationId,
  scope: EventScope,
  filter: EventFilter,
): Promise<readonly string[] | null> {
  const roots = filter.namespaceIds ?? (scope.isWhole ? null : scope.namespaceIds);
  if (roots === null) return null;
  if (roots.length === 0) return [];
  const rows = await sql.query<{ id: string }>(`${namespacesBelow('$2')} LIMIT ${MAX_NAMESPACES + 1}`, [organizationId, roots]);
  return rows.length > MAX_NAMESPACES ? null : rows.map((row) => row.id);
}

/** An empty list fits nothing. */
const selectsNothing = (filter: EventFilter): boolean =>
  Object.values(filter).some((wanted) => Array.isArray(wanted) && wanted.length === 0);

/** What every stream has in common: the organization, the times and where the page begins. */
function rangeConditions(values: Values, filter: EventFilter, { after, order }: EventPage): string {
  const behind = after === null ? [] : [`e.id ${order === 'NEWEST_FIRST' ? '<' : '>'} ${values.add(after)}::uuid`];
  return ['e.organization_id = $1', ...timeConditions(values, filter), ...behind].join(' AND ');
}

const directionOf = ({ order }: EventPage): 'ASC' | 'DESC' => (order === 'NEWEST_FIRST' ? 'DESC' : 'ASC');

interface Chosen {
  readonly maxExamined: number;
  readonly page: EventPage;
  readonly few: readonly string[] | null;
}

function listingOf(organizationId: OrganizationId, scope: EventScope, filter: EventFilter, { page, few, maxExamined }: Chosen): Listing {
  const values = new Values(organizationId);
  const drive = driveOf(values, scope, filter, few);
  const range = rangeConditions(values, filter, page);
  const rest = restOf(values, scope, filter, drive);
  const limit = values.add(page.first + 1);
  const streamCount = drive.streams.length + (drive.namespaces?.length ?? 0);
  const isMerged = streamCount > 1;
  const examined = examinedBy(streamCount, maxExamined);
  const direction = directionOf(page);
  const streams = [
    ...drive.streams.map((stream) => `(${streamOf({ range, stream, rest, direction, limit, examined })})`),
    ...(drive.namespaces === null
      ? []
      : [
          `(${keyed(values.add(drive.namespaces))} SELECT e.id, e.bytes FROM keyed n, LATERAL (${streamOf({ range, stream: NAMESPACE_STREAM, rest, direction, limit, examined })}) e)`,
        ]),
  ];
  const candidates = streams.length === 0 ? 'SELECT NULL::uuid AS id, 0 AS bytes WHERE false' : streams.join(' UNION ');
  const frontier = rest === '' ? null : frontierOf(organizationId, scope, filter, { page, few, examined, maxExamined });
  const bound = frontier === null || !isMerged ? '' : ` WHERE ${beforeFrontier(values, drive, { range, direction, examined })}`;
  const newest = `SELECT c.id, c.bytes FROM (${candidates}) c${bound} ORDER BY c.id ${direction} LIMIT ${limit}`;
  return { text: pageStatement(values, newest, page), values, frontier };
}

/** Namespaces with their numbers; see keys.ts. */
const keyed = (ids: string): string =>
  `WITH keyed AS MATERIALIZED (SELECT id, ${keyOf('id')} AS key FROM unnest(${ids}::text[]) AS named (id))`;
const NAMESPACE_STREAM = 'e.namespace_key = n.key AND e.namespace_id = n.id';

interface Stream {
  readonly range: string;
  readonly stream: string;
  readonly rest: string;
  readonly direction: string;
  readonly limit: string;
  readonly examined: number;
}

/** The ids of one stream in its order: looked up when the index serves all conditions, else looked through as far as is allowed. */
function streamOf({ range, stream, rest, direction, limit, examined }: Stream): string {
  const where = `${range} AND ${stream}`;
  if (rest === '') return `SELECT e.id, e.bytes FROM audit_event e WHERE ${where} ORDER BY e.id ${direction} LIMIT ${limit}`;
  return `SELECT e.id, e.bytes FROM (SELECT e.* FROM audit_event e WHERE ${where} ORDER BY e.id ${direction} LIMIT ${examined}) e
    WHERE ${rest} ORDER BY e.id ${direction} LIMIT ${limit}`;
}

/** The conditions that no stream sees to. */
function restOf(values: Values, scope: EventScope, filter: EventFilter, drive: Drive): string {
  const scoped = drive.isWithinScope ? [] : [scopeCondition(values, scope)];
  return [...scoped, ...filterConditions(values, filter, drive.seenTo)].join(' AND ');
}

type Bounds = Pick<Stream, 'range' | 'direction' | 'examined'>;

/** Selects, for each stream that was not looked through to its end, the last event that was looked at. */
function lastExamined(values: Values, drive: Drive, { range, direction, examined }: Bounds): string {
  const last = (stream: string): string =>
    `SELECT e.id FROM audit_event e WHERE ${range} AND ${stream} ORDER BY e.id ${direction} OFFSET ${examined - 1} LIMIT 1`;
  return [
    ...drive.streams.map((stream) => `(${last(stream)})`),
    ...(drive.namespaces === null
      ? []
      : [`(${keyed(values.add(drive.namespaces))} SELECT e.id FROM keyed n, LATERAL (${last(NAMESPACE_STREAM)}) e)`]),
  ].join(' UNION ALL ');
}

/** What lies behind the end of one stream's looking may lack events of that stream: it waits for the next page. */
const beforeFrontier = (values: Values, drive: Drive, bounds: Bounds): string =>
  `NOT EXISTS (SELECT 1 FROM (${lastExamined(values, drive, bounds)}) last WHERE last.id ${bounds.direction === 'DESC' ? '>' : '<'} c.id)`;

function frontierOf(
  organizationId: OrganizationId,
  scope: EventScope,
  filter: EventFilter,
  { page, few, examined }: Chosen & { readonly examined: number },
): Statement {
  const values = new Values(organizationId);
  const drive = driveOf(values, scope, filter, few);
  const direction = directionOf(page);
  const last = lastExamined(values, drive, { range: rangeConditions(values, filter, page), direction, examined });
  // There is no max() of uuids before Postgres 18.
  const text = last === '' ? 'SELECT NULL AS id' : `SELECT last.id FROM (${last}) last ORDER BY last.id ${direction} LIMIT 1`;
  return { text, values };
}

/** The page itself: of `newest`, those that are within a page's number and size. */
function pageStatement(values: Values, newest: string, page: EventPage): string {
  const direction = directionOf(page);
  return `SELECT ${EVENT_COLUMNS}, page.candidates FROM (${sized(values, newest, page, MAX_PAGE_BYTES)}) page
    JOIN ${EVENT_SOURCE} ON e.id = page.id ORDER BY e.id ${direction}`;
}

/** Selects those of `newest` (id, bytes) that are within a page's number and size. */
const sized = (values: Values, newest: string, page: EventPage, maxBytes: number): string =>
  `SELECT sized.id, sized.candidates FROM (
     SELECT c.id, count(*) OVER () AS candidates, row_number() OVER listed AS number, sum(c.bytes) OVER listed - c.bytes AS bytes_before
     FROM (${newest}) c WINDOW listed AS (ORDER BY c.id ${directionOf(page)})
   ) sized WHERE sized.number <= ${values.add(page.first)} AND sized.bytes_before < ${values.add(Math.ceil(maxBytes))}`;

type Nullable<Row> = { readonly [Field in keyof Row]: Row[Field] | null };
type OwnerRow = Nullable<PageRow> & { readonly place: bigint | string; readonly is_shown: boolean | null };

/** The row, or nothing where the owner has no event. */
const present = ({ json, seal, position, candidates }: Nullable<PageRow>): readonly PageRow[] =>
  json === null || seal === null || candidates === null ? [] : [{ json, seal, position, candidates }];

const ownPage = (rows: readonly PageRow[], page: EventPage): Page<StoredEvent> => ({
  items: rows.map(toStoredEvent),
  hasNextPage: Number(rows[0]?.candidates ?? 0) > rows.length,
  hasPreviousPage: page.after !== null,
});

type OwnersListing = OwnersRequest & Pick<Chosen, 'maxExamined'>;

/** One stream for each owner, all in one statement. */
function ownersListing(
  organizationId: OrganizationId,
  scope: EventScope,
  { owner, ids, filter, page, maxExamined }: OwnersListing,
): Listing {
  const values = new Values(organizationId);
  const isShown = owner === 'project' ? hasAnyOf('n.ancestors', values.add(scope.memberOf)) : 'true';
  const parts = ownerParts(values, scope, { owner, ids, filter, page, maxExamined });
  const newest = streamOf({ ...parts, limit: values.add(page.first + 1) });
  const text = `${parts.wanted}
    SELECT wanted.place, ${isShown} AS is_shown, event.*
    FROM wanted
    ${owner === 'project' ? "LEFT JOIN namespace n ON n.organization_id = $1 AND n.id = wanted.id AND n.kind = 'PROJECT'" : ''}
    LEFT JOIN LATERAL (
      SELECT ${EVENT_COLUMNS}, e.id, page.candidates
      FROM (${sized(values, newest, page, MAX_PAGE_BYTES / ids.length)}) page JOIN ${EVENT_SOURCE} ON e.id = page.id
      WHERE ${isShown}
    ) event ON true
    ORDER BY wanted.place, event.id ${parts.direction}`;
  return { text, values, frontier: parts.rest === '' ? null : ownersFrontier(organizationId, { owner, ids, filter, page, maxExamined }) };
}

function ownerParts(
  values: Values,
  scope: EventScope,
  { owner, ids, filter, page, maxExamined }: OwnersListing,
): Omit<Stream, 'limit'> & { readonly wanted: string } {
  const { wanted, stream, seenTo } = ownerStream(values, { owner, ids, filter });
  const isOwn = owner === 'user' && ids.every((id) => id === scope.userId);
  const scoped = scope.isWhole || isOwn ? [] : [scopeCondition(values, scope)];
  return {
    wanted,
    range: rangeConditions(values, filter, page),
    stream,
    rest: [...scoped, ...filterConditions(values, filter, seenTo)].join(' AND '),
    direction: directionOf(page),
    examined: examinedBy(ids.length, maxExamined),
  };
}

const examinedBy = (streams: number, most: number): number => Math.ceil(Math.max(most / 100, most / Math.max(1, streams)));

/** The owners with their numbers, and the condition that an event is of one. A project's events of one tool have an index of their own. */
function ownerStream(values: Values, { owner, ids, filter }: Pick<OwnersRequest, 'owner' | 'ids' | 'filter'>) {
  const [tool, ...others] = owner === 'project' ? (filter.tools ?? []) : [];
  const isByTool = tool !== undefined && others.length === 0;
  const bound = isByTool ? values.add(tool) : '';
  const name = isByTool ? 'tool' : OWNER_NAME[owner];
  const [verdict, ...otherVerdicts] = isByTool ? (filter.verdicts ?? []) : [];
  const isByVerdict = verdict !== undefined && otherVerdicts.length === 0;
  const key = isByTool ? toolKeyOf(`${bound}::text`, 'id') : keyOf('id');
  return {
    wanted: `WITH wanted AS MATERIALIZED (
      SELECT id, place, ${key} AS key FROM unnest(${values.add(ids)}::text[]) WITH ORDINALITY AS wanted (id, place))`,
    stream: `e.${name}_key = wanted.key AND e.${OWNER_NAME[owner]}_id = wanted.id${isByTool ? ` AND e.tool = ${bound}` : ''}${isByVerdict ? ` AND e.verdict = ${values.add(verdict)}` : ''}`,
    seenTo: new Set<keyof EventFilter>([...(isByTool ? (['tools'] as const) : []), ...(isByVerdict ? (['verdicts'] as const) : [])]),
  };
}

function ownersFrontier(organizationId: OrganizationId, { owner, ids, filter, page, maxExamined }: OwnersListing): Statement {
  const values = new Values(organizationId);
  const { wanted, stream } = ownerStream(values, { owner, ids, filter });
  const range = rangeConditions(values, filter, page);
  const text = `${wanted}
    SELECT wanted.place, last.id FROM wanted,
    LATERAL (SELECT e.id FROM audit_event e WHERE ${range} AND ${stream}
      ORDER BY e.id ${directionOf(page)} OFFSET ${examinedBy(ids.length, maxExamined) - 1} LIMIT 1) last`;
  return { text, values };
}

/** The only way out of this table. The bytes are those that were sealed. */
export function toStoredEvent(row: EventRow): StoredEvent {
  return { event: eventFrom(row.json), seal: Buffer.from(row.seal), position: row.position === null ? null : Number(row.position) };
}
