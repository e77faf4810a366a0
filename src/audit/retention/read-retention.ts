import { overseesOrganization, type Directory } from '../../directory/index.js';
import { pageOf, requireScope, type Clock, type Page, type PageRequest, type Viewer } from '../../kernel/index.js';
import { RETENTION_CLASSES, type RetentionClass } from '../catalogue.js';
import type { LegalHold } from './hold.js';
import { ENOUGH_MONTHS_AHEAD, monthsAhead } from './months.js';
import type { RetentionReader, RetentionRun, RetentionSetting } from './ports.js';
import { DAYS_RULES, effectiveDays, type DaysRule } from './rules.js';

export interface RetentionReading {
  readonly directory: Directory;
  readonly retention: RetentionReader;
  readonly clock: Clock;
  readonly intervalMinutes: number;
}

export interface ClassStatus extends DaysRule {
  readonly class: RetentionClass;
  /** The days that hold in the namespace asked for. */
  readonly effectiveDays: number;
  readonly settings: readonly RetentionSetting[];
}

export interface RetentionStatus {
  readonly classes: readonly ClassStatus[];
  readonly oldestEventAt: Date | null;
  readonly oldestContentAt: Date | null;
  /** The newest first. */
  readonly recentRuns: readonly RetentionRun[];
  readonly nextRunAt: Date;
  readonly leader: string | null;
  readonly months: readonly string[];
  readonly monthsAhead: number;
  readonly isEnough: boolean;
}

/** How many runs are shown, and kept. */
export const RECENT_RUNS = 20;

/**
 * How retention stands in the viewer's organization; null for whoever neither owns nor audits it, and where there is no such namespace.
 *
 * @param namespaceId where `effectiveDays` hold; null for the organization
 */
export async function retentionStatus(deps: RetentionReading, viewer: Viewer, namespaceId: string | null): Promise<RetentionStatus | null> {
  requireScope(viewer, 'audit:read');
  const { organizationId } = viewer;
  if (!(await overseesOrganization(deps.directory, viewer))) return null;
  const wanted = namespaceId ?? organizationId;
  const line = (await deps.directory.lines(organizationId, [wanted])).get(wanted);
  if (line === undefined) return null;
  const [settings, oldest, recentRuns, schedule, months] = await Promise.all([
    deps.retention.settings(organizationId),
    deps.retention.oldestKept(organizationId),
    deps.retention.runs(organizationId, RECENT_RUNS),
    deps.retention.schedule(),
    deps.retention.months(),
  ]);
  const days = effectiveDays(settings, line);
  const now = deps.clock();
  const ahead = monthsAhead(months, now);
  return {
    classes: RETENTION_CLASSES.map((each) => ({
      class: each,
      ...DAYS_RULES[each],
      effectiveDays: days[each],
      settings: settings.filter((setting) => setting.class === each),
    })),
    oldestEventAt: oldest.event,
    oldestContentAt: oldest.content,
    recentRuns,
    nextRunAt: nextRun(schedule, deps.intervalMinutes, now),
    leader: schedule.leader,
    months: months.map((month) => month.slice(0, 7)),
    monthsAhead: Math.max(0, ahead),
    isEnough: ahead >= ENOUGH_MONTHS_AHEAD,
  };
}

/** A run that was not done with is due at once. */
function nextRun(
  { startedAt, finishedAt }: { readonly startedAt: Date | null; readonly finishedAt: Date | null },
  intervalMinutes: number,
  now: Date,
): Date {
  if (startedAt === null || finishedAt === null) return now;
  return new Date(Math.max(now.getTime(), startedAt.getTime() + intervalMinutes * 60_000));
}

/** A page of the organization's holds, the newest first; null for whoever neither owns nor audits the organization. */
export async function listHolds(
  deps: RetentionReading,
  viewer: Viewer,
  isInForce: boolean | null,
  page: PageRequest,
): Promise<Page<LegalHold> | null> {
  requireScope(viewer, 'audit:read');
  if (!(await overseesOrganization(deps.directory, viewer))) return null;
  return pageOf(await deps.retention.holds(viewer.organizationId, isInForce, page), page);
}
