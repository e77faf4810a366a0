import { readConfig } from '../../src/config.js';
import { organizationId, SCOPES, userId, type Viewer } from '../../src/kernel/index.js';
import { createLogger } from '../../src/platform/logger.js';
import { openDatabase } from '../../src/platform/postgres.js';
import { localSignals } from '../../src/platform/signals.js';
import { buildServices, type Services } from '../../src/services.js';
import type { TestSubgraph } from './subgraph.js';

/** The use cases with their adapters, on the database of a subgraph: for tests that put something else behind a port. */
export interface TestServices {
  readonly services: Services;
  close(): Promise<void>;
}

export function servicesOn(subgraph: TestSubgraph, environment: Readonly<Record<string, string>> = {}): TestServices {
  const config = readConfig({ ...subgraph.environment, ...environment });
  const database = openDatabase(config.database.url, 4);
  const services = buildServices(config, createLogger('silent'), () => new Date(), database, localSignals());
  return {
    services,
    async close() {
      services.snapshots.close();
      await Promise.all([services.policy.comparison?.close(), services.reference.close()]);
      await database.close();
    },
  };
}

/** Somebody with every scope. */
export const aViewer = (organization: string, user: string): Viewer => ({
  ...{ organizationId: organizationId(organization), userId: userId(user), agentId: null, scopes: new Set(SCOPES) },
  expiresAt: new Date(Date.now() + 60_000),
});
