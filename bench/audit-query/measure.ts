import { showProgress } from '../support/progress.js';
import type { Log } from './log.js';
import { lookUp, type PageQuery } from './queries.js';

/** What was measured on one log. */
export interface LogSamples {
  readonly events: number;
  /** Milliseconds. */
  readonly lookUp: readonly number[];
  readonly pages: ReadonlyMap<string, { readonly milliseconds: readonly number[]; readonly events: readonly number[] }>;
}

/** Until then the service's code is not compiled and its connections have no plans. */
const WARM_UP_ROUNDS = 40;

/** Asks both logs in turns: in each round one look-up and one page of each query, so that a slow minute of the machine is everybody's. */
export async function measureLogs(
  small: Log,
  large: Log,
  queries: readonly PageQuery[],
  rounds: number,
): Promise<readonly [LogSamples, LogSamples]> {
  const logs = [small, large].map((log) => ({ log, lookUp: [] as number[], pages: samplesFor(queries) }));
  const progress = showProgress('Asking', WARM_UP_ROUNDS + rounds, 'rounds');
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const { log, lookUp: lookUps, pages } of logs) {
      const { milliseconds } = await log.asker.ask(lookUp(log.targets));
      if (round >= 0) lookUps.push(milliseconds);
      for (const query of queries) {
        const answer = await log.asker.ask(query.ask(log.targets));
        if (round < 0) continue;
        pages.get(query.name)?.milliseconds.push(answer.milliseconds);
        pages.get(query.name)?.events.push(answer.events);
      }
    }
    progress.advance(1);
  }
  progress.stop();
  const [ofSmall, ofLarge] = logs.map(({ log, ...samples }): LogSamples => ({ events: log.events, ...samples }));
  if (ofSmall === undefined || ofLarge === undefined) throw new Error('Two logs were to be measured.');
  return [ofSmall, ofLarge];
}

const samplesFor = (queries: readonly PageQuery[]): ReadonlyMap<string, { readonly milliseconds: number[]; readonly events: number[] }> =>
  new Map(queries.map(({ name }) => [name, { milliseconds: [], events: [] }]));
