import { Failure, requireScope, type Viewer } from '../kernel/index.js';
import { parseBody, viewerOfRequest, type HttpServer } from '../platform/http-server.js';
import type { DecideOutcome } from './decide.js';
import type { Question } from './question.js';
import { evaluateSeveral, MAX_SHARED_REQUEST_ID_CHARACTERS } from './rest/evaluate-several.js';
import { presentOutcome, type PresentedEvaluation } from './rest/present-outcome.js';
import { readQuestion } from './rest/read-question.js';
import { searchActions, searchResources, searchSubjects, type Searching } from './rest/search.js';
import { ActionSearchRequest, EvaluationsRequest, ResourceSearchRequest, SubjectSearchRequest } from './rest/shapes.js';

export { metadataRoutes } from './rest/metadata.js';

const MAX_BODY_BYTES = 1024 * 1024;

/** What the routes call. */
export interface DecisionServing {
  readonly search: Searching;
  decide(viewer: Viewer, question: Question): Promise<DecideOutcome>;
}

/**
 * The AuthZEN Authorization API 1.0: one evaluation, several, and the searches. How a request is read is described in
 * docs/agent-platform.md: subject the agent, action `invokeTool` with the call's arguments in its properties, resource the tool, its project
 * in its properties.
 */
export function decisionRoutes(server: HttpServer, serving: DecisionServing): void {
  server.addHook('onSend', async (request, reply) => {
    const requestId = requestIdOf(request);
    if (requestId !== null && request.url.startsWith('/access/')) reply.header('X-Request-ID', requestId);
  });

  const evaluateOne = async (viewer: Viewer, body: unknown, requestId: string | null): Promise<PresentedEvaluation> => {
    const read = readQuestion(viewer, body, requestId);
    if (read.kind === 'invalid') throw new Failure('BAD_USER_INPUT', read.message);
    return presentOutcome(await serving.decide(viewer, read.question));
  };

  server.post('/access/v1/evaluation', { bodyLimit: MAX_BODY_BYTES }, async (request) =>
    evaluateOne(viewerOfRequest(request), request.body, requestIdOf(request)),
  );

  server.post('/access/v1/evaluations', { bodyLimit: MAX_BODY_BYTES }, async (request) => {
    const viewer = asking(request);
    const sent = parseBody(EvaluationsRequest, request.body);
    const requestId = requestIdOf(request);
    if (sent.evaluations.length === 0) return evaluateOne(viewer, sent, requestId);
    refuseTooLong(requestId);
    return { evaluations: await evaluateSeveral(viewer, sent, requestId, (question) => serving.decide(viewer, question)) };
  });
  searchRoutes(server, serving.search);
}

function searchRoutes(server: HttpServer, search: Searching): void {
  server.post('/access/v1/search/subject', async (request) =>
    searchSubjects(search, asking(request), parseBody(SubjectSearchRequest, request.body)),
  );
  server.post('/access/v1/search/resource', async (request) =>
    searchResources(search, asking(request), parseBody(ResourceSearchRequest, request.body)),
  );
  server.post('/access/v1/search/action', async (request) =>
    searchActions(search, asking(request), parseBody(ActionSearchRequest, request.body)),
  );
}

/** @throws Failure FORBIDDEN for somebody who may not ask for decisions, whatever they send. */
function asking(request: Parameters<typeof viewerOfRequest>[0]): Viewer {
  const viewer = viewerOfRequest(request);
  requireScope(viewer, 'decision:request');
  return viewer;
}

function requestIdOf({ headers }: { readonly headers: Readonly<Record<string, string | string[] | undefined>> }): string | null {
  const requestId = headers['x-request-id'];
  return typeof requestId === 'string' ? requestId : null;
}

function refuseTooLong(requestId: string | null): void {
  if (requestId !== null && requestId.length > MAX_SHARED_REQUEST_ID_CHARACTERS)
    throw new Failure(
      'BAD_USER_INPUT',
      `X-Request-ID: must have at most ${MAX_SHARED_REQUEST_ID_CHARACTERS} characters with several evaluations.`,
    );
}
