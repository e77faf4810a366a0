import { describe, expect, it } from '@jest/globals';
import { splitContent } from '../../src/audit/content.js';
import { presentEvent } from '../../src/audit/index.js';
import type { JsonObject } from '../../src/kernel/index.js';
import { serviceData } from '../support/cloud-events.js';
import { anEvent } from './events.js';

const present = (change: Parameters<typeof anEvent>[0], revealed?: JsonObject | null) =>
  presentEvent({ event: anEvent(change), seal: Buffer.from('abcd', 'hex'), position: 7 }, revealed);

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
    const { data, content } = splitContent(type, serviceData[type] as never);
    const shown = present({ type, data }, content ?? undefined);

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

  it.each([
    ['ai_agent_session_started', 'goal'],
    ['ai_user_input_received', 'content'],
    ['ai_llm_input_sent', 'promptContent'],
    ['ai_llm_response_received', 'responseContent'],
    ['ai_tool_response_received', 'responseContent'],
  ])('withholds its content, kept apart or, as it once was, among its data: %s', (type, field) => {
    const { data } = splitContent(type, serviceData[type] as never);
    const apart = present({ type, data, ...({ contentSeal: 'abcd' } as object) });
    const inline = present({ type, data: serviceData[type] as never });

    expect(inline).toMatchObject({ contentStatus: 'WITHHELD', payload: { [field]: null } });
    expect(inline.payload).toEqual(apart.payload);
    expect(inline.extensions).toBeNull();
  });

  it.each([
    ['without any', { type: 'ai_tool_invoked' }, undefined, 'NONE'],
    ['dropped', { type: 'ai_user_input_received', data: { content: 'x' } }, null, 'DROPPED'],
    ['never stored', { recordingMode: 'METADATA_ONLY' as const }, undefined, 'NOT_RECORDED'],
    ['revealed', { type: 'ai_user_input_received', data: { content: 'x' } }, { data: { content: 'x' } }, 'REVEALED'],
  ])('says of its content that it is %s', (_what, change, revealed, contentStatus) => {
    expect(present(change, revealed)).toMatchObject({ contentStatus });
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
