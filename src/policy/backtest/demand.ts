import type { Clock, Viewer } from '../../kernel/index.js';
import type { Enforcement, ReviewSubject } from '../policy.js';
import type { PolicyTransaction } from '../ports.js';
import type { Backtest, BacktestDemand } from './backtest.js';
import { digestOf } from './report.js';

/** A backtest must show first what this would change, or it would change too much. */
export interface BacktestNeeded {
  readonly kind: 'backtestNeeded';
  readonly what: 'PUBLISH' | 'RETIRE' | 'RULES' | 'BUNDLE';
  /** The namespaces for which that is set. */
  readonly demandedBy: readonly string[];
  /** What is missing, a sentence each. */
  readonly problems: readonly string[];
}

/** How old a report may be, counted from the end of the time that it covers: what is decided and what is in force change. */
const MAX_AGE_HOURS = 24;
const HOUR = 3_600_000;
/** How many of the decisions must have been asked again with everything that was known of them. */
const MIN_WHOLE_SHARE = 0.9;

/** What is about to be done. */
export interface BacktestedChange extends Enforcement {
  readonly policyId: string;
  readonly subject: ReviewSubject;
  /** Of the text. */
  readonly digest: string;
  /** Of the namespace that the policy is attached to, from the organization down. */
  readonly line: readonly string[];
}

/**
 * The digest of the report on which a text may be published, or a policy retired; null when there is none and none is demanded.
 *
 * What counts is a backtest of exactly this text that looked at every decision of the days demanded, up to less than a day ago, and compared
 * with what is in force still. Publishes that need one come one after the other: two that are harmless each may not be so together. For the
 * same reason what needs one comes in force at once and for good. What is only watched changes nothing, and needs none.
 */
export async function backtestBehind(
  { clock }: { readonly clock: Clock },
  { backtests }: PolicyTransaction,
  { organizationId }: Viewer,
  change: BacktestedChange,
): Promise<string | null | BacktestNeeded> {
  if (change.mode === 'SHADOW') return null;
  const now = clock();
  const demands = await backtests.demands(organizationId, change.line);
  const reports = await backtests.reportsOn(organizationId, change.policyId, change.subject, change.digest);
  const recent = reports.filter(({ to }) => now.getTime() - to.getTime() <= MAX_AGE_HOURS * HOUR);
  if (demands.size === 0) return recent[0]?.reportDigest ?? null;

  const needed = (problems: readonly string[]): BacktestNeeded => ({
    ...{ kind: 'backtestNeeded', what: change.subject, demandedBy: [...demands.keys()], problems },
  });
  if (change.effectiveFrom !== null || change.effectiveUntil !== null) return needed([NOT_AT_ONCE]);
  await backtests.comeAlone(organizationId);
  const others = digestOf(await backtests.enforcedBeside(organizationId, { ...change, now }));
  const problemsOf = (report: Backtest): readonly string[] => [
    ...(report.report?.inForceDigest === others ? [] : [MOVED]),
    ...[...demands].flatMap(([id, demand]) => unmet(report, demand).map((problem) => `${id} demands ${problem}`)),
  ];
  const fitting = recent.find((report) => problemsOf(report).length === 0);
  if (fitting !== undefined) return fitting.reportDigest;
  return needed(recent[0] === undefined ? [NONE] : problemsOf(recent[0]));
}

const NONE = `There is no backtest of exactly this up to the last ${MAX_AGE_HOURS} hours, unfiltered and compared with what is in force.`;
const MOVED = 'Other policies that decide there have changed since the latest backtest. Start another one.';
const NOT_AT_ONCE =
  'What needs a backtest comes in force at once and for good: leave effectiveFrom and effectiveUntil out, and retire the policy when it is to end.';

/** What of a demand a report does not meet. */
function unmet({ from, to, report }: Backtest, demand: BacktestDemand): readonly string[] {
  if (report === null) return ['a backtest that is done.'];
  const days = (to.getTime() - from.getTime()) / (24 * HOUR);
  const { totals, skipped, withoutArguments } = report;
  const all = totals.decisions + skipped;
  const whole = all === 0 ? 1 : (totals.decisions - withoutArguments) / all;
  const most = (what: string, count: number, max: number | null): readonly string[] =>
    max === null || count <= max ? [] : [`at most ${max} calls ${what}; the latest backtest has ${count}.`];
  return [
    ...(days >= demand.days ? [] : [`a backtest of at least ${demand.days} days; the latest covers ${Math.floor(days)}.`]),
    ...(whole >= MIN_WHOLE_SHARE
      ? []
      : [`decisions with all that was known of them; in the latest backtest only ${Math.floor(whole * 100)} % are.`]),
    ...most('newly denied', totals.newlyDenied, demand.maxNewlyDenied),
    ...most('newly asked', totals.newlyAsked, demand.maxNewlyAsked),
    ...most('newly allowed', totals.newlyAllowed, demand.maxNewlyAllowed),
  ];
}
