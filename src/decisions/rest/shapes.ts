import { z } from 'zod';
import { MAX_QUESTIONS } from '../question.js';

const properties = z.record(z.string(), z.unknown()).nullish();
const context = z.record(z.string(), z.unknown()).nullish();
const one = z.object({ type: z.string(), id: z.string(), properties });
const anyOfType = z.object({ type: z.string(), properties });
const action = z.object({ name: z.string(), properties });

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
    .object({ evaluations_semantic: z.enum(SEMANTICS, `must be one of ${SEMANTICS.join(', ')}`).nullish() }, 'must be a JSON object')
    .nullish()
    .transform((options): Semantic => options?.evaluations_semantic ?? 'execute_all'),
});
export type EvaluationsRequest = z.infer<typeof EvaluationsRequest>;

const wholeNumber = z.number('must be a whole number').int('must be a whole number').min(1, 'must be 1 or more');

/** Which part of what is found. */
export const SearchPage = z
  .object({ token: z.string('must be a string').nullish(), limit: wholeNumber.nullish() }, 'must be a JSON object')
  .nullish();
export type SearchPage = z.infer<typeof SearchPage>;

/** The searches of AuthZEN: each leaves out what it looks for, and ignores it where it is sent. */
export const SubjectSearchRequest = z.object({ subject: anyOfType, action, resource: one, context, page: SearchPage });
export const ResourceSearchRequest = z.object({ subject: one, action, resource: anyOfType, context, page: SearchPage });
export const ActionSearchRequest = z.object({ subject: one, resource: one, context, page: SearchPage });
