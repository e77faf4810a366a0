import { byteaArray, integerArray, textArray, uuidArray } from '../../platform/postgres-arrays.js';
import type { Append } from '../ports.js';
import { keyOf, ORGANIZATION_KEY, toolKeyOf } from './keys.js';

/** A statement that stores events, and a name under which a connection keeps it prepared. */
export interface InsertStatement {
  readonly name: string;
  readonly text: string;
}

/** What a column of the statement's input holds, as an array in binary form. */
interface Column {
  readonly name: string;
  readonly type: 'uuid' | 'text' | 'bytea' | 'int';
  values(appends: readonly Append[]): Buffer;
}

const texts = (name: string, value: (append: Append) => string | null): Column => ({
  name,
  type: 'text',
  values: (appends) => textArray(appends.map(value)),
});
const bytes = (name: string, value: (append: Append) => Buffer | null): Column => ({
  name,
  type: 'bytea',
  values: (appends) => byteaArray(appends.map(value)),
});

const COLUMNS: readonly Column[] = [
  { name: 'id', type: 'uuid', values: (appends) => uuidArray(appends.map(({ sealed }) => sealed.event.id)) },
  texts('type', ({ sealed }) => sealed.event.type),
  texts('namespace_id', ({ sealed }) => sealed.event.namespaceId),
  texts('project_id', ({ sealed }) => sealed.event.projectId),
  texts('user_id', ({ sealed }) => sealed.event.userId),
  texts('agent_id', ({ sealed }) => sealed.event.agentId),
  texts('session_id', ({ sealed }) => sealed.event.sessionId),
  texts('tool', ({ sealed }) => sealed.event.tool),
  texts('verdict', ({ sealed }) => sealed.event.verdict),
  texts('outcome', ({ sealed }) => sealed.event.outcome),
  bytes('salt', ({ sealed }) => sealed.salt),
  bytes('seal', ({ sealed }) => sealed.seal),
  { name: 'bytes', type: 'int', values: (appends) => integerArray(appends.map(({ sealed }) => sealed.bytes)) },
  texts('json', ({ sealed }) => sealed.json),
  bytes('content_salt', ({ sealed }) => sealed.content?.salt ?? null),
  texts('content_json', ({ sealed }) => sealed.content?.json ?? null),
];
const KEY = bytes('key', ({ key }) => key);

/** The values of the statement for `appends`, behind $1, which is the organization. */
export const insertValues = (appends: readonly Append[]): readonly Buffer[] => columnsFor(appends).map((column) => column.values(appends));

/** The statement that stores `appends` and says the ids of those it has not stored; null when it has stored all. */
export const insertStatement = (appends: readonly Append[]): InsertStatement => (hasKeys(appends) ? WITH_KEYS : WITHOUT_KEYS);

const hasKeys = (appends: readonly Append[]): boolean => appends.some(({ key }) => key !== null);
const columnsFor = (appends: readonly Append[]): readonly Column[] => (hasKeys(appends) ? [...COLUMNS, KEY] : COLUMNS);

const INPUT = 'id, type, namespace_id, project_id, user_id, agent_id, session_id, tool, verdict, outcome, seq, salt, seal, bytes';

// A bound value in a subselect is unknown to the planner, to whom one plan for all values is then as good as one for each.
const inputOf = (columns: readonly Column[]): string => `
  SELECT *, nextval('audit_event_seq_seq') AS seq
  FROM unnest(${columns.map(({ type }, index) => `(SELECT $${index + 2}::${type}[])`).join(', ')})
    AS row (${columns.map(({ name }) => name).join(', ')})`;

// Keys are taken first: who loses the race for a key waits here for the winner's commit and then inserts nothing.
// Keys and ids are taken in their own order, since two requests with the same events in different orders would otherwise wait
// for each other; `seq`, by which the sequencer goes, is given out before, in the order of the request.
const statement = (columns: readonly Column[]): string => `
  WITH input AS MATERIALIZED (${inputOf(columns)}
  ), ${
    columns.includes(KEY)
      ? `keys AS (
    INSERT INTO event_key (organization_id, key, event_id)
    SELECT $1, key, id FROM input WHERE key IS NOT NULL ORDER BY key
    ON CONFLICT DO NOTHING RETURNING event_id
  ), `
      : ''
  }events AS (
    INSERT INTO audit_event (${INPUT}, json, organization_id,
      organization_key, namespace_key, tool_key, user_key, agent_key, session_key)
    SELECT ${INPUT}, json::json, $1,
      ${ORGANIZATION_KEY}, ${keyOf('namespace_id')}, ${toolKeyOf('tool', 'namespace_id')}, ${keyOf('user_id')}, ${keyOf('agent_id')}, ${keyOf('session_id')}
    FROM input WHERE ${columns.includes(KEY) ? '(key IS NULL OR id IN (SELECT event_id FROM keys)) AND' : ''}
      -- An event that was in the log and has been dropped has its position for ever: it does not come a second time.
      CASE WHEN id > coalesce((SELECT dropped_to FROM retention_progress WHERE organization_id = $1), '00000000-0000-0000-0000-000000000000')
        THEN true ELSE NOT EXISTS (SELECT 1 FROM log_entry l WHERE l.event_id = input.id) END
    ORDER BY id
    ON CONFLICT (id) DO NOTHING
    RETURNING id
  ), contents AS (
    INSERT INTO audit_event_content (event_id, organization_id, organization_key, salt, json)
    SELECT id, $1, ${ORGANIZATION_KEY}, content_salt, content_json::json FROM input JOIN events USING (id) WHERE content_json IS NOT NULL ORDER BY id
  )
  SELECT CASE WHEN (SELECT count(*) FROM events) < (SELECT count(*) FROM input)
    THEN ARRAY(SELECT id::text FROM input EXCEPT SELECT id::text FROM events) END AS missing`;

const WITH_KEYS: InsertStatement = { name: 'append-events-with-keys', text: statement([...COLUMNS, KEY]) };
const WITHOUT_KEYS: InsertStatement = { name: 'append-events', text: statement(COLUMNS) };
