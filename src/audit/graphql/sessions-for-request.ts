import DataLoader from 'dataloader';
import { isPlain, type Page, type PageRequest, type Viewer } from '../../kernel/index.js';
import { loadersByPage } from '../../platform/graphql-loaders.js';
import type { Completeness } from '../completeness.js';
import type { HistogramRequest } from '../histogram.js';
import type { EventScope } from '../ports.js';
import { scopeOf } from '../read-events.js';
import {
  completenessOfSessions,
  listOrphans,
  listSessions,
  listSessionsByOwner,
  orphansOfSessions,
  readHistogram,
  sessionsById,
  type Histogram,
  type OrphanRequest,
  type SessionReading,
} from '../read-sessions.js';
import type { SessionOwner } from '../session-ports.js';
import type { OpenCall, Session, SessionFilter } from '../session.js';

/** Sessions and counts for one GraphQL request: asked field by field, answered in batches. */
export interface SessionsForRequest {
  byId(id: string): Promise<Session | null>;
  list(filter: SessionFilter, page: PageRequest): Promise<Page<Session>>;
  listOf(owner: SessionOwner, id: string, page: PageRequest): Promise<Page<Session> | null>;
  /** Of a session that the viewer is shown already. */
  completenessOf(id: string): Promise<Completeness>;
  /** Of a session that the viewer is shown already. */
  orphansOf(id: string, request: OrphanRequest): Promise<Page<OpenCall>>;
  orphans(request: OrphanRequest & { readonly namespaceId: string | null }): Promise<Page<OpenCall> | null>;
  histogram(request: HistogramRequest): Promise<Histogram | null>;
}

export interface SessionContext {
  readonly sessions: SessionsForRequest;
}

/** @param viewer throws when nobody is signed in; called when the first field is asked */
export function sessionsForRequest(deps: SessionReading, viewer: () => Viewer): SessionsForRequest {
  let scope: Promise<EventScope> | null = null;
  const scopeOnce = (): Promise<EventScope> => (scope ??= Promise.all([scopeOf(deps, viewer()), deps.catchUp()]).then(([seen]) => seen));

  const byId = new DataLoader<string, Session | null>(async (ids) => sessionsById(deps, viewer(), await scopeOnce(), ids));
  const completeness = new DataLoader<string, Completeness>(async (ids) => completenessOfSessions(deps, viewer(), ids));
  const byOwner = (owner: SessionOwner) =>
    loadersByPage<Page<Session> | null>(
      (page) => async (ids) => listSessionsByOwner(deps, viewer(), await scopeOnce(), { owner, ids, page }),
    );
  const owners = { project: byOwner('project'), user: byOwner('user'), agent: byOwner('agent'), parent: byOwner('parent') };
  const orphanLoaders = new Map<string, DataLoader<string, Page<OpenCall>>>();
  const orphansFor = (request: OrphanRequest): DataLoader<string, Page<OpenCall>> => {
    const name = JSON.stringify(request);
    const loader = orphanLoaders.get(name) ?? new DataLoader(async (ids) => orphansOfSessions(deps, viewer(), await shown(ids), request));
    orphanLoaders.set(name, loader);
    return loader;
  };
  const shown = async (ids: readonly string[]): Promise<readonly Session[]> =>
    Promise.all(
      ids.map(async (id) => {
        const session = await byId.load(id);
        if (session === null) throw new Error(`The session ${id} was shown and is not to be seen.`);
        return session;
      }),
    );
  // What a page holds need not be read again by id.
  const primed = <P extends Page<Session> | null>(page: P): P => {
    for (const session of page?.items ?? []) byId.prime(session.id, session);
    return page;
  };
  return {
    byId: async (id) => (isPlain(id) ? byId.load(id) : null),
    list: async (filter, page) => primed(await listSessions(deps, viewer(), await scopeOnce(), { filter, page })),
    listOf: async (owner, id, page) => primed(await owners[owner](page).load(id)),
    completenessOf: (id) => completeness.load(id),
    orphansOf: (id, request) => orphansFor(request).load(id),
    orphans: async (request) => listOrphans(deps, viewer(), await scopeOnce(), request),
    histogram: async (request) => readHistogram(deps, viewer(), await scopeOnce(), request),
  };
}
