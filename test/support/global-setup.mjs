// Jest loads its global set-up outside of its module system, where TypeScript and `./x.js` for `./x.ts` need tsx.
import { tsImport } from 'tsx/esm/api';

export default async function setUp() {
  const { startServers } = await tsImport('./servers.ts', import.meta.url);
  const servers = await startServers();
  // Workers are started later and get a copy of this process's environment.
  process.env.TEST_POSTGRES_URL = servers.postgresUrl;
  process.env.TEST_REDIS_URL = servers.redisUrl;

  // Jest's teardown does not run when a run is broken off.
  const breakOff = () => servers.stop().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, breakOff);
  globalThis.stopTestServers = async () => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, breakOff);
    await servers.stop();
  };
}
