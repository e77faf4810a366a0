import { Failure, requireScope, type Viewer } from '../kernel/index.js';
import { parseBody, viewerOfRequest, type HttpRequest, type HttpServer } from '../platform/http-server.js';
import type { DecideOutcome } from './decide.js';
import type { Question } from './question.js';
import type { Refusal } from './refusals.js';
import { evaluateSeveral, MAX_SHARED_REQUEST_ID_CHARACTERS } from './rest/evaluate-several.js';
import { presentOutcome, type PresentedEvaluation } from './rest/present-outcome.js';
import { claimedAgent, readQuestion } from './rest/read-question.js';
import { searchActions, searchResources, searchSubjects, type Searching } from './rest/search.js';
import { ActionSearchRequest, EvaluationsRequest, ResourceSearchRequest, SubjectSearchRequest } from './rest/shapes.js';

export { metadataRoutes } from './rest/metadata.js';

const MAX_BODY_BYTES = 1024 * 1024;
/** AuthZEN's certification scenario wants 400 for a wrong Content-Type. */
const config = { wrongTypeStatus: 400 };

/** What the routes call. */
export interface DecisionServing {
  readonly search: Searching;
  decide(viewer: Viewer, question: Question): Promise<DecideOutcome>;
  /** Records that something which was to be a question was refused. */
  refused(viewer: Viewer, refused: Omit<Refusal, 'route'>): void;
}

/**
 * The AuthZEN Authorization API 1.0: one evaluation, several, and the searches. How a request is read is described in
 * docs/agent-platform.md: subject the agent, action `invokeTool` with the call's arguments in its properties, resource the tool, its project
 * in its properties.
 */
export function decisionRoutes(server: HttpServer, serving: DecisionServing): void {
  server.addHook('onSend', (request, reply, _payload, done) => {
    const requestId = requestIdOf(request);
    if (requestId !== null && request.url.startsWith('/access/')) reply.header('X-Request-ID', requestId);
    done();
  });
  // Also called for what never reaches the route: no JSON, too large a body. Without a viewer there is nobody to record it of.
  const onError = async (request: HttpRequest, _reply: unknown, error: Error): Promise<void> => {
    const viewer = request.caller?.viewer ?? null;
    if (viewer !== null && isAboutQuestion(error))
      serving.refused(viewer, { reason: 'QUESTION_INVALID', fields: fieldsIn(error), agentId: claimedAgent(request.body) });
  };
  const evaluateOne = async (viewer: Viewer, body: unknown, requestId: string | null): Promise<PresentedEvaluation> => {
    const read = readQuestion(viewer, body, requestId);
    if (read.kind === 'invalid') throw new Unreadable(read.message, read.fields);
    return presentOutcome(await serving.decide(viewer, read.question));
  };

  server.post('/access/v1/evaluation', { bodyLimit: MAX_BODY_BYTES, onError, config }, async (request) =>
    evaluateOne(viewerOfRequest(request), request.body, requestIdOf(request)),
  );

  server.post('/access/v1/evaluations', { bodyLimit: MAX_BODY_BYTES, onError, config }, async (request) => {
    const viewer = viewerOfRequest(request);
    if (!viewer.scopes.has('decision:request'))
      serving.refused(viewer, { reason: 'SCOPE_MISSING', fields: [], agentId: claimedAgent(request.body) });
    requireScope(viewer, 'decision:request');
    const sent = parseBody(EvaluationsRequest, request.body);
    const requestId = requestIdOf(request);
    if (sent.evaluations.length === 0) return evaluateOne(viewer, sent, requestId);
    refuseTooLong(requestId);
    return {
      evaluations: await evaluateSeveral(viewer, sent, requestId, {
        decide: (question) => serving.decide(viewer, question),
        refused: (fields, item) => serving.refused(viewer, { reason: 'QUESTION_INVALID', fields, agentId: claimedAgent(item) }),
      }),
    };
  });
  searchRoutes(server, serving.search);
}

function searchRoutes(server: HttpServer, search: Searching): void {
  server.post('/access/v1/search/subject', { config }, async (request) =>
    searchSubjects(search, asking(request), parseBody(SubjectSearchRequest, request.body)),
  );
  server.post('/access/v1/search/resource', { config }, async (request) =>
    searchResources(search, asking(request), parseBody(ResourceSearchRequest, request.body)),
  );
  server.post('/access/v1/search/action', { config }, async (request) =>
    searchActions(search, asking(request), parseBody(ActionSearchRequest, request.body)),
  );
}

/** @throws Failure FORBIDDEN for somebody who may not ask for decisions, whatever they send. */
function asking(request: HttpRequest): Viewer {
  const viewer = viewerOfRequest(request);
  requireScope(viewer, 'decision:request');
  return viewer;
}

function requestIdOf({ headers }: Pick<HttpRequest, 'headers'>): string | null {
  const requestId = headers['x-request-id'];
  return typeof requestId === 'string' ? requestId : null;
}

function refuseTooLong(requestId: string | null): void {
  if (requestId !== null && requestId.length > MAX_SHARED_REQUEST_ID_CHARACTERS)
    throw new Unreadable(`X-Request-ID: must have at most ${MAX_SHARED_REQUEST_ID_CHARACTERS} characters with several evaluations.`, [
      'X-Request-ID',
    ]);
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

/** Whether a request failed for what is in it, and not for who sent it or what has become of the service. */
const isAboutQuestion = (error: Error & { readonly statusCode?: number }): boolean =>
  error instanceof Failure
    ? error.code === 'BAD_USER_INPUT'
    : error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;

const fieldsIn = (error: Error): readonly string[] => (error instanceof Unreadable ? error.fields : ['body']);
