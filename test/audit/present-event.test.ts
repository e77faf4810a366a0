import { describe, expect, it } from '@jest/globals';
import { presentEvent } from '../../src/audit/index.js';
import { serviceData } from '../support/cloud-events.js';
import { anEvent } from './events.js';

const present = (change: Parameters<typeof anEvent>[0]) =>
  presentEvent({ event: anEvent(change), seal: Buffer.from('abcd', 'hex'), position: 7 });

describe('an event as it is shown', () => {
  it.each([
    [
      'ai_agent_session_started',
      {
        __typename: 'AgentSessionPayload',
        workflowType: 'software_development',
        goal: 'Fix the pipeline',
        status: null,
        durationSeconds: null,
        errorMessage: null,
      },
    ],
    [
      'ai_agent_session_ended',
      {
        __typename: 'AgentSessionPayload',
        workflowType: null,
        goal: null,
        status: 'failure',
        durationSeconds: 12.75,
        errorMessage: 'Out of tokens',
      },
    ],
    ['ai_user_input_received', { __typename: 'AgentMessagePayload', messageType: 'chat', content: 'Fix it, please', contentLength: 14 }],
    ['ai_user_output_displayed', { __typename: 'AgentMessagePayload', messageType: 'chat', content: 'Done', contentLength: 4 }],
    [
      'ai_llm_input_sent',
      { __typename: 'AgentModelCallPayload', modelName: 'a-model', promptContent: 'You are', toolsBound: ['read_file', 'grep'] },
    ],
    [
      'ai_llm_response_received',
      { responseContent: 'I will', promptTokenCount: 12, completionTokenCount: 3, finishReason: 'stop', latencyMilliseconds: 831.5 },
    ],
    ['ai_llm_request_failed', { errorType: 'RateLimitError', errorMessage: 'Too many', latencyMilliseconds: 20 }],
    ['ai_tool_invoked', { __typename: 'AgentToolCallPayload', toolName: 'read_file', arguments: { path: 'README.md' } }],
    ['ai_tool_response_received', { toolName: 'read_file', responseContent: '# Title', responseLength: 7 }],
    ['ai_tool_execution_failed', { errorType: 'FileNotFoundError', errorMessage: 'No such file' }],
    ['ai_tool_execution_retried', { attemptNumber: 2, maxAttempts: 3, previousError: 'Timeout' }],
  ])('has the fields of its family: %s', (type, payload) => {
    const shown = present({ type, data: serviceData[type] as never });

    expect(shown.payload).toMatchObject(payload);
    expect(shown).toMatchObject({ position: 7, seal: 'abcd', extensions: null });
  });

  it('shows what lies beyond its family, and attributes of its own', () => {
    const shown = present({ data: { tool_name: 't', ip_address: '192.0.2.7', more: [1] }, attributes: { traceparent: '00' } });

    expect(shown.extensions).toEqual({ attributes: { traceparent: '00' }, data: { ip_address: '192.0.2.7', more: [1] } });
  });

  it.each([[{ a: 1 }], ['text'], [[1]], [0], [false]])('shows all of an unknown type: %j', (data) => {
    expect(present({ type: 'com.example.new', contentType: 'text/plain', data })).toMatchObject({
      payload: { __typename: 'AgentUnknownPayload', contentType: 'text/plain' },
      extensions: { data },
    });
  });

  it('links to project, user and agent by id, and to nothing where it names none', () => {
    expect(present({ projectId: 'p', userId: 'u', agentId: 'a' })).toMatchObject({
      project: { id: 'p' },
      user: { id: 'u' },
      agent: { id: 'a' },
    });
    expect(present({})).toMatchObject({ project: null, user: null, agent: null });
  });
});
