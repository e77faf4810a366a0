import type { Directory } from '../directory/index.js';
import { requireScope, type Clock, type Page, type PageRequest, type Viewer } from '../kernel/index.js';
import { completenessOf, type Completeness } from './completeness.js';
import { bucketsOf, maxValuesOf, withWholeBuckets, type HistogramBucket, type HistogramRequest } from './histogram.js';
import type { EventScope } from './ports.js';
import type { OpenCallReader, RollupReader, SessionOwner, SessionReader } from './session-ports.js';
import type { OpenCall, Session, SessionFilter } from './session.js';

export interface SessionReading {
  readonly sessions: SessionReader;
  readonly openCalls: OpenCallReader;
  readonly rollups: RollupReader;
  readonly directory: Directory;
  /** Brings what is read here up to date; see project-events.ts. Called once a request, before the first of the functions below. */
  readonly catchUp: () => Promise<void>;
  readonly clock: Clock;
  /** After how many seconds an allowed call counts as an orphan, unless the caller says otherwise. */
  readonly orphanAfterSeconds: number;
}

/** A page of the organization's sessions, newest first, as far as the viewer may see them: those that ran for them and their namespaces'. */
export async function listSessions(
  deps: SessionReading,
  viewer: Viewer,
  scope: EventScope,
  { filter, page }: { readonly filter: SessionFilter; readonly page: PageRequest },
): Promise<Page<Session>> {
  requireScope(viewer, 'audit:read');
  return deps.sessions.list(viewer.organizationId, scope, filter, page);
}

/** A page of sessions for each of many owners, from one statement. Null for a project that the viewer may not see. */
export async function listSessionsByOwner(
  deps: SessionReading,
  viewer: Viewer,
  scope: EventScope,
  request: { readonly owner: SessionOwner; readonly ids: readonly string[]; readonly page: PageRequest },
): Promise<readonly (Page<Session> | null)[]> {
  requireScope(viewer, 'audit:read');
  return deps.sessions.listByOwner(viewer.organizationId, scope, request);
}

/** The sessions with these ids, in their order; null for one that the viewer may not see or that does not exist. */
export async function sessionsById(
  deps: SessionReading,
  viewer: Viewer,
  scope: EventScope,
  ids: readonly string[],
): Promise<readonly (Session | null)[]> {
  requireScope(viewer, 'audit:read');
  const found = await deps.sessions.byIds(viewer.organizationId, scope, ids);
  const byId = new Map(found.map((session) => [session.id, session]));
  return ids.map((id) => byId.get(id) ?? null);
}

/** What is missing of each of these sessions, which the viewer is shown already; in their order, from one statement. */
export async function completenessOfSessions(
  deps: SessionReading,
  viewer: Viewer,
  ids: readonly string[],
): Promise<readonly Completeness[]> {
  requireScope(viewer, 'audit:read');
  return (await deps.sessions.received(viewer.organizationId, ids)).map(completenessOf);
}

/** How long ago a call must have been allowed to be an orphan. */
export interface OrphanRequest {
  /** Null: as the operator set it. */
  readonly olderThanSeconds: number | null;
  readonly page: PageRequest;
}

/** The orphans of each of these sessions, which the viewer is shown already; in their order, from one statement. */
export async function orphansOfSessions(
  deps: SessionReading,
  viewer: Viewer,
  sessions: readonly Session[],
  request: OrphanRequest,
): Promise<readonly Page<OpenCall>[]> {
  requireScope(viewer, 'audit:read');
  return deps.openCalls.listBySession(viewer.organizationId, sessions, { before: orphanedBefore(deps, request), page: request.page });
}

/**
 * Allowed calls that never reported an outcome, oldest first.
 *
 * @param request.namespaceId with everything below; null for all that the viewer may see
 * @returns null when the viewer does not maintain, own or audit all of the namespace, or it does not exist
 */
export async function listOrphans(
  deps: SessionReading,
  viewer: Viewer,
  scope: EventScope,
  request: OrphanRequest & { readonly namespaceId: string | null },
): Promise<Page<OpenCall> | null> {
  requireScope(viewer, 'audit:read');
  const { namespaceId, page } = request;
  if (namespaceId !== null && !(await isAudited(deps, viewer, scope, namespaceId))) return null;
  const namespaceIds = namespaceId === null ? null : [namespaceId];
  return deps.openCalls.list(viewer.organizationId, scope, { namespaceIds, before: orphanedBefore(deps, request), page });
}

const orphanedBefore = (deps: SessionReading, { olderThanSeconds }: OrphanRequest): Date =>
  new Date(deps.clock().getTime() - (olderThanSeconds ?? deps.orphanAfterSeconds) * 1_000);

export interface Histogram {
  readonly from: Date;
  readonly to: Date;
  readonly buckets: readonly HistogramBucket[];
}

/**
 * How many events there were, bucket by bucket.
 *
 * @returns null when the viewer does not maintain, own or audit all of the namespace, or it does not exist
 * @throws Failure BAD_USER_INPUT when it would have no bucket, or more than 2,000.
 */
export async function readHistogram(
  deps: SessionReading,
  viewer: Viewer,
  scope: EventScope,
  asked: HistogramRequest,
): Promise<Histogram | null> {
  requireScope(viewer, 'audit:read');
  const request = withWholeBuckets(asked);
  const namespaceId = request.namespaceId ?? viewer.organizationId;
  if (!(await isAudited(deps, viewer, scope, namespaceId))) return null;
  const rows = await deps.rollups.counts(viewer.organizationId, {
    ...request,
    namespaceId: namespaceId === viewer.organizationId ? null : namespaceId,
    maxValues: maxValuesOf(request),
  });
  return { from: request.from, to: request.to, buckets: bucketsOf(request, rows) };
}

/** Whether the viewer sees everything that happens in the namespace, also when it was deleted meanwhile. */
async function isAudited(deps: SessionReading, viewer: Viewer, scope: EventScope, namespaceId: string): Promise<boolean> {
  if (namespaceId === viewer.organizationId) return scope.isWhole;
  const line = (await deps.directory.lines(viewer.organizationId, [namespaceId])).get(namespaceId);
  return line !== undefined && (scope.isWhole || line.some((id) => scope.namespaceIds.includes(id)));
}
