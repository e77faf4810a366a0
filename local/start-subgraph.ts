/** `npm run start:subgraph`: starts the governance subgraph alone, beside a running `npm start` whose own has ended. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isTaken } from './ports.js';
import { say, withProgress } from './progress.mjs';
import { Refusal, sentenceOf } from './refusal.js';
import { addressesOf, filesIn, readSettings } from './settings.js';
import { savedEnvironment, writePrivately } from './supervisor/data-folder.js';
import { lockOwner } from './supervisor/lock.js';
import { subgraphPlan } from './supervisor/plans.js';
import { startService, type Service } from './supervisor/service.js';
import { stopRequest } from './supervisor/stop-request.js';

const settings = readSettings(process.env);

try {
  await runBesideOthers();
} catch (error) {
  say(sentenceOf(error));
  process.exitCode = 1;
}
process.exit();

async function runBesideOthers(): Promise<void> {
  const environment = savedEnvironment(settings.dataDir);
  if (!othersRun() || environment === undefined) throw new Refusal('Nothing runs that it could join: npm start starts everything.');
  // The port may have been set for that start alone.
  const ports = { ...settings.ports, subgraph: Number(environment['PORT']) };
  if (await isTaken(ports.subgraph)) throw new Refusal(`Port ${String(ports.subgraph)} is taken: the governance subgraph runs already.`);
  const service = startService(subgraphPlan({ ...settings, ports }, environment));
  const asked = stopRequest(() => service.kill());
  try {
    await withProgress('Starting the governance subgraph', () => service.ready());
    await noteDown(service);
    say(`The governance subgraph runs at ${addressesOf(ports).subgraph}. Ctrl-C stops it alone.`);
    const ending = await Promise.race([asked, endOfOthers(), service.ended]);
    if (ending !== undefined) throw new Refusal(`The governance subgraph has ended (${ending}).`);
  } finally {
    await service.stop();
  }
}

/** Whether `npm start` has the data folder and is not about to end. */
function othersRun(): boolean {
  const { lock, running } = filesIn(settings.dataDir);
  return lockOwner(lock) !== undefined && existsSync(running);
}

/** Without them the subgraph is of no use, and its database is about to go. */
async function endOfOthers(): Promise<void> {
  while (othersRun()) await delay(200);
}

/** Scripts find the process that answers now where they found the first one. */
async function noteDown({ pid }: Service): Promise<void> {
  const file = filesIn(settings.dataDir).running;
  const running: { pids: Record<string, number> } = JSON.parse(readFileSync(file, 'utf8'));
  await writePrivately(file, `${JSON.stringify({ ...running, pids: { ...running.pids, subgraph: pid } }, null, 2)}\n`);
}
