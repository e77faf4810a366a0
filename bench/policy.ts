import { Option } from 'commander';
import { aDecision, measureBacktest, readByCopy } from './policy/backtest.js';
import { measureChanges, wasmLoading } from './policy/changes.js';
import { fillDecisions } from './policy/decisions.js';
import { anAdministrator, putInForce, type Administrator } from './policy/setting.js';
import { aPolicyText, BASE } from './policy/texts.js';
import { measureValidation } from './policy/validation.js';
import { benchmarkCommand, someOf, wholeNumber } from './support/arguments.js';
import { startCluster } from './support/cluster.js';
import { pushCompany, theCompany } from './support/company.js';
import { atLeast, atMost, median, percentile, printReport, type Bar, type Figures } from './support/figures.js';
import { startIdentity, startProduct } from './support/product.js';
import { seededRandom } from './support/random.js';
import { onStage, type Stage } from './support/stage.js';

export const summary = 'Until a change of one policy among many takes effect; texts validated and recorded decisions asked again a second.';

const PARTS = ['change', 'validation', 'backtest'] as const;
type Part = (typeof PARTS)[number];

interface Options {
  readonly only: readonly Part[];
  readonly policies: number;
  readonly texts: number;
  readonly decisions: number;
  readonly backtestPolicies: number;
  readonly rounds: number;
  readonly full?: true;
}

const command = benchmarkCommand('policy', `${summary} Progress on standard error, one line of JSON on standard output.`)
  .addOption(
    new Option('--only <parts>', `some of ${PARTS.join(', ')}, separated by commas`).argParser(someOf(PARTS)).default(PARTS, 'all'),
  )
  .option('--policies <n>', 'how many policies are in force where one is changed', wholeNumber, 10_000)
  .option('--texts <n>', 'how many texts are validated', wholeNumber, 200)
  .option('--decisions <n>', 'how many recorded decisions are asked again', wholeNumber, 200_000)
  .option('--backtest-policies <n>', 'how many policies are in force then', wholeNumber, 100)
  .option('--rounds <n>', 'how often a policy is changed', wholeNumber, 20)
  .option('--full', 'the same as --decisions 1000000: needs 5 GB of disk and five minutes');

interface Measured {
  readonly figures: Figures;
  readonly reference: Figures;
  readonly bars: readonly Bar[];
}

export async function run(args: readonly string[]): Promise<void> {
  const options = command.parse([...args], { from: 'user' }).opts<Options>();
  const measure = { change: measureChange, validation: measureTexts, backtest: measureReplay } as const;
  const parts: [string, Measured][] = [];
  for (const part of options.only) parts.push([part, await onStage((stage) => measure[part](stage, options))]);
  printReport({
    name: 'policy',
    figures: Object.fromEntries(parts.map(([part, { figures }]) => [part, figures])),
    reference: Object.fromEntries(parts.map(([part, { reference }]) => [part, reference])),
    bars: parts.flatMap(([, { bars }]) => bars),
  });
}

const texts = (count: number, seed: number): readonly string[] => {
  const random = seededRandom(seed);
  return [BASE, ...Array.from({ length: count - 1 }, () => aPolicyText(random))];
};

async function started(stage: Stage, name: string): Promise<{ readonly administrator: Administrator; readonly databaseUrl: string }> {
  const [cluster, identity] = await Promise.all([startCluster(stage, 'on'), startIdentity(stage)]);
  const databaseUrl = await cluster.database(name);
  const product = await startProduct(stage, identity, { name, databaseUrl });
  await pushCompany(product, theCompany);
  return { administrator: await anAdministrator(product), databaseUrl };
}

async function measureChange(stage: Stage, { policies, rounds }: Options): Promise<Measured> {
  const { administrator, databaseUrl } = await started(stage, 'change');
  const inForce = texts(policies, 3);
  await putInForce(databaseUrl, inForce);
  const { publish, effect } = await measureChanges(administrator, rounds);
  const loading = wasmLoading(inForce, 5);
  return {
    figures: {
      policies,
      publishP50Milliseconds: median(publish),
      effectP50Milliseconds: median(effect),
      effectP99Milliseconds: percentile(effect, 0.99),
    },
    reference: { wasmLoadP50Milliseconds: median(loading) },
    bars: [atMost(`milliseconds from a publish to its effect, with ${policies} policies in force, median`, 500, median(effect))],
  };
}

async function measureTexts(_stage: Stage, { texts: count }: Options): Promise<Measured> {
  const { read, wasm } = await measureValidation(texts(count, 4));
  return {
    figures: { textsPerSecond: 1_000 / median(read), p50Milliseconds: median(read), p99Milliseconds: percentile(read, 0.99) },
    reference: { wasmTextsPerSecond: 1_000 / median(wasm), p50Milliseconds: median(wasm), p99Milliseconds: percentile(wasm, 0.99) },
    bars: [],
  };
}

const A_MILLION = 1_000_000;

async function measureReplay(stage: Stage, options: Options): Promise<Measured> {
  const decisions = options.full === true ? A_MILLION : options.decisions;
  const { administrator, databaseUrl } = await started(stage, 'backtest');
  await putInForce(databaseUrl, texts(options.backtestPolicies, 6));
  await fillDecisions(databaseUrl, decisions);
  const alone: number[] = [];
  for (let count = 0; count < 50; count += 1) alone.push(await aDecision(administrator));
  const replayed = await measureBacktest(administrator);
  const copied = await readByCopy(databaseUrl);
  const perSecond = replayed.decisions / replayed.seconds;
  return {
    figures: {
      ...{ decisions: replayed.decisions, seconds: replayed.seconds, decisionsPerSecond: perSecond, newlyDenied: replayed.newlyDenied },
      secondsForAMillion: A_MILLION / perSecond,
      decisionBesideP50Milliseconds: median(replayed.decisionsBeside),
    },
    reference: { copySeconds: copied, copyRowsPerSecond: decisions / copied, decisionAloneP50Milliseconds: median(alone) },
    bars: [
      atMost('seconds to ask a million recorded decisions again', 60, A_MILLION / perSecond),
      atLeast('share of the recorded decisions that were asked again', 0.99, replayed.decisions / decisions),
    ],
  };
}
