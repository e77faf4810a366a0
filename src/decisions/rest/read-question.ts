import type { Viewer } from '../../kernel/index.js';
import { sentenceOf } from '../../platform/http-server.js';
import { parseQuestion } from '../parse-question.js';
import type { Question } from '../question.js';
import { inputOf, otherUser, sentenceOnInput, unknownWord, untoldArguments } from './sent-call.js';
import { EvaluationRequest } from './shapes.js';

/** What a request asks; or in a sentence for each problem, naming its field, why it asks nothing. */
export type QuestionRead = { readonly kind: 'asked'; readonly question: Question } | { readonly kind: 'invalid'; readonly message: string };

/** Reads one evaluation of AuthZEN, as docs/agent-platform.md describes it. */
export function readQuestion(viewer: Viewer, sent: unknown, requestId: string | null): QuestionRead {
  const request = EvaluationRequest.safeParse(sent);
  if (!request.success) return { kind: 'invalid', message: sentenceOf(request.error) };
  const problem = unknownWord(request.data) ?? otherUser(request.data, viewer) ?? untoldArguments(request.data);
  if (problem !== null) return { kind: 'invalid', message: problem };
  const parsed = parseQuestion(inputOf(request.data, requestId));
  return parsed.success
    ? { kind: 'asked', question: parsed.data }
    : { kind: 'invalid', message: sentenceOnInput(parsed.error, request.data) };
}
