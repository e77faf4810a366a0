import { connect, createServer, type Server, type Socket } from 'node:net';

/** A stretch of network between a client and a server, to be cut and mended. */
export interface Proxy {
  readonly port: number;
  /** Breaks every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Carries nothing any more, and tells nobody: connections stay open, new ones are accepted. */
  stall(): void;
  /** Carries again. */
  mend(): Promise<void>;
  close(): Promise<void>;
}

/** Leads to the server of `url`, by default that of a database. */
export async function aProxy(url: string): Promise<Proxy> {
  const target = { host: new URL(url).hostname, port: Number(new URL(url).port) };
  const open = new Set<Socket>();
  let isStalled = false;
  const server = createServer((inner) => {
    const outer = connect(target);
    for (const socket of [inner, outer]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('error', () => socket.destroy());
    }
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      from.on('data', (bytes) => {
        if (!isStalled) to.write(bytes);
      });
      from.on('close', () => to.destroy());
    }
  });
  const port = await listening(server, 0);
  const cut = async (): Promise<void> => {
    const closed = server.listening ? new Promise<void>((resolve) => server.close(() => resolve())) : Promise.resolve();
    for (const socket of open) socket.destroy();
    await closed;
  };
  return {
    port,
    cut,
    stall() {
      isStalled = true;
    },
    async mend() {
      isStalled = false;
      if (!server.listening) await listening(server, port);
    },
    close: cut,
  };
}

/** `url` by way of the proxy. */
export function through(proxy: Proxy, url: string): string {
  const changed = new URL(url);
  changed.hostname = '127.0.0.1';
  changed.port = String(proxy.port);
  return changed.href;
}

function listening(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
