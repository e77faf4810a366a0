import type { OrganizationId, PageRequest, UserId } from '../../kernel/index.js';
import type { RetentionClass } from '../catalogue.js';
import type { AuditLog } from '../ports.js';
import type { LegalHold } from './hold.js';
import type { DaysInForce, Rules, TimeRange } from './rules.js';

/** A setting with who made it. */
export interface RetentionSetting extends DaysInForce {
  readonly setAt: Date;
  readonly setBy: string;
}

/** What was or would be dropped of one class by one setting. */
export interface Drop {
  readonly class: RetentionClass;
  /** The namespace whose setting decided; null for the default. */
  readonly namespaceId: string | null;
  /** When the first of them occurred. */
  readonly from: Date;
  /** The millisecond after that in which the last of them occurred. */
  readonly to: Date;
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly count: number;
}

/** What was or would be dropped of an organization. */
export interface Dropped {
  readonly drops: readonly Drop[];
  /** How many sessions of which no event is left, with what came from their sources. */
  readonly sessions: number;
  /** How many allowed calls without an outcome whose decision is not there any more. */
  readonly openCalls: number;
}

/** One run of retention over an organization. */
export interface RetentionRun extends Dropped {
  readonly id: string;
  readonly startedAt: Date;
  /** Null: the schedule. */
  readonly startedBy: string | null;
  readonly isDryRun: boolean;
  /** Null while it is under way. */
  readonly finishedAt: Date | null;
  /** Whether it has looked at everything. */
  readonly isComplete: boolean;
  /** Why it failed, in a sentence; null when it did not. */
  readonly error: string | null;
}

/** When retention ran last in any process. */
export interface ScheduleState {
  /** Null before the first time. */
  readonly startedAt: Date | null;
  /** Null while it is under way, or when it was killed. */
  readonly finishedAt: Date | null;
  /** The process that ran it last. */
  readonly leader: string | null;
}

/** Reads what retention is set to and what it did. */
export interface RetentionReader {
  /** Every setting of the organization, by namespace. */
  settings(organizationId: OrganizationId): Promise<readonly RetentionSetting[]>;
  /** A page of the holds, the newest first; one more than asked when there are more. */
  holds(organizationId: OrganizationId, isInForce: boolean | null, page: PageRequest): Promise<readonly LegalHold[]>;
  hold(organizationId: OrganizationId, id: string): Promise<LegalHold | null>;
  /** The latest runs, the newest first. */
  runs(organizationId: OrganizationId, limit: number): Promise<readonly RetentionRun[]>;
  /** When the oldest event occurred that is still there, and the oldest of which the content is; null when there is none. */
  oldestKept(organizationId: OrganizationId): Promise<{ readonly event: Date | null; readonly content: Date | null }>;
  schedule(): Promise<ScheduleState>;
  /** The first days of the months that have partitions, as `2026-11-01`, in order. */
  months(): Promise<readonly string[]>;
}

/** Changes settings and holds, inside one transaction. */
export interface RetentionTransaction {
  readonly auditLog: AuditLog;
  /**
   * Until the transaction ends nothing is dropped anywhere and nobody else changes retention in this organization: what is committed
   * then holds for everything that is still there.
   */
  lock(organizationId: OrganizationId): Promise<void>;
  setting(organizationId: OrganizationId, namespaceId: string, of: RetentionClass): Promise<RetentionSetting | null>;
  putSetting(organizationId: OrganizationId, setting: RetentionSetting): Promise<void>;
  removeSetting(organizationId: OrganizationId, namespaceId: string, of: RetentionClass): Promise<void>;
  putHold(organizationId: OrganizationId, hold: LegalHold): Promise<void>;
  /** False when the hold is lifted already. */
  liftHold(organizationId: OrganizationId, id: string, lift: NonNullable<LegalHold['lift']>): Promise<boolean>;
  /** What has been dropped and no audit event tells of yet, with who started the run. */
  unrecordedDrops(organizationId: OrganizationId): Promise<readonly UnrecordedDrop[]>;
  markRecorded(organizationId: OrganizationId, ids: readonly string[], at: Date): Promise<void>;
}

export interface UnrecordedDrop extends Drop {
  readonly id: string;
  readonly startedBy: UserId | null;
}

/** Keeps account of runs. */
export interface RetentionRuns {
  /** What decides in the organization now, and how far it was looked through under which rules. */
  rules(organizationId: OrganizationId): Promise<Rules & { readonly progress: Progress | null }>;
  keepProgress(organizationId: OrganizationId, progress: Progress): Promise<void>;
  /**
   * Puts a run down that begins, and those that will never end as interrupted; false when another run by hand is under way in the
   * organization. A run of the schedule that is there already goes on.
   */
  begin(organizationId: OrganizationId, run: RunRequest): Promise<boolean>;
  /** Puts down how a run ended, and forgets all but the latest runs. */
  finish(organizationId: OrganizationId, id: string, end: RunEnd): Promise<void>;
}

