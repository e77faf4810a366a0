import { Option } from 'commander';
import { benchmarkCommand, wholeNumber } from './support/arguments.js';
import { measure, type Measured } from './cedar/measure.js';
import { atLeast, atMost, printReport, type Bar, type Figures } from './support/figures.js';
import { say } from './support/progress.js';

export const summary = 'Microseconds of CPU for a decision by compiled policies, against cedar-wasm; what compiling them takes.';

interface Options {
  readonly policies: readonly number[];
  readonly rounds: number;
}

const command = benchmarkCommand('cedar', `${summary} Progress on standard error, one line of JSON on standard output.`)
  .addOption(
    new Option('--policies <counts>', 'how many policies are in the sets, separated by commas')
      .argParser((text) => text.split(',').map(wholeNumber))
      .default([10, 100, 1_000, 10_000], '10,100,1000,10000'),
  )
  .option('--rounds <n>', 'how often everything is measured; the figures are medians', wholeNumber, 9);

export async function run(args: readonly string[]): Promise<void> {
  const options = command.parse([...args], { from: 'user' }).opts<Options>();
  const sets = options.policies.map((count) => {
    say(`Measuring ${count} policies.`);
    return measure(count, options.rounds);
  });
  printReport({
    name: 'cedar',
    figures: bySize(sets, ({ figures }) => figures),
    reference: bySize(sets, ({ reference }) => reference),
    bars: [...sets.flatMap(barsFor), ...growthBars(sets)],
  });
}

/** What ten thousand policies cost over a hundred: a decision, which ends with the first that settles it, and an answer with all reasons. */
function growthBars(sets: readonly Measured[]): readonly Bar[] {
  const [few, many] = [100, 10_000].map((count) => sets.find(({ policies }) => policies === count)?.figures);
  if (few === undefined || many === undefined) return [];
  return [
    atMost('a decision among 10000 policies over one among 100', 3, many.decideMicroseconds / few.decideMicroseconds),
    atMost('an answer with all reasons among 10000 policies over one among 100', 3, many.authorizeMicroseconds / few.authorizeMicroseconds),
  ];
}

const bySize = (sets: readonly Measured[], of: (set: Measured) => Figures): Figures =>
  Object.fromEntries(sets.map((set) => [`policies${set.policies}`, of(set)]));

function barsFor({ policies, figures, reference, differences }: Measured): readonly Bar[] {
  const ratio = reference.authorizeMicroseconds / figures.authorizeMicroseconds;
  return [
    atMost(`${policies} policies: answers that differ from cedar-wasm's`, 0, differences),
    atMost(`${policies} policies: microseconds of CPU for a decision`, 25, figures.decideMicroseconds),
    ...(policies === 1_000
      ? [
          atMost(`${policies} policies: microseconds of CPU for an answer with all reasons`, 15, figures.authorizeMicroseconds),
          atLeast(`${policies} policies: CPU of cedar-wasm over ours for it`, 100, ratio),
        ]
      : [atLeast(`${policies} policies: CPU of cedar-wasm over ours for an answer with reasons`, 30, ratio)]),
    atMost(`${policies} policies: milliseconds until one has changed`, 500, figures.changeMilliseconds),
  ];
}
