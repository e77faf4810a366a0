import { describe, expect, it } from '@jest/globals';
import { metadataIn, splitContent, withContent } from '../../src/audit/content.js';
import type { Json } from '../../src/kernel/index.js';
import { serviceData } from '../support/cloud-events.js';
import { aRandom } from '../support/random.js';
import { aRandomJson } from '../kernel/random-json.js';

const all = Object.keys(serviceData);

describe('the content of an event', () => {
  it.each<[string, string, Json, readonly string[]]>([
    ['prompts', 'ai_llm_input_sent', { model_name: 'm', prompt_content: 'p', tools_bound: [] }, ['prompt_content']],
    ['answers', 'ai_llm_response_received', { response_content: 'a', prompt_token_count: 1 }, ['response_content']],
    ['goals', 'ai_agent_session_started', { goal: 'g', workflow_type: 'w' }, ['goal']],
    ['what is said', 'ai_user_input_received', { content: 'c', content_length: 1 }, ['content']],
    ['results of tools', 'ai_tool_response_received', { tool_name: 't', response_content: 'r', response_length: 1 }, ['response_content']],
    ['what a producer adds under such a name', 'ai_tool_invoked', { tool_name: 't', raw_output: 'o', message_id: 'm' }, ['raw_output']],
    ['the same of a type that nobody knows', 'ai_claude_response_received', { content: 'c', model: 'm' }, ['content']],
  ])('is %s', (_what, type, data, content) => {
    const split = splitContent(type, data);

    expect(Object.keys((split.content?.['data'] ?? {}) as object)).toEqual(content);
    expect(Object.keys(split.data as object).filter((member) => content.includes(member))).toEqual([]);
  });

  it.each<[string, string, Json]>([
    ['arguments', 'ai_tool_invoked', { tool_name: 't', tool_args: { content: 'x' } }],
    ['error messages', 'ai_tool_execution_failed', { tool_name: 't', error_message: 'e' }],
    ['no value at all', 'ai_user_input_received', { content: null }],
    ['what this service records itself', 'ai_policy_published', { message: 'm' }],
    ['data that is no object', 'com.example.new', 'text'],
  ])('is not %s', (_what, type, data) => {
    expect(splitContent(type, data)).toEqual({ data, content: null });
  });

  it('goes back where it came from, for whatever data', () => {
    const random = aRandom(7);
    for (let round = 0; round < 500; round += 1) {
      const type = random.pick([...all, 'com.example.new']);
      const data: Json =
        random.below(2) === 0 ? aRandomJson(random, 3) : { ...(serviceData[type] as object), extra: aRandomJson(random, 2) };
      const split = splitContent(type, data);

      expect(split.content === null ? split.data : withContent(split.data, split.content)).toEqual(data);
    }
  });
});

describe('what is recorded where only metadata is', () => {
  it.each(all)('is neither content nor details: %s', (type) => {
    const kept = metadataIn(type, { ...serviceData[type], ip_address: '192.0.2.7', raw: 'more' } as Json);

    expect(kept).toMatchObject({ ip_address: '192.0.2.7' });
    expect(JSON.stringify(kept)).not.toMatch(/Fix|Done|You are|I will|Title|README|Out of|Too many|No such|Timeout|more/);
  });

  it.each<[string, Json]>([
    ['an object', { a: 1 }],
    ['a text', 'text'],
  ])('is nothing of a type that nobody knows: %s', (_what, data) => {
    expect(JSON.stringify(metadataIn('com.example.new', data))).toMatch(/^(null|\{\})$/);
  });

  it('is a decision without its arguments', () => {
    expect(metadataIn('ai_tool_decision_made', { basis: 'PERMITTED', arguments: { a: 1 } })).toEqual({ basis: 'PERMITTED' });
  });
});
