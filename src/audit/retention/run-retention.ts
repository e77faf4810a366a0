import type { Clock, OrganizationId } from '../../kernel/index.js';
import { RETENTION_CLASSES } from '../catalogue.js';
import { actorAmong, type Humans, type Owners } from '../humans.js';
import type { Dropped, RetentionRuns, RetentionTransaction, RunRequest, Sweeping, SweepKind, UnrecordedDrop } from './ports.js';
import { retentionRecord } from './record.js';
import { DAYS_RULES, rangesToSweep, rulesDigest, type Rules } from './rules.js';
import { addedUp, walksOf, type Walk } from './walks.js';

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
export type RunResult = (Dropped & { readonly isComplete: boolean }) | null;

/**
 * Drops everything in an organization that is due at `run.asOf`, in small transactions, and records it as `ai_retention_dropped`: one
 * event a class and setting. What a run that was killed has dropped is recorded by the next one, which this begins with. What is
 * projected from events goes after them.
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
      wouldDrop: run.isDryRun ? result : null,
      error: null,
    });
    return result;
  } catch (error) {
    await deps.runs.finish(organizationId, run.id, { isComplete: false, wouldDrop: null, error: deps.explain(error) });
    throw error;
  }
}

async function sweepAll(
  deps: Running,
  sweeping: Sweeping,
  organizationId: OrganizationId,
  run: RunRequest,
  options: RunOptions,
): Promise<NonNullable<RunResult>> {
  const { progress, ...rules } = await deps.runs.rules(organizationId);
  const digest = rulesDigest(organizationId, rules);
  const isWhole = options.isWhole || progress?.digest !== digest || isStale(progress.sweptWholeAt, run.asOf);
  const found: Dropped[] = [];
  const walks = walksOf({
    ...{ sweeping, organizationId, run, maxExamined: deps.maxExamined },
    rangesOf: (kind) => rangesToSweep(daysOf(kind, rules), run.asOf, isWhole ? null : progress.sweptAsOf),
  });
  const isComplete = (await recountAll(sweeping, organizationId, run, options)) && (await walkAll(walks, options, found));
  if (isComplete && !run.isDryRun)
    await deps.runs.keepProgress(organizationId, {
      digest,
      sweptAsOf: run.asOf,
      sweptWholeAt: isWhole ? run.asOf : progress.sweptWholeAt,
    });
  return { isComplete, ...addedUp(found) };
}

/** Counts again what went with whole months; false when it must stop before the end. */
async function recountAll(
  sweeping: Sweeping,
  organizationId: OrganizationId,
  { isDryRun }: RunRequest,
  { mustStop }: RunOptions,
): Promise<boolean> {
  if (!isDryRun) while (await sweeping.recount(organizationId)) if (mustStop()) return false;
  return true;
}

/** Takes each walk to its end and puts what it drops into `found`; false when it must stop before. */
async function walkAll(walks: readonly Walk[], { mustStop }: RunOptions, found: Dropped[]): Promise<boolean> {
  for (const walk of walks) {
    let after: string | null = null;
    do {
      if (mustStop()) return false;
      const { next, ...dropped } = await walk(after);
      found.push(dropped);
      after = next;
    } while (after !== null);
  }
  return true;
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
