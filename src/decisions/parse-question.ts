import { z } from 'zod';
import { isJsonObject, isPlain, isWellFormed, jsonProblem, type JsonObject } from '../kernel/index.js';
import { EXECUTION_MODES, isObligation, SURFACES } from '../policy/index.js';
import { MAX_ARGUMENTS_CHARACTERS, MAX_REQUEST_ID_CHARACTERS, type Question } from './question.js';

const name = (longest: number) =>
  z
    .string('must be a string')
    .min(1, 'must not be empty')
    .max(longest, `must have at most ${longest} characters`)
    .refine(isPlain, 'must not hold control characters')
    .refine(isWellFormed, 'must be well-formed Unicode');
const optional = (longest: number) =>
  name(longest)
    .nullish()
    .transform((value) => value ?? null);

const callArguments = z
  .custom<JsonObject>(isJsonObject, 'must be a JSON object')
  .superRefine((value, context) => {
    const problem = jsonProblem(value, 'arguments', 64);
    if (problem !== null) context.addIssue({ code: 'custom', message: `${problem.path} ${problem.reason}` });
    else if (JSON.stringify(value).length > MAX_ARGUMENTS_CHARACTERS)
      context.addIssue({ code: 'custom', message: `must have at most ${MAX_ARGUMENTS_CHARACTERS} characters of JSON` });
  })
  .nullish()
  .transform((value) => value ?? {});

const oneOf = <const Words extends readonly string[]>(words: Words) =>
  z
    .enum(words, `must be one of ${words.join(', ')}`)
    .nullish()
    .transform((value) => value ?? null);

const MAX_PROMISES = 50;
const promises = z
  .array(
    z.string('must be a string').refine(isObligation, 'must be an obligation such as redact:pii, or a kind of them such as redact'),
    'must be a list',
  )
  .max(MAX_PROMISES, `must hold at most ${MAX_PROMISES}`)
  .nullish()
  .transform((value) => [...new Set(value ?? [])].sort());

const circumstances = {
  environment: optional(100),
  branch: optional(500),
  branchProtected: z
    .boolean('must be true or false')
    .nullish()
    .transform((value) => value ?? null),
  surface: oneOf(SURFACES),
  executionMode: oneOf(EXECUTION_MODES),
  promises,
};

/** What is asked of a call, whoever makes it and of whatever tool, as a caller sends it. */
const askedOfAny = {
  projectId: name(300),
  arguments: callArguments,
  sessionId: optional(200),
  ...circumstances,
};
const agentId = name(300);
const tool = name(300);
const asked = { agentId, tool, ...askedOfAny };

const QuestionInput = z.object({ requestId: optional(MAX_REQUEST_ID_CHARACTERS), ...asked, callId: optional(200) });

/** What was sent flat, with its circumstances together. */
function gathered<Rest extends object>({
  environment,
  branch,
  branchProtected,
  surface,
  executionMode,
  ...rest
}: Rest & z.infer<z.ZodObject<typeof circumstances>>) {
  return { ...rest, circumstances: { environment, branch, isBranchProtected: branchProtected, surface, executionMode } };
}

const QuestionRead = QuestionInput.transform((sent): Question => gathered(sent));

/** A call that is asked about without being made. */
export const AskedInput = z.object(asked).transform(gathered);

/** A call of a tool by any agent. */
export const AskedOfToolInput = z.object({ tool, ...askedOfAny }).transform(gathered);

/** A call by an agent of any tool. */
export const AskedOfAgentInput = z.object({ agentId, ...askedOfAny }).transform(gathered);

/** Where and how calls would be made, and what is promised. */
export const CircumstancesInput = z.object(circumstances).transform(gathered);

/** A name that somebody gives to a thing. */
export const NameInput = name(300);

/** Reads a question from what a caller sent. */
export const parseQuestion = (input: unknown): z.ZodSafeParseResult<Question> => QuestionRead.safeParse(input);
