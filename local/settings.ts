import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Refusal } from './refusal.js';

export interface Ports {
  readonly gateway: number;
  readonly subgraph: number;
  readonly platform: number;
  readonly issuer: number;
  readonly postgres: number;
}

/** Where things of this start are; everything a person can change about `npm start`. */
export interface Settings {
  /** The clone. */
  readonly root: string;
  readonly dataDir: string;
  readonly ports: Ports;
  /** A Postgres of the user's own; undefined: the embedded one. */
  readonly databaseUrl: string | undefined;
}

/** The variable that moves each port, and where it is by default. */
export const portVariables = {
  gateway: { variable: 'GATEWAY_PORT', usual: 4000 },
  subgraph: { variable: 'PORT', usual: 4001 },
  platform: { variable: 'PLATFORM_PORT', usual: 4002 },
  issuer: { variable: 'ISSUER_PORT', usual: 4003 },
  postgres: { variable: 'POSTGRES_PORT', usual: 54329 },
} as const satisfies Record<keyof Ports, { variable: string; usual: number }>;

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws Refusal naming the variable that cannot be used. */
export function readSettings(environment: Environment): Settings {
  refuseSharedPorts(environment);
  const root = resolve(fileURLToPath(new URL('..', import.meta.url)));
  return {
    root,
    dataDir: resolve(root, textOf(environment, 'DATA_DIR') ?? '.data'),
    ports: {
      gateway: portOf(environment, 'gateway'),
      subgraph: portOf(environment, 'subgraph'),
      platform: portOf(environment, 'platform'),
      issuer: portOf(environment, 'issuer'),
      postgres: portOf(environment, 'postgres'),
    },
    databaseUrl: textOf(environment, 'DATABASE_URL'),
  };
}

/** Addresses that follow from the ports. */
export function addressesOf(ports: Ports) {
  const issuer = `http://127.0.0.1:${String(ports.issuer)}`;
  return {
    gateway: `http://127.0.0.1:${String(ports.gateway)}/graphql`,
    gatewayHealth: `http://127.0.0.1:${String(ports.gateway)}/health`,
    subgraph: `http://127.0.0.1:${String(ports.subgraph)}/graphql`,
    subgraphBase: `http://127.0.0.1:${String(ports.subgraph)}`,
    subgraphHealth: `http://127.0.0.1:${String(ports.subgraph)}/health/ready`,
    platform: `http://127.0.0.1:${String(ports.platform)}/graphql`,
    platformHealth: `http://127.0.0.1:${String(ports.platform)}/health`,
    issuer,
    jwks: `${issuer}/.well-known/jwks.json`,
  } as const;
}

export type Addresses = ReturnType<typeof addressesOf>;

/** The files of one data folder. */
export function filesIn(dataDir: string) {
  return {
    /** What a running start tells scripts: URLs, tokens, process ids. Absent while nothing runs. */
    running: join(dataDir, 'local.json'),
    /** Exists while a supervisor owns the folder. */
    lock: join(dataDir, 'lock.json'),
    issuerKey: join(dataDir, 'issuer-key.json'),
    routerSecret: join(dataDir, 'router-secret'),
    /** The environment of the governance subgraph, for `npm run start:subgraph`. */
    subgraphEnvironment: join(dataDir, 'subgraph-environment.json'),
    supergraph: join(dataDir, 'supergraph.graphql'),
    logs: join(dataDir, 'logs'),
    postgres: join(dataDir, 'postgres'),
  } as const;
}

function textOf(environment: Environment, variable: string): string | undefined {
  const value = environment[variable];
  return value === undefined || value === '' ? undefined : value;
}

function portOf(environment: Environment, name: keyof Ports): number {
  const { variable, usual } = portVariables[name];
  const text = textOf(environment, variable) ?? String(usual);
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Refusal(`${variable}=${text} is not a port: give a whole number from 1 to 65535.`);
  return port;
}

function refuseSharedPorts(environment: Environment): void {
  const names: readonly (keyof Ports)[] = ['gateway', 'subgraph', 'platform', 'issuer', 'postgres'];
  const variables = new Map<number, string>();
  for (const name of names) {
    const port = portOf(environment, name);
    const { variable } = portVariables[name];
    const other = variables.get(port);
    if (other !== undefined) throw new Refusal(`${other} and ${variable} are both ${String(port)}: give each a port of its own.`);
    variables.set(port, variable);
  }
}
