import { canonicalJson, hashOf, organizationId, uuidV7, type Json, type JsonObject, type OrganizationId } from '../kernel/index.js';

export type Verdict = 'ALLOW' | 'ASK' | 'DENY';
export type Outcome = 'SUCCEEDED' | 'FAILED';

/** Where an agent's calls come from. */
export const SURFACES = ['WEB', 'IDE', 'CLI', 'CI', 'EXTERNAL'] as const;
export type Surface = (typeof SURFACES)[number];

/** Whether a human is there to ask. */
export const EXECUTION_MODES = ['INTERACTIVE', 'BACKGROUND'] as const;
export type ExecutionMode = (typeof EXECUTION_MODES)[number];

/**
 * How the human behind a service account is known when the event does not name one: its session does, the directory says who is
 * responsible, or nobody knows.
 */
export const HUMAN_SOURCES = ['SESSION', 'DIRECTORY', 'UNKNOWN'] as const;
export type HumanSource = (typeof HUMAN_SOURCES)[number];

/** What is recorded of a namespace's events: all of them, or only who did what when. */
export type RecordingMode = 'FULL' | 'METADATA_ONLY';

/** The `source` of what this service records itself. */
export const OWN_SOURCE = '/agent-governance';

/** Something that happened. Never changes once stored. */
export interface AuditEvent {
  /** UUIDv7 of `occurredAt` and a hash of organization, source and source id: a retry has the same. */
  readonly id: string;
  readonly organizationId: OrganizationId;
  readonly type: string;
  readonly source: string;
  readonly sourceId: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly occurredAt: string;
  readonly recordedAt: string;
  /** Whose token reported it; not always `userId`, for a service reports for others. */
  readonly recordedBy: string | null;
  /** What it concerns: the project, or the group or organization whose policy or tool was changed. Decides who may see it. */
  readonly namespaceId: string | null;
  readonly projectId: string | null;
  readonly userId: string | null;
  /** The human behind `userId`, when that is a service account; otherwise the same. Null when that human is not known. */
  readonly humanId: string | null;
  /** Not null when `userId` is a service account and the event names no human. */
  readonly humanSource: HumanSource | null;
  readonly agentId: string | null;
  readonly sessionId: string | null;
  /** The session that started this one, for a sub-agent. */
  readonly parentSessionId: string | null;
  readonly surface: Surface | null;
  readonly executionMode: ExecutionMode | null;
  /** The producer's counter in the session. */
  readonly sequence: number | null;
  readonly callId: string | null;
  readonly tool: string | null;
  readonly verdict: Verdict | null;
  readonly outcome: Outcome | null;
  /** The media type that the producer named. */
  readonly contentType: string | null;
  /** What happened, without its content. */
  readonly data: Json;
  /** CloudEvents attributes that have no field of their own here. */
  readonly attributes: JsonObject;
  /**
   * SHA-256, in hexadecimal, of a random salt and the canonical JSON of the event's content: prompts, answers and results, which are
   * kept apart. Null when there was none.
   */
  readonly contentSeal: string | null;
  /** Not null when the content and the details were left out, because only metadata is recorded there. */
  readonly recordingMode: Exclude<RecordingMode, 'FULL'> | null;
  /** Where a secret stood that was redacted, as paths like `data.tool_args.token`. */
  readonly redacted: readonly string[];
}

/** An event to be recorded, before it has an id. */
export type NewEvent = Omit<AuditEvent, 'id' | 'organizationId' | 'recordedAt' | 'contentSeal' | Optional> &
  Partial<Pick<AuditEvent, Optional>>;

type Optional =
  | 'recordedBy'
  | 'namespaceId'
  | 'humanId'
  | 'humanSource'
  | 'parentSessionId'
  | 'surface'
  | 'executionMode'
  | 'contentType'
  | 'attributes'
  | 'sequence'
  | 'recordingMode'
  | 'redacted';

/** What becomes of an event's own words before it is stored. */
export type Prepared = Pick<NewEvent, 'data' | 'attributes' | 'redacted' | 'recordingMode'>;

/**
 * Gives an event its id. Field by field, since every event passes here, and a copy by spreading costs as much as a hash.
 *
 * @param prepared what takes the place of the event's own words
 * @param content what is stored apart from it
 */
export function eventOf(
  organization: OrganizationId,
  recordedAt: Date,
  event: NewEvent,
  prepared: Prepared = event,
  content: SealedContent | null = null,
): AuditEvent {
  return {
    id: uuidV7(Date.parse(event.occurredAt), hashOf(organization, event.source, event.sourceId)),
    organizationId: organization,
    type: event.type,
    source: event.source,
    sourceId: event.sourceId,
    occurredAt: event.occurredAt,
    recordedAt: timeOf(recordedAt),
    // What this service records itself, it records for the user who caused it.
    recordedBy: given(event.recordedBy, event.userId),
    namespaceId: given(event.namespaceId, event.projectId),
    projectId: event.projectId,
    userId: event.userId,
    humanId: given(event.humanId, event.userId),
    humanSource: event.humanSource ?? null,
    agentId: event.agentId,
    sessionId: event.sessionId,
    parentSessionId: event.parentSessionId ?? null,
    surface: event.surface ?? null,
    executionMode: event.executionMode ?? null,
    sequence: event.sequence ?? null,
    callId: event.callId,
    tool: event.tool,
    verdict: event.verdict,
    outcome: event.outcome,
    contentType: event.contentType ?? null,
    data: prepared.data,
    attributes: prepared.attributes ?? {},
    contentSeal: content?.seal ?? null,
    recordingMode: prepared.recordingMode ?? null,
    redacted: prepared.redacted ?? [],
  };
}

