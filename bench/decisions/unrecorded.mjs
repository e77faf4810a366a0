// The service as it is built, with a log that stores nothing: what a decision costs without its record. Nothing outside of this benchmark
// can be told to do that.
const built = (name) => import(new URL(`../../dist/src/${name}.js`, import.meta.url).href);
const [{ buildApp }, { readConfig }, { createLogger }, { migrate }] = await Promise.all(
  ['app', 'config', 'platform/logger', 'platform/postgres-migrate'].map(built),
);

const storesNothing = {
  append: async (_organizationId, appends) =>
    appends.map(({ sealed }) => ({
      status: 'stored',
      stored: { event: sealed.event, seal: sealed.seal, position: null },
      contentSalt: null,
    })),
};

const config = readConfig(process.env);
await migrate(config.database.migrationUrl);
const app = await buildApp(config, createLogger(config.logLevel), { log: storesNothing });
const end = () => void app.close().then(() => process.exit(0));
process.on('disconnect', end);
process.on('SIGTERM', end);
await app.listen();
