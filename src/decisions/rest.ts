import { Failure, type Viewer } from '../kernel/index.js';
import { parseBody, viewerOfRequest, type HttpServer } from '../platform/http-server.js';
import type { DecideOutcome } from './decide.js';
import { EvaluationRequest, parseQuestion } from './parse-question.js';
import type { Question } from './question.js';

const MAX_BODY_BYTES = 1024 * 1024;

/**
 * `POST /access/v1/evaluation`: the AuthZEN Authorization API 1.0. How a request is read is described in docs/agent-platform.md:
 * subject the agent, action `invokeTool` with the call's arguments in its properties, resource the tool, its project in its
 * properties.
 */
export function decisionRoutes(server: HttpServer, decide: (viewer: Viewer, question: Question) => Promise<DecideOutcome>): void {
  server.addHook('onSend', async (request, reply) => {
    const requestId = request.headers['x-request-id'];
    if (typeof requestId === 'string' && request.url.startsWith('/access/')) reply.header('X-Request-ID', requestId);
  });
  server.post('/access/v1/evaluation', { bodyLimit: MAX_BODY_BYTES }, async (request) => {
    const viewer = viewerOfRequest(request);
    const requestId = request.headers['x-request-id'];
    const question = questionIn(parseBody(EvaluationRequest, request.body), typeof requestId === 'string' ? requestId : null);
    return presentOutcome(await decide(viewer, question));
  });
}

function questionIn({ subject, action, resource, context }: EvaluationRequest, requestId: string | null): Question {
  expect('subject.type', subject.type, 'agent');
  expect('action.name', action.name, 'invokeTool');
  expect('resource.type', resource.type, 'tool');
  const parsed = parseQuestion({
    requestId,
    agentId: subject.id,
    projectId: resource.properties?.['project'],
    tool: resource.id,
    arguments: action.properties?.['arguments'],
    sessionId: context?.['session'],
    callId: context?.['call'],
    environment: context?.['environment'],
    branch: context?.['branch'],
    branchProtected: context?.['branchProtected'],
    surface: context?.['surface'],
    executionMode: context?.['executionMode'],
    promises: context?.['promises'],
  });
  if (!parsed.success)
    throw new Failure(
      'BAD_USER_INPUT',
      parsed.error.issues
        .map(({ path, message }) => `${[PLACES[String(path[0])] ?? 'body', ...path.slice(1)].join('.')}: ${message}.`)
        .join(' '),
    );
  return parsed.data;
}

/** Where in a request each part of the question stands. */
const PLACES: Readonly<Record<string, string>> = {
  requestId: 'X-Request-ID',
  agentId: 'subject.id',
  projectId: 'resource.properties.project',
  tool: 'resource.id',
  arguments: 'action.properties.arguments',
  sessionId: 'context.session',
  callId: 'context.call',
  environment: 'context.environment',
  branch: 'context.branch',
  branchProtected: 'context.branchProtected',
  surface: 'context.surface',
  executionMode: 'context.executionMode',
  promises: 'context.promises',
};

function expect(field: string, value: string, wanted: string): void {
  if (value !== wanted)
    throw new Failure('BAD_USER_INPUT', `${field}: must be ${JSON.stringify(wanted)}; got ${JSON.stringify(value.slice(0, 100))}.`);
}

function presentOutcome(outcome: DecideOutcome): object {
  if (outcome.kind === 'notFound')
    return { decision: false, context: { verdict: 'DENY', explanation: 'There is no such project, or you may not see it.' } };
  const { id, callId, verdict, basis, explanation, advice, reasons, obligations, approvalNeeded } = outcome.decision;
  const { epoch, toolId, toolDefinitionDigest, actionType, decidedAt } = outcome.decision;
  return {
    decision: verdict === 'ALLOW',
    context: {
      id,
      callId,
      verdict,
      basis,
      explanation,
      advice,
      reasons,
      obligations,
      approvalNeeded,
      epoch,
      toolId,
      toolDefinitionDigest,
      actionType,
      decidedAt,
      isRepeated: outcome.isRepeated,
    },
  };
}
