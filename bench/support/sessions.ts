import type { JsonObject } from '../../src/kernel/index.js';
import { TOOLS, type Company } from './company.js';
import { evenly, pick, skewed, type Random } from './random.js';
import { aDiff, aSentence, someText } from './texts.js';

/** One thing that happened in a session, in the words of the agent service. */
export interface Step {
  readonly type: string;
  readonly callId: string | null;
  readonly tool: string | null;
  readonly verdict: 'ALLOW' | 'ASK' | 'DENY' | null;
  readonly data: JsonObject;
}

/** One run of an agent: who, where, and what happened in order. */
export interface Run {
  readonly projectId: string;
  readonly userId: string;
  readonly agentId: string;
  readonly sessionId: string;
  readonly steps: Iterator<Step, undefined>;
}

/**
 * A run as agents make them: a task, some ten to eighty turns of model call and tool call, a result. A few projects, agents, users and
 * tools have most of it; of a hundred calls five are denied and three must be asked for; one in fifteen fails.
 */
export function aRun(random: Random, company: Company, sessionId: string): Run {
  const project = skewed(random, company.projects.length);
  return {
    projectId: company.projects[project] ?? '',
    agentId: pick(company.agentsOf[project] ?? [], random, skewed),
    userId: pick(company.users, random, skewed),
    sessionId,
    steps: stepsOf(random, sessionId),
  };
}

function* stepsOf(random: Random, sessionId: string): Generator<Step, undefined> {
  const common = { workflow_id: sessionId, ip_address: `192.0.2.${1 + evenly(random, 250)}` };
  const said = (type: string, data: JsonObject): Step => ({ type, callId: null, tool: null, verdict: null, data: { ...common, ...data } });
  const goal = aSentence(random, 30);
  const turns = 10 + evenly(random, 70);

  yield said('ai_agent_session_started', { workflow_type: 'software_development', goal });
  yield said('ai_user_input_received', { input_type: 'chat', content: goal, content_length: goal.length });
  for (let turn = 0; turn < turns; turn += 1) {
    yield* modelCall(random, said);
    yield* toolCall(random, common, `${sessionId}-${String(turn).padStart(3, '0')}`);
  }
  const content = someText(random, 500);
  yield said('ai_user_output_displayed', { output_type: 'chat', content, content_length: content.length });
  yield said('ai_agent_session_ended', { status: 'success', duration_seconds: turns * 7.5 });
  return undefined;
}

function* modelCall(random: Random, said: (type: string, data: JsonObject) => Step): Generator<Step> {
  const model = { model_name: pick(['claude-sonnet-4-5', 'gpt-5-mini', 'mistral-large'], random) };
  yield said('ai_llm_input_sent', { ...model, prompt_content: someText(random, 500), tools_bound: TOOLS.slice(0, 8) });
  yield said('ai_llm_response_received', {
    ...model,
    response_content: someText(random, 250),
    prompt_token_count: 4_000 + evenly(random, 20_000),
    completion_token_count: 40 + evenly(random, 900),
    finish_reason: 'tool_use',
    latency_ms: 700 + evenly(random, 6_000),
  });
}

function* toolCall(random: Random, common: JsonObject, callId: string): Generator<Step> {
  const tool = pick(TOOLS, random, skewed);
  const args: JsonObject = {
    path: `app/services/${aSentence(random, 3).replaceAll(' ', '_')}.rb`,
    ...(random() < 0.4 ? { content: aDiff(random) } : { query: aSentence(random, 6) }),
  };
  const happened = (type: string, verdict: Step['verdict'], data: JsonObject): Step => ({ type, callId, tool, verdict, data });
  const dice = random();
  const verdict = dice < 0.05 ? 'DENY' : dice < 0.08 ? 'ASK' : 'ALLOW';
  yield happened('ai_tool_decision_made', verdict, decisionData(verdict, args));
  if (verdict === 'DENY') return;
  yield happened('ai_tool_invoked', null, { ...common, tool_name: tool, tool_args: args });
  if (random() < 1 / 15) {
    const error = { error_type: 'ToolException', error_message: aSentence(random, 12) };
    yield happened('ai_tool_execution_failed', null, { ...common, tool_name: tool, ...error });
    return;
  }
  const answer = someText(random, 480);
  const content = { response_content: answer, response_length: answer.length * 3 };
  yield happened('ai_tool_response_received', null, { ...common, tool_name: tool, ...content });
}

/** What the service itself writes down of a decision. */
const decisionData = (verdict: 'ALLOW' | 'ASK' | 'DENY', args: JsonObject): JsonObject => ({
  basis: verdict === 'DENY' ? 'FORBIDDEN' : 'PERMITTED',
  explanation: verdict === 'DENY' ? 'A policy of the organization forbids this call.' : 'The call is allowed.',
  reasons: [],
  failed: [],
  epoch: 42,
  requestId: null,
  toolId: null,
  toolDefinitionDigest: null,
  actionType: 'WRITE',
  arguments: args,
});
