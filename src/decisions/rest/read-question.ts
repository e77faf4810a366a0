import { z } from 'zod';
import type { Viewer } from '../../kernel/index.js';
import { sentenceOf } from '../../platform/http-server.js';
import { parseQuestion } from '../parse-question.js';
import type { Question } from '../question.js';
import { fieldOf, inputOf, otherUser, placesOf, sentenceOnInput, unknownWord, untoldArguments } from './sent-call.js';
import { EvaluationRequest } from './shapes.js';

/** What a request asks; or in a sentence for each problem, naming its field, why it asks nothing, and those fields alone. */
export type QuestionRead =
  | { readonly kind: 'asked'; readonly question: Question }
  | { readonly kind: 'invalid'; readonly message: string; readonly fields: readonly string[] };

/** Reads one evaluation of AuthZEN, as docs/agent-platform.md describes it. */
export function readQuestion(viewer: Viewer, sent: unknown, requestId: string | null): QuestionRead {
  const request = EvaluationRequest.safeParse(sent);
  if (!request.success)
    return invalid(
      sentenceOf(request.error),
      request.error.issues.map(({ path }) => path.join('.') || 'body'),
    );
  const problem = unknownWord(request.data) ?? otherUser(request.data, viewer) ?? untoldArguments(request.data);
  if (problem !== null) return invalid(problem, [fieldOf(problem)]);
  const parsed = parseQuestion(inputOf(request.data, requestId));
  if (parsed.success) return { kind: 'asked', question: parsed.data };
  return invalid(sentenceOnInput(parsed.error, request.data), placesOf(parsed.error, request.data));
}

const invalid = (message: string, fields: readonly string[]): QuestionRead => ({ kind: 'invalid', message, fields });

const Claimed = z.object({ subject: z.object({ id: z.string() }) });

/** The agent that a request names, if it does so where it should. */
export const claimedAgent = (sent: unknown): string | null => Claimed.safeParse(sent).data?.subject.id ?? null;
