import { isMember, type Directory, type Namespace } from '../directory/index.js';
import { Failure, requireScope, type Clock, type OrganizationId, type Viewer } from '../kernel/index.js';
import { CATALOGUE } from './catalogue.js';
import { parseCloudEvent, type Rejection, type TimeWindow } from './cloud-event.js';
import { canonicalEvent, eventOf, type AuditEvent, type NewEvent } from './event.js';
import type { Append, AuditLog, Receipt } from './ports.js';
import { seal } from './seal.js';

/** The most events that one request may bring. */
export const MAX_EVENTS = 500;

export interface Recording {
  readonly log: AuditLog;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly window: TimeWindow;
}

/** What became of one event, in the order sent. */
export type EventReceipt =
  | {
      readonly status: 'stored' | 'duplicate';
      readonly sourceId: string;
      readonly eventId: string;
      readonly seal: Buffer;
      /** Whether the type is not in the catalogue: stored as sent, but nobody has looked at what `data` holds. */
      readonly isUnknownType: boolean;
    }
  | { readonly status: 'rejected'; readonly sourceId: string | null; readonly path: string; readonly reason: string };

/**
 * Records what an agent's service reports: CloudEvents, judged one by one. Bad ones come back with a reason, good ones are
 * not held up. Answers after the commit. An event sent twice is stored once.
 *
 * No events at all are fine: a producer's last batch may be empty.
 *
 * Without the scope `act:any` a caller reports for itself alone, in projects it is a member of.
 *
 * @throws Failure BAD_USER_INPUT when there are more than 500 events; OVERLOADED or UNAVAILABLE, and then it is not known
 * whether anything was stored: sending the same again is safe.
 */
export async function recordEvents(deps: Recording, viewer: Viewer, raw: readonly unknown[]): Promise<readonly EventReceipt[]> {
  requireScope(viewer, 'audit:record');
  if (raw.length > MAX_EVENTS) throw new Failure('BAD_USER_INPUT', `events: must hold at most ${MAX_EVENTS} events; got ${raw.length}.`);
  const now = deps.clock();
  const judged = raw.map((event) => withUser(viewer, parseCloudEvent(event, now, deps.window)));
  const allowed = await placesFor(deps.directory, viewer, judged);
  const verdicts = judged.map((event) => (isRejection(event) ? event : (misplaced(event, allowed) ?? event)));

  const appends = verdicts.flatMap((event): Append[] =>
    isRejection(event) ? [] : [{ sealed: seal(eventOf(viewer.organizationId, now, event)), key: null }],
  );
  const receipts = (await deps.log.append(viewer.organizationId, appends)).values();
  return verdicts.map((event, index) => {
    if (isRejection(event)) return { status: 'rejected', sourceId: idOf(raw[index]), path: event.path, reason: event.reason };
    const receipt = receipts.next().value;
    if (receipt === undefined) throw new Error('The log answered for fewer events than it was given.');
    return presentReceipt(eventOf(viewer.organizationId, now, event), receipt);
  });
}

/** How many events had which fate, and how many of those in the log have a type that is not in the catalogue. */
export function countsOf(receipts: readonly EventReceipt[]): {
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly unknownTypes: number;
} {
  const count = (status: EventReceipt['status']) => receipts.filter((receipt) => receipt.status === status).length;
  const unknownTypes = receipts.filter((receipt) => receipt.status !== 'rejected' && receipt.isUnknownType).length;
  return { stored: count('stored'), duplicates: count('duplicate'), rejected: count('rejected'), unknownTypes };
}

const isRejection = (event: NewEvent | Rejection): event is Rejection => 'reason' in event;

function withUser(viewer: Viewer, event: NewEvent | Rejection): NewEvent | Rejection {
  if (isRejection(event)) return event;
  const user = event.userId ?? viewer.userId;
  if (user !== viewer.userId && !viewer.scopes.has('act:any')) {
    return { path: 'userid', reason: 'must be the token’s own user, or the token must have the scope act:any' };
  }
  return { ...event, userId: user, recordedBy: viewer.userId };
}

/** The projects among those named in which the viewer may report; null when that is all of the organization's. */
async function placesFor(directory: Directory, viewer: Viewer, events: readonly (NewEvent | Rejection)[]): Promise<ReadonlySet<string>> {
  const ids = [...new Set(events.flatMap((event) => (isRejection(event) || event.projectId === null ? [] : [event.projectId])))];
  const projects = (await directory.namespaces(viewer.organizationId, ids)).filter((namespace) => namespace.kind === 'PROJECT');
  const seen = viewer.scopes.has('act:any') ? projects : await ofMember(directory, viewer.organizationId, viewer, projects);
  return new Set(seen.map((project) => project.id));
}

async function ofMember(
  directory: Directory,
  organizationId: OrganizationId,
  viewer: Viewer,
  projects: readonly Namespace[],
): Promise<readonly Namespace[]> {
  const standing = await directory.standing(organizationId, viewer.userId);
  return projects.filter((project) => isMember(standing, project));
}

function misplaced(event: NewEvent, allowed: ReadonlySet<string>): Rejection | null {
  if (event.projectId === null || allowed.has(event.projectId)) return null;
  return { path: 'projectid', reason: 'must be a project of the organization that the directory knows' };
}

const idOf = (raw: unknown): string | null =>
  typeof raw === 'object' && raw !== null && 'id' in raw && typeof raw.id === 'string' ? raw.id : null;

function presentReceipt(event: AuditEvent, { status, stored }: Receipt): EventReceipt {
  const { sourceId } = event;
  if (saidBy(stored.event) !== saidBy(event)) {
    return {
      status: 'rejected',
      sourceId,
      path: 'id',
      reason: 'is that of another event of this source and time, which is stored and says something else; use another id',
    };
  }
  return { status, sourceId, eventId: stored.event.id, seal: stored.seal, isUnknownType: !CATALOGUE.has(event.type) };
}

/** What the producer said: all of the event but when and by whom it was recorded, which differ when it is sent again. */
const saidBy = (event: AuditEvent): string => canonicalEvent({ ...event, recordedAt: '', recordedBy: null });
