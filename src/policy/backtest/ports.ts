import type { OrganizationId, PageRequest } from '../../kernel/index.js';
import type { ReviewSubject } from '../policy.js';
import type { Backtest, BacktestDemand, BacktestStatus, Comparison, Report } from './backtest.js';
import type { Change, ChangedCall, Tally } from './tally.js';

/** Which of the changed calls. */
export interface CallFilter {
  readonly change: Change | null;
  readonly agentId: string | null;
  readonly tool: string | null;
  readonly projectId: string | null;
  readonly policyId: string | null;
}

/** Backtests, outside of any transaction. */
export interface Backtests {
  /** Those of `ids` that there are, in no order. */
  byIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly Backtest[]>;
  /** For each of `policyIds`, in their order, a page of its backtests, newest first; one more than asked when there are more. */
  list(organizationId: OrganizationId, policyIds: readonly string[], page: PageRequest): Promise<readonly (readonly Backtest[])[]>;
  /** A page of the changed calls, in the order of their events; one more than asked when there are more. */
  calls(organizationId: OrganizationId, backtestId: string, filter: CallFilter, page: PageRequest): Promise<readonly ChangedCall[]>;
  /** Says how far it is; false when it is not running any more. */
  advance(
    organizationId: OrganizationId,
    backtestId: string,
    how: Pick<Backtest, 'progress' | 'progressAt' | 'examined'>,
  ): Promise<boolean>;
  /** For each of `namespaceIds` that demands something. */
  demands(organizationId: OrganizationId, namespaceIds: readonly string[]): Promise<ReadonlyMap<string, BacktestDemand>>;
}

/** Backtests, inside one transaction. */
export interface BacktestWriter {
  /** Stores a new one, and takes away the oldest of its policy that have ended, so that `kept` are left with it. */
  insert(organizationId: OrganizationId, backtest: Backtest, kept: number): Promise<void>;
  /** Ends one; false when it has ended already. */
  finish(
    organizationId: OrganizationId,
    backtestId: string,
    end: {
      readonly status: Exclude<BacktestStatus, 'RUNNING'>;
      readonly at: Date;
      readonly problem: string | null;
      readonly report: Report | null;
      readonly reportDigest: string | null;
    },
  ): Promise<boolean>;
  addCalls(organizationId: OrganizationId, backtestId: string, calls: readonly ChangedCall[]): Promise<void>;
  /** Those that are done with exactly this text, that looked at all decisions and compared them with what is in force; newest first. */
  reportsOn(organizationId: OrganizationId, policyId: string, subject: ReviewSubject, digest: string): Promise<readonly Backtest[]>;
  /** Waits for transactions that have asked the same, and lets none pass until this one ends. */
  comeAlone(organizationId: OrganizationId): Promise<void>;
  /** What else is enforced on the line and below its end, each as the policy's id, a slash and the revision; in no order. */
  enforcedBeside(
    organizationId: OrganizationId,
    change: { readonly policyId: string; readonly line: readonly string[]; readonly now: Date },
  ): Promise<readonly string[]>;
  /** What the namespaces of `line` demand. Until the transaction ends nobody sets it otherwise. */
  demands(organizationId: OrganizationId, line: readonly string[]): Promise<ReadonlyMap<string, BacktestDemand>>;
  /** Sets it, or takes it back; whether that changed anything. Waits for transactions that have asked. */
  demand(
    organizationId: OrganizationId,
    namespaceId: string,
    demand: BacktestDemand | null,
    by: { readonly at: Date; readonly userId: string },
  ): Promise<boolean>;
}

/** Asks recorded decisions again, beside everything else that this process does. */
export interface Replaying {
  start(comparison: Comparison): Replay;
  /** Ends whatever is kept for the next. */
  close(): Promise<void>;
}

export interface Replay {
  /** How many pages are looked at side by side. */
  readonly width: number;
  /** What becomes of some decisions, each the JSON of its event. */
  tally(events: readonly string[]): Promise<Tally>;
  /** Ends it, whatever it is doing. */
  end(): Promise<void>;
}
