import { setTimeout as delay } from 'node:timers/promises';

/** A terminal sends Ctrl-C to npm and to us, and npm hands it on: the same key press comes twice within milliseconds. */
const samePressMs = 1_000;
const parentCheckMs = 500;

/**
 * Waits until somebody wants this process to end: Ctrl-C, SIGTERM, a closed terminal, or the end of npm, which started it.
 *
 * @param onRepeat is called when they ask once more, a second or more later: they do not want to wait.
 */
export function stopRequest(onRepeat: () => void): Promise<void> {
  return new Promise((settle) => {
    let askedAt: number | undefined;
    const ask = (): void => {
      askedAt ??= Date.now();
      if (Date.now() - askedAt >= samePressMs) onRepeat();
      settle();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ask);
    process.once('disconnect', settle);
    if (process.env['npm_lifecycle_event'] !== undefined) void lossOfParent().then(settle);
  });
}

/**
 * npm cannot tell its child that it was killed: what is watched is whether it is still our parent. Who started npm may go:
 * a script's shell does, and leaves it running.
 */
async function lossOfParent(): Promise<void> {
  const before = process.ppid;
  do await delay(parentCheckMs, undefined, { ref: false });
  while (process.ppid === before);
}
