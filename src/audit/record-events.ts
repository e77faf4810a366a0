import { isMember, type Directory } from '../directory/index.js';
import { boundedPath, canonicalJson, Failure, isJsonObject, requireScope, type Clock, type Json, type Viewer } from '../kernel/index.js';
import { CATALOGUE } from './catalogue.js';
import { MAX_EVENT_CHARACTERS, parseCloudEvent, type Rejection, type TimeWindow } from './cloud-event.js';
import { metadataIn, splitContent } from './content.js';
import { canonicalEvent, eventOf, type AuditEvent, type NewEvent, type SealedEvent } from './event.js';
import { withHumans, type Humans } from './humans.js';
import type { AuditLog, Receipt, RecordingPlace, RecordingPlaces } from './ports.js';
import { prepareEvent, type Redactor } from './prepare-event.js';
import type { KnownSettings } from './retention/known-settings.js';
import { effectiveDays, retentionProblem, type EffectiveDays } from './retention/rules.js';
import { seal, sealContent, sealOf } from './seal.js';

/** The most events that one request may bring. */
export const MAX_EVENTS = 500;

export interface Recording {
  readonly log: AuditLog;
  readonly directory: Pick<Directory, 'standing'>;
  readonly places: RecordingPlaces;
  readonly humans: Humans;
  /** How long what is recorded is kept: what would be dropped at once is not taken. */
  readonly retention: KnownSettings;
  readonly redactor: Redactor;
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
 * Secrets are redacted before anything is stored; prompts, answers and results are stored apart, or not at all where only metadata is
 * recorded. No events at all are fine: a producer's last batch may be empty.
 *
 * Without the scope `act:any` a caller reports for itself alone, in projects it is a member of.
 *
 * @throws Failure BAD_USER_INPUT when there are more than 500 events; OVERLOADED or UNAVAILABLE, and then it is not known
 * whether anything was stored: sending the same again is safe.
 */
export async function recordEvents(deps: Recording, viewer: Viewer, raw: readonly unknown[]): Promise<readonly EventReceipt[]> {
  requireScope(viewer, 'audit:record');
  if (raw.length > MAX_EVENTS)
    throw new Failure('BAD_USER_INPUT', `events: must hold at most ${MAX_EVENTS} events (and 5 MiB) a request; got ${raw.length}.`);
  const now = deps.clock();
  const given = raw.map((event) => allowed(viewer, parseCloudEvent(event, viewer.userId, now, deps.window)));
  const parsed = await withHumans(deps.humans, viewer.organizationId, given);
  const places = await placesFor(deps, viewer, parsed);
  const daysOf = await keptDays(deps, viewer);
  const judged = parsed.map((event) => (isRejection(event) ? event : sealedIn(deps, viewer, { now, places, daysOf, event })));

  const appends = judged.flatMap((event) => (isRejection(event) ? [] : [{ sealed: event, key: null }]));
  const receipts = (await deps.log.append(viewer.organizationId, appends)).values();
  return judged.map((event, index) => {
    if (isRejection(event)) return { status: 'rejected', sourceId: idOf(raw[index]), path: event.path, reason: event.reason };
    const receipt = receipts.next().value;
    if (receipt === undefined) throw new Error('The log answered for fewer events than it was given.');
    return presentReceipt(event, receipt);
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

const isRejection = (event: object): event is Rejection => 'reason' in event;

const allowed = (viewer: Viewer, event: NewEvent | Rejection): NewEvent | Rejection =>
  isRejection(event) || event.userId === viewer.userId || viewer.scopes.has('act:any')
    ? event
    : { path: 'userid', reason: 'must be the token’s own user, or the token must have the scope act:any' };

/** The organization, and the projects among those named in which the viewer may report. */
async function placesFor(
  deps: Recording,
  viewer: Viewer,
  events: readonly (NewEvent | Rejection)[],
): Promise<ReadonlyMap<string, RecordingPlace>> {
  const ids = new Set(events.flatMap((event) => (isRejection(event) || event.projectId === null ? [] : [event.projectId])));
  const places = await deps.places.places(viewer.organizationId, [...ids]);
  if (viewer.scopes.has('act:any')) return places;
  const standing = await deps.directory.standing(viewer.organizationId, viewer.userId);
  return new Map([...places].filter(([id, place]) => id === viewer.organizationId || isMember(standing, place)));
}

/** How many days what happens in a place is kept, worked out once for each. */
async function keptDays({ retention }: Recording, { organizationId }: Viewer): Promise<(place: RecordingPlace) => EffectiveDays> {
  const settings = await retention(organizationId);
  const known = new Map<RecordingPlace, EffectiveDays>();
  return (place) => {
    const days = known.get(place) ?? effectiveDays(settings, place.ancestors);
    known.set(place, days);
    return days;
  };
}

interface Parsed {
  readonly now: Date;
  readonly places: ReadonlyMap<string, RecordingPlace>;
  readonly daysOf: (place: RecordingPlace) => EffectiveDays;
  readonly event: NewEvent;
}

/** The event as it is stored, or why it is not. */
function sealedIn({ redactor }: Recording, viewer: Viewer, { now, places, daysOf, event }: Parsed): SealedEvent | Rejection {
  const place = places.get(event.projectId ?? viewer.organizationId);
  if (place === undefined || event.projectId === viewer.organizationId)
    return { path: 'projectid', reason: 'must be a project of the organization that the directory knows' };
  const expired = retentionProblem(event.type, Date.parse(event.occurredAt), now, daysOf(place));
  if (expired !== null) return { path: 'time', reason: expired };
  const secret = secretAmongNames(redactor, event);
  if (secret !== null) return secret;
  const prepared = prepareEvent(redactor, event, place.mode);
  const content = sealContent(prepared.content);
  const sealed = seal(eventOf(viewer.organizationId, now, event, prepared, content), content);
  if (sealed.json.length + (sealed.content?.json.length ?? 0) <= MAX_EVENT_CHARACTERS) return sealed;
  const reason = `must be shorter: the event may have at most ${MAX_EVENT_CHARACTERS} characters of JSON, and this is its largest part`;
  return { path: boundedPath(largestPartOf(event)), reason };
}

/** The path of what takes most of an event: a member of its data, or an attribute of its own. */
function largestPartOf({ data, attributes }: NewEvent): string {
  const ofData: Readonly<Record<string, Json>> = isJsonObject(data)
    ? Object.fromEntries(Object.entries(data).map(([key, value]) => [`data.${key}`, value]))
    : { data };
  const parts = Object.entries({ ...ofData, ...attributes }).map(([path, value]) => ({
    path,
    characters: path.length + JSON.stringify(value).length,
  }));
  return parts.reduce((largest, part) => (part.characters > largest.characters ? part : largest), { path: 'data', characters: 0 }).path;
}

/** Names cannot be redacted: an event is known by them. */
const NAMES = [
  ['id', 'sourceId'],
  ['source', 'source'],
  ['type', 'type'],
  ['subject', 'sessionId'],
  ['projectid', 'projectId'],
  ['userid', 'userId'],
  ['humanid', 'humanId'],
  ['agentid', 'agentId'],
  ['callid', 'callId'],
  ['parentsessionid', 'parentSessionId'],
  ['datacontenttype', 'contentType'],
  ['data.tool_name', 'tool'],
] as const;

function secretAmongNames(redactor: Redactor, event: NewEvent): Rejection | null {
  // One look for all of them: nearly always there is nothing.
  let all = '';
  for (const [, field] of NAMES) all += `${event[field] ?? ''}\n`;
  if (redactor.secretIn(all) === null) return null;
  for (const [path, field] of NAMES) {
    const rule = redactor.secretIn(event[field] ?? '');
    if (rule !== null) return { path, reason: `must not hold a secret (${rule}): what names an event is stored as it is` };
  }
  return null;
}

const idOf = (raw: unknown): string | null =>
  typeof raw === 'object' && raw !== null && 'id' in raw && typeof raw.id === 'string' ? raw.id : null;

function presentReceipt(sealed: SealedEvent, receipt: Receipt): EventReceipt {
  const { sourceId } = sealed.event;
  const { status, stored } = receipt;
  if (stored.event !== sealed.event && !saysTheSame(sealed, receipt)) {
    return {
      status: 'rejected',
      sourceId,
      path: 'id',
      reason: 'is that of another event of this source and time, which is stored and says something else; use another id',
    };
  }
  return { status, sourceId, eventId: stored.event.id, seal: stored.seal, isUnknownType: !CATALOGUE.has(sealed.event.type) };
}

/** Whether a stored event is the one that is sent again. Where one of them was stripped of all but metadata, that is what counts. */
function saysTheSame(sealed: SealedEvent, { stored, contentSalt }: Receipt): boolean {
  const isMetadataOnly = sealed.event.recordingMode !== null || stored.event.recordingMode !== null;
  // What was stored before contents were kept apart has its own among its data.
  const before = splitContent(stored.event.type, stored.event.data);
  if (saidBy(sealed.event, isMetadataOnly) !== saidBy({ ...stored.event, data: before.data }, isMetadataOnly)) return false;
  if (isMetadataOnly) return true;
  const given = sealed.content?.json ?? null;
  if (before.content !== null) return given === canonicalJson(before.content);
  if (given === null || stored.event.contentSeal === null) return given === null && stored.event.contentSeal === null;
  // Nobody can tell any more once the content and its salt were dropped.
  return contentSalt === null || sealOf(contentSalt, given).toString('hex') === stored.event.contentSeal;
}

/** What the producer said: all of the event but when, by whom and how it was recorded and what was known then, which can differ when it is sent again. */
const saidBy = (event: AuditEvent, isMetadataOnly: boolean): string =>
  canonicalEvent({
    ...event,
    ...(isMetadataOnly && { data: metadataIn(event.type, event.data), attributes: {} }),
    recordedAt: '',
    recordedBy: null,
    // Whom it does not name can be known by another time, and be somebody else.
    ...(event.humanSource !== null && { humanId: event.userId, humanSource: null }),
    contentSeal: null,
    recordingMode: null,
    redacted: [],
  });
