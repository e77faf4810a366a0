import { Option } from 'commander';
import { z } from 'zod';
import { forCerbos, forUs, type Question } from './decisions/rules.js';
import { makeSetting, type Setting, type Subject } from './decisions/setting.js';
import { measureSnapshot } from './decisions/snapshot.js';
import { measure, type Measured, type Served } from './ingest/measure.js';
import { benchmarkCommand, someOf, wholeNumber } from './support/arguments.js';
import { atLeast, atMost, median, pairedRatio, printReport, type Report } from './support/figures.js';
import { onStage } from './support/stage.js';

export const summary = 'Decisions a second over HTTP, without and with their durable record, against Cerbos and single-row inserts.';

const PARTS = ['unrecorded', 'recorded', 'snapshot'] as const;

interface Options {
  readonly only: readonly (typeof PARTS)[number][];
  readonly decisions: number;
  readonly policies: number;
  readonly rounds: number;
  readonly snapshotProjects: number;
  readonly snapshotPolicies: number;
}

const command = benchmarkCommand('decisions', `${summary} Progress on standard error, one line of JSON on standard output.`)
  .addOption(
    new Option('--only <parts>', `some of ${PARTS.join(', ')}, separated by commas`).argParser(someOf(PARTS)).default(PARTS, 'all'),
  )
  .option('--decisions <n>', 'how many decisions a round', wholeNumber, 6_000)
  .option('--policies <n>', 'how many policies are in force', wholeNumber, 100)
  .option('--rounds <n>', 'how often each is measured; the figures are medians', wholeNumber, 3)
  .option('--snapshot-projects <n>', 'snapshot: how many projects the organization has', wholeNumber, 100_000)
  .option('--snapshot-policies <n>', 'snapshot: how many policies are in force', wholeNumber, 10_000);

type Part = Omit<Report, 'name'>;

const CLIENTS = 32;
const PATH = '/access/v1/evaluation';

export async function run(args: readonly string[]): Promise<void> {
  const options = command.parse([...args], { from: 'user' }).opts<Options>();
  const served = options.only.some((part) => part !== 'snapshot') ? await measureServed(options) : [];
  const parts = options.only.includes('snapshot') ? [...served, await onStage((stage) => measureSnapshot(stage, sizeIn(options)))] : served;
  printReport({
    name: 'decisions',
    figures: Object.assign({}, ...parts.map(({ figures }) => figures)),
    reference: Object.assign({}, ...parts.map(({ reference }) => reference)),
    bars: parts.flatMap(({ bars }) => bars),
  });
}

/** In a fifth of the projects something is asked. */
const sizeIn = ({ snapshotProjects, snapshotPolicies }: Options) => ({
  ...{ projects: snapshotProjects, policies: snapshotPolicies, asked: Math.ceil(snapshotProjects / 5), rounds: 10 },
});

const measureServed = (options: Options): Promise<readonly Part[]> =>
  onStage(async (stage) => {
    const setting = await makeSetting(stage, options.policies);
    const differing = await countDifferences(setting);
    const measured: Part[] = [{ figures: {}, reference: {}, bars: [atMost('answers that differ from those of Cerbos', 0, differing)] }];
    if (options.only.includes('unrecorded')) measured.push(await measureUnrecorded(setting, options));
    if (options.only.includes('recorded')) measured.push(await measureRecorded(setting, options));
    return measured;
  });

/** Puts every question to all three servers; how many are not answered alike. */
async function countDifferences({ questions, recorded, unrecorded, cerbos }: Setting): Promise<number> {
  let differing = 0;
  for (const question of questions) {
    const answers = await Promise.all([
      answerOf(recorded.product.url, recorded.headers, forUs(question)),
      answerOf(unrecorded.product.url, unrecorded.headers, forUs(question)),
      answerOf(cerbos.url, {}, forCerbos(question)),
    ]);
    if (new Set(answers).size > 1) differing += 1;
  }
  return differing;
}

const Answer = z.object({ decision: z.boolean() });

