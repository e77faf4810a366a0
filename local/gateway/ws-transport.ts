import type httpTransport from '@graphql-mesh/transport-http';
import { print } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { GatewayContext } from './identity.js';

type GetSubgraphExecutor = (typeof httpTransport)['getSubgraphExecutor'];

/**
 * Carries subscriptions to a subgraph over graphql-transport-ws, on one connection for each token.
 *
 * In place of the runtime's own, which connects again by itself when a connection breaks and subscribes as the client once did,
 * without the client's last cursor: what came meanwhile would be missing, and nobody would know. Here the subscription ends, and
 * the client goes on from where it was.
 *
 * @param connectionParams what proves to the subgraph that the router speaks, beside the client's token
 */
export function subscriptionTransport(connectionParams: Readonly<Record<string, string>>): {
  readonly getSubgraphExecutor: GetSubgraphExecutor;
} {
  const clients = new Map<string, Client>();
  const clientFor = (url: string, authorization: string | undefined): Client => {
    const key = JSON.stringify([url, authorization]);
    const known = clients.get(key);
    if (known !== undefined) return known;
    const client = createClient({
      url: url.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: { ...connectionParams, ...(authorization !== undefined && { authorization }) },
      on: { closed: () => clients.delete(key) },
    });
    clients.set(key, client);
    return client;
  };
  return {
    getSubgraphExecutor({ transportEntry: { location = '' } }) {
      const execute = ({ document, variables, operationName, context }: Subscribing) => {
        const client = clientFor(location, context?.headers?.['authorization']);
        return client.iterate({ query: print(document), variables: variables ?? null, operationName: operationName ?? null });
      };
      const dispose = async (): Promise<void> => {
        for (const client of clients.values()) await client.dispose();
      };
      return Object.assign(execute, { [Symbol.asyncDispose]: dispose }) as ReturnType<GetSubgraphExecutor>;
    },
  };
}

/** What is used here of the runtime's execution request. */
interface Subscribing {
  readonly document: Parameters<typeof print>[0];
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
  readonly context?: GatewayContext;
}
