import { expect, it } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createHttpServer } from '../../src/platform/http-server.js';
import { createLogger } from '../../src/platform/logger.js';

/** A moment that somebody waits for and somebody else brings about. */
function aMoment() {
  let come: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (come = resolve));
  return { reached, come };
}

it('a server that closes while it works on a request answers it, and has closed then, though the client would keep the connection', async () => {
  const [asked, ready] = [aMoment(), aMoment()];
  const server = createHttpServer(createLogger('warn', () => undefined));
  server.get('/', async () => {
    asked.come();
    await ready.reached;
    return { answer: 42 };
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const response = fetch(url);
  await asked.reached;

  const closed = server.close();
  while (server.server.listening) await nextTurn();
  ready.come();

  expect(await (await response).json()).toEqual({ answer: 42 });
  await closed;
});
