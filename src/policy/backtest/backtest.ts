import type { PolicyInForce, ReviewSubject } from '../policy.js';
import type { Counts, Group } from './tally.js';

/** What the verdicts of a draft are compared with. */
export type Baseline = 'IN_FORCE' | 'RECORDED';

/** Two sets of policies of an organization. */
export interface Comparison {
  /** What is enforced now. */
  readonly before: readonly PolicyInForce[];
  /** What would be. */
  readonly after: readonly PolicyInForce[];
  /** IN_FORCE: the verdicts that `before` gives. RECORDED: those that were given. */
  readonly baseline: Baseline;
}

export type BacktestStatus = 'RUNNING' | 'DONE' | 'CANCELLED' | 'FAILED';

/** What a text of a policy, or its retirement, would have made of recorded decisions. */
export interface Backtest {
  readonly id: string;
  readonly policyId: string;
  /** Where the policy is attached: the decisions of this namespace, and of everything below, are asked again. */
  readonly namespaceId: string;
  readonly subject: ReviewSubject;
  /** Of the text, as of a revision. */
  readonly digest: string;
  readonly baseline: Baseline;
  /** Decisions made from this moment on. */
  readonly from: Date;
  /** And before this one. */
  readonly to: Date;
  /** Whether some of the decisions in that time were left out. */
  readonly isFiltered: boolean;
  readonly status: BacktestStatus;
  /** Why it failed; null unless it has. */
  readonly problem: string | null;
  readonly startedAt: Date;
  readonly startedBy: string;
  /** When whoever runs it was heard of last. */
  readonly progressAt: Date;
  /** How much of the time has been looked through, from 0 to 1. */
  readonly progress: number;
  /** Events looked at so far, whatever they record. */
  readonly examined: number;
  readonly finishedAt: Date | null;
  /** Null unless it is done. */
  readonly report: Report | null;
  readonly reportDigest: string | null;
}

/** What came of a backtest. */
export interface Report {
  /** SHA-256 of what else was enforced then on the policy's line of namespaces and below: ids and revisions. */
  readonly inForceDigest: string;
  readonly totals: Counts;
  /** Decisions from before their facts were recorded. */
  readonly skipped: number;
  /** Asked again without all their arguments, which were not recorded or held secrets. */
  readonly withoutArguments: number;
  /** Decisions that what is in force answers otherwise than they were answered then. */
  readonly notReproduced: number;
  /** Those with changes, those with the most first. */
  readonly groups: readonly Group[];
  /** How many groups with changes are not among them, because they are too many. */
  readonly groupsLeftOut: number;
  /** How many changed calls cannot be listed, because they are too many. All are counted. */
  readonly callsLeftOut: number;
}

/** What a namespace demands of a publish in it and below. */
export interface BacktestDemand {
  /** How many days of decisions the backtest must cover, at least. */
  readonly days: number;
  /** How many verdicts may change, at most; null: any number. */
  readonly maxNewlyDenied: number | null;
  readonly maxNewlyAsked: number | null;
  readonly maxNewlyAllowed: number | null;
}

/** After so long without a word from whoever runs it, a backtest has ended with its process. */
const SILENCE_MILLISECONDS = 60_000;

/** The backtest as it stands at `now`: one whose process has vanished has failed. */
export function asOf(backtest: Backtest, now: Date): Backtest {
  if (backtest.status !== 'RUNNING' || now.getTime() - backtest.progressAt.getTime() <= SILENCE_MILLISECONDS) return backtest;
  return {
    ...backtest,
    status: 'FAILED',
    problem: 'The process that ran it has ended. Start it again.',
    finishedAt: backtest.progressAt,
  };
}
