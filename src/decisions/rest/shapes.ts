import { z } from 'zod';

const properties = z.record(z.string(), z.unknown()).nullish();
const context = z.record(z.string(), z.unknown()).nullish();

/** A request of the AuthZEN Authorization API 1.0: unknown fields are ignored, missing ones refused. */
export const EvaluationRequest = z.object({
  subject: z.object({ type: z.string(), id: z.string(), properties }),
  action: z.object({ name: z.string(), properties }),
  resource: z.object({ type: z.string(), id: z.string(), properties }),
  context,
});
export type EvaluationRequest = z.infer<typeof EvaluationRequest>;

/** The most evaluations that one request may ask for. */
export const MAX_EVALUATIONS = 50;

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
    .max(MAX_EVALUATIONS, `must hold at most ${MAX_EVALUATIONS}`)
    .nullish()
    .transform((items) => items ?? []),
  options: z
    .object({ evaluations_semantic: z.enum(SEMANTICS, `must be one of ${SEMANTICS.join(', ')}`).nullish() }, 'must be a JSON object')
    .nullish()
    .transform((options): Semantic => options?.evaluations_semantic ?? 'execute_all'),
});
export type EvaluationsRequest = z.infer<typeof EvaluationsRequest>;
