import { mkdtemp, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openIssuer, serveKeys } from '../../local/issuer.js';
import { freePort } from '../../local/ports.js';
import { startPostgres, type RunningPostgres } from '../../local/postgres.js';
import { SCOPES } from '../../src/kernel/index.js';
import type { Database } from '../../src/platform/postgres.js';
import { pushed } from '../support/organization.js';
import { clientOf, type Client } from '../support/subgraph.js';
import { runScript, type Script } from './house.js';

/** A Postgres, durable as in production, and the service on it, each a process of its own to be killed. */
export interface Killable {
  /** Of the Postgres, with its password. */
  databaseUrl(): string;
  killPostgres(): Promise<void>;
  /** On the same data and the same port as before. */
  bringUpPostgres(): Promise<void>;
  killService(): Promise<void>;
  bringUpService(): Promise<void>;
  /** Somebody with every scope in an organization of their own, which the directory knows. */
  anOrganization(name: string): Promise<KillableOrganization>;
  close(): Promise<void>;
}

export interface KillableOrganization {
  readonly id: string;
  readonly userId: string;
  readonly client: Client;
}

/** Starts both. */
export async function startKillable(): Promise<Killable> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-governance-killed-'));
  const [keyPort, port, postgresPort] = [await freePort(), await freePort(), await freePort()];
  const url = `http://127.0.0.1:${keyPort}`;
  const issuer = await openIssuer(join(folder, 'key.json'), url);
  const keys = await serveKeys(issuer, keyPort);
  let postgres: RunningPostgres;
  let service: Script;

  const bringUpPostgres = async (): Promise<void> => {
    postgres = await startPostgres({ dataDir: join(folder, 'postgres'), port: postgresPort });
  };
  const bringUpService = async (): Promise<void> => {
    service = runScript(['--import', 'tsx', 'src/main.ts'], {
      ...{ PORT: String(port), TOKEN_ISSUER: url, JWKS_URL: `${url}/.well-known/jwks.json` },
      ...{ DATABASE_URL: postgres.url, POLICY_BASELINE: 'off' },
    });
    await service.said(/"listening"/);
  };
  await bringUpPostgres();
  await bringUpService();

  return {
    databaseUrl: () => postgres.url,
    async killPostgres() {
      process.kill(postgres.pid, 'SIGKILL');
      await postgres.ended;
    },
    bringUpPostgres,
    async killService() {
      service.child.kill('SIGKILL');
      await service.ended;
    },
    bringUpService,
    async anOrganization(name) {
      const id = `gid://platform/Organization/${name}-${randomUUID()}`;
      const userId = `gid://platform/User/${name}`;
      const token = await issuer.mintToken({ userId, organizationId: id, scopes: [...SCOPES] });
      const client = clientOf(`http://127.0.0.1:${port}`, { authorization: `Bearer ${token}` });
      await pushed(client, { namespaces: [{ id, kind: 'ORGANIZATION', parentId: null, path: name }] });
      return { id, userId, client };
    },
    async close() {
      service.child.kill('SIGTERM');
      await service.ended;
      await postgres.stop();
      await keys.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Until every event has its position and is counted. */
export async function settled(owner: Database): Promise<void> {
  const isBehind = async (): Promise<boolean> =>
    (await owner.sql.query<{ is_due: boolean }>('SELECT log_sequence_peek() OR audit_project_step_due() AS is_due'))[0]?.is_due !== false;
  while (await isBehind()) await delay(20);
}
