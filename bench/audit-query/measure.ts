import { showProgress } from '../support/progress.js';
import type { Log } from './log.js';
import { lookUp, type PageQuery, type Question } from './queries.js';
import type { Targets } from './targets.js';

/** What was measured on one log, by the name of the query; `lookUp` is the reference. */
export interface LogSamples {
  readonly events: number;
  readonly lookUp: Samples;
  readonly pages: ReadonlyMap<string, Samples>;
}

export interface Samples {
  readonly milliseconds: readonly number[];
  /** How many events each answer held, in the same order; null where the service gave up. */
  readonly events: readonly (number | null)[];
}

/** Until then the service's code is not compiled and its connections have no plans. */
const WARM_UP_ROUNDS = 40;
/** A query that has taken so long in all is asked no more: its figures are clear, and the others wait. */
const MAX_SECONDS_OF_A_QUERY = 60;
const MAX_WARM_UP_SECONDS_OF_A_QUERY = 10;

/** Asks both logs in turns: in each round one look-up and one page of each query, so that a slow minute of the machine is everybody's. */
export async function measureLogs(
  small: Log,
  large: Log,
  queries: readonly PageQuery[],
  rounds: number,
): Promise<readonly [LogSamples, LogSamples]> {
  const logs = [openLog(small, queries), openLog(large, queries)] as const;
  const progress = showProgress('Asking', WARM_UP_ROUNDS + rounds, 'rounds');
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const { log, all } of logs) for (const query of all) await sample(log, query, round >= 0);
    progress.advance(1);
  }
  progress.stop();
  return [logs[0].samples, logs[1].samples];
}

interface Sampled {
  readonly ask: (targets: Targets) => Question;
  readonly milliseconds: number[];
  readonly events: (number | null)[];
  secondsSpent: number;
}

function openLog(log: Log, queries: readonly PageQuery[]) {
  const begin = (ask: Sampled['ask']): Sampled => ({ ask, milliseconds: [], events: [], secondsSpent: 0 });
  const reference = begin(lookUp);
  const pages = new Map(queries.map((query) => [query.name, begin((targets) => query.ask(targets))]));
  const samples: LogSamples = { events: log.events, lookUp: reference, pages };
  return { log, all: [reference, ...pages.values()], samples };
}

async function sample(log: Log, query: Sampled, isCounted: boolean): Promise<void> {
  const maxSeconds = isCounted ? MAX_SECONDS_OF_A_QUERY : MAX_WARM_UP_SECONDS_OF_A_QUERY;
  if (query.secondsSpent > maxSeconds && (!isCounted || query.milliseconds.length > 0)) return;
  const { milliseconds, events } = await log.asker.ask(query.ask(log.targets));
  query.secondsSpent += milliseconds / 1_000;
  if (!isCounted) return;
  query.milliseconds.push(milliseconds);
  query.events.push(events);
}
