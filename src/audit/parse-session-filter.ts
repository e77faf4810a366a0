import { z } from 'zod';
import { Failure } from '../kernel/index.js';
import { rangeOf, time, values } from './parse-filter.js';
import { EVERY_SESSION, SESSION_STATUSES, type SessionFilter } from './session.js';

const Input = z.object({
  projectIds: values,
  agentIds: values,
  userIds: values,
  statuses: z.array(z.enum(SESSION_STATUSES)).nullish(),
  startedAfter: time,
  startedBefore: time,
});

/**
 * Reads a filter as GraphQL has it.
 *
 * @throws Failure BAD_USER_INPUT naming the first field that is not acceptable.
 */
export function sessionFilterIn(given: object | null | undefined): SessionFilter {
  if (given == null) return EVERY_SESSION;
  const parsed = Input.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Failure('BAD_USER_INPUT', `filter.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not acceptable'}.`);
  }
  const { projectIds, agentIds, userIds, statuses, startedAfter, startedBefore } = parsed.data;
  return {
    projectIds: projectIds ?? null,
    agentIds: agentIds ?? null,
    userIds: userIds ?? null,
    statuses: statuses ?? null,
    started: rangeOf(startedAfter, startedBefore),
  };
}

const Moments = z.object({ from: time, to: time });

/**
 * Reads the bounds of a histogram.
 *
 * @throws Failure BAD_USER_INPUT naming the one that is no time.
 */
export function momentsIn(given: { readonly from: string; readonly to: string }): { readonly from: Date; readonly to: Date } {
  const parsed = Moments.safeParse(given);
  const issue = parsed.error?.issues[0];
  if (parsed.data?.from == null || parsed.data.to == null)
    throw new Failure('BAD_USER_INPUT', `${issue?.path.join('.') ?? 'from, to'}: ${issue?.message ?? 'must be given'}.`);
  return { from: parsed.data.from, to: parsed.data.to };
}
