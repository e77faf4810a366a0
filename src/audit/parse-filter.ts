import { z } from 'zod';
import { Failure, isPlainText, isWellFormed } from '../kernel/index.js';
import { NO_FILTER, type EventFilter } from './ports.js';

/** The most values of one field of a filter. */
export const MAX_FILTER_VALUES = 500;
/** The longest text that is searched for, in characters. */
const MAX_TEXT = 200;

const NO_TIME = 'must be an RFC 3339 time with a zone, for example 2026-11-22T09:30:00.000Z';
/** A moment in a filter, or none. */
export const time = z.iso
  .datetime({ offset: true, error: NO_TIME })
  .transform((text) => new Date(text))
  .nullish();
const NO_POSITION = 'must be a whole number from 0 on';
const position = z.number(NO_POSITION).int(NO_POSITION).nonnegative(NO_POSITION).nullish();
/** The values of one field of a filter, or none. */
export const values = z
  .array(z.string().refine((value) => !value.includes('\u0000') && isWellFormed(value), 'must be well-formed Unicode without NUL'))
  .max(MAX_FILTER_VALUES, `must have at most ${MAX_FILTER_VALUES} values`)
  .nullish();

const Input = z.object({
  types: values,
  agentIds: values,
  userIds: values,
  projectIds: values,
  namespaceIds: values,
  sessionIds: values,
  callIds: values,
  toolNames: values,
  servers: values,
  verdicts: z.array(z.enum(['ALLOW', 'ASK', 'DENY'])).nullish(),
  outcomes: z.array(z.enum(['SUCCEEDED', 'FAILED'])).nullish(),
  fromPosition: position,
  toPosition: position,
  occurredFrom: time,
  occurredTo: time,
  text: z
    .string()
    .min(1, 'must not be empty')
    .max(MAX_TEXT, `must have at most ${MAX_TEXT} characters`)
    .refine((text) => isPlainText(text) && isWellFormed(text), 'must be plain text')
    .nullish(),
});

/**
 * Reads a filter as GraphQL has it.
 *
 * @throws Failure BAD_USER_INPUT naming the first field that is not acceptable.
 */
export function filterIn(given: object | null | undefined): EventFilter {
  if (given == null) return NO_FILTER;
  const parsed = Input.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Failure('BAD_USER_INPUT', `filter.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not acceptable'}.`);
  }
  const { fromPosition, toPosition, occurredFrom, occurredTo, toolNames, ...lists } = parsed.data;
  return {
    types: lists.types ?? null,
    agentIds: lists.agentIds ?? null,
    userIds: lists.userIds ?? null,
    projectIds: lists.projectIds ?? null,
    namespaceIds: lists.namespaceIds ?? null,
    sessionIds: lists.sessionIds ?? null,
    callIds: lists.callIds ?? null,
    tools: toolNames ?? null,
    servers: lists.servers ?? null,
    verdicts: lists.verdicts ?? null,
    outcomes: lists.outcomes ?? null,
    position: rangeOf(fromPosition, toPosition),
    time: rangeOf(occurredFrom, occurredTo),
    text: lists.text ?? null,
  };
}

/** From one value on and before another; null without both. */
export const rangeOf = <Value>(from: Value | null | undefined, to: Value | null | undefined) =>
  from == null && to == null ? null : { from: from ?? null, to: to ?? null };
