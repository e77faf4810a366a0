import { RARE_TYPES } from '../catalogue.js';
import type { EventFilter, EventScope, Owner } from '../ports.js';
import { FILTER_COLUMNS, type FilterColumn } from './event-filter.js';
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

export const OWNER_COLUMN: Readonly<Record<Owner, string>> = {
  project: 'namespace_id',
  user: 'user_id',
  agent: 'agent_id',
  session: 'session_id',
};

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
  const equal = (field: FilterColumn): Drive =>
    by(
      [field],
      (filter[field] ?? []).map((value) => `e.${FILTER_COLUMNS[field]} = ${values.add(value)}`),
    );
  const isFew = (field: FilterColumn): boolean => filter[field] !== null && filter[field].length <= MAX_STREAMS;
  const { projectIds, tools, types, verdicts, outcomes } = filter;

  if (isFew('sessionIds')) return equal('sessionIds');
  if (types !== null && isFew('types') && types.every((type) => RARE_TYPES.has(type))) return equal('types');
  if (projectIds !== null && tools !== null && projectIds.length * tools.length <= MAX_STREAMS) {
    const pairs = projectIds.flatMap((project) => tools.map((tool) => [values.add(project), values.add(tool)] as const));
    return by(
      ['projectIds', 'tools'],
      pairs.map(([project, tool]) => `e.namespace_id = ${project} AND e.tool = ${tool}`),
    );
  }
  if (isFew('agentIds')) return equal('agentIds');
  if (isFew('userIds')) return equal('userIds');
  if (projectIds !== null && isFew('projectIds'))
    return by(
      ['projectIds'],
      projectIds.map((id) => `e.namespace_id = ${values.add(id)}`),
    );
  if (filter.namespaceIds !== null && few !== null) return by(['namespaceIds'], [], few);
  if (!scope.isWhole && few !== null && filter.namespaceIds === null)
    return { ...by([], [`e.user_id = ${values.add(scope.userId)}`], few), isWithinScope: true };
  // The words of the partial indexes.
  if (verdicts !== null && !verdicts.includes('ALLOW')) return by([], ["e.verdict IN ('ASK', 'DENY')"]);
  if (outcomes !== null && !outcomes.includes('SUCCEEDED')) return by([], ["e.outcome = 'FAILED'"]);
  return isFew('types') ? equal('types') : by([], ['true']);
}
