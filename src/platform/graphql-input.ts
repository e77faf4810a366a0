import type { z } from 'zod';

/** One problem in an input, as `AgentInputProblem` has it. */
export interface InputProblem {
  readonly path: string;
  readonly message: string;
}

/** Every problem of a zod error, with the field's names joined by dots. */
export const inputProblems = (error: z.ZodError): readonly InputProblem[] =>
  error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));

/** The refusal of an input. */
export const inputInvalid = (problems: readonly InputProblem[]) => ({
  __typename: 'AgentInputInvalid' as const,
  message: 'Some of the input is not acceptable; problems says what and why.',
  problems,
});

/** The refusal of what `field` names: the same for what does not exist and for what the viewer may not see. */
export const notFound = (field: string) => ({
  __typename: 'AgentNotFound' as const,
  message: `There is no such thing in your organization, or you may not see it: ${field}.`,
  field,
});
