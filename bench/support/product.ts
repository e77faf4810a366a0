import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openIssuer, serveKeys, type Issuer, type TokenRequest } from '../../local/issuer.js';
import { freePort } from '../../local/ports.js';
import { startService } from '../../local/supervisor/service.js';
import { builtService } from './built.js';
import type { Stage } from './stage.js';

/** The service in a process of its own, as it runs in production. */
export interface Product {
  readonly name: string;
  readonly url: string;
  readonly databaseUrl: string;
  readonly pid: number;
  /** A bearer token that it takes. */
  token(request: TokenRequest): Promise<string>;
}

/** Tells where tokens of this run come from. */
export interface Identity {
  readonly issuer: Issuer;
  readonly environment: Readonly<Record<string, string>>;
}

/** An identity provider for this run. */
export async function startIdentity(stage: Stage): Promise<Identity> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const issuer = await openIssuer(join(stage.folder, 'issuer-key.json'), url);
  const server = await serveKeys(issuer, port);
  stage.atEnd(() => server.close());
  // Benchmarks bring policies of their own.
  return { issuer, environment: { TOKEN_ISSUER: url, JWKS_URL: `${url}/.well-known/jwks.json`, POLICY_BASELINE: 'off' } };
}

/**
 * Starts the service on a database and waits until it is ready.
 *
 * @param plan `environment` is what it is told besides, for example `SEQUENCER`; `entry` another beginning of the service as it is built
 */
export async function startProduct(
  stage: Stage,
  identity: Identity,
  plan: {
    readonly name: string;
    readonly databaseUrl: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly entry?: string;
  },
): Promise<Product> {
  const entry = await builtService();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const service = startService({
    title: `The service (${plan.name})`,
    entry: plan.entry ?? entry,
    root: fileURLToPath(new URL('../../', import.meta.url)),
    environment: {
      ...identity.environment,
      DATABASE_URL: plan.databaseUrl,
      HOST: '127.0.0.1',
      PORT: String(port),
      LOG_LEVEL: 'warn',
      ...plan.environment,
    },
    healthUrl: `${url}/health/ready`,
    logFile: join(stage.folder, `${plan.name}.log`),
  });
  stage.atEnd(() => service.stop());
  await service.ready();
  return { name: plan.name, url, databaseUrl: plan.databaseUrl, pid: service.pid, token: (request) => identity.issuer.mintToken(request) };
}
