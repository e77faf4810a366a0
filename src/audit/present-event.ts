import { isJsonObject, type Json, type JsonObject } from '../kernel/index.js';
import { CATALOGUE, fieldsOf } from './catalogue.js';
import type { AuditEvent, StoredEvent } from './event.js';
import { PAYLOAD_TYPES, presentPayload } from './present-payload.js';

/** An event as every reader is shown it, whole but for the entities that it names. The fields are those of schema.graphql. */
export function presentEvent(stored: StoredEvent) {
  const { event, seal, position } = stored;
  const {
    id,
    type,
    source,
    sourceId,
    occurredAt,
    recordedAt,
    namespaceId,
    sessionId,
    sequence,
    callId,
    tool: toolName,
    verdict,
    outcome,
  } = event;
  const payload = presentPayload(event);
  return {
    ...{ id, type, source, sourceId, occurredAt, recordedAt, namespaceId, sessionId, sequence, callId, toolName, verdict, outcome },
    position,
    seal: seal.toString('hex'),
    recordedBy: stub(event.recordedBy),
    project: stub(event.projectId),
    user: stub(event.userId),
    agent: stub(event.agentId),
    payload: rememberEvent(payload, stored),
    extensions: extensionsOf(event, payload.__typename === PAYLOAD_TYPES.unknown),
  };
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
