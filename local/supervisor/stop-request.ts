import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A terminal sends Ctrl-C to npm and to us, and npm hands it on: the same key press comes twice within milliseconds. */
const samePressMs = 1_000;
const parentCheckMs = 500;

/**
 * Waits until somebody wants this process to end: Ctrl-C, SIGTERM, a closed terminal, or the end of what started it.
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
    if (process.env['npm_lifecycle_event'] !== undefined) void lossOfParents().then(settle);
  });
}

/** npm cannot tell its child that it was killed: what is watched is whether we still hang on it. */
async function lossOfParents(): Promise<void> {
  const before = parents();
  do await delay(parentCheckMs, undefined, { ref: false });
  while (parents() === before);
}

/** Our parent and its parent: between npm and us there may be a shell. */
function parents(): string {
  const parent = process.ppid;
  try {
    const afterName = readFileSync(`/proc/${String(parent)}/stat`, 'utf8').split(') ').at(-1) ?? '';
    return `${String(parent)} ${afterName.split(' ')[1] ?? ''}`;
  } catch {
    return String(parent);
  }
}
