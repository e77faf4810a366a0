import { hasAnyOf } from '../../platform/postgres.js';
import type { EventFilter, EventScope } from '../ports.js';
import type { Values } from './values.js';

/** Every namespace that there is or was: what happened in one that was deleted still belongs to those above it. */
export const AUDITED_NAMESPACE = `(
  SELECT organization_id, id, ancestors FROM namespace
  UNION ALL
  SELECT organization_id, id, ancestors FROM former_namespace f
  WHERE NOT EXISTS (SELECT 1 FROM namespace n WHERE n.organization_id = f.organization_id AND n.id = f.id)
)`;

/** Selects the ids of the namespaces that lie in one of those whose ids are bound at `bound`. */
export const namespacesBelow = (bound: string): string =>
  `SELECT n.id FROM ${AUDITED_NAMESPACE} n WHERE n.organization_id = $1 AND ${hasAnyOf('n.ancestors', bound)}`;

/** The condition on `audit_event e` that the viewer may see it. */
export function scopeCondition(values: Values, scope: EventScope): string {
  if (scope.isWhole) return 'true';
  const own = `e.user_id = ${values.add(scope.userId)}`;
  if (scope.namespaceIds.length === 0) return own;
  return `(${own} OR e.namespace_id IN (${namespacesBelow(values.add(scope.namespaceIds))}))`;
}

/** Filters that are one column and values for it. */
export const FILTER_COLUMNS = {
  types: 'type',
  agentIds: 'agent_id',
  userIds: 'user_id',
  projectIds: 'project_id',
  sessionIds: 'session_id',
  tools: 'tool',
  verdicts: 'verdict',
  outcomes: 'outcome',
} as const satisfies Partial<Record<keyof EventFilter, string>>;

export type FilterColumn = keyof typeof FILTER_COLUMNS;
export const FILTER_FIELDS = Object.keys(FILTER_COLUMNS) as readonly FilterColumn[];

/** The conditions on `audit_event e` that a filter makes, without those fields that a statement has seen to otherwise. */
export function filterConditions(
  values: Values,
  filter: EventFilter,
  seenTo: ReadonlySet<keyof EventFilter> = new Set(),
): readonly string[] {
  const parts: string[] = [];
  for (const field of FILTER_FIELDS) {
    const wanted = filter[field];
    if (wanted !== null && !seenTo.has(field)) parts.push(`e.${FILTER_COLUMNS[field]} = ANY(${values.add(wanted)}::text[])`);
  }
  if (filter.namespaceIds !== null && !seenTo.has('namespaceIds'))
    parts.push(`e.namespace_id IN (${namespacesBelow(values.add(filter.namespaceIds))})`);
  // The server is everything before the last slash.
  if (filter.servers !== null)
    parts.push(`regexp_replace(e.tool, '/[^/]*$', '') = ANY(${values.add(filter.servers)}::text[]) AND strpos(e.tool, '/') > 0`);
  if (filter.callIds !== null) parts.push(`event_text(e.json, '{callId}') = ANY(${values.add(filter.callIds)}::text[])`);
  if (filter.position !== null) parts.push(positionCondition(values, filter.position));
  if (filter.text !== null) parts.push(textCondition(values, filter.text));
  return parts;
}

/** The times of a filter, as bounds on ids: those begin with the milliseconds of `occurredAt`. */
export function timeConditions(values: Values, { time }: EventFilter): readonly string[] {
  const floor = (moment: Date): string => `uuid_v7_floor(${values.add(moment.toISOString())}::timestamptz)`;
  if (time === null) return [];
  return [...(time.from === null ? [] : [`e.id >= ${floor(time.from)}`]), ...(time.to === null ? [] : [`e.id < ${floor(time.to)}`])];
}

function positionCondition(values: Values, { from, to }: NonNullable<EventFilter['position']>): string {
  const bounds = [
    ...(from === null ? [] : [`l.position >= ${values.add(from)}`]),
    ...(to === null ? [] : [`l.position < ${values.add(to)}`]),
  ];
  return `EXISTS (SELECT 1 FROM log_entry l WHERE ${['l.event_id = e.id', 'l.organization_id = $1', ...bounds].join(' AND ')})`;
}

/** What of an event is searched: the tool's name, the arguments as JSON, and what went wrong. */
const SEARCHED = [
  'e.tool',
  `event_text(e.json, '{data,tool_args}')`,
  `event_text(e.json, '{data,arguments}')`,
  `event_text(e.json, '{data,error_message}')`,
  `event_text(e.json, '{data,previous_error}')`,
];

/**
 * Text is first looked for in all of the event's bytes, which is quick and says no of nearly every event; then in its fields. In the
 * bytes, and in arguments that are an object, a text stands as JSON writes it, unless it is itself a piece of JSON.
 */
function textCondition(values: Values, text: string): string {
  const forms = [...new Set([text, JSON.stringify(text).slice(1, -1)])].map((form) => `lower(${values.add(form)}::text)`);
  const found = (where: string): readonly string[] => forms.map((form) => `strpos(lower(${where}), ${form}) > 0`);
  return `(${found('e.json::text').join(' OR ')}) AND (${SEARCHED.flatMap(found).join(' OR ')})`;
}
