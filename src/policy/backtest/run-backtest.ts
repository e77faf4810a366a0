import type { EventArchive, EventFilter, EventScope } from '../../audit/index.js';
import type { Clock, OrganizationId } from '../../kernel/index.js';
import type { Backtest, Comparison, Report } from './backtest.js';
import type { Backtests, Replay, Replaying } from './ports.js';
import { startSumming } from './report.js';
import type { ChangedCall } from './tally.js';

export interface RunningBacktests {
  readonly archive: EventArchive;
  readonly backtests: Pick<Backtests, 'advance'>;
  readonly replaying: Replaying;
  readonly clock: Clock;
}

export interface Run {
  readonly organizationId: OrganizationId;
  readonly backtest: Backtest;
  readonly comparison: Comparison;
  /** Of what else is enforced where the policy reaches; see Report. */
  readonly inForceDigest: string;
  readonly scope: EventScope;
  readonly filter: EventFilter;
  /** Ends it before it is done. */
  readonly signal: AbortSignal;
}

/** How often it is said how far a backtest is. */
const ADVANCE_MILLISECONDS = 500;

/**
 * Asks the recorded decisions again, page by page; null when that was cancelled. Reads the next page while those before it are looked at,
 * and never has more in memory than keeps the threads at work.
 */
export async function runBacktest(
  deps: RunningBacktests,
  run: Run,
): Promise<{ readonly report: Report; readonly changed: readonly ChangedCall[] } | null> {
  const replay = deps.replaying.start(run.comparison);
  try {
    const summing = startSumming();
    const isWhole = await replayPages(deps, run, replay, (tally) => summing.add(tally));
    if (!isWhole) return null;
    const { report, changed } = summing.sum();
    return { report: { ...report, inForceDigest: run.inForceDigest }, changed };
  } finally {
    await replay.end();
  }
}

async function replayPages(
  { archive, backtests, clock }: RunningBacktests,
  { organizationId, backtest, scope, filter, signal }: Run,
  replay: Replay,
  add: (tally: Awaited<ReturnType<Replay['tally']>>) => void,
): Promise<boolean> {
  const underWay = new UnderWay();
  let [after, examined, saidAt]: [string | null, number, number] = [null, 0, clock().getTime()];
  for (;;) {
    const page = await archive.read(organizationId, scope, filter, after);
    if (page.last === null) break;
    after = page.last;
    examined += page.examined;
    if (page.events.length > 0) underWay.add(replay.tally(page.events).then(add));
    await underWay.fewerThan(2 * replay.width);
    const now = clock();
    if (now.getTime() - saidAt >= ADVANCE_MILLISECONDS || signal.aborted) {
      saidAt = now.getTime();
      const how = { progress: progressAt(after, backtest), progressAt: now, examined };
      if (signal.aborted || !(await backtests.advance(organizationId, backtest.id, how))) return false;
    }
  }
  await underWay.fewerThan(1);
  return backtests.advance(organizationId, backtest.id, { progress: 1, progressAt: clock(), examined });
}

/** What is being done side by side. The first failure fails whoever waits next. */
class UnderWay {
  readonly #all = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | null = null;

  add(work: Promise<void>): void {
    const settled = work
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#all.delete(settled));
    this.#all.add(settled);
  }

  async fewerThan(count: number): Promise<void> {
    while (this.#all.size >= count) await Promise.race(this.#all);
    if (this.#failure !== null) throw this.#failure.error;
  }
}

/** How much of the time lies before the event: its id begins with the milliseconds of its time. */
function progressAt(eventId: string, { from, to }: Backtest): number {
  const moment = Number.parseInt(eventId.replaceAll('-', '').slice(0, 12), 16);
  return Math.min(1, Math.max(0, (moment - from.getTime()) / (to.getTime() - from.getTime())));
}
