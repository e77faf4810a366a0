import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from './refusal.js';

const freePatienceMs = 12_000;

/** A TCP port on 127.0.0.1 that nobody listens on right now. */
export async function freePort(): Promise<number> {
  const port = await listenOnce(0);
  return port ?? freePort();
}

/** Whether somebody already listens on this port of 127.0.0.1, or it may not be used. */
export async function isTaken(port: number): Promise<boolean> {
  return (await listenOnce(port)) === undefined;
}

/** Waits, for at most 12 seconds, until nobody listens on this port any more. */
export async function untilFree(port: number): Promise<void> {
  const deadline = Date.now() + freePatienceMs;
  while ((await isTaken(port)) && Date.now() < deadline) await delay(50);
}

/** Listens on `port` for a moment; the port, or undefined when it cannot be had. */
function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((settle, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if (codeOf(error) === 'EADDRINUSE' || codeOf(error) === 'EACCES') settle(undefined);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      const found = typeof address === 'object' && address !== null ? address.port : undefined;
      server.close(() => settle(found));
    });
  });
}
