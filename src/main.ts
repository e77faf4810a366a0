import { buildApp, type App } from './app.js';
import { ConfigError, readConfig } from './config.js';
import { createLogger } from './platform/logger.js';
import { migrate } from './platform/postgres-migrate.js';

/** How long a graceful stop may take before the process ends all the same. */
const STOP_MILLISECONDS = 10_000;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const logger = createLogger(config.logLevel);
  // A bug in the answer to one caller must not end the answers to all the others.
  process.on('unhandledRejection', (error) => logger.error('a promise was rejected that nobody waited for', { error }));
  const applied = await migrate(config.database.migrationUrl);
  if (applied.length > 0) logger.info('migrated', { migrations: applied });
  const app = await buildApp(config, logger);
  stopOnSignals(app, (message) => logger.info(message));
  const { url } = await app.listen();
  logger.info('listening', { url });
}

/** SIGINT, SIGTERM, or the end of a parent that started this process with a channel between them. */
function stopOnSignals(app: App, report: (message: string) => void): void {
  let isStopping = false;
  const stop = (reason: string): void => {
    if (isStopping) return;
    isStopping = true;
    report(`stopping: ${reason}`);
    setTimeout(() => process.exit(1), STOP_MILLISECONDS).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        report(`stopping failed: ${String(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('disconnect', () => stop('the parent process is gone'));
  // It may have gone before anybody listened.
  if (process.connected === false) stop('the parent process is gone');
}

main().catch((error: unknown) => {
  process.stderr.write(`${sentenceFor(error)}\n`);
  process.exit(1);
});

function sentenceFor(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'EADDRINUSE') return `The port ${process.env['PORT'] ?? 4001} is taken. Set PORT to a free one.`;
  if (/^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|28|3D|57P)/.test(code))
    return `The database in DATABASE_URL cannot be reached: ${error.message}`;
  return error.stack ?? error.message;
}
