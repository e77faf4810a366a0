import { Option } from 'commander';
import { benchmarkCommand, someOf, wholeNumber } from './support/arguments.js';
import { printReport } from './support/figures.js';
import { onStage } from './support/stage.js';
import { measureBatches, type Part } from './ingest/batches.js';
import { measureMemory } from './ingest/memory.js';
import { makeSetting, type Setting } from './ingest/setting.js';
import { measureSingles } from './ingest/singles.js';

export const summary = 'Events per second, stored for good, through POST /v1/audit-events; latency of single events; memory.';

const PARTS = ['batches', 'singles', 'memory'] as const;

interface Options {
  readonly only: readonly (typeof PARTS)[number][];
  readonly events: number;
  readonly singleEvents: number;
  readonly memoryEvents: number;
  readonly rounds: number;
  readonly full?: true;
}

const FULL_MEMORY_EVENTS = 5_000_000;

const command = benchmarkCommand('ingest', `${summary} Progress on standard error, one line of JSON on standard output.`)
  .addOption(
    new Option('--only <parts>', `some of ${PARTS.join(', ')}, separated by commas`).argParser(someOf(PARTS)).default(PARTS, 'all'),
  )
  .option('--rounds <n>', 'how often each of batches and singles is measured; the figures are medians', wholeNumber, 3)
  .option('--events <n>', 'batches: how many events a round', wholeNumber, 50_000)
  .option('--single-events <n>', 'singles: how many events a round', wholeNumber, 8_000)
  .option('--memory-events <n>', 'memory: how many events in all', wholeNumber, 300_000)
  .option('--full', `memory over ${FULL_MEMORY_EVENTS.toLocaleString('en')} events: needs 20 GB of disk and a quarter of an hour or more`);

export async function run(args: readonly string[]): Promise<void> {
  const options = command.parse([...args], { from: 'user' }).opts<Options>();
  const parts = await onStage(async (stage) => measureParts(await makeSetting(stage), options));
  printReport({
    name: 'ingest',
    figures: Object.assign({}, ...parts.map(({ figures }) => figures)),
    reference: Object.assign({}, ...parts.map(({ reference }) => reference)),
    bars: parts.flatMap(({ bars }) => bars),
  });
}

async function measureParts(setting: Setting, options: Options): Promise<readonly Part[]> {
  const parts: Part[] = [];
  if (options.only.includes('batches')) parts.push(await measureBatches(setting, options.events, options.rounds));
  if (options.only.includes('singles')) parts.push(await measureSingles(setting, options.singleEvents, options.rounds));
  const memoryEvents = options.full === true ? FULL_MEMORY_EVENTS : options.memoryEvents;
  if (options.only.includes('memory')) parts.push(await measureMemory(setting, memoryEvents));
  return parts;
}
