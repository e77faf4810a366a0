import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { openIssuer, serveKeys, type Issuer, type TokenRequest } from '../../local/issuer.js';
import { freePort } from '../../local/ports.js';
import { buildApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import type { Clock } from '../../src/kernel/index.js';
import { createLogger } from '../../src/platform/logger.js';
import { aDatabase } from './database.js';

/** What a GraphQL request was answered, with the HTTP status. */
export interface Answer<Data> {
  readonly status: number;
  readonly data?: Data | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

/** Somebody with a token, or nobody in particular. */
export interface Client {
  /** The bearer token; empty for nobody in particular. */
  readonly token: string;
  graphql<Data = Readonly<Record<string, unknown>>>(query: string, variables?: Readonly<Record<string, unknown>>): Promise<Answer<Data>>;
  /** The results of a subscription over graphql-ws. Leaving the loop ends it. */
  subscribe(query: string, variables?: Readonly<Record<string, unknown>>): AsyncIterableIterator<unknown>;
  /** Any HTTP request, the token included. `path` begins with a slash. */
  request(path: string, init?: RequestInit): Promise<Response>;
}

export interface TestSubgraph {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly databaseUrl: string;
  /** The variables with which another process runs on the same database, with the same issuer. */
  readonly environment: Readonly<Record<string, string>>;
  /** What it logged, one JSON object per line, from `warn` up. */
  readonly logged: readonly string[];
  /** A client whose requests bear a token with these claims. */
  as(holder: TokenRequest): Promise<Client>;
  /** A client without a token; with headers of its own, such as the router's secret. */
  anonymous(headers?: Readonly<Record<string, string>>): Client;
  /** Stops it and starts it again on the same database, as another process would. Clients made before are of no more use. */
  restart(): Promise<TestSubgraph>;
  /** Another process on the same database, with the same issuer and, when given, a clock of its own. To be closed before this one. */
  sibling(environment?: Readonly<Record<string, string>>, clock?: Clock): Promise<TestSubgraph>;
  close(): Promise<void>;
}

export const routerSecret = 'the-secret-of-the-tests-router';

/**
 * The whole service in this process, on a database of its own and with an issuer of its own.
 *
 * @param environment variables on top of the tests' own, for example `REDIS_URL`
 */
export async function aSubgraph(environment: Readonly<Record<string, string>> = {}): Promise<TestSubgraph> {
  const database = await aDatabase();
  const issuer = await anIssuer();
  const afterwards = async (): Promise<void> => {
    await issuer.close();
    await database.drop();
  };
  try {
    // Tests begin where nothing is permitted and nothing recorded; those of the baseline turn it on.
    const ours = { DATABASE_URL: database.url, POLICY_BASELINE: 'off', ...issuer.environment };
    return await run({ environment: { ...ours, ...environment }, issuer, afterwards });
  } catch (error) {
    await afterwards();
    throw error;
  }
}

interface Run {
  readonly environment: Readonly<Record<string, string>>;
  readonly issuer: Pick<Issuer, 'mintToken'>;
  readonly clock?: Clock;
  readonly afterwards: () => Promise<void>;
}

async function run({ environment, issuer, clock, afterwards }: Run): Promise<TestSubgraph> {
  const logged: string[] = [];
  const config = readConfig({ PORT: '0', ROUTER_SECRET: routerSecret, ...environment });
  const app = await buildApp(
    config,
    createLogger('warn', (line) => void logged.push(line)),
    { clock },
  );
  const { url } = await app.listen();
  return {
    url,
    databaseUrl: config.database.url,
    environment: { ROUTER_SECRET: routerSecret, ...environment },
    logged,
    as: async (holder) => clientOf(url, { authorization: `Bearer ${await issuer.mintToken(holder)}` }),
    anonymous: (headers = {}) => clientOf(url, headers),
    async restart() {
      await app.close();
      return run({ environment, issuer, clock, afterwards });
    },
    sibling: (more = {}, ownClock = clock) =>
      run({ environment: { ...environment, ...more }, issuer, clock: ownClock, afterwards: async () => undefined }),
    async close() {
      await app.close();
      await afterwards();
    },
  };
}

/** A client of the service at `url` whose requests bear these headers. */
export function clientOf(url: string, headers: Readonly<Record<string, string>>): Client {
  const request = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}${path}`, { ...init, headers: { ...headers, ...Object.fromEntries(new Headers(init.headers)) } });
  return {
    token: (headers['authorization'] ?? '').replace(/^Bearer /, ''),
    request,
    async graphql<Data>(query: string, variables: Readonly<Record<string, unknown>> = {}) {
      const body = JSON.stringify({ query, variables });
      const response = await request('/graphql', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
      return { status: response.status, ...((await response.json()) as Omit<Answer<Data>, 'status'>) };
    },
    subscribe(query, variables = {}) {
      const client = createClient({
        url: `${url.replace(/^http/, 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { ...headers },
        retryAttempts: 0,
      });
      return client.iterate({ query, variables: { ...variables } });
    },
  };
}

/** An identity provider with a new key. */
async function anIssuer(): Promise<Pick<Issuer, 'mintToken'> & { environment: Record<string, string>; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'issuer-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  const issuer = await openIssuer(join(folder, 'key.json'), url);
  const server = await serveKeys(issuer, port);
  return {
    environment: { TOKEN_ISSUER: url, JWKS_URL: `${url}/.well-known/jwks.json` },
    mintToken: issuer.mintToken,
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
