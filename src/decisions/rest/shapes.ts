import { z } from 'zod';
import { MAX_QUESTIONS } from '../question.js';

const anObject = 'must be a JSON object';
const text = z.string('must be a string');
const properties = z.record(z.string(), z.unknown(), anObject).nullish();
const context = z.record(z.string(), z.unknown(), anObject).nullish();
const one = z.object({ type: text, id: text, properties }, anObject);
const anyOfType = z.object({ type: text, properties }, anObject);
const action = z.object({ name: text, properties }, anObject);

/** A request of the AuthZEN Authorization API 1.0: unknown fields are ignored, missing ones refused. */
export const EvaluationRequest = z.object({ subject: one, action, resource: one, context });
export type EvaluationRequest = z.infer<typeof EvaluationRequest>;

const SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const;
export type Semantic = (typeof SEMANTICS)[number];

/** Several evaluations at once. Each is read by itself, so that an ill-formed one holds up no other. */
export const EvaluationsRequest = z.object({
  subject: z.unknown().optional(),
  action: z.unknown().optional(),
  resource: z.unknown().optional(),
  context: z.unknown().optional(),
  evaluations: z
    .array(z.unknown(), 'must be a list')
    .max(MAX_QUESTIONS, `must hold at most ${MAX_QUESTIONS}`)
    .nullish()
    .transform((items) => items ?? []),
  options: z
    .object({ evaluations_semantic: z.enum(SEMANTICS, `must be one of ${SEMANTICS.join(', ')}`).nullish() }, anObject)
    .nullish()
    .transform((options): Semantic => options?.evaluations_semantic ?? 'execute_all'),
});
export type EvaluationsRequest = z.infer<typeof EvaluationsRequest>;

const wholeNumber = z.number('must be a whole number').int('must be a whole number').min(1, 'must be 1 or more');

/** Which part of what is found. */
export const SearchPage = z.object({ token: z.string('must be a string').nullish(), limit: wholeNumber.nullish() }, anObject).nullish();
export type SearchPage = z.infer<typeof SearchPage>;

/** The searches of AuthZEN: each leaves out what it looks for, and ignores it where it is sent. */
export const SubjectSearchRequest = z.object({ subject: anyOfType, action, resource: one, context, page: SearchPage });
export const ResourceSearchRequest = z.object({ subject: one, action, resource: anyOfType, context, page: SearchPage });
export const ActionSearchRequest = z.object({ subject: one, resource: one, context, page: SearchPage });
