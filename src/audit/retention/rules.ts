import { hashOf, type OrganizationId } from '../../kernel/index.js';
import { EVENT_TYPES, retentionClassOf, type RetentionClass } from '../catalogue.js';

/** The types of events whose class is DECISIONS. */
export const DECISION_TYPES: readonly string[] = EVENT_TYPES.filter(({ retentionClass }) => retentionClass === 'DECISIONS').map(
  ({ name }) => name,
);

/** Whole days of 24 hours after an event occurred. */
export interface DaysRule {
  readonly floorDays: number;
  readonly defaultDays: number;
  readonly ceilingDays: number;
}

/** Ten years, leap days included: as long as the documentation of a high-risk system is kept (Regulation (EU) 2024/1689, Art. 18). */
const CEILING_DAYS = 3_653;

/** The longest six months: logs are kept "at least six months" (Regulation (EU) 2024/1689, Art. 19(1) and 26(6)). */
const SIX_MONTHS_DAYS = 184;

/**
 * How short and how long each class may be kept. docs/retention.md gives the reasons.
 *
 * Content has next to no floor: the same articles give way to data protection law, which wants personal data kept no longer than
 * needed (Regulation (EU) 2016/679, Art. 5(1)(c) and (e)). The database refuses what is below a floor by itself.
 */
export const DAYS_RULES: Readonly<Record<RetentionClass, DaysRule>> = {
  CONTENT: { floorDays: 1, defaultDays: SIX_MONTHS_DAYS, ceilingDays: CEILING_DAYS },
  METADATA: { floorDays: SIX_MONTHS_DAYS, defaultDays: 400, ceilingDays: CEILING_DAYS },
  DECISIONS: { floorDays: SIX_MONTHS_DAYS, defaultDays: 730, ceilingDays: CEILING_DAYS },
};

/** What would be right in place of `days`; null when it is. */
export function daysProblem(of: RetentionClass, days: number): string | null {
  const { floorDays, ceilingDays } = DAYS_RULES[of];
  if (Number.isInteger(days) && days >= floorDays && days <= ceilingDays) return null;
  return `must be a whole number from ${floorDays} to ${ceilingDays} for ${of}, or null to inherit`;
}

/** A setting in force: for a namespace and everything below that has none of its own. */
export interface DaysInForce {
  readonly namespaceId: string;
  readonly class: RetentionClass;
  readonly days: number;
}

export type EffectiveDays = Readonly<Record<RetentionClass, number>>;

/**
 * How many days each class is kept where `line` leads: by the nearest setting there or above, otherwise by default. Content is kept no
 * longer than metadata; that of a decision also goes with the decision.
 *
 * @param line ids from the organization down to the namespace
 */
export function effectiveDays(settings: readonly DaysInForce[], line: readonly string[]): EffectiveDays {
  const of = (wanted: RetentionClass): number => {
    const nearest = settings
      .filter((setting) => setting.class === wanted && line.includes(setting.namespaceId))
      .reduce<DaysInForce | null>(
        (best, next) => (best === null || line.indexOf(next.namespaceId) > line.indexOf(best.namespaceId) ? next : best),
        null,
      );
    return nearest?.days ?? DAYS_RULES[wanted].defaultDays;
  };
  const METADATA = of('METADATA');
  return { CONTENT: Math.min(of('CONTENT'), METADATA), METADATA, DECISIONS: of('DECISIONS') };
}

const DAY_MILLISECONDS = 86_400_000;

/** The moment before which what is kept for so many days has expired. */
export const cutoffOf = (asOf: Date, days: number): Date => new Date(asOf.getTime() - days * DAY_MILLISECONDS);

/**
 * Why an event of this time cannot be taken any more where `days` hold: it would be dropped at once. Null when it can.
 *
 * @param occurredAt milliseconds since 1970
 */
export function retentionProblem(type: string, occurredAt: number, now: Date, days: EffectiveDays): string | null {
  const kept = days[retentionClassOf(type)];
  const oldest = cutoffOf(now, kept);
  if (occurredAt >= oldest.getTime()) return null;
  return `must not be older than the ${kept} days that events of this type are kept there: from ${oldest.toISOString()} on now`;
}

/** Times in which something may have come of age. */
export interface TimeRange {
  /** Null: from the beginning. */
  readonly since: Date | null;
  readonly until: Date;
}

/** How far back of where it ended a sweep begins: an event that was accepted in time may have been stored a little later. */
const OVERLAP_MILLISECONDS = 2 * 3_600_000;

/**
 * Where to look for what expires after one of `days`: everything old enough, or, when all that had expired at `sweptAsOf` is known to be
 * gone, what has come of age since. In the order of time, without overlaps.
 */
export function rangesToSweep(days: readonly number[], asOf: Date, sweptAsOf: Date | null): readonly TimeRange[] {
  const [shortest = 0] = [...days].sort((left, right) => left - right);
  if (sweptAsOf === null) return [{ since: null, until: cutoffOf(asOf, shortest) }];
  const ranges: { since: Date; until: Date }[] = [];
  for (const each of [...new Set(days)].sort((left, right) => right - left)) {
    const since = new Date(cutoffOf(sweptAsOf, each).getTime() - OVERLAP_MILLISECONDS);
    const until = cutoffOf(asOf, each);
    const last = ranges.at(-1);
    if (last !== undefined && since <= last.until) last.until = until;
    else ranges.push({ since, until });
  }
  return ranges;
}

/** What decides about what is due in an organization. */
export interface Rules {
  readonly settings: readonly DaysInForce[];
  /** Ids of the holds in force. */
  readonly holdIds: readonly string[];
  /** Moves when a namespace does. */
  readonly epoch: number;
}

/** Differs from that of other rules under which less may have been due. */
export function rulesDigest(organizationId: OrganizationId, { settings, holdIds, epoch }: Rules): string {
  const rows = settings.map((setting) => JSON.stringify([setting.namespaceId, setting.class, setting.days])).sort();
  // Where nothing depends on the tree, its changes change nothing.
  const isTreeInvolved = holdIds.length > 0 || settings.some(({ namespaceId }) => namespaceId !== organizationId);
  return hashOf(JSON.stringify([DAYS_RULES, DECISION_TYPES, rows, [...holdIds].sort(), isTreeInvolved ? epoch : null])).toString('hex');
}
