import { Option } from 'commander';
import { measureLogs, type LogSamples, type Samples } from './audit-query/measure.js';
import { makeLog } from './audit-query/log.js';
import { PAGE_EVENTS, PAGE_QUERIES } from './audit-query/queries.js';
import { benchmarkCommand, someOf, wholeNumber } from './support/arguments.js';
import { startCluster } from './support/cluster.js';
import { atMost, median, percentile, printReport, type Bar, type Figures } from './support/figures.js';
import { startIdentity } from './support/product.js';
import { onStage, type Stage } from './support/stage.js';

export const summary = 'Milliseconds for a page of 50 audit events by filter, against a look-up of one, in a small and in a large log.';

const FULL_EVENTS = 5_000_000;
const GROWTH = 10;

interface Options {
  readonly only: readonly string[];
  readonly events: number;
  readonly rounds: number;
  readonly full?: true;
}

const names = PAGE_QUERIES.map(({ name }) => name);
const command = benchmarkCommand('audit-query', `${summary} Progress on standard error, one line of JSON on standard output.`)
  .addOption(
    new Option('--only <queries>', `some of ${names.join(', ')}, separated by commas`).argParser(someOf(names)).default(names, 'all'),
  )
  .option('--events <n>', `how many events are in the large log; the small one has one in ${GROWTH}`, wholeNumber, 500_000)
  .option('--rounds <n>', 'how often each page is asked for, each time another one', wholeNumber, 400)
  .option('--full', `the same as --events ${FULL_EVENTS}: needs 20 GB of disk and half an hour`);

export async function run(args: readonly string[]): Promise<void> {
  const options = command.parse([...args], { from: 'user' }).opts<Options>();
  const [small, large] = await onStage((stage) => measure(stage, options));
  printReport({
    name: 'audit-query',
    figures: { large: figuresOf(large), small: figuresOf(small) },
    reference: { large: { lookUp: latency(large.lookUp) }, small: { lookUp: latency(small.lookUp) } },
    bars: options.only.flatMap((name) => barsFor(name, small, large)),
  });
}

async function measure(stage: Stage, options: Options): Promise<readonly [LogSamples, LogSamples]> {
  const events = options.full === true ? FULL_EVENTS : options.events;
  const [cluster, identity] = await Promise.all([startCluster(stage, 'off'), startIdentity(stage)]);
  const small = await makeLog(stage, identity, { name: 'small', databaseUrl: await cluster.database('small') }, Math.ceil(events / GROWTH));
  const large = await makeLog(stage, identity, { name: 'large', databaseUrl: await cluster.database('large') }, events);
  const queries = PAGE_QUERIES.filter(({ name }) => options.only.includes(name));
  return measureLogs(small, large, queries, options.rounds);
}

function figuresOf(log: LogSamples): Figures {
  const pages = [...log.pages].map(([name, samples]) => [name, { ...latency(samples), ...contents(samples) }]);
  return { events: log.events, ...Object.fromEntries(pages) };
}

const latency = ({ milliseconds }: Samples): Figures => ({
  samples: milliseconds.length,
  p50Milliseconds: median(milliseconds),
  p99Milliseconds: percentile(milliseconds, 0.99),
});

function contents({ events }: Samples): Figures {
  const answered = events.filter((count) => count !== null);
  return {
    eventsPerPage: answered.reduce((sum, count) => sum + count, 0) / Math.max(1, answered.length),
    unanswered: events.length - answered.length,
  };
}

/** Fewer than this say nothing. */
const ENOUGH = 20;

/**
 * How much longer a page takes in the large log. Of full pages, where both logs have enough of them: the small log has fewer decisions
 * like another, and a page that is nearly empty is no measure of one that is full.
 */
function growth(small: Samples, large: Samples): number {
  const full = [large, small].map(({ milliseconds, events }) => milliseconds.filter((_, index) => events[index] === PAGE_EVENTS));
  const [ofLarge = [], ofSmall = []] = full.every(({ length }) => length >= ENOUGH) ? full : [large.milliseconds, small.milliseconds];
  return median(ofLarge) / median(ofSmall);
}

function barsFor(name: string, small: LogSamples, large: LogSamples): readonly Bar[] {
  const [page, pageOfSmall] = [large.pages.get(name), small.pages.get(name)];
  if (page === undefined || pageOfSmall === undefined) throw new Error(`The query ${name} was not asked.`);
  return [
    atMost(`${name}: p50 of a page over p50 of a look-up`, 3, median(page.milliseconds) / median(large.lookUp.milliseconds)),
    atMost(`${name}: p99 of a page in milliseconds`, 60, percentile(page.milliseconds, 0.99)),
    atMost(`${name}: p50 of a page in the large log over that in the small one`, 1.5, growth(pageOfSmall, page)),
  ];
}