/** Everything that was due at `sweptAsOf` under the rules of `digest` is gone; all of the log was looked at last at `sweptWholeAt`. */
export interface Progress {
  readonly digest: string;
  readonly sweptAsOf: Date;
  readonly sweptWholeAt: Date;
}

export interface RunRequest {
  readonly id: string;
  /** What is older than its days at this moment is due; the database allows none that lies ahead. */
  readonly asOf: Date;
  readonly startedBy: UserId | null;
  readonly isDryRun: boolean;
}

export interface RunEnd {
  readonly isComplete: boolean;
  /** What a dry run found. */
  readonly wouldDrop: Dropped | null;
  readonly error: string | null;
}

/** EVENTS are those of METADATA and of DECISIONS. */
export type SweepKind = 'CONTENT' | 'EVENTS';

export interface SweepRequest {
  readonly run: RunRequest;
  readonly kind: SweepKind;
  readonly range: TimeRange;
  /** The id behind which to go on; null to begin. */
  readonly after: string | null;
  readonly maxExamined: number;
}

export interface Swept {
  /** How many were looked at; fewer than `maxExamined` when that was all. */
  readonly examined: number;
  readonly lastId: string | null;
  readonly drops: readonly Drop[];
}

/** What is projected from events and goes after them. */
export type ProjectedKind = 'OPEN_CALLS' | 'SESSIONS';

export interface ProjectedSweepRequest {
  readonly run: RunRequest;
  readonly kind: ProjectedKind;
  /** In which the calls were decided, or the sessions started. */
  readonly range: TimeRange;
  /** Where the step before ended, as its `next` says; null to begin. */
  readonly after: string | null;
  readonly maxExamined: number;
}

export interface ProjectedSwept {
  readonly dropped: number;
  /** Null when that was all. */
  readonly next: string | null;
}

/** Drops what is due in an organization. */
export interface Sweeping {
  /**
   * Looks at the next events or contents of the range, in the order of time, and deletes those that are due by the settings and holds
   * of this very moment, in one transaction with the record of it; a dry run deletes nothing. No count holds an event that is deleted.
   */
  sweep(organizationId: OrganizationId, request: SweepRequest): Promise<Swept>;
  /**
   * Looks at the next open calls or sessions of the range, in the order of time, and deletes those that are due by the settings and
   * holds of this very moment and of which no event is there any more. A dry run deletes nothing; to it, events that are due are gone.
   */
  sweepProjected(organizationId: OrganizationId, request: ProjectedSweepRequest): Promise<ProjectedSwept>;
  /** Makes the counts of one day again whose events went with their whole month. False when there may be no further day. */
  recount(organizationId: OrganizationId): Promise<boolean>;
  /** Lets readers of the log begin behind what is gone. */
  skipGone(organizationId: OrganizationId): Promise<void>;
}

/** What became of a whole month: dropped, empty already, or not to be dropped, or not now. */
export type MonthOutcome = 'DROPPED' | 'EMPTY' | 'KEPT' | 'CHANGED' | 'BUSY';

/** The right to run retention for all organizations: one process has it at a time, when it is due. */
export interface RetentionSeat extends Sweeping {
  /** The id of the runs of this time. */
  readonly runId: string;
  readonly asOf: Date;
  /** Every organization that ever had an event. */
  organizations(): Promise<readonly OrganizationId[]>;
  /** Makes the partitions of a month unless they are there. */
  makeMonth(firstDay: string): Promise<void>;
  months(): Promise<readonly string[]>;
  /** Empties a month of content or of all, if everything in it is due in every organization, in one transaction with the record of it. */
  dropMonth(firstDay: string, kind: SweepKind): Promise<MonthOutcome>;
  /** Removes the partitions of a month that is empty and past every floor. */
  removeMonth(firstDay: string): Promise<'REMOVED' | 'KEPT' | 'BUSY'>;
  /** @throws Error when the seat is lost. */
  requireHeld(): Promise<void>;
  /** Puts down that it is done. */
  finish(): Promise<void>;
  /** Gives the seat up. */
  leave(): Promise<void>;
}

/** Where the seat is to be had. */
export interface RetentionSeats {
  /**
   * The seat; null while another process has it, or less than `intervalMinutes` have passed since it was taken last. One that was not
   * done with is due at once.
   */
  takeIfDue(intervalMinutes: number, leader: string): Promise<RetentionSeat | null>;
}
