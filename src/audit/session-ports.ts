import type { OrganizationId, Page, PageRequest } from '../kernel/index.js';
import type { ReceivedFromSource } from './completeness.js';
import type { HistogramRow, HistogramRequest } from './histogram.js';
import type { EventScope } from './ports.js';
import type { OpenCall, Session, SessionFilter } from './session.js';

/**
 * What is kept of the log beside it: sessions, what their producers have sent, open calls and counts. It follows from the events and
 * their order, whoever projects how many at a time.
 */
export interface Projection {
  /** Whether anything has a position and is not projected yet. Cheap. */
  isBehind(): Promise<boolean>;
  /** Projects the next events that have a position, at most `limit`, each once whoever else does the same, and says how many it took. */
  step(limit: number): Promise<number>;
}

/** Whose sessions: a project's, those that ran for a user or the human behind one, an agent's, or those that another one started. */
export type SessionOwner = 'project' | 'user' | 'agent' | 'parent';

/** Reads sessions, as far as they are projected. */
export interface SessionReader {
  /** A page of sessions, newest first: by when they started, then by id. */
  list(organizationId: OrganizationId, scope: EventScope, filter: SessionFilter, page: PageRequest): Promise<Page<Session>>;

  /**
   * The same for many owners in one statement: one page for each of `ids`, in their order. Null for a project that the viewer is no
   * member of, or that does not exist.
   */
  listByOwner(
    organizationId: OrganizationId,
    scope: EventScope,
    request: { readonly owner: SessionOwner; readonly ids: readonly string[]; readonly page: PageRequest },
  ): Promise<readonly (Page<Session> | null)[]>;

  /** Those of `ids` that are sessions in `scope`, in no order. */
  byIds(organizationId: OrganizationId, scope: EventScope, ids: readonly string[]): Promise<readonly Session[]>;

  /**
   * What has come of these sessions, source by source, from one statement: for each of `ids`, in their order, at most 100 sources by
   * name. Says it to anybody: for sessions that the viewer is shown already.
   */
  received(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (readonly ReceivedFromSource[])[]>;
}

/** Whom a session names: the human behind its user, a service account. */
export interface NamedHuman {
  readonly sessionId: string;
  readonly userId: string | null;
  readonly humanId: string;
}

/** Reads whom sessions name, as far as they are projected. */
export interface SessionHumans {
  /** For those of `sessionIds` of which an event of its user's names a human, in no order. */
  named(organizationId: OrganizationId, sessionIds: readonly string[]): Promise<readonly NamedHuman[]>;
}

/** Who runs a session, and how, as far as its events tell. */
export type SessionIdentity = Pick<Session, 'userId' | 'agentId' | 'surface' | 'executionMode' | 'parentSessionId'>;

/** Reads who runs sessions, as far as they are projected. */
export interface SessionIdentities {
  /** Null for a session of which no event is known. Says it to anybody: for what is decided, not for what is shown. */
  identity(organizationId: OrganizationId, sessionId: string): Promise<SessionIdentity | null>;
}

/** Reads allowed calls that never reported an outcome, as far as events are projected; oldest first. */
export interface OpenCallReader {
  /** Those that were allowed before `before`, in `namespaceIds` and everything below; null for wherever the viewer may see them. */
  list(
    organizationId: OrganizationId,
    scope: EventScope,
    request: { readonly namespaceIds: readonly string[] | null; readonly before: Date; readonly page: PageRequest },
  ): Promise<Page<OpenCall>>;

  /** The same for each of `sessions`, in their order, from one statement. For sessions that the viewer is shown already. */
  listBySession(
    organizationId: OrganizationId,
    sessions: readonly Pick<Session, 'id' | 'projectId'>[],
    request: { readonly before: Date; readonly page: PageRequest },
  ): Promise<readonly Page<OpenCall>[]>;
}

/** Reads how many events there were, as far as they are projected. */
export interface RollupReader {
  /** The counts that a histogram is made of. Says it to anybody: for namespaces that the viewer may see as a whole. */
  counts(organizationId: OrganizationId, request: HistogramRequest & { readonly maxValues: number }): Promise<readonly HistogramRow[]>;
}
