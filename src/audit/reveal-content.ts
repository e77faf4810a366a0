import { randomUUID } from 'node:crypto';
import { isJsonObject, requireScope, type Clock, type Json, type JsonObject, type Viewer } from '../kernel/index.js';
import { splitContent } from './content.js';
import { eventOf, OWN_SOURCE, type StoredContent, type StoredEvent } from './event.js';
import { authorOf, whoDid, type Author, type Humans } from './humans.js';
import type { AuditLog } from './ports.js';
import { eventsById, scopeOf, type Reading } from './read-events.js';
import { seal, sealOf } from './seal.js';

/** The most events whose content one request may reveal. */
export const MAX_REVEALED = 100;

export interface Revealing extends Reading {
  readonly log: AuditLog;
  readonly humans: Humans;
  readonly clock: Clock;
}

/** An event with its content; null when it has none, or none any more. */
export interface RevealedEvent {
  readonly stored: StoredEvent;
  readonly content: JsonObject | null;
}

export type RevealOutcome =
  { readonly kind: 'revealed'; readonly events: readonly RevealedEvent[] } | { readonly kind: 'notFound'; readonly field: 'eventIds' };

/**
 * Shows the content of events: prompts, answers and results. Each reveal is itself an event, in every namespace concerned, and is
 * durable before anything is shown. When one of the events does not exist for the viewer, nothing is shown.
 *
 * @throws Failure FORBIDDEN without the scope `audit:content`; OVERLOADED, UNAVAILABLE.
 */
export async function revealContent(
  deps: Revealing,
  viewer: Viewer,
  given: { readonly eventIds: readonly string[]; readonly reason: string },
): Promise<RevealOutcome> {
  requireScope(viewer, 'audit:content');
  const ids = [...new Set(given.eventIds)];
  const found = await eventsById(deps, viewer, await scopeOf(deps, viewer), ids);
  const events = found.filter((stored) => stored !== null);
  if (events.length < ids.length) return { kind: 'notFound', field: 'eventIds' };

  const author = await authorOf(deps.humans, viewer);
  await deps.log.append(viewer.organizationId, recordsOf(deps, author, events, given.reason));
  const contents = await deps.events.contents(viewer.organizationId, ids);
  return {
    kind: 'revealed',
    events: events.map((stored) => ({ stored, content: contentIn(stored, contents.get(stored.event.id) ?? null) })),
  };
}

/** One record for each namespace: who watches over it sees what was revealed there, and nothing of elsewhere. */
function recordsOf({ clock }: Revealing, author: Author, events: readonly StoredEvent[], reason: string) {
  const now = clock();
  const namespaces = [...new Set(events.map(({ event }) => event.namespaceId))];
  return namespaces.map((namespaceId) => {
    const concerned = events.map(({ event }) => event).filter((event) => event.namespaceId === namespaceId);
    const event = eventOf(author.organizationId, now, {
      type: 'ai_content_revealed',
      source: OWN_SOURCE,
      sourceId: randomUUID(),
      occurredAt: now.toISOString(),
      namespaceId,
      projectId: concerned[0]?.projectId ?? null,
      ...whoDid(author),
      agentId: null,
      sessionId: null,
      callId: null,
      tool: null,
      verdict: null,
      outcome: null,
      data: { eventIds: concerned.map(({ id }) => id), reason },
    });
    return { sealed: seal(event), key: null };
  });
}

/** @throws Error when the content is not the one that the event commits to: somebody has changed it. */
function contentIn({ event }: StoredEvent, content: StoredContent | null): JsonObject | null {
  // What was stored before contents were kept apart has its own among its data.
  if (event.contentSeal === null) return splitContent(event.type, event.data).content;
  if (content === null) return null;
  if (sealOf(content.salt, content.json).toString('hex') !== event.contentSeal)
    throw new Error(`The content of the audit event ${event.id} is not the one that was sealed.`);
  const value: Json = JSON.parse(content.json);
  return isJsonObject(value) ? value : null;
}
