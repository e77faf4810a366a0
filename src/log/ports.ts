import type { StoredEvent } from '../audit/index.js';
import type { OrganizationId } from '../kernel/index.js';

/** What one step of the sequencer did. */
export interface Sequenced {
  /** How many events got a position. */
  readonly events: number;
  /** The organizations whose logs grew, with their sizes now. */
  readonly heads: readonly { readonly organizationId: OrganizationId; readonly size: number }[];
}

/** The right to give positions: one process has it at a time. */
export interface SequencerSeat {
  /**
   * Gives the next positions to at most `limit` events, in one transaction on the very connection that holds the seat: a
   * process that has lost the seat cannot commit.
   *
   * Order is that of (transaction, insertion). Only events of transactions older than the oldest still running are taken, so
   * none can appear behind one that has its position already.
   */
  step(limit: number): Promise<Sequenced>;
  /** Gives the seat up. */
  leave(): Promise<void>;
}

/** Where the seat is to be had. */
export interface Sequencing {
  /** The seat; null while another process has it. */
  take(): Promise<SequencerSeat | null>;
}

/** An event in its place. */
export interface LogEntry {
  readonly position: number;
  readonly stored: StoredEvent;
  /** Length of the event's stored JSON. */
  readonly characters: number;
}

/** Reads the ordered log. */
export interface LogReader {
  /** How many events have a position. */
  size(organizationId: OrganizationId): Promise<number>;
  /**
   * Entries from `position` on, in order, at most `limit`; fewer when they are large, but at least one that is there. None is left out
   * but those whose event has been dropped since; empty at the end of the log.
   */
  readFrom(organizationId: OrganizationId, position: number, limit: number): Promise<readonly LogEntry[]>;
}

/** Hints about the log. May be lost: the sequencer and every follower also look by themselves. */
export interface LogHints {
  /** Something was stored that has no position yet. */
  announceStored(): void;
  onStored(listener: () => void): () => void;
  /** The log grew. */
  announceGrowth(organizationId: OrganizationId, size: number): void;
  onGrowth(listener: (organizationId: OrganizationId, size: number) => void): () => void;
}
