import { isJsonObject, type Json, type JsonObject } from '../kernel/index.js';
import { CATALOGUE, fieldsOf } from './catalogue.js';
import { splitContent, withContent } from './content.js';
import type { AuditEvent, StoredEvent } from './event.js';
import { knowledgeOf } from './humans.js';
import { PAYLOAD_TYPES, presentPayload } from './present-payload.js';

/** Whether the content of an event is shown, and why not. */
type ContentStatus = 'NONE' | 'NOT_RECORDED' | 'WITHHELD' | 'REVEALED' | 'DROPPED';

/**
 * An event as every reader is shown it, whole but for the entities that it names. The fields are those of schema.graphql.
 *
 * Without `revealed` its content is left out: prompts, answers and results are shown by a reveal alone.
 *
 * @param revealed the event's content; null when there is none any more
 */
export function presentEvent(stored: StoredEvent, revealed?: JsonObject | null) {
  const { seal, position } = stored;
  const split = splitContent(stored.event.type, stored.event.data);
  const event = { ...stored.event, data: revealed == null ? split.data : withContent(split.data, revealed) };
  const {
    id,
    type,
    source,
    sourceId,
    occurredAt,
    recordedAt,
    namespaceId,
    sessionId,
    parentSessionId,
    surface,
    executionMode,
    sequence,
    callId,
    tool: toolName,
    verdict,
    outcome,
    contentSeal,
    redacted: redactedFields,
  } = event;
  const payload = presentPayload(event);
  return {
    ...{ id, type, source, sourceId, occurredAt, recordedAt, namespaceId, sessionId, sequence, callId, toolName, verdict, outcome },
    ...{ parentSessionId, surface, executionMode, contentSeal, redactedFields },
    recordingMode: event.recordingMode ?? ('FULL' as const),
    contentStatus: contentStatusOf(event, split.content !== null, revealed),
    position,
    seal: seal.toString('hex'),
    recordedBy: stub(event.recordedBy),
    project: stub(event.projectId),
    user: stub(event.userId),
    human: stub(event.humanId),
    humanSource: knowledgeOf(event),
    agent: stub(event.agentId),
    payload: rememberEvent(payload, stored),
    extensions: extensionsOf(event, payload.__typename === PAYLOAD_TYPES.unknown),
  };
}

function contentStatusOf({ contentSeal, recordingMode }: AuditEvent, hasInline: boolean, revealed?: JsonObject | null): ContentStatus {
  if (recordingMode !== null) return 'NOT_RECORDED';
  if (contentSeal === null && !hasInline) return 'NONE';
  if (revealed === undefined) return 'WITHHELD';
  return revealed === null ? 'DROPPED' : 'REVEALED';
}

const eventsBehind = new WeakMap<object, StoredEvent>();

function rememberEvent<Payload extends object>(payload: Payload, stored: StoredEvent): Payload {
  eventsBehind.set(payload, stored);
  return payload;
}

/** The event that a payload of `presentEvent` was made from: another room shows what it knows of it without reading it again. */
export const eventBehind = (payload: object): StoredEvent | null => eventsBehind.get(payload) ?? null;

const stub = (id: string | null): { readonly id: string } | null => (id === null ? null : { id });

/** What the producer sent beyond the fields that the payload shows. */
function extensionsOf(event: AuditEvent, isUnknown: boolean): JsonObject | null {
  const data = isUnknown ? event.data : beyondFields(event);
  const hasAttributes = Object.keys(event.attributes).length > 0;
  if (data === null && !hasAttributes) return null;
  return { ...(hasAttributes && { attributes: event.attributes }), ...(data !== null && { data }) };
}

function beyondFields(event: AuditEvent): Json {
  const { type, data } = event;
  if (CATALOGUE.get(type)?.isOwn === true || !isJsonObject(data)) return null;
  const known = fieldsOf(type);
  const rest = Object.entries(data).filter(([key]) => !known.has(key) || isNotShown(event, data, key));
  return rest.length === 0 ? null : Object.fromEntries(rest);
}

/** Fields of the agent service that no payload has a place for, unless the event itself has. */
function isNotShown({ sessionId }: AuditEvent, data: JsonObject, key: string): boolean {
  if (key === 'workflow_id') return data[key] !== null && data[key] !== sessionId;
  return key === 'ip_address' || (key === 'output_type' && typeof data['input_type'] === 'string');
}
