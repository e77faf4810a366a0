import type { EnforcementMode, Enforcement, PolicyInForce } from './policy.js';

/** What is in force at a moment, and for how long that holds. */
export interface InForce {
  /** Decide calls. */
  readonly enforced: readonly PolicyInForce[];
  /** Are evaluated beside those that do. */
  readonly shadows: readonly PolicyInForce[];
  /** The first moment at which something else is in force; null when there is none. */
  readonly until: Date | null;
}

/**
 * What of `revisions` is in force at `now`. Pure.
 *
 * A revision is in force from its start until its end, unless a later one has started: what is enforced later replaces everything
 * before it, also what was still to start; a shadow replaces earlier shadows alone, so that watching a change never lifts what it
 * would change. An end leaves nothing behind: it brings no earlier revision back.
 */
export function inForceAt(revisions: readonly PolicyInForce[], now: Date): InForce {
  const started = revisions.filter((revision) => hasStarted(revision, now));
  const latest = latestStarted(started);
  const current = started.filter(
    ({ id, mode, revision, effectiveUntil }) =>
      (effectiveUntil === null || effectiveUntil > now) &&
      revision >= (latest.get(placeOf(id, 'ENFORCE')) ?? 0) &&
      (mode === 'ENFORCE' || revision >= (latest.get(placeOf(id, 'SHADOW')) ?? 0)),
  );
  const changes = revisions
    .flatMap(({ effectiveFrom, effectiveUntil }) => [effectiveFrom, effectiveUntil])
    .flatMap((moment) => (moment !== null && moment > now ? [moment.getTime()] : []));
  return {
    enforced: current.filter(({ mode }) => mode === 'ENFORCE'),
    shadows: current.filter(({ mode }) => mode === 'SHADOW'),
    until: changes.length === 0 ? null : new Date(Math.min(...changes)),
  };
}

const hasStarted = ({ effectiveFrom }: Enforcement, now: Date): boolean => effectiveFrom === null || effectiveFrom <= now;

const placeOf = (id: string, mode: EnforcementMode): string => `${mode} ${id}`;

/** The number of the latest revision of each policy and mode. */
function latestStarted(started: readonly PolicyInForce[]): ReadonlyMap<string, number> {
  const latest = new Map<string, number>();
  for (const { id, mode, revision } of started) {
    const place = placeOf(id, mode);
    latest.set(place, Math.max(revision, latest.get(place) ?? 0));
  }
  return latest;
}

/**
 * What would be enforced if the shadows were: each takes the place of what is enforced of its policy.
 */
export function withShadows({ enforced, shadows }: Pick<InForce, 'enforced' | 'shadows'>): readonly PolicyInForce[] {
  const shadowed = new Set(shadows.map(({ id }) => id));
  return [...enforced.filter(({ id }) => !shadowed.has(id)), ...shadows];
}
