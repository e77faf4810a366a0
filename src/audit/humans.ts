import type { OrganizationId, Viewer } from '../kernel/index.js';
import type { Rejection } from './cloud-event.js';
import type { AuditEvent, NewEvent } from './event.js';
import type { SessionHumans } from './session-ports.js';

/** What is known of the humans behind service accounts, for whoever records what those do. Asked at each request, so answered from memory. */
export interface Humans extends SessionHumans {
  /** The human who is responsible for each service account of the organization, by its id; null where nobody has said who is. */
  owners(organizationId: OrganizationId): Promise<Owners>;
}

export type Owners = ReadonlyMap<string, string | null>;

/** Who did something: the user, and the human behind it. */
export type Actor = Pick<AuditEvent, 'userId' | 'humanId' | 'humanSource'>;

/** A viewer whose doings are recorded. */
export type Author = Viewer & Actor;

/**
 * The events, each with the human behind its user where that is a service account and the event names nobody: whom its session names for
 * this user, in these events or in earlier ones as far as those are projected; else whom the directory holds responsible; else nobody.
 * Rejections stay as they are.
 */
export async function withHumans(
  humans: Humans,
  organizationId: OrganizationId,
  events: readonly (NewEvent | Rejection)[],
): Promise<readonly (NewEvent | Rejection)[]> {
  const owners = await humans.owners(organizationId);
  if (owners.size === 0) return events;
  const isOpen = (event: NewEvent | Rejection): event is NewEvent => !('reason' in event) && lacksHuman(owners, event);
  const open = events.filter(isOpen);
  if (open.length === 0) return events;
  const here = namedIn(events);
  const unnamed = open.flatMap((event) => (event.sessionId === null || here.has(partOf(event)) ? [] : [event.sessionId]));
  const named = new Map([...(await namedBefore(humans, organizationId, unnamed)), ...here]);
  return events.map((event) => (isOpen(event) ? { ...event, ...actorAmong(owners, event.userId, named.get(partOf(event))) } : event));
}

/** The viewer with the human behind it, for what this service records of their doings: in the session, where there is one. */
export async function authorOf(humans: Humans, viewer: Viewer, sessionId: string | null = null): Promise<Author> {
  const { humanId, humanSource } = await actorOf(humans, viewer, sessionId);
  const { userId, organizationId, agentId, scopes, expiresAt } = viewer;
  return { userId, organizationId, agentId, scopes, expiresAt, humanId, humanSource };
}

/** The user with the human behind it: in the session, where there is one. */
export async function actorOf(
  humans: Humans,
  { organizationId, userId }: Pick<Viewer, 'organizationId' | 'userId'>,
  sessionId: string | null = null,
): Promise<Actor> {
  const owners = await humans.owners(organizationId);
  const isAsked = sessionId !== null && owners.has(userId);
  const named = await namedBefore(humans, organizationId, isAsked ? [sessionId] : []);
  return actorAmong(owners, userId, named.get(partOf({ userId, sessionId })));
}

/** Who a user is among service accounts; with the human whom its session names, where there is one. Pure. */
export function actorAmong(owners: Owners, userId: string | null, inSession?: string): Actor {
  if (userId === null || !owners.has(userId)) return { userId, humanId: userId, humanSource: null };
  if (inSession !== undefined) return { userId, humanId: inSession, humanSource: 'SESSION' };
  const owner = owners.get(userId) ?? null;
  return { userId, humanId: owner, humanSource: owner === null ? 'UNKNOWN' : 'DIRECTORY' };
}

const NOBODY: readonly string[] = [];

/**
 * The humans behind a service account: whom its session names, and who is responsible for it. Both: who reports events can name anybody in
 * them, and by that must not come to more than the one who is responsible. None for a human, and where nobody is known. Pure.
 */
export function humansAmong(owners: Owners, { userId, humanId, humanSource }: Actor): readonly string[] {
  if (humanSource === null || userId === null) return NOBODY;
  return [...new Set([humanId, owners.get(userId) ?? null])].filter((id) => id !== null);
}

/** The same, for what the user does in a session. */
export async function humansBehind(humans: Humans, organizationId: OrganizationId, actor: Actor): Promise<readonly string[]> {
  return actor.humanSource === null ? NOBODY : humansAmong(await humans.owners(organizationId), actor);
}

/** Who did it, out of whatever says more. */
export const whoDid = ({ userId, humanId, humanSource }: Actor): Actor => ({ userId, humanId, humanSource });

/** How the human behind a user is known. */
export type HumanKnowledge = 'USER' | 'EVENT' | NonNullable<AuditEvent['humanSource']>;

/** How the human of an event, or of a session, is known; null when nobody did it. */
export function knowledgeOf({ userId, humanId, humanSource }: Actor): HumanKnowledge | null {
  if (humanSource !== null) return humanSource;
  if (humanId !== userId) return 'EVENT';
  return userId === null ? null : 'USER';
}

type Acting = Pick<NewEvent, 'userId' | 'sessionId'>;

/** A user's part in a session: what one user names says nothing of another. Neither id holds a line break. */
const partOf = ({ userId, sessionId }: Acting): string => `${userId ?? ''}\n${sessionId ?? ''}`;

/** Whether the event names no human though its user is none. */
const lacksHuman = (owners: Owners, { userId, humanId }: NewEvent): boolean =>
  userId !== null && owners.has(userId) && (humanId ?? userId) === userId;

/** The human of the first event of each part that names one. */
function namedIn(events: readonly (NewEvent | Rejection)[]): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  for (const event of events) {
    if ('reason' in event || event.sessionId === null) continue;
    const { userId, humanId = null } = event;
    if (humanId !== null && humanId !== userId && !named.has(partOf(event))) named.set(partOf(event), humanId);
  }
  return named;
}

async function namedBefore(
  humans: Humans,
  organizationId: OrganizationId,
  sessionIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (sessionIds.length === 0) return new Map();
  const named = await humans.named(organizationId, [...new Set(sessionIds)]);
  return new Map(named.map((session) => [partOf(session), session.humanId]));
}
