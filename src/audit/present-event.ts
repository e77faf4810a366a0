import { isJsonObject, type Json, type JsonObject } from '../kernel/index.js';
import { splitContent, withContent } from './content.js';
import { familyOf, fieldsOf } from './catalogue.js';
import type { AuditEvent, StoredEvent } from './event.js';

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
    agent: stub(event.agentId),
    payload: rememberEvent(presentPayload(event), stored),
    extensions: extensionsOf(event),
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
function extensionsOf(event: AuditEvent): JsonObject | null {
  const data = beyondFields(event);
  const hasAttributes = Object.keys(event.attributes).length > 0;
  if (data === null && !hasAttributes) return null;
  return { ...(hasAttributes && { attributes: event.attributes }), ...(data !== null && { data }) };
}

function beyondFields({ type, data }: AuditEvent): Json {
  const family = familyOf(type);
  if (family === 'unknown') return data;
  if (family === 'decision' || family === 'policy' || family === 'tool' || !isJsonObject(data)) return null;
  const known = fieldsOf(type);
  const rest = Object.entries(data).filter(([key]) => !known.has(key) || key === 'ip_address');
  return rest.length === 0 ? null : Object.fromEntries(rest);
}

function presentPayload(event: AuditEvent) {
  const data = new Fields(isJsonObject(event.data) ? event.data : {});
  switch (familyOf(event.type)) {
    case 'session':
      return sessionPayload(data);
    case 'message':
      return {
        __typename: 'AgentMessagePayload' as const,
        messageType: data.text('input_type') ?? data.text('output_type'),
        content: data.text('content'),
        contentLength: data.number('content_length'),
      };
    case 'modelCall':
      return modelCallPayload(data);
    case 'toolCall':
      return toolCallPayload(data);
    case 'decision':
      return { __typename: 'AgentDecisionPayload' as const, decision: { id: event.id }, arguments: data.json('arguments') };
    case 'policy':
      return policyPayload(data);
    case 'tool':
      return toolPayload(data);
    case 'unknown':
      return { __typename: 'AgentUnknownPayload' as const, contentType: event.contentType };
  }
}

const sessionPayload = (data: Fields) => ({
  __typename: 'AgentSessionPayload' as const,
  workflowType: data.text('workflow_type'),
  goal: data.text('goal'),
  status: data.text('status'),
  durationSeconds: data.number('duration_seconds'),
  errorMessage: data.text('error_message'),
});

const modelCallPayload = (data: Fields) => ({
  __typename: 'AgentModelCallPayload' as const,
  modelName: data.text('model_name'),
  promptContent: data.text('prompt_content'),
  toolsBound: data.texts('tools_bound'),
  responseContent: data.text('response_content'),
  promptTokenCount: data.number('prompt_token_count'),
  completionTokenCount: data.number('completion_token_count'),
  finishReason: data.text('finish_reason'),
  latencyMilliseconds: data.number('latency_ms'),
  errorType: data.text('error_type'),
  errorMessage: data.text('error_message'),
});

const toolCallPayload = (data: Fields) => ({
  __typename: 'AgentToolCallPayload' as const,
  toolName: data.text('tool_name') ?? '',
  arguments: data.json('tool_args'),
  responseContent: data.text('response_content'),
  responseLength: data.number('response_length'),
  errorType: data.text('error_type'),
  errorMessage: data.text('error_message'),
  attemptNumber: data.number('attempt_number'),
  maxAttempts: data.number('max_attempts'),
  previousError: data.text('previous_error'),
});

const policyPayload = (data: Fields) => ({
  __typename: 'AgentPolicyPayload' as const,
  policy: { id: data.text('policyId') ?? '' },
  name: data.text('name') ?? '',
  namespaceId: data.text('namespaceId') ?? '',
  revision: data.number('revision') ?? 0,
  digest: data.text('digest') ?? '',
  message: data.text('message'),
});

const toolPayload = (data: Fields) => ({
  __typename: 'AgentToolPayload' as const,
  tool: { id: data.text('toolId') ?? '' },
  definitionDigest: data.text('definitionDigest') ?? '',
  previousDefinitionDigest: data.text('previousDefinitionDigest'),
  actionType: actionTypeIn(data.text('actionType')),
  actionTypeReason: data.text('actionTypeReason'),
});

const actionTypeIn = (text: string | null): 'READ' | 'WRITE' | 'DESTROY' => (text === 'READ' || text === 'WRITE' ? text : 'DESTROY');

/** Reads members of an event's data; what has another type than expected reads as null. */
class Fields {
  readonly #data: JsonObject;

  constructor(data: JsonObject) {
    this.#data = data;
  }

  json(key: string): Json {
    return this.#data[key] ?? null;
  }

  text(key: string): string | null {
    const value = this.json(key);
    return typeof value === 'string' ? value : null;
  }

  number(key: string): number | null {
    const value = this.json(key);
    return typeof value === 'number' ? value : null;
  }

  texts(key: string): readonly string[] | null {
    const value = this.json(key);
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : null;
  }
}
