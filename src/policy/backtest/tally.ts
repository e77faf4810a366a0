import type { Verdict } from '../../audit/index.js';

/** By what changes are counted. */
export const DIMENSIONS = ['AGENT', 'TOOL', 'PROJECT', 'POLICY'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** What would become of a call that was decided otherwise. */
export const CHANGES = ['NEWLY_DENIED', 'NEWLY_ASKED', 'NEWLY_ALLOWED'] as const;
export type Change = (typeof CHANGES)[number];

export interface Counts {
  /** How many were asked again. */
  readonly decisions: number;
  readonly newlyDenied: number;
  readonly newlyAsked: number;
  readonly newlyAllowed: number;
}

export const NO_COUNTS: Counts = { decisions: 0, newlyDenied: 0, newlyAsked: 0, newlyAllowed: 0 };

/** Counts of one agent, tool, project or policy. */
export interface Group extends Counts {
  readonly dimension: Dimension;
  /** Its id. */
  readonly key: string;
}

/** A call whose verdict would be another one. */
export interface ChangedCall {
  /** Of the event that recorded the decision. */
  readonly eventId: string;
  readonly change: Change;
  readonly before: Verdict;
  readonly after: Verdict;
  readonly agentId: string;
  readonly tool: string;
  readonly projectId: string;
  /** The policies that would decide it; where none would, those that do. */
  readonly policyIds: readonly string[];
}

/** What came of some decisions that were asked again. */
export interface Tally {
  readonly totals: Counts;
  /** Decisions from before their facts were recorded: they cannot be asked again. */
  readonly skipped: number;
  /** Of those asked again, how many have not kept all their arguments: a policy that reads those may answer otherwise. */
  readonly withoutArguments: number;
  /** How many the policies in force answer otherwise than it was answered then. */
  readonly notReproduced: number;
  /** In no order. */
  readonly groups: readonly Group[];
  readonly changed: readonly ChangedCall[];
}

export const NOTHING_TALLIED: Tally = {
  totals: NO_COUNTS,
  skipped: 0,
  withoutArguments: 0,
  notReproduced: 0,
  groups: [],
  changed: [],
};

/** How many verdicts would be others. */
export const changesIn = ({ newlyDenied, newlyAsked, newlyAllowed }: Counts): number => newlyDenied + newlyAsked + newlyAllowed;
