import { canonicalJson, hashOf, organizationId, uuidV7, type Json, type JsonObject, type OrganizationId } from '../kernel/index.js';

export type Verdict = 'ALLOW' | 'ASK' | 'DENY';
export type Outcome = 'SUCCEEDED' | 'FAILED';

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
  readonly agentId: string | null;
  readonly sessionId: string | null;
  /** The producer's counter in the session. */
  readonly sequence: number | null;
  readonly callId: string | null;
  readonly tool: string | null;
  readonly verdict: Verdict | null;
  readonly outcome: Outcome | null;
  /** The media type that the producer named. */
  readonly contentType: string | null;
  readonly data: Json;
  /** CloudEvents attributes that have no field of their own here. */
  readonly attributes: JsonObject;
}

/** An event to be recorded, before it has an id. */
export type NewEvent = Omit<
  AuditEvent,
  'id' | 'organizationId' | 'recordedAt' | 'recordedBy' | 'namespaceId' | 'contentType' | 'attributes' | 'sequence'
> &
  Partial<Pick<AuditEvent, 'recordedBy' | 'namespaceId' | 'contentType' | 'attributes' | 'sequence'>>;

/** Gives an event its id. */
export function eventOf(organization: OrganizationId, recordedAt: Date, event: NewEvent): AuditEvent {
  return {
    contentType: null,
    attributes: {},
    sequence: null,
    // What this service records itself, it records for the user who caused it.
    recordedBy: event.userId,
    namespaceId: event.projectId,
    ...event,
    organizationId: organization,
    recordedAt: recordedAt.toISOString(),
    id: uuidV7(Date.parse(event.occurredAt), hashOf(organization, event.source, event.sourceId)),
  };
}

/** An event as it is stored: with its salt, its seal and exactly the bytes that the seal commits to. */
export interface SealedEvent {
  readonly event: AuditEvent;
  /** Canonical JSON (RFC 8785) of the event, fields that are null left out. */
  readonly json: string;
  readonly salt: Buffer;
  /** Length of `json` in UTF-8. */
  readonly bytes: number;
  /** SHA-256 of salt and json. */
  readonly seal: Buffer;
}

/** A stored event as readers get it. */
export interface StoredEvent {
  readonly event: AuditEvent;
  readonly seal: Buffer;
  /** Null until the sequencer has given it one. */
  readonly position: number | null;
}

/** The bytes that are hashed and stored. */
export function canonicalEvent(event: AuditEvent): string {
  return canonicalJson(
    Object.fromEntries(
      Object.entries({ v: 1, ...event }).filter(
        ([key, value]) => value !== null && !(key === 'attributes' && Object.keys(event.attributes).length === 0),
      ),
    ),
  );
}

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
    agentId: given.agentId ?? null,
    sessionId: given.sessionId ?? null,
    sequence: given.sequence ?? null,
    callId: given.callId ?? null,
    tool: given.tool ?? null,
    verdict: given.verdict ?? null,
    outcome: given.outcome ?? null,
    contentType: given.contentType ?? null,
    data: given.data ?? null,
    attributes: given.attributes ?? {},
  };
}
