import type { ExecutionMode, HumanSource, Surface } from './event.js';
import type { Range } from './ports.js';

/** Where a session is in its life. `ENDED`: over, and nobody said how. */
export const SESSION_STATUSES = ['RUNNING', 'SUCCEEDED', 'FAILED', 'STOPPED', 'ABORTED', 'ENDED'] as const;
export type SessionStatus = (typeof SESSION_STATUSES)[number];

/**
 * One run of an agent for a user in a project, as its events tell it, in whatever order they came.
 *
 * Its user is that of its first event in the log, its project that of the first one that names any. An event that names another
 * project, or none and neither the session's user nor whoever reported its first event, is a stray: it is counted as such and changes
 * nothing else, so that nobody outside of the project can make the session look other than it was.
 */
export interface Session {
  readonly id: string;
  readonly projectId: string | null;
  readonly userId: string | null;
  /** The human behind `userId`, when that is a service account; otherwise the same. Null when that human is not known. */
  readonly humanId: string | null;
  /** How the human is known, where no event names one. */
  readonly humanSource: HumanSource | null;
  readonly agentId: string | null;
  readonly surface: Surface | null;
  readonly executionMode: ExecutionMode | null;
  readonly parentSessionId: string | null;
  readonly workflowType: string | null;
  /** When its start was reported to have been; until that is known, when its first event occurred. */
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly lastEventAt: Date;
  readonly status: SessionStatus;
  readonly events: number;
  readonly allowed: number;
  readonly asked: number;
  readonly denied: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly strayEvents: number;
}

/** Which sessions. Fields combine with AND, values with OR; null selects everything. */
export interface SessionFilter {
  readonly projectIds: readonly string[] | null;
  readonly agentIds: readonly string[] | null;
  /** Users for whom they ran, or the humans behind them. */
  readonly userIds: readonly string[] | null;
  readonly statuses: readonly SessionStatus[] | null;
  readonly started: Range<Date> | null;
}

export const EVERY_SESSION: SessionFilter = { projectIds: null, agentIds: null, userIds: null, statuses: null, started: null };

/** A session's place in lists, newest first: when it started, and its id. */
export const sessionKey = ({ startedAt, id }: Pick<Session, 'startedAt' | 'id'>): string => `${startedAt.toISOString()} ${id}`;

const KEY = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z) ([^\0]{1,200})$/u;

export const isSessionKey = (key: string): boolean => {
  const time = KEY.exec(key)?.[1];
  return time !== undefined && !Number.isNaN(Date.parse(time));
};

/** The parts of a key for which `isSessionKey` holds. */
export function partsOfSessionKey(key: string): { readonly startedAt: string; readonly id: string } {
  const space = key.indexOf(' ');
  return { startedAt: key.slice(0, space), id: key.slice(space + 1) };
}

/** An allowed call of which no outcome was reported. */
export interface OpenCall {
  /** Of the decision that allowed it: the id of its event. */
  readonly decisionId: string;
  /** When it was allowed. */
  readonly decidedAt: Date;
  readonly callId: string;
  readonly sessionId: string | null;
  readonly projectId: string | null;
  readonly userId: string | null;
  readonly agentId: string | null;
  readonly tool: string | null;
}
