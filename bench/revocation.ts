import { Option } from 'commander';
import { startRedis } from '../test/support/redis-server.js';
import { aProxy, through } from '../test/support/proxy.js';
import { anAdministrator, putInForce, type Administrator } from './policy/setting.js';
import { aPolicyText, BASE } from './policy/texts.js';
import { measureRevocations, type Revocations } from './revocation/measure.js';
import { benchmarkCommand, someOf, wholeNumber } from './support/arguments.js';
import { startCluster } from './support/cluster.js';
import { pushCompany, theCompany } from './support/company.js';
import { atMost, median, percentile, printReport, type Figures } from './support/figures.js';
import { startIdentity, startProduct } from './support/product.js';
import { say } from './support/progress.js';
import { seededRandom } from './support/random.js';
import { onStage, type Stage } from './support/stage.js';

export const summary =
  'Milliseconds until a forbid published through one of three processes is enforced by the others, with and without Redis.';

/** Redis as it should be, one that loses every message and says nothing, and none. */
const WAYS = ['redis', 'lossy', 'gone'] as const;
type Way = (typeof WAYS)[number];

const BARS: Readonly<Record<Way, readonly [what: string, milliseconds: number]>> = {
  redis: ['milliseconds from the answer to a publish to the first denial elsewhere, with Redis, 99th percentile', 100],
  lossy: ['the same while Redis loses every message', 1_000],
  gone: ['the same while Redis is gone', 1_000],
};

interface Options {
  readonly only: readonly Way[];
  readonly rounds: number;
  readonly policies: number;
}

const command = benchmarkCommand('revocation', `${summary} Progress on standard error, one line of JSON on standard output.`)
  .addOption(new Option('--only <ways>', `some of ${WAYS.join(', ')}, separated by commas`).argParser(someOf(WAYS)).default(WAYS, 'all'))
  .option('--rounds <n>', 'how often a forbid is published each way; two samples each', wholeNumber, 30)
  .option('--policies <n>', 'how many policies are in force besides', wholeNumber, 100);

export async function run(args: readonly string[]): Promise<void> {
  const options = command.parse([...args], { from: 'user' }).opts<Options>();
  const { ways, decisions } = await onStage((stage) => measure(stage, options));
  printReport({
    name: 'revocation',
    figures: Object.fromEntries([...ways].map(([way, samples]) => [way, figuresOf(samples)])),
    reference: { decisionAlone: latency(decisions) },
    bars: [...ways].map(([way, { milliseconds }]) => atMost(BARS[way][0], BARS[way][1], percentile(milliseconds, 0.99))),
  });
}

interface Measured {
  readonly ways: ReadonlyMap<Way, Revocations>;
  /** Milliseconds that a decision takes when nothing changes: nothing is seen sooner than by the next one. */
  readonly decisions: readonly number[];
}

async function measure(stage: Stage, { only, rounds, policies }: Options): Promise<Measured> {
  const [cluster, identity, redis] = await Promise.all([startCluster(stage, 'on'), startIdentity(stage), startRedis()]);
  stage.atEnd(() => redis.stop());
  const network = await aProxy(redis.url);
  stage.atEnd(() => network.close());
  const databaseUrl = await cluster.database('revocation');
  const environment = { REDIS_URL: through(network, redis.url) };
  const publisher = await startProduct(stage, identity, { name: 'publisher', databaseUrl, environment });
  await pushCompany(publisher, theCompany);
  const random = seededRandom(7);
  await putInForce(databaseUrl, [BASE, ...Array.from({ length: policies - 1 }, () => aPolicyText(random))]);
  const administrator = await anAdministrator(publisher);
  const others: Administrator[] = [];
  for (const name of ['second', 'third']) {
    const product = await startProduct(stage, identity, { name, databaseUrl, environment: { ...environment, SEQUENCER: 'off' } });
    others.push(await anAdministrator(product));
  }
  const ways = new Map<Way, Revocations>();
  const revocations = await measureRevocations(administrator, others, seededRandom(11));
  for (const way of only) {
    say(TOLD[way]);
    if (way === 'lossy') network.stall();
    if (way === 'gone') await network.cut();
    ways.set(way, await revocations.measure(way, rounds));
    if (way === 'lossy') await network.cut();
    await network.mend();
  }
  return { ways, decisions: revocations.decisions };
}

const TOLD: Readonly<Record<Way, string>> = {
  redis: 'With Redis.',
  lossy: 'Redis loses every message from now on.',
  gone: 'Redis is gone.',
};

const figuresOf = ({ milliseconds, publish }: Revocations): Figures => ({
  ...latency(milliseconds),
  publishP50Milliseconds: median(publish),
});

const latency = (milliseconds: readonly number[]): Figures => ({
  samples: milliseconds.length,
  p50Milliseconds: median(milliseconds),
  p99Milliseconds: percentile(milliseconds, 0.99),
  maxMilliseconds: percentile(milliseconds, 1),
});
