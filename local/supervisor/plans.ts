import { join } from 'node:path';
import { addressesOf, filesIn, type Settings } from '../settings.js';
import type { ServicePlan } from './service.js';

type Environment = Readonly<Record<string, string>>;

export function platformPlan(settings: Settings): ServicePlan {
  const { issuer, jwks, platformHealth } = addressesOf(settings.ports);
  return plan(settings, {
    name: 'platform',
    title: 'The example platform',
    entry: 'local/platform/main.ts',
    healthUrl: platformHealth,
    environment: { PORT: String(settings.ports.platform), JWKS_URL: jwks, TOKEN_ISSUER: issuer },
  });
}

export function gatewayPlan(settings: Settings, routerSecret: string): ServicePlan {
  const { gatewayHealth, platform, subgraph } = addressesOf(settings.ports);
  return plan(settings, {
    name: 'gateway',
    title: 'The gateway',
    entry: 'local/gateway/main.ts',
    healthUrl: gatewayHealth,
    environment: {
      PORT: String(settings.ports.gateway),
      SUPERGRAPH_CONFIG: join(settings.root, 'supergraph.yaml'),
      SUPERGRAPH_FILE: filesIn(settings.dataDir).supergraph,
      GOVERNANCE_URL: subgraph,
      PLATFORM_URL: platform,
      ROUTER_SECRET: routerSecret,
    },
  });
}

export function subgraphPlan(settings: Settings, environment: Environment): ServicePlan {
  return plan(settings, {
    name: 'subgraph',
    title: 'The governance subgraph',
    entry: 'src/main.ts',
    healthUrl: addressesOf(settings.ports).subgraphHealth,
    environment,
  });
}

/** Everything that the governance subgraph is told. */
export function subgraphEnvironment(settings: Settings, databaseUrl: string, routerSecret: string): Environment {
  const { issuer, jwks } = addressesOf(settings.ports);
  return {
    DATABASE_URL: databaseUrl,
    HOST: '127.0.0.1',
    PORT: String(settings.ports.subgraph),
    JWKS_URL: jwks,
    TOKEN_ISSUER: issuer,
    TOKEN_AUDIENCE: 'agent-governance',
    ROUTER_TOKEN_AUDIENCE: 'platform',
    ROUTER_SECRET: routerSecret,
    // The demo brings policies of its own.
    POLICY_BASELINE: 'off',
  };
}

interface Particulars extends Pick<ServicePlan, 'title' | 'entry' | 'healthUrl' | 'environment'> {
  readonly name: string;
}

function plan({ root, dataDir }: Settings, { name, ...particulars }: Particulars): ServicePlan {
  return { ...particulars, root, logFile: join(filesIn(dataDir).logs, `${name}.log`) };
}
