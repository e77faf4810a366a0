/** What the platform's agent service reports. The names are GitLab's, so that its producers need no change. */
import { z } from 'zod';
import { payload, reported, type Category, type EventType, type Payload } from './definition.js';

// What a producer does not know it may leave out or send as null. Nothing is transformed: every event that comes in is checked.
const NO_TEXT = 'must be a string';
const text = z.string(NO_TEXT).nullish();
/** The most that a GraphQL Int can hold. */
const MAX_COUNT = 2_147_483_647;
const NO_COUNT = `must be a whole number from 0 to ${MAX_COUNT}`;
const count = z.number(NO_COUNT).int(NO_COUNT).min(0, NO_COUNT).max(MAX_COUNT, NO_COUNT).nullish();
const NO_AMOUNT = 'must be a number from 0 on';
const amount = z.number(NO_AMOUNT).nonnegative(NO_AMOUNT).nullish();
const toolName = z.string(NO_TEXT).min(1, 'must not be empty').max(300, 'must have at most 300 characters');

/** What every type of the agent service may carry besides. */
const common = { workflow_id: text, ip_address: text };

export const session = payload(
  'session',
  z.object({ ...common, workflow_type: text, goal: text, status: text, duration_seconds: amount, error_message: text }),
  { content: ['goal'], details: ['error_message'] },
);

export const message = payload(
  'message',
  z.object({ ...common, input_type: text, output_type: text, content: text, content_length: count }),
  { content: ['content'] },
);

export const modelCall = payload(
  'modelCall',
  z.object({
    ...common,
    model_name: text,
    prompt_content: text,
    tools_bound: z.array(z.string(NO_TEXT), 'must be an array of strings').nullish(),
    response_content: text,
    prompt_token_count: count,
    completion_token_count: count,
    finish_reason: text,
    latency_ms: amount,
    error_type: text,
    error_message: text,
  }),
  { content: ['prompt_content', 'response_content'], details: ['error_message'] },
);

export const toolCall = payload(
  'toolCall',
  z.object({
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
  }),
  { content: ['response_content'], details: ['tool_args', 'error_message', 'previous_error'] },
);

/** Events name a project or nothing; then they concern the organization. */
const SCOPES = ['ORGANIZATION', 'PROJECT'] as const;

const content = (name: string, shape: Payload, category: Category, description: string): EventType =>
  reported(name, shape, { category, description, scopes: SCOPES, since: '0.1.0' });

const lifeCycle = (name: string, description: string): EventType =>
  reported(name, session, { category: 'SESSION', description, scopes: SCOPES, since: '0.2.0' });

/** What was said, called and answered in a session. */
const CONTENT_TYPES: readonly EventType[] = [
  content('ai_agent_session_started', session, 'SESSION', 'An agent began to work on a goal.'),
  content('ai_agent_session_ended', session, 'SESSION', 'An agent’s session ended: in success or failure, stopped or aborted.'),
  content('ai_user_input_received', message, 'MESSAGE', 'A user said something to an agent.'),
  content('ai_user_output_displayed', message, 'MESSAGE', 'A user was shown something that an agent said.'),
  content('ai_llm_input_sent', modelCall, 'MODEL', 'A prompt was sent to a model, with the tools that it may ask for.'),
  content('ai_llm_response_received', modelCall, 'MODEL', 'A model answered.'),
  content('ai_llm_request_failed', modelCall, 'MODEL', 'A model did not answer, or answered with an error.'),
  content('ai_tool_invoked', toolCall, 'TOOL_CALL', 'An agent called a tool.'),
  content('ai_tool_response_received', toolCall, 'TOOL_CALL', 'A tool answered.'),
  content('ai_tool_execution_failed', toolCall, 'TOOL_CALL', 'A tool call failed for good.'),
  content('ai_tool_execution_retried', toolCall, 'TOOL_CALL', 'A tool call failed and is tried again.'),
];

/** The life of a session as the platform keeps it, whatever the agent did in it. */
const LIFE_CYCLE_TYPES: readonly EventType[] = [
  lifeCycle('duo_session_created', 'A session was created; no agent works in it yet.'),
  lifeCycle('duo_session_started', 'A session began to run.'),
  lifeCycle('duo_session_finished', 'A session came to its end.'),
  lifeCycle('duo_session_failed', 'A session ended by an error.'),
  lifeCycle('duo_session_stopped', 'A session was stopped before its end.'),
  lifeCycle('duo_session_resumed', 'A session that had paused or stopped went on.'),
  lifeCycle('duo_session_deleted', 'A session was deleted from the platform; what is recorded of it here stays.'),
  lifeCycle('duo_cli_session_blocked', 'A session on a command line was not let begin.'),
];

export const AGENT_SERVICE_TYPES: readonly EventType[] = [...CONTENT_TYPES, ...LIFE_CYCLE_TYPES];
