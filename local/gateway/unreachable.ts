import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import { GraphQLError, type ExecutionResult } from 'graphql';
import type { GatewayContext } from './identity.js';

/**
 * Says which subgraph cannot be reached, with a code that clients can act on, in place of "Unexpected error.".
 *
 * The runtime's own error names the address and holds the whole request, so it must not go out as it is.
 */
export const nameUnreachableSubgraphs: GatewayPlugin<GatewayContext> = {
  onSubgraphExecute: ({ subgraphName }) => {
    return ({ result, setResult }) => {
      setResult(isStream(result) ? withoutFailure(result, subgraphName) : withoutDetails(result, subgraphName));
    };
  },
};

const connectionFailures = /\b(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|socket hang up|other side closed)\b/;

function isStream(result: ExecutionResult | AsyncIterable<ExecutionResult>): result is AsyncIterable<ExecutionResult> {
  return Symbol.asyncIterator in result;
}

function withoutDetails(result: ExecutionResult, subgraphName: string): ExecutionResult {
  if (result.errors === undefined) return result;
  const errors = result.errors.map((error) => {
    const isUnreachable = error.extensions?.['code'] === 'SUBREQUEST_HTTP_ERROR' || connectionFailures.test(error.message);
    return isUnreachable ? unreachable(subgraphName, error) : error;
  });
  return { ...result, errors };
}

/** A subscription fails by throwing where its next event should come; clients get that as its last result. */
function withoutFailure(results: AsyncIterable<ExecutionResult>, subgraphName: string): AsyncIterable<ExecutionResult> {
  const source = results[Symbol.asyncIterator]();
  let hasFailed = false;
  const iterator: AsyncIterableIterator<ExecutionResult> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      if (hasFailed) return { done: true, value: undefined };
      try {
        return await source.next();
      } catch (error) {
        hasFailed = true;
        return { done: false, value: { errors: asErrors(error, subgraphName) } };
      }
    },
    return: async () => (await source.return?.()) ?? { done: true, value: undefined },
    throw: async (error) => (await source.throw?.(error)) ?? { done: true, value: undefined },
  };
  return iterator;
}

/** The subgraph's own refusal comes as a list of errors, the end of the socket as an event. */
function asErrors(failure: unknown, subgraphName: string): readonly GraphQLError[] {
  if (isSocketEvent(failure)) return [refusedOrUnreachable(failure, subgraphName)];
  if (!Array.isArray(failure)) throw failure;
  return failure.map(({ message, extensions }: { readonly message: string; readonly extensions?: object }) => {
    return new GraphQLError(message, { extensions: { ...extensions, serviceName: subgraphName } });
  });
}

/** What ends a WebSocket is an event, which is no `Error`. */
interface SocketEvent {
  readonly type: string;
  readonly code?: unknown;
}

function isSocketEvent(failure: unknown): failure is SocketEvent {
  return typeof failure === 'object' && failure !== null && 'type' in failure && (failure.type === 'error' || failure.type === 'close');
}

/** 4401 and 4403 are how graphql-transport-ws says that the connection itself was refused. */
function refusedOrUnreachable({ code }: SocketEvent, subgraphName: string): GraphQLError {
  if (code !== 4401 && code !== 4403) return unreachable(subgraphName);
  return new GraphQLError('This needs a valid bearer token.', { extensions: { code: 'UNAUTHENTICATED', serviceName: subgraphName } });
}

function unreachable(subgraphName: string, at?: GraphQLError): GraphQLError {
  return new GraphQLError(`The subgraph "${subgraphName}" cannot be reached.`, {
    path: at?.path,
    nodes: at?.nodes,
    extensions: { code: 'UNAVAILABLE', serviceName: subgraphName },
  });
}
