import type { Clock, Viewer } from '../../kernel/index.js';
import type { EnforcementMode, ReviewSubject } from '../policy.js';
import type { PolicyTransaction } from '../ports.js';
import type { Backtest, BacktestDemand } from './backtest.js';

/** A backtest must show first what this would change, or it would change too much. */
export interface BacktestNeeded {
  readonly kind: 'backtestNeeded';
  readonly what: 'PUBLISH' | 'RETIRE' | 'RULES';
  /** The namespaces for which that is set. */
  readonly demandedBy: readonly string[];
  /** What is missing, a sentence each. */
  readonly problems: readonly string[];
}

/** How old a report may be: what was decided and what is in force change. */
const MAX_AGE_HOURS = 24;
const HOUR = 3_600_000;

/**
 * The digest of the report on which a text may be published, or a policy retired; null when there is none and none is demanded.
 *
 * What counts is a backtest of exactly this text that looked at every decision of the days demanded, compared with what is in force, and
 * that is less than a day old. What is only watched changes nothing, and needs none.
 */
export async function backtestBehind(
  { clock }: { readonly clock: Clock },
  { backtests }: PolicyTransaction,
  { organizationId }: Viewer,
  change: {
    readonly policyId: string;
    readonly subject: ReviewSubject;
    readonly digest: string;
    readonly mode: EnforcementMode;
    readonly line: readonly string[];
  },
): Promise<string | null | BacktestNeeded> {
  if (change.mode === 'SHADOW') return null;
  const demands = await backtests.demands(organizationId, change.line);
  const now = clock();
  const reports = await backtests.reportsOn(organizationId, change.policyId, change.subject, change.digest);
  const recent = reports.filter(({ finishedAt }) => finishedAt !== null && now.getTime() - finishedAt.getTime() <= MAX_AGE_HOURS * HOUR);
  const fitting = recent.find((report) => [...demands.values()].every((demand) => problemsOf(report, demand).length === 0));
  if (fitting !== undefined) return fitting.reportDigest;
  if (demands.size === 0) return null;
  const [latest] = recent;
  const problems =
    latest === undefined
      ? [`There is no backtest of exactly this from the last ${MAX_AGE_HOURS} hours, unfiltered and compared with what is in force.`]
      : [...demands].flatMap(([namespaceId, demand]) => problemsOf(latest, demand).map((problem) => `${namespaceId} demands ${problem}`));
  return { kind: 'backtestNeeded', what: change.subject, demandedBy: [...demands.keys()], problems };
}

/** What of a demand a report does not meet. */
function problemsOf({ from, to, report }: Backtest, demand: BacktestDemand): readonly string[] {
  const days = (to.getTime() - from.getTime()) / (24 * HOUR);
  const totals = report?.totals ?? { newlyDenied: 0, newlyAsked: 0, newlyAllowed: 0 };
  const most = (what: string, count: number, max: number | null): readonly string[] =>
    max === null || count <= max ? [] : [`at most ${max} calls ${what}; the latest backtest has ${count}.`];
  return [
    ...(days >= demand.days ? [] : [`a backtest of at least ${demand.days} days; the latest covers ${Math.floor(days)}.`]),
    ...most('newly denied', totals.newlyDenied, demand.maxNewlyDenied),
    ...most('newly asked', totals.newlyAsked, demand.maxNewlyAsked),
    ...most('newly allowed', totals.newlyAllowed, demand.maxNewlyAllowed),
  ];
}
