import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endProcess } from '../../local/end-process.js';
import { freePort } from '../../local/ports.js';
import type { Stage } from '../support/stage.js';
import type { Rule } from './rules.js';

const PEERS = fileURLToPath(new URL('../peers/', import.meta.url));
const PROGRAM = join(PEERS, 'node_modules/@cerbos/cerbos-linux-x64/cerbos-linux-x64');
const PATIENCE_MILLISECONDS = 60_000;

/** The peer: a policy decision point in Go that speaks the same API. */
export interface Cerbos {
  readonly url: string;
  readonly pid: number;
}

/** Starts Cerbos with the rules in one resource policy, from the version that bench/peers pins; installs it first where it is not. */
export async function startCerbos(stage: Stage, rules: readonly Rule[]): Promise<Cerbos> {
  await install();
  const folder = join(stage.folder, 'cerbos');
  await mkdir(join(folder, 'policies'), { recursive: true });
  // JSON is YAML.
  await writeFile(join(folder, 'policies', 'tool.yaml'), JSON.stringify(policyOf(rules)));
  const [http, grpc] = [await freePort(), await freePort()];
  const config = {
    server: { httpListenAddr: `127.0.0.1:${http}`, grpcListenAddr: `127.0.0.1:${grpc}` },
    storage: { driver: 'disk', disk: { directory: join(folder, 'policies'), watchForChanges: false } },
    telemetry: { disabled: true },
  };
  await writeFile(join(folder, 'config.yaml'), JSON.stringify(config));
  const log = openSync(join(folder, 'cerbos.log'), 'a');
  const child = spawn(PROGRAM, ['server', `--config=${join(folder, 'config.yaml')}`], { stdio: ['ignore', log, log], detached: true });
  stage.atEnd(async () => {
    await endProcess(child, 'SIGKILL', 5_000);
  });
  const url = `http://127.0.0.1:${http}`;
  await answers(`${url}/_cerbos/health`);
  return { url, pid: child.pid ?? 0 };
}

const policyOf = (rules: readonly Rule[]): object => ({
  apiVersion: 'api.cerbos.dev/v1',
  resourcePolicy: {
    resource: 'tool',
    version: 'default',
    rules: rules.map(({ effect, cel }) => ({
      actions: ['invokeTool'],
      effect: effect === 'permit' ? 'EFFECT_ALLOW' : 'EFFECT_DENY',
      roles: ['*'],
      ...(cel.length > 0 && { condition: { match: { all: { of: cel.map((expr) => ({ expr })) } } } }),
    })),
  },
});

async function install(): Promise<void> {
  if (existsSync(PROGRAM)) return;
  console.error('Installing Cerbos, a hundred megabytes.');
  const child = spawn('npm', ['ci', '--prefix', PEERS], { stdio: ['ignore', 2, 2] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error('Cerbos could not be installed: see above.');
}

async function answers(url: string): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MILLISECONDS; ; await delay(50)) {
    const isReady = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    if (Date.now() > deadline) throw new Error('Cerbos does not answer.');
  }
}
