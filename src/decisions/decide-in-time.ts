import { within, type Viewer } from '../kernel/index.js';
import { decide, type DecideOutcome, type Deciding } from './decide.js';
import type { Question } from './question.js';
import type { Route } from './refusals.js';

export interface DecidingInTime extends Deciding {
  /** How long an answer may take. */
  readonly timeoutMilliseconds: number;
}

/**
 * Decides, or says within a bounded time that it could not: whoever waits for an answer holds up an agent, and most likely a human. When the
 * time has passed, the decision may still be recorded, though nobody was told of it; asked again with the same request id, it is the answer.
 *
 * @throws Failure as `decide` does; UNAVAILABLE also when the time has passed.
 */
export const decideInTime = (deps: DecidingInTime, viewer: Viewer, asked: Question, route: Route): Promise<DecideOutcome> =>
  within(deps.timeoutMilliseconds, tooLate(deps.timeoutMilliseconds), decide(deps, viewer, asked, route));

const tooLate = (milliseconds: number): string =>
  `The decision was not recorded within ${milliseconds} ms, so the call must not be made. Ask again, with the same request id.`;
