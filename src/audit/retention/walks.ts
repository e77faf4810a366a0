import type { OrganizationId } from '../../kernel/index.js';
import type { Drop, Dropped, ProjectedKind, RunRequest, Sweeping, SweepKind } from './ports.js';
import type { TimeRange } from './rules.js';

/** Looks at what comes behind `after` and drops what is due of it. */
export type Walk = (after: string | null) => Promise<Dropped & { readonly next: string | null }>;

export interface Walking {
  readonly sweeping: Sweeping;
  readonly organizationId: OrganizationId;
  readonly run: RunRequest;
  readonly maxExamined: number;
  /** Where something of a kind may have come of age. */
  readonly rangesOf: (kind: SweepKind) => readonly TimeRange[];
}

// Content first: what is due of it is counted as content, also where its event is due as well.
const KINDS: readonly SweepKind[] = ['CONTENT', 'EVENTS'];
// Calls first: a session stays as long as one of its calls.
const PROJECTED_KINDS: readonly ProjectedKind[] = ['OPEN_CALLS', 'SESSIONS'];

/**
 * All that is to be walked through, in order: content, events, and what is projected from these.
 *
 * A session is found by when it started, and is due by when it ended: one that ran for hours may be found a day later, when everything
 * is looked at.
 */
export const walksOf = (walking: Walking): readonly Walk[] => [
  ...KINDS.flatMap((kind) => walking.rangesOf(kind).map((range) => overEvents(walking, kind, range))),
  ...PROJECTED_KINDS.flatMap((kind) => walking.rangesOf('EVENTS').map((range) => overProjected(walking, kind, range))),
];

const overEvents =
  ({ sweeping, organizationId, run, maxExamined }: Walking, kind: SweepKind, range: TimeRange): Walk =>
  async (after) => {
    const { examined, lastId, drops } = await sweeping.sweep(organizationId, { run, kind, range, after, maxExamined });
    return { ...NOTHING, drops, next: examined === maxExamined ? lastId : null };
  };

const overProjected =
  ({ sweeping, organizationId, run, maxExamined }: Walking, kind: ProjectedKind, range: TimeRange): Walk =>
  async (after) => {
    const { dropped, next } = await sweeping.sweepProjected(organizationId, { run, kind, range, after, maxExamined });
    return { ...NOTHING, [kind === 'SESSIONS' ? 'sessions' : 'openCalls']: dropped, next };
  };

const NOTHING: Dropped = { drops: [], sessions: 0, openCalls: 0 };

/** All together, with one drop of each class and setting, in their order. */
export const addedUp = (all: readonly Dropped[]): Dropped => ({
  drops: dropsAddedUp(all.flatMap(({ drops }) => drops)),
  sessions: all.reduce((sum, { sessions }) => sum + sessions, 0),
  openCalls: all.reduce((sum, { openCalls }) => sum + openCalls, 0),
});

function dropsAddedUp(drops: readonly Drop[]): readonly Drop[] {
  const sums = new Map<string, Drop>();
  for (const drop of drops) {
    const key = JSON.stringify([drop.class, drop.namespaceId ?? '']);
    const sum = sums.get(key);
    sums.set(key, sum === undefined ? drop : together(sum, drop));
  }
  return [...sums.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, sum]) => sum);
}

const together = (one: Drop, other: Drop): Drop => ({
  ...one,
  from: other.from < one.from ? other.from : one.from,
  to: other.to > one.to ? other.to : one.to,
  firstPosition: Math.min(one.firstPosition, other.firstPosition),
  lastPosition: Math.max(one.lastPosition, other.lastPosition),
  count: one.count + other.count,
});