async function answerOf(url: string, headers: Readonly<Record<string, string>>, body: object): Promise<boolean> {
  const response = await fetch(`${url}${PATH}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return Answer.parse(await response.json()).decision;
}

async function measureUnrecorded(setting: Setting, { decisions, rounds }: Options): Promise<Part> {
  const { unrecorded, cerbos } = setting;
  const ours: Measured[] = [];
  const theirs: Measured[] = [];
  const peer: Served = { product: cerbos };
  await ask(setting, 'Warming up', decisions, unrecorded);
  await askCerbos(setting, 'Warming up Cerbos', Math.ceil(decisions / 2), peer);
  for (let round = 1; round <= rounds; round += 1) {
    ours.push(await ask(setting, `Decisions, unrecorded (round ${round} of ${rounds})`, decisions, unrecorded));
    theirs.push(await askCerbos(setting, `Cerbos (round ${round} of ${rounds})`, decisions, peer));
  }
  return {
    figures: { unrecorded: figuresOf(ours) },
    reference: { cerbos: figuresOf(theirs) },
    bars: [atLeast('unrecorded: decisions per second over those of Cerbos', 1.5, pairedRatio(rates(ours), rates(theirs)))],
  };
}

async function measureRecorded(setting: Setting, { decisions, rounds }: Options): Promise<Part> {
  const { recorded } = setting;
  const ours: Measured[] = [];
  const inserted: Measured[] = [];
  await ask(setting, 'Warming up', decisions, recorded);
  for (let round = 1; round <= rounds; round += 1) {
    ours.push(await ask(setting, `Decisions, recorded (round ${round} of ${rounds})`, decisions, recorded));
    const { databaseUrl } = recorded.product;
    const job = { kind: 'inserts', databaseUrl, connections: CLIENTS, rows: decisions, indexes: 'asTheLog' } as const;
    inserted.push(await measure(setting, `Single-row inserts (round ${round} of ${rounds})`, job, null));
  }
  const p99 = median(ours.map(({ p99Milliseconds }) => p99Milliseconds));
  return {
    figures: { recorded: figuresOf(ours) },
    reference: { inserts: figuresOf(inserted) },
    bars: [
      atLeast('recorded: decisions per second over single-row inserts per second', 1.5, pairedRatio(rates(ours), rates(inserted))),
      atMost('recorded: p99 in milliseconds', 25, p99),
    ],
  };
}

const ask = (setting: Setting, title: string, requests: number, subject: Subject): Promise<Measured> =>
  post(setting, title, requests, { url: subject.product.url, headers: subject.headers, served: subject, bodyOf: forUs });

const askCerbos = (setting: Setting, title: string, requests: number, served: Served): Promise<Measured> =>
  post(setting, title, requests, { url: setting.cerbos.url, headers: {}, served, bodyOf: forCerbos });

interface Asked {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly served: Served;
  bodyOf(question: Question): object;
}

function post(setting: Setting, title: string, requests: number, { url, headers, served, bodyOf }: Asked): Promise<Measured> {
  const bodies = setting.questions.map((question) => JSON.stringify(bodyOf(question)));
  const job = {
    kind: 'posts',
    url: `${url}${PATH}`,
    headers,
    clients: CLIENTS,
    requests,
    bodies,
    units: 1,
    expected: '"decision":',
  } as const;
  return measure(setting, title, job, served);
}

const rates = (all: readonly Measured[]): readonly number[] => all.map(({ perSecond }) => perSecond);

const figuresOf = (all: readonly Measured[]) => ({
  perSecond: median(rates(all)),
  p50Milliseconds: median(all.map(({ p50Milliseconds }) => p50Milliseconds)),
  p99Milliseconds: median(all.map(({ p99Milliseconds }) => p99Milliseconds)),
  serviceCpuMicrosecondsEach: median(all.map(({ cpuMicroseconds }) => cpuMicroseconds.service)),
  postgresCpuMicrosecondsEach: median(all.map(({ cpuMicroseconds }) => cpuMicroseconds.postgres)),
  senderCpuMicrosecondsEach: median(all.map(({ cpuMicroseconds }) => cpuMicroseconds.sender)),
});
