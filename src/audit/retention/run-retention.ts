import type { Clock, OrganizationId } from '../../kernel/index.js';
import { RETENTION_CLASSES } from '../catalogue.js';
import { actorAmong, type Humans, type Owners } from '../humans.js';
import type { Drop, RetentionRuns, RetentionTransaction, RunRequest, Sweeping, SweepKind, UnrecordedDrop } from './ports.js';
import { retentionRecord } from './record.js';
import { DAYS_RULES, rangesToSweep, rulesDigest, type Rules } from './rules.js';

export interface Running {
  readonly runs: RetentionRuns;
  readonly humans: Pick<Humans, 'owners'>;
  readonly clock: Clock;
  /** Runs `work` in one transaction: all of it happens, or nothing. */
  atomically<Result>(organizationId: OrganizationId, work: (tx: RetentionTransaction) => Promise<Result>): Promise<Result>;
  /** Tells the sequencer that something was stored. */
  announceStored(): void;
  /** What may be shown of an error, in a sentence. */
  explain(error: unknown): string;
  /** The most events that one transaction looks at. */
  readonly maxExamined: number;
}

export interface RunOptions {
  /** Looks at everything, also at what was seen to be kept before. */
  readonly isWhole: boolean;
  /** Asked before each step: whether to leave the rest to another run. */
  readonly mustStop: () => boolean;
}

/** Null when another run by hand is under way in the organization. */
export type RunResult = { readonly isComplete: boolean; readonly drops: readonly Drop[] } | null;

/**
 * Drops everything in an organization that is due at `run.asOf`, in small transactions, and records it as `ai_retention_dropped`: one
 * event a class and setting. What a run that was killed has dropped is recorded by the next one, which this begins with.
 *
 * A dry run says what would be dropped and changes nothing.
 */
export async function runRetention(
  deps: Running,
  sweeping: Sweeping,
  organizationId: OrganizationId,
  run: RunRequest,
  options: RunOptions,
): Promise<RunResult> {
  if (!(await deps.runs.begin(organizationId, run))) return null;
  try {
    if (!run.isDryRun) await recordDrops(deps, organizationId);
    const result = await sweepAll(deps, sweeping, organizationId, run, options);
    if (!run.isDryRun) {
      await recordDrops(deps, organizationId);
      await sweeping.skipGone(organizationId);
    }
    await deps.runs.finish(organizationId, run.id, {
      isComplete: result.isComplete,
      wouldDrop: run.isDryRun ? result.drops : null,
      error: null,
    });
    return result;
  } catch (error) {
    await deps.runs.finish(organizationId, run.id, { isComplete: false, wouldDrop: null, error: deps.explain(error) });
    throw error;
  }
}

// Content first: what is due of it is counted as content, also where its event is due as well.
const KINDS: readonly SweepKind[] = ['CONTENT', 'EVENTS'];

async function sweepAll(
  deps: Running,
  sweeping: Sweeping,
  organizationId: OrganizationId,
  run: RunRequest,
  options: RunOptions,
): Promise<{ readonly isComplete: boolean; readonly drops: readonly Drop[] }> {
  const { progress, ...rules } = await deps.runs.rules(organizationId);
  const digest = rulesDigest(organizationId, rules);
  const isWhole = options.isWhole || progress?.digest !== digest || isStale(progress.sweptWholeAt, run.asOf);
  const drops: Drop[] = [];
  for (const kind of KINDS) {
    for (const range of rangesToSweep(daysOf(kind, rules), run.asOf, isWhole ? null : progress.sweptAsOf)) {
      let after: string | null = null;
      for (let isMore = true; isMore;) {
        if (options.mustStop()) return { isComplete: false, drops: addedUp(drops) };
        const swept = await sweeping.sweep(organizationId, { run, kind, range, after, maxExamined: deps.maxExamined });
        drops.push(...swept.drops);
        after = swept.lastId;
        isMore = swept.examined === deps.maxExamined;
      }
    }
  }
  if (!run.isDryRun)
    await deps.runs.keepProgress(organizationId, {
      digest,
      sweptAsOf: run.asOf,
      sweptWholeAt: isWhole ? run.asOf : progress.sweptWholeAt,
    });
  return { isComplete: true, drops: addedUp(drops) };
}

/** How long what was seen to be kept is not looked at again, when nothing has changed that decides about it. */
const WHOLE_MILLISECONDS = 24 * 3_600_000;

const isStale = (sweptWholeAt: Date, now: Date): boolean => now.getTime() - sweptWholeAt.getTime() >= WHOLE_MILLISECONDS;

/** After how many days something of this kind may expire. Content also goes with the metadata, or with its event. */
const daysOf = (kind: SweepKind, { settings }: Rules): readonly number[] =>
  RETENTION_CLASSES.filter((each) => each !== 'CONTENT' || kind === 'CONTENT').flatMap((each) => [
    DAYS_RULES[each].defaultDays,
    ...settings.filter((setting) => setting.class === each).map(({ days }) => days),
  ]);

/** One of each class and setting, in their order. */
function addedUp(drops: readonly Drop[]): readonly Drop[] {
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

async function recordDrops(deps: Running, organizationId: OrganizationId): Promise<void> {
  const now = deps.clock();
  const owners = await deps.humans.owners(organizationId);
  const recorded = await deps.atomically(organizationId, async (tx) => {
    const drops = await tx.unrecordedDrops(organizationId);
    if (drops.length === 0) return 0;
    await tx.lock(organizationId);
    // Some may have gone on growing until the lock was had.
    const final = await tx.unrecordedDrops(organizationId);
    await tx.auditLog.append(
      organizationId,
      final.map((drop) => recordOf(organizationId, now, owners, drop)),
    );
    await tx.markRecorded(
      organizationId,
      final.map(({ id }) => id),
      now,
    );
    return final.length;
  });
  if (recorded > 0) deps.announceStored();
}

const recordOf = (organizationId: OrganizationId, now: Date, owners: Owners, drop: UnrecordedDrop) =>
  retentionRecord(organizationId, now, {
    type: 'ai_retention_dropped',
    namespaceId: drop.namespaceId ?? organizationId,
    by: actorAmong(owners, drop.startedBy),
    sourceId: drop.id,
    data: {
      class: drop.class,
      namespaceId: drop.namespaceId,
      from: drop.from.toISOString(),
      to: drop.to.toISOString(),
      firstPosition: drop.firstPosition,
      lastPosition: drop.lastPosition,
      count: drop.count,
    },
  });
