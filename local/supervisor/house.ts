import { mkdir, rm } from 'node:fs/promises';
import { loadDemo } from '../demo/load.js';
import { organization } from '../demo/organization.js';
import { tokenHolders, type Tokens } from '../demo/token-holders.js';
import { isAlive } from '../end-process.js';
import { openIssuer, serveKeys, type Issuer, type KeyServer } from '../issuer.js';
import { startPostgres, type RunningPostgres } from '../postgres.js';
import { untilFree } from '../ports.js';
import { withProgress } from '../progress.mjs';
import { addressesOf, filesIn, type Settings } from '../settings.js';
import { keptSecret, writePrivately } from './data-folder.js';
import { checkDatabase } from './own-database.js';
import { gatewayPlan, platformPlan, subgraphEnvironment, subgraphPlan } from './plans.js';
import { startService, type Service } from './service.js';

/** What a running house tells scripts, in `local.json`. */
export interface Running {
  readonly gateway: string;
  readonly subgraph: string;
  readonly tokens: Tokens;
  readonly demo: { readonly organizationId: string; readonly projectId: string };
  readonly pids: Readonly<Record<string, number>>;
}

/** Everything that one `npm start` runs. */
export interface House {
  /** Starts it, and returns when every part can be used and the demo is loaded. */
  start(): Promise<Running>;
  /** Ends what runs, also while `start` is under way: from the gateway down to the database. */
  stop(): Promise<void>;
  /** Ends what runs at once, without waiting for anything. */
  kill(): void;
}

interface Parts {
  gateway?: Service;
  subgraph?: Service;
  platform?: Service;
  issuer?: KeyServer;
  /** A promise, so that a stop while it starts can wait for it and then end it. */
  postgres?: Promise<RunningPostgres>;
  /** Known once it runs, for `kill`, which waits for nothing. */
  postgresPid?: number;
}

/** @param onLoss is told in one sentence when a part ends by itself after the start; the others go on. */
export function houseOf(settings: Settings, onLoss: (sentence: string) => void): House {
  const parts: Parts = {};
  let isEnding = false;
  return {
    async start() {
      const running = await startParts(settings, parts, () => {
        if (isEnding) throw new Error('The start was interrupted.');
      });
      watch(parts, (sentence) => {
        if (!isEnding) onLoss(sentence);
      });
      return running;
    },
    async stop() {
      isEnding = true;
      // First: a subgraph that `npm run start:subgraph` runs takes this as its sign to end.
      await rm(filesIn(settings.dataDir).running, { force: true });
      for (const service of [parts.gateway, parts.subgraph, parts.platform]) await service?.stop();
      await untilFree(settings.ports.subgraph);
      await parts.issuer?.close();
      const postgres = await parts.postgres?.catch(() => undefined);
      await postgres?.stop();
    },
    kill() {
      isEnding = true;
      for (const service of [parts.gateway, parts.subgraph, parts.platform]) service?.kill();
      if (parts.postgresPid !== undefined && isAlive(parts.postgresPid)) process.kill(parts.postgresPid, 'SIGQUIT');
    },
  };
}

async function startParts(settings: Settings, parts: Parts, checkpoint: () => void): Promise<Running> {
  const files = filesIn(settings.dataDir);
  const addresses = addressesOf(settings.ports);
  if (settings.databaseUrl !== undefined) await checkDatabase(settings.databaseUrl);
  // Logs are of one start: what an earlier one wrote would only mislead.
  await rm(files.logs, { recursive: true, force: true });
  await mkdir(files.logs, { recursive: true });
  const issuer = await openIssuer(files.issuerKey, addresses.issuer);
  const routerSecret = await keptSecret(files.routerSecret);
  checkpoint();
  parts.issuer = await serveKeys(issuer, settings.ports.issuer);
  checkpoint();
  const platform = (parts.platform = startService(platformPlan(settings)));
  const gateway = (parts.gateway = startService(gatewayPlan(settings, routerSecret)));

  const databaseUrl = settings.databaseUrl ?? (await embeddedDatabase(settings, parts));
  const environment = subgraphEnvironment(settings, databaseUrl, routerSecret);
  await writePrivately(files.subgraphEnvironment, JSON.stringify(environment));
  checkpoint();
  const subgraph = (parts.subgraph = startService(subgraphPlan(settings, environment)));

  const tokens = await mintTokens(issuer);
  await Promise.all([
    withProgress('Starting the governance subgraph', () => subgraph.ready()).then(() =>
      loadDemo(addresses.subgraphBase, tokens.policyAdmin),
    ),
    withProgress('Starting the gateway', () => gateway.ready()),
    withProgress('Starting the example platform', () => platform.ready()),
  ]);
  return tell(settings, parts, tokens);
}

async function embeddedDatabase(settings: Settings, parts: Parts): Promise<string> {
  const dataDir = filesIn(settings.dataDir).postgres;
  const { url, pid } = await withProgress('Starting Postgres', (report) => {
    parts.postgres = startPostgres({ dataDir, port: settings.ports.postgres, onProgress: report });
    return parts.postgres;
  });
  parts.postgresPid = pid;
  return url;
}

async function mintTokens(issuer: Issuer): Promise<Tokens> {
  const { developer, policyAdmin, securityTool, agentPlatform } = tokenHolders;
  return {
    developer: await issuer.mintToken(developer),
    policyAdmin: await issuer.mintToken(policyAdmin),
    securityTool: await issuer.mintToken(securityTool),
    agentPlatform: await issuer.mintToken(agentPlatform),
  };
}

async function tell(settings: Settings, parts: Parts, tokens: Tokens): Promise<Running> {
  const { gateway, subgraph } = addressesOf(settings.ports);
  const postgres = await parts.postgres;
  const running: Running = {
    gateway,
    subgraph,
    tokens,
    demo: { organizationId: organization.id, projectId: 'gid://platform/Project/100' },
    pids: {
      supervisor: process.pid,
      gateway: parts.gateway?.pid ?? 0,
      subgraph: parts.subgraph?.pid ?? 0,
      platform: parts.platform?.pid ?? 0,
      ...(postgres === undefined ? {} : { postgres: postgres.pid }),
    },
  };
  await writePrivately(filesIn(settings.dataDir).running, `${JSON.stringify(running, null, 2)}\n`);
  return running;
}

function watch({ gateway, subgraph, platform, postgres }: Parts, onLoss: (sentence: string) => void): void {
  const advice = 'start it again with "npm run start:subgraph"';
  void subgraph?.ended.then((how) => onLoss(`The governance subgraph has ended (${how}): ${advice}.`));
  for (const service of [gateway, platform]) {
    void service?.ended.then((how) => onLoss(`${service.plan.title} has ended (${how}); the rest goes on. Log: ${service.plan.logFile}`));
  }
  void postgres?.then(({ ended }) => ended).then(() => onLoss('Postgres has ended: press Ctrl-C and start again.'));
}
