import { sentenceOf } from '../../platform/http-server.js';
import { parseQuestion } from '../parse-question.js';
import type { Question } from '../question.js';
import { EvaluationRequest } from './shapes.js';

/** What a request asks; or in a sentence for each problem, naming its field, why it asks nothing. */
export type QuestionRead = { readonly kind: 'asked'; readonly question: Question } | { readonly kind: 'invalid'; readonly message: string };

/** Reads one evaluation of AuthZEN, as docs/agent-platform.md describes it. */
export function readQuestion(sent: unknown, requestId: string | null): QuestionRead {
  const request = EvaluationRequest.safeParse(sent);
  if (!request.success) return { kind: 'invalid', message: sentenceOf(request.error) };
  const { subject, action, resource, context } = request.data;
  const problem =
    otherThan('subject.type', subject.type, 'agent') ??
    otherThan('action.name', action.name, 'invokeTool') ??
    otherThan('resource.type', resource.type, 'tool');
  if (problem !== null) return { kind: 'invalid', message: problem };
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
  if (parsed.success) return { kind: 'asked', question: parsed.data };
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${[PLACES[String(path[0])] ?? 'body', ...path.slice(1)].join('.')}: ${message}.`,
  );
  return { kind: 'invalid', message: problems.join(' ') };
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

function otherThan(field: string, value: string, wanted: string): string | null {
  return value === wanted ? null : `${field}: must be ${JSON.stringify(wanted)}; got ${JSON.stringify(value.slice(0, 100))}.`;
}