/** All events of a request are recorded at one moment. */
let lastMoment = { at: Number.NaN, text: '' };

function timeOf(moment: Date): string {
  const at = moment.getTime();
  if (at !== lastMoment.at) lastMoment = { at, text: moment.toISOString() };
  return lastMoment.text;
}

/** Null is given too. */
const given = (value: string | null | undefined, otherwise: string | null): string | null => (value === undefined ? otherwise : value);

/** An event as it is stored: with its salt, its seal and exactly the bytes that the seal commits to. */
export interface SealedEvent {
  readonly event: AuditEvent;
  /** What is stored apart from it. */
  readonly content: SealedContent | null;
  /** Canonical JSON (RFC 8785) of the event, fields that are null left out. */
  readonly json: string;
  readonly salt: Buffer;
  /** Length of `json` in UTF-8. */
  readonly bytes: number;
  /** SHA-256 of salt and json. */
  readonly seal: Buffer;
}

/** The content of an event as it is stored, to which the event commits with `contentSeal`. */
export interface StoredContent {
  /** Canonical JSON (RFC 8785). */
  readonly json: string;
  readonly salt: Buffer;
}

/** Content that is to be stored. */
export interface SealedContent extends StoredContent {
  /** SHA-256 of salt and json, in hexadecimal: the event's `contentSeal`. */
  readonly seal: string;
}

/** A stored event as readers get it. */
export interface StoredEvent {
  readonly event: AuditEvent;
  readonly seal: Buffer;
  /** Null until the sequencer has given it one. */
  readonly position: number | null;
}

/** The members of the stored form, in the order of RFC 8785. */
const STORED_FIELDS: readonly (keyof AuditEvent)[] = [
  ...(['agentId', 'attributes', 'callId', 'contentSeal', 'contentType', 'data', 'executionMode', 'humanId', 'humanSource'] as const),
  ...([
    'id',
    'namespaceId',
    'occurredAt',
    'organizationId',
    'outcome',
    'parentSessionId',
    'projectId',
    'recordedAt',
    'recordedBy',
    'recordingMode',
  ] as const),
  ...(['redacted', 'sequence', 'sessionId', 'source', 'sourceId', 'surface', 'tool', 'type', 'userId', 'verdict'] as const),
];

/** Words of ours, times and hashes, in which nothing is escaped. */
const PLAIN_FIELDS: ReadonlySet<keyof AuditEvent> = new Set<keyof AuditEvent>([
  ...(['contentSeal', 'executionMode', 'humanSource', 'id', 'occurredAt', 'outcome', 'recordedAt', 'recordingMode', 'surface'] as const),
  'verdict',
]);

/** The bytes that are hashed and stored: fields that are null or empty are left out, and a human who is the user. */
export function canonicalEvent(event: AuditEvent): string {
  let text = '';
  for (const field of STORED_FIELDS) {
    const value = event[field];
    if (value === null || (field === 'humanId' && value === event.userId) || isEmpty(field, value)) continue;
    // `v` comes behind `userId` and before `verdict`.
    if (field === 'verdict') text += '"v":1,';
    text += `"${field}":${PLAIN_FIELDS.has(field) ? `"${String(value)}"` : canonicalJson(value)},`;
  }
  return event.verdict === null ? `{${text}"v":1}` : `{${text.slice(0, -1)}}`;
}

const isEmpty = (field: keyof AuditEvent, value: unknown): boolean =>
  (field === 'redacted' || field === 'attributes') && typeof value === 'object' && value !== null && Object.keys(value).length === 0;

type StoredFields = Omit<AuditEvent, 'organizationId'> & { readonly organizationId: string };
type AlwaysThere = 'id' | 'organizationId' | 'type' | 'source' | 'sourceId' | 'occurredAt' | 'recordedAt';

/** The event in stored bytes, which `canonicalEvent` made. */
export function eventFrom(json: string): AuditEvent {
  const given: Partial<StoredFields> & Pick<StoredFields, AlwaysThere> = JSON.parse(json);
  return {
    id: given.id,
    organizationId: organizationId(given.organizationId),
    type: given.type,
    source: given.source,
    sourceId: given.sourceId,
    occurredAt: given.occurredAt,
    recordedAt: given.recordedAt,
    recordedBy: given.recordedBy ?? null,
    namespaceId: given.namespaceId ?? null,
    projectId: given.projectId ?? null,
    userId: given.userId ?? null,
    humanId: given.humanId ?? (given.humanSource === 'UNKNOWN' ? null : (given.userId ?? null)),
    humanSource: given.humanSource ?? null,
    agentId: given.agentId ?? null,
    sessionId: given.sessionId ?? null,
    parentSessionId: given.parentSessionId ?? null,
    surface: given.surface ?? null,
    executionMode: given.executionMode ?? null,
    sequence: given.sequence ?? null,
    callId: given.callId ?? null,
    tool: given.tool ?? null,
    verdict: given.verdict ?? null,
    outcome: given.outcome ?? null,
    contentType: given.contentType ?? null,
    data: given.data ?? null,
    attributes: given.attributes ?? {},
    contentSeal: given.contentSeal ?? null,
    recordingMode: given.recordingMode ?? null,
    redacted: given.redacted ?? [],
  };
}
