import { COMMON_TYPES, RARE_TYPES } from '../catalogue.js';
import type { EventFilter, EventScope, Owner } from '../ports.js';
import type { FilterColumn } from './event-filter.js';
import { keyOf, ORGANIZATION_KEY, toolKeyOf } from './keys.js';
import type { Values } from './values.js';

/**
 * The index by which a list is read, in the order of ids: the events of one organization, namespace, agent and so on. Where several
 * values are asked for there is a stream for each, and the newest of all are among the newest of each.
 */
export interface Drive {
  /** Conditions on `audit_event e`, one for each stream. */
  readonly streams: readonly string[];
  /** Namespaces, of which each is one more stream; null when the list is not read by namespaces. */
  readonly namespaces: readonly string[] | null;
  /** Fields of the filter that the streams see to. */
  readonly seenTo: ReadonlySet<keyof EventFilter>;
  /** Whether the streams hold nothing that the viewer may not see. */
  readonly isWithinScope: boolean;
}

/** The most values of which each has a stream of its own; with more, one wider stream is read and they are a condition. */
const MAX_STREAMS = 64;
/** The most namespaces that are read one by one. */
export const MAX_NAMESPACES = 1_000;

/** What of an event an owner is: the column of its id is `NAME_id`, that of its number `NAME_key`. */
export const OWNER_NAME: Readonly<Record<Owner, string>> = { project: 'namespace', user: 'user', agent: 'agent', session: 'session' };

/** The condition that a column of `audit_event e` has a bound value, by the index of its numbers. */
const has = (name: string, bound: string): string => `e.${name}_key = ${keyOf(`${bound}::text`)} AND e.${name}_id = ${bound}`;

/** All of the organization. */
const WHOLE = `e.organization_key = ${ORGANIZATION_KEY}`;
/** The words of the partial index. */
const UNCOMMON = `e.type NOT IN (${[...COMMON_TYPES].map((type) => `'${type}'`).join(', ')})`;

/**
 * Chooses by which index a list is read: the first that selects least. Pure; docs/frontend.md says what follows for the cost.
 *
 * @param few the namespaces, with all below, of the filter, or of a viewer who does not see the whole organization; null when there are
 * more than 1,000 of them
 */
export function driveOf(values: Values, scope: EventScope, filter: EventFilter, few: readonly string[] | null): Drive {
  const by = (seenTo: readonly (keyof EventFilter)[], streams: readonly string[], namespaces: readonly string[] | null = null): Drive => ({
    streams,
    namespaces,
    seenTo: new Set(seenTo),
    isWithinScope: scope.isWhole,
  });
  const equal = (field: FilterColumn, name: string): Drive =>
    by(
      [field],
      (filter[field] ?? []).map((value) => has(name, values.add(value))),
    );
  const ofTypes = (wanted: readonly string[]): Drive =>
    by(
      ['types'],
      wanted.map((type) => `${WHOLE} AND ${UNCOMMON} AND e.type = ${values.add(type)}`),
    );
  const isFew = (field: FilterColumn): boolean => filter[field] !== null && filter[field].length <= MAX_STREAMS;
  const { projectIds, tools, types, verdicts, outcomes } = filter;

  if (isFew('sessionIds')) return equal('sessionIds', 'session');
  if (types !== null && isFew('types') && types.every((type) => RARE_TYPES.has(type))) return ofTypes(types);
  if (projectIds !== null && tools !== null && projectIds.length * tools.length <= MAX_STREAMS) {
    const streams = projectIds.flatMap((project) => tools.map((tool) => toolStream(values.add(project), values.add(tool))));
    if (verdicts === null || streams.length * verdicts.length > MAX_STREAMS) return by(['projectIds', 'tools'], streams);
    return by(
      ['projectIds', 'tools', 'verdicts'],
      streams.flatMap((stream) => verdicts.map((verdict) => `${stream} AND e.verdict = ${values.add(verdict)}`)),
    );
  }
  if (isFew('agentIds')) return equal('agentIds', 'agent');
  if (isFew('userIds')) return equal('userIds', 'user');
  if (isFew('projectIds')) return equal('projectIds', 'namespace');
  if (filter.namespaceIds !== null && few !== null) return by(['namespaceIds'], [], few);
  if (!scope.isWhole && few !== null && filter.namespaceIds === null)
    return { ...by([], [has('user', values.add(scope.userId))], few), isWithinScope: true };
  // The words of the partial indexes.
  if (verdicts !== null && !verdicts.includes('ALLOW')) return by([], [`${WHOLE} AND e.verdict IN ('ASK', 'DENY')`]);
  if (outcomes !== null && !outcomes.includes('SUCCEEDED')) return by([], [`${WHOLE} AND e.outcome = 'FAILED'`]);
  if (types !== null && isFew('types') && !types.some((type) => COMMON_TYPES.has(type))) return ofTypes(types);
  return by([], [WHOLE]);
}

/** The condition that an event is of a tool in a namespace, both bound. */
export const toolStream = (namespace: string, tool: string): string =>
  `e.tool_key = ${toolKeyOf(`${tool}::text`, `${namespace}::text`)} AND e.namespace_id = ${namespace} AND e.tool = ${tool}`;
