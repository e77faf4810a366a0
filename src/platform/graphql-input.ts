import type { z } from 'zod';

/** One problem in an input, as `AgentInputProblem` has it. */
export interface InputProblem {
  readonly path: string;
  readonly message: string;
}

/** Every problem of a zod error, with the field's names joined by dots. */
export const inputProblems = (error: z.ZodError): readonly InputProblem[] => error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
