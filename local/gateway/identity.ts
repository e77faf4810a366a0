import type { IncomingMessage } from 'node:http';

export interface GatewayContext {
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** True for an operation that came over a WebSocket. */
  readonly overSocket?: boolean;
}

interface Propagation {
  readonly request: Request;
  readonly subgraphName: string;
  readonly context: GatewayContext;
}

/** The client's bearer token goes to every subgraph; what proves that the router sent it goes to governance alone. */
export function propagate(routerSecret: string): (call: Propagation) => Record<string, string | undefined> {
  return ({ request, subgraphName, context }) => ({
    authorization: request.headers.get('authorization') ?? context.headers?.['authorization'],
    ...(subgraphName === 'governance' ? { 'router-secret': routerSecret } : {}),
  });
}

interface Connection {
  readonly connectionParams?: Readonly<Record<string, unknown>> | undefined;
  readonly extra: { readonly request: IncomingMessage };
}

/** What the operations of one WebSocket are executed with. */
type SocketContext = Record<string, unknown> & GatewayContext & { readonly request: Request };

/**
 * Makes an operation over a WebSocket look like a request that bears its token as a header.
 *
 * The token comes as a connection parameter, since browsers cannot set headers on a WebSocket. Without this the calls to
 * the other subgraph, for the entities in an event, would go out without it.
 */
export function socketContext({ connectionParams = {}, extra }: Connection): SocketContext {
  const given = connectionParams['authorization'] ?? connectionParams['Authorization'] ?? extra.request.headers.authorization;
  const authorization = typeof given === 'string' ? given : undefined;
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  return { overSocket: true, headers, request: new Request('http://127.0.0.1/graphql', { headers }) };
}
