import { z } from 'zod';
import { Failure, type Viewer } from '../kernel/index.js';
import { sentenceOf, viewerOfRequest, type HttpRequest, type HttpServer } from '../platform/http-server.js';
import type { DecideOutcome } from './decide.js';
import { EvaluationRequest, parseQuestion } from './parse-question.js';
import type { Question } from './question.js';
import type { Refusal } from './refusals.js';

const MAX_BODY_BYTES = 1024 * 1024;

export interface DecisionUseCases {
  readonly decide: (viewer: Viewer, question: Question) => Promise<DecideOutcome>;
  /** Records that a body could not be read as a question. */
  readonly refused: (viewer: Viewer, refused: Pick<Refusal, 'fields' | 'agentId'>) => void;
}

/**
 * `POST /access/v1/evaluation`: the AuthZEN Authorization API 1.0. How a request is read is described in docs/agent-platform.md:
 * subject the agent, action `invokeTool` with the call's arguments in its properties, resource the tool, its project in its
 * properties.
 */
export function decisionRoutes(server: HttpServer, { decide, refused }: DecisionUseCases): void {
  server.addHook('onSend', async (request, reply) => {
    const requestId = request.headers['x-request-id'];
    if (typeof requestId === 'string' && request.url.startsWith('/access/')) reply.header('X-Request-ID', requestId);
  });
  // Also called for what never reaches the route: no JSON, too large a body. Without a viewer there is nobody to record it of.
  const onError = async (request: HttpRequest, _reply: unknown, error: Error): Promise<void> => {
    const viewer = request.caller?.viewer ?? null;
    if (viewer !== null && isAboutQuestion(error)) refused(viewer, { fields: fieldsIn(error), agentId: agentIn(request.body) });
  };
  server.post('/access/v1/evaluation', { bodyLimit: MAX_BODY_BYTES, onError }, async (request) => {
    const viewer = viewerOfRequest(request);
    const requestId = request.headers['x-request-id'];
    const question = questionIn(evaluationIn(request.body), typeof requestId === 'string' ? requestId : null);
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
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => ({
    path: [PLACES[String(path[0])] ?? 'body', ...path.slice(1)].join('.'),
    message,
  }));
  throw new Unreadable(
    problems.map(({ path, message }) => `${path}: ${message}.`).join(' '),
    problems.map(({ path }) => path),
  );
}

/** A body that is no question. */
class Unreadable extends Failure {
  /** The fields at fault. */
  readonly fields: readonly string[];

  constructor(message: string, fields: readonly string[]) {
    super('BAD_USER_INPUT', message);
    this.fields = fields;
  }
}

/** @throws Unreadable naming every field at fault. */
function evaluationIn(body: unknown): EvaluationRequest {
  const parsed = EvaluationRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new Unreadable(
    sentenceOf(parsed.error),
    parsed.error.issues.map(({ path }) => path.join('.') || 'body'),
  );
}

/** Whether a request failed for what is in it, and not for who sent it or what has become of the service. */
const isAboutQuestion = (error: Error & { readonly statusCode?: number }): boolean =>
  error instanceof Failure
    ? error.code === 'BAD_USER_INPUT'
    : error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;

const fieldsIn = (error: Error): readonly string[] => (error instanceof Unreadable ? error.fields : ['body']);

const Claimed = z.object({ subject: z.object({ id: z.string() }) });

/** The agent that a body names, if it does so where it should. */
const agentIn = (body: unknown): string | null => Claimed.safeParse(body).data?.subject.id ?? null;

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
    throw new Unreadable(`${field}: must be ${JSON.stringify(wanted)}; got ${JSON.stringify(value.slice(0, 100))}.`, [field]);
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
