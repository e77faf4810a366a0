import { randomUUID } from 'node:crypto';

export type CloudEvent = Readonly<Record<string, unknown>>;

/** An event as the platform's agent service sends it: an `ai_tool_invoked` of now, unless `change` says otherwise. */
export function aCloudEvent(change: CloudEvent = {}): CloudEvent {
  return {
    specversion: '1.0',
    id: randomUUID(),
    type: 'ai_tool_invoked',
    source: '/duo_workflow_service',
    subject: '4711',
    time: new Date().toISOString().replace(/Z$/, '123+00:00'),
    datacontenttype: 'application/json',
    sequence: 3,
    data: { workflow_id: '4711', ip_address: '192.0.2.7', tool_name: 'read_file', tool_args: { path: 'README.md' } },
    ...change,
  };
}

/** What the agent service puts into `data`, for each of its eleven types (`duo_workflow_service/audit_events`). */
export const serviceData: Readonly<Record<string, CloudEvent>> = {
  ai_agent_session_started: { workflow_type: 'software_development', goal: 'Fix the pipeline' },
  ai_agent_session_ended: { status: 'failure', duration_seconds: 12.75, error_message: 'Out of tokens' },
  ai_user_input_received: { input_type: 'chat', content: 'Fix it, please', content_length: 14 },
  ai_user_output_displayed: { output_type: 'chat', content: 'Done', content_length: 4 },
  ai_llm_input_sent: { model_name: 'a-model', prompt_content: 'You are', tools_bound: ['read_file', 'grep'] },
  ai_llm_response_received: {
    model_name: 'a-model',
    response_content: 'I will',
    prompt_token_count: 12,
    completion_token_count: 3,
    finish_reason: 'stop',
    latency_ms: 831.5,
  },
  ai_llm_request_failed: { model_name: 'a-model', error_type: 'RateLimitError', error_message: 'Too many', latency_ms: 20 },
  ai_tool_invoked: { tool_name: 'read_file', tool_args: { path: 'README.md' } },
  ai_tool_response_received: { tool_name: 'read_file', response_content: '# Title', response_length: 7 },
  ai_tool_execution_failed: { tool_name: 'read_file', error_type: 'FileNotFoundError', error_message: 'No such file' },
  ai_tool_execution_retried: { tool_name: 'read_file', attempt_number: 2, max_attempts: 3, previous_error: 'Timeout' },
};

/** The life of a session as the platform tells it: what `data` holds of it is up to the event. */
export const lifeCycleData: Readonly<Record<string, CloudEvent>> = {
  duo_session_created: { workflow_type: 'software_development', goal: 'Fix the pipeline' },
  duo_session_started: { workflow_type: 'software_development' },
  duo_session_finished: { status: 'success', duration_seconds: 12.75 },
  duo_session_failed: { status: 'failure', error_message: 'Out of tokens' },
  duo_session_stopped: { status: 'stopped' },
  duo_session_resumed: {},
  duo_session_deleted: {},
  duo_cli_session_blocked: { error_message: 'Not on this machine' },
};

/** Typical data of each type that a producer may send. */
export const reportedData: Readonly<Record<string, CloudEvent>> = { ...serviceData, ...lifeCycleData };

/** One event of each of the service's types, as one session sends them. */
export function aSession(subject: string, change: CloudEvent = {}): readonly CloudEvent[] {
  return Object.entries(serviceData).map(([type, data], sequence) =>
    aCloudEvent({ type, subject, sequence, data: { workflow_id: subject, ip_address: '192.0.2.7', ...data }, ...change }),
  );
}
