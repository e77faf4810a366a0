/**
 * Ends this process, after `close`, on SIGTERM, on SIGINT and when the supervisor that started it is gone.
 *
 * Every process of `npm start` has a channel to its supervisor for nothing else than to notice that it broke.
 */
export function endWithParent(close: () => Promise<unknown>): void {
  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    const patience = setTimeout(() => process.exit(1), 5_000);
    close()
      .catch((error: unknown) => console.error(error))
      .finally(() => {
        clearTimeout(patience);
        process.exit(0);
      });
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('disconnect', end);
  // It may have broken before anybody listened.
  if (process.connected === false) end();
}

/** A variable that the supervisor sets for its processes. */
export function required(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === '') throw new Error(`${variable} is not set: this process is started by npm start.`);
  return value;
}
