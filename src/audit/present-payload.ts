import type { z } from 'zod';
import { CATALOGUE } from './catalogue.js';
import * as reported from './catalogue/agent-service.js';
import type { Family, Payload } from './catalogue/definition.js';
import * as own from './catalogue/own-payloads.js';
import { OWN_SOURCE, type AuditEvent } from './event.js';

/** The member of GraphQL's payload union in which each family is shown. */
export const PAYLOAD_TYPES = {
  session: 'AgentSessionPayload',
  message: 'AgentMessagePayload',
  modelCall: 'AgentModelCallPayload',
  toolCall: 'AgentToolCallPayload',
  decision: 'AgentDecisionPayload',
  decisionRefusal: 'AgentDecisionRefusalPayload',
  approval: 'AgentApprovalPayload',
  policy: 'AgentPolicyPayload',
  policySettings: 'AgentPolicySettingsPayload',
  policyBacktest: 'AgentPolicyBacktestPayload',
  tool: 'AgentToolPayload',
  toolRule: 'AgentToolRulePayload',
  stop: 'AgentStopPayload',
  retentionDrop: 'AgentRetentionDropPayload',
  retentionChange: 'AgentRetentionChangePayload',
  legalHold: 'AgentLegalHoldPayload',
  contentReveal: 'AgentContentRevealPayload',
  recordingMode: 'AgentRecordingModePayload',
  sessionReport: 'AgentSessionReportPayload',
  unknown: 'AgentUnknownPayload',
} as const satisfies Record<Family, string>;

/**
 * An event's data as its type's payload.
 *
 * What does not have the shape of its type is shown as unknown, all of it: it may have been stored before the type was in the
 * catalogue. So is what a producer sent then under a name that is now this service's own.
 */
export function presentPayload(event: AuditEvent) {
  const type = CATALOGUE.get(event.type);
  if (type === undefined || type.family === 'unknown' || (type.isOwn && event.source !== OWN_SOURCE)) return unknownPayload(event);
  return presenters[type.family](event) ?? unknownPayload(event);
}

const unknownPayload = ({ contentType }: AuditEvent) => ({ __typename: PAYLOAD_TYPES.unknown, contentType });

const from =
  <Data extends z.ZodObject, Shown>({ data }: Payload<Data>, present: (data: z.infer<Data>, event: AuditEvent) => Shown) =>
  (event: AuditEvent): Shown | null => {
    const parsed = data.safeParse(event.data);
    return parsed.success ? present(parsed.data, event) : null;
  };

const CONTRADICTED = { userId: 'USER_ID', agentId: 'AGENT_ID', surface: 'SURFACE', executionMode: 'EXECUTION_MODE' } as const;

const stub = (id: string | null): { readonly id: string } | null => (id === null ? null : { id });

const presenters = {
  session: from(reported.session, (data) => ({
    __typename: PAYLOAD_TYPES.session,
    workflowType: data.workflow_type ?? null,
    goal: data.goal ?? null,
    status: data.status ?? null,
    durationSeconds: data.duration_seconds ?? null,
    errorMessage: data.error_message ?? null,
  })),
  message: from(reported.message, (data) => ({
    __typename: PAYLOAD_TYPES.message,
    messageType: data.input_type ?? data.output_type ?? null,
    content: data.content ?? null,
    contentLength: data.content_length ?? null,
  })),
  modelCall: from(reported.modelCall, (data) => ({
    __typename: PAYLOAD_TYPES.modelCall,
    modelName: data.model_name ?? null,
    promptContent: data.prompt_content ?? null,
    toolsBound: data.tools_bound ?? null,
    responseContent: data.response_content ?? null,
    promptTokenCount: data.prompt_token_count ?? null,
    completionTokenCount: data.completion_token_count ?? null,
    finishReason: data.finish_reason ?? null,
    latencyMilliseconds: data.latency_ms ?? null,
    errorType: data.error_type ?? null,
    errorMessage: data.error_message ?? null,
  })),
  toolCall: from(reported.toolCall, (data) => ({
    __typename: PAYLOAD_TYPES.toolCall,
    toolName: data.tool_name,
    arguments: data.tool_args ?? null,
    responseContent: data.response_content ?? null,
    responseLength: data.response_length ?? null,
    errorType: data.error_type ?? null,
    errorMessage: data.error_message ?? null,
    attemptNumber: data.attempt_number ?? null,
    maxAttempts: data.max_attempts ?? null,
    previousError: data.previous_error ?? null,
  })),
  decision: from(own.decision, (data, { id }) => ({
    __typename: PAYLOAD_TYPES.decision,
    decision: { id },
    arguments: data.arguments ?? null,
    contradictions: (data.contradictions ?? []).map(({ field, ...said }) => ({ ...said, field: CONTRADICTED[field] })),
  })),
  decisionRefusal: from(own.decisionRefusal, (data) => ({ __typename: PAYLOAD_TYPES.decisionRefusal, ...data })),
  approval: from(own.approval, ({ decisionId, toolId, decidedBy, ...data }) => ({
    __typename: PAYLOAD_TYPES.approval,
    ...data,
    decisionId,
    decision: { id: decisionId },
    tool: stub(toolId),
    decidedBy: stub(decidedBy),
  })),
  policy: from(own.policy, ({ policyId, author, reviewer, ...data }) => ({
    __typename: PAYLOAD_TYPES.policy,
    policy: { id: policyId },
    ...data,
    author: stub(author),
    reviewer: stub(reviewer),
  })),
  policyBacktest: from(own.policyBacktest, ({ policyId, ...data }) => ({
    __typename: PAYLOAD_TYPES.policyBacktest,
    policy: { id: policyId },
    ...data,
  })),
  policySettings: from(own.policySettings, (data) => ({ __typename: PAYLOAD_TYPES.policySettings, ...data })),
  toolRule: from(own.toolRule, ({ policyId, ...data }) => ({ __typename: PAYLOAD_TYPES.toolRule, policy: { id: policyId }, ...data })),
  tool: from(own.tool, ({ toolId, namespaceId: _shownByTheEvent, ...data }) => ({
    __typename: PAYLOAD_TYPES.tool,
    tool: { id: toolId },
    ...data,
  })),
  stop: from(own.stop, ({ agentId, ...data }) => ({ __typename: PAYLOAD_TYPES.stop, agent: { id: agentId }, ...data })),
  retentionDrop: from(own.retentionDrop, ({ class: retentionClass, ...data }) => ({
    __typename: PAYLOAD_TYPES.retentionDrop,
    retentionClass,
    ...data,
  })),
  retentionChange: from(own.retentionChange, ({ class: retentionClass, ...data }) => ({
    __typename: PAYLOAD_TYPES.retentionChange,
    retentionClass,
    ...data,
  })),
  legalHold: from(own.legalHold, ({ userId, agentId, ...data }) => ({
    __typename: PAYLOAD_TYPES.legalHold,
    ...data,
    user: stub(userId),
    agent: stub(agentId),
  })),
  contentReveal: from(own.contentReveal, (data) => ({ __typename: PAYLOAD_TYPES.contentReveal, ...data })),
  recordingMode: from(own.recordingMode, (data) => ({ __typename: PAYLOAD_TYPES.recordingMode, ...data })),
  sessionReport: from(own.sessionReport, (data) => ({ __typename: PAYLOAD_TYPES.sessionReport, ...data })),
} satisfies Record<Exclude<Family, 'unknown'>, (event: AuditEvent) => object | null>;
