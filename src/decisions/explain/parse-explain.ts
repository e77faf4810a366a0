import { z } from 'zod';
import { MAX_APPROVERS, type Approval } from '../../policy/index.js';
import { AskedInput, NameInput } from '../parse-question.js';
import type { ExplainRequest } from './explain-policies.js';

const optional = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().transform((value) => value ?? null);

const LEVELS: readonly number[] = [20, 30, 40, 50];
const approval = z
  .object({
    level: z.number().refine((level) => LEVELS.includes(level), `must be one of ${LEVELS.join(', ')}`),
    count: z
      .number()
      .min(1, 'must be at least 1')
      .max(MAX_APPROVERS, `must be at most ${MAX_APPROVERS}`)
      .nullish()
      .transform((count) => count ?? 1),
  })
  .transform((given): Approval => given);

const supposed = { approval: optional(approval), draftPolicyId: optional(NameInput) };

const moment = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time with seconds and a zone, for example 2026-11-22T09:30:00.000Z' })
  .transform((value) => new Date(value));

const CallInput = z.object({ ...supposed, userId: optional(NameInput), at: optional(moment) });

const DecisionInput = z.object({ ...supposed, decisionId: NameInput });

/** What may stand beside a decision. */
const BESIDE_DECISION: readonly string[] = ['decisionId', 'approval', 'draftPolicyId'];

/** Reads what is to be explained from what a caller sent. */
export function parseExplain(
  input: Readonly<Record<string, unknown>>,
): { readonly request: ExplainRequest } | { readonly problems: readonly { readonly path: string; readonly message: string }[] } {
  return input['decisionId'] == null ? parseCall(input) : parseDecision(input);
}

type Parsed = ReturnType<typeof parseExplain>;

function parseDecision(input: Readonly<Record<string, unknown>>): Parsed {
  const beside = Object.keys(input).filter((name) => input[name] != null && !BESIDE_DECISION.includes(name));
  if (beside.length > 0)
    return {
      problems: beside.map((path) => ({ path, message: 'must be absent when decisionId is given: the call is taken as it was recorded' })),
    };
  const parsed = DecisionInput.safeParse(input);
  if (!parsed.success) return { problems: problemsIn(parsed.error) };
  const { decisionId, ...rest } = parsed.data;
  return { request: { ...rest, subject: { kind: 'decision', decisionId } } };
}

function parseCall(input: Readonly<Record<string, unknown>>): Parsed {
  const missing = ['agentId', 'projectId', 'tool'].filter((name) => input[name] == null);
  if (missing.length > 0)
    return { problems: missing.map((path) => ({ path, message: 'must be given, or decisionId in place of a call' })) };
  const asked = AskedInput.safeParse(input);
  const rest = CallInput.safeParse(input);
  if (!asked.success || !rest.success)
    return { problems: [asked, rest].flatMap(({ error }) => (error === undefined ? [] : problemsIn(error))) };
  const { userId, at, ...supposing } = rest.data;
  return { request: { ...supposing, subject: { kind: 'call', asked: asked.data, userId, at } } };
}

const problemsIn = (error: z.ZodError): readonly { readonly path: string; readonly message: string }[] =>
  error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
