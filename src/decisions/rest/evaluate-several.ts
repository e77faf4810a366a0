import { isJsonObject, type Viewer } from '../../kernel/index.js';
import type { DecideOutcome } from '../decide.js';
import { MAX_QUESTIONS, MAX_REQUEST_ID_CHARACTERS, type Question } from '../question.js';
import { presentOutcome, type PresentedEvaluation } from './present-outcome.js';
import { readQuestion } from './read-question.js';
import type { EvaluationsRequest, Semantic } from './shapes.js';

/** The longest `X-Request-ID` of several evaluations: each has its place added to it. */
export const MAX_SHARED_REQUEST_ID_CHARACTERS = MAX_REQUEST_ID_CHARACTERS - `#${MAX_QUESTIONS - 1}`.length;

/** What becomes of each. */
export interface Deciding {
  decide(question: Question): Promise<DecideOutcome>;
  /** Records that one was refused for these fields. */
  refused(fields: readonly string[], sent: unknown): void;
}

/**
 * Answers several evaluations, each recorded as one decision, in the order sent. `execute_all` decides them together; the other semantics
 * decide one after the other, and answer up to the one that settles it.
 *
 * An ill-formed one is answered with `decision: false` and what is wrong with it; whatever `decide` throws is thrown for all.
 */
export async function evaluateSeveral(
  viewer: Viewer,
  request: EvaluationsRequest,
  requestId: string | null,
  { decide, refused }: Deciding,
): Promise<readonly PresentedEvaluation[]> {
  const answer = async (item: unknown, index: number): Promise<PresentedEvaluation> => {
    const sent = withDefaults(item, request);
    const read = readQuestion(viewer, sent, requestId === null ? null : `${requestId}#${index}`);
    if (read.kind === 'asked') return presentOutcome(await decide(read.question));
    refused(read.fields, sent);
    return illFormed(read.message);
  };
  if (request.options === 'execute_all') return Promise.all(request.evaluations.map(answer));

  const answers: PresentedEvaluation[] = [];
  for (const [index, item] of request.evaluations.entries()) {
    const answered = await answer(item, index);
    answers.push(answered);
    if (answered.decision === SETTLED_BY[request.options]) break;
  }
  return answers;
}

const SETTLED_BY: Readonly<Record<Exclude<Semantic, 'execute_all'>, boolean>> = {
  deny_on_first_deny: false,
  permit_on_first_permit: true,
};

const illFormed = (message: string): PresentedEvaluation => ({ decision: false, context: { error: { status: 400, message } } });

/** An evaluation with what the request says for all of them where it says nothing itself. */
function withDefaults(item: unknown, { subject, action, resource, context }: EvaluationsRequest): unknown {
  if (!isJsonObject(item)) return item;
  return {
    subject: withRequired(item['subject'], subject),
    action: withRequired(item['action'], action),
    resource: withRequired(item['resource'], resource),
    context: item['context'] === undefined ? context : item['context'],
  };
}

/**
 * An entity takes the place of the default as a whole, except that a required member which it lacks is the default's: the certification
 * scenario of AuthZEN 1.0 wants `{"id": …}` to go with a default of `{"type": …}`.
 */
function withRequired(own: unknown, byDefault: unknown): unknown {
  if (own === undefined) return byDefault;
  if (!isJsonObject(own) || !isJsonObject(byDefault)) return own;
  return {
    type: own['type'] ?? byDefault['type'],
    id: own['id'] ?? byDefault['id'],
    name: own['name'] ?? byDefault['name'],
    properties: own['properties'],
  };
}
