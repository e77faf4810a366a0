import { isUuid, requireScope, type Page, type Viewer } from '../kernel/index.js';
import type { Directory } from '../directory/index.js';
import type { StoredEvent } from './event.js';
import type { EventFilter, EventPage, EventReader, EventScope, OwnersRequest } from './ports.js';
import { eventScope } from './scope.js';

export interface Reading {
  readonly events: EventReader;
  readonly directory: Directory;
}

/** What the viewer may see. Asked once a request and handed to the functions below. */
export async function scopeOf(deps: Pick<Reading, 'directory'>, viewer: Viewer): Promise<EventScope> {
  requireScope(viewer, 'audit:read');
  return eventScope(viewer.organizationId, await deps.directory.standing(viewer.organizationId, viewer.userId));
}

/** A page of the organization's events. */
export async function listEvents(
  deps: Reading,
  viewer: Viewer,
  scope: EventScope,
  filter: EventFilter,
  page: EventPage,
): Promise<Page<StoredEvent>> {
  requireScope(viewer, 'audit:read');
  return deps.events.list(viewer.organizationId, scope, filter, page);
}

/** A page of events for each of many projects, users, agents or sessions, from one statement. Null for a project the viewer may not see. */
export async function listEventsByOwner(
  deps: Reading,
  viewer: Viewer,
  scope: EventScope,
  request: OwnersRequest,
): Promise<readonly (Page<StoredEvent> | null)[]> {
  requireScope(viewer, 'audit:read');
  return deps.events.listByOwner(viewer.organizationId, scope, request);
}

/** The events with these ids, in their order; null for one that the viewer may not see or that does not exist. */
export async function eventsById(
  deps: Reading,
  viewer: Viewer,
  scope: EventScope,
  ids: readonly string[],
): Promise<readonly (StoredEvent | null)[]> {
  requireScope(viewer, 'audit:read');
  const found = await deps.events.byIds(viewer.organizationId, scope, ids.filter(isUuid));
  const byId = new Map(found.map((stored) => [stored.event.id, stored]));
  return ids.map((id) => byId.get(id) ?? null);
}
