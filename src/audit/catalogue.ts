import { z } from 'zod';

/** Families of event types: each has one shape of payload. */
export type Family = 'session' | 'message' | 'modelCall' | 'toolCall' | 'decision' | 'policy' | 'tool' | 'unknown';

// What a producer does not know it may leave out or send as null.
const text = z.string().nullish();
/** What a GraphQL Int can hold. */
const count = z.number().int().min(0).max(2_147_483_647).nullish();
const amount = z.number().nonnegative().nullish();

/** What every type of the agent service may carry besides. */
const common = { workflow_id: text, ip_address: text };

const session = z.object({ ...common, workflow_type: text, goal: text, status: text, duration_seconds: amount, error_message: text });
const message = z.object({ ...common, input_type: text, output_type: text, content: text, content_length: count });
const modelCall = z.object({
  ...common,
  model_name: text,
  prompt_content: text,
  tools_bound: z.array(z.string()).nullish(),
  response_content: text,
  prompt_token_count: count,
  completion_token_count: count,
  finish_reason: text,
  latency_ms: amount,
  error_type: text,
  error_message: text,
});
const toolName = z.string().min(1, 'must not be empty').max(300, 'must have at most 300 characters');
const toolCall = z.object({
  ...common,
  tool_name: toolName,
  tool_args: z.unknown().optional(),
  response_content: text,
  response_length: count,
  error_type: text,
  error_message: text,
  attempt_number: count,
  max_attempts: count,
  previous_error: text,
});

interface Definition {
  readonly family: Family;
  /** What a producer may send; null for types that only this service records. */
  readonly data: z.ZodObject | null;
}

/**
 * Every event type that is known, by name.
 *
 * The first eleven are those that GitLab's agent service sends; the names are kept. What this service records itself follows.
 */
export const CATALOGUE: ReadonlyMap<string, Definition> = new Map(
  Object.entries({
    ai_agent_session_started: { family: 'session', data: session },
    ai_agent_session_ended: { family: 'session', data: session },
    ai_user_input_received: { family: 'message', data: message },
    ai_user_output_displayed: { family: 'message', data: message },
    ai_llm_input_sent: { family: 'modelCall', data: modelCall },
    ai_llm_response_received: { family: 'modelCall', data: modelCall },
    ai_llm_request_failed: { family: 'modelCall', data: modelCall },
    ai_tool_invoked: { family: 'toolCall', data: toolCall },
    ai_tool_response_received: { family: 'toolCall', data: toolCall },
    ai_tool_execution_failed: { family: 'toolCall', data: toolCall },
    ai_tool_execution_retried: { family: 'toolCall', data: toolCall },
    ai_tool_decision_made: { family: 'decision', data: null },
    ai_policy_created: { family: 'policy', data: null },
    ai_policy_published: { family: 'policy', data: null },
    ai_policy_retired: { family: 'policy', data: null },
    ai_tool_registered: { family: 'tool', data: null },
    ai_tool_changed: { family: 'tool', data: null },
  } satisfies Record<string, Definition>),
);

export const familyOf = (type: string): Family => CATALOGUE.get(type)?.family ?? 'unknown';

const CONTENT: ReadonlySet<string> = new Set(['goal', 'content', 'prompt_content', 'response_content']);
const DETAILS: ReadonlySet<string> = new Set(['tool_args', 'arguments', 'error_message', 'previous_error']);
/** Members of `data` that are prompts, answers or results. */
export const contentOf = (_type: string): ReadonlySet<string> => CONTENT;
/** Members of `data` that are free text or values, and no prompts, answers or results. */
export const detailsOf = (_type: string): ReadonlySet<string> => DETAILS;

/** Fields of `data` that the type's payload shows; what is beyond them are extensions. */
export const fieldsOf = (type: string): ReadonlySet<string> => new Set(Object.keys(CATALOGUE.get(type)?.data?.shape ?? {}));
