import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import { GraphQLError } from 'graphql';
import type { GatewayContext } from './identity.js';

/**
 * Refuses subscriptions that come over HTTP and do not ask for server-sent events.
 *
 * The runtime answers them with 406 but has subscribed already, and that subscription stays open for good.
 */
export const refuseLeakingSubscriptions: GatewayPlugin<GatewayContext> = {
  onSubscribe({ args, setResultAndStopExecution }) {
    const { overSocket, request } = args.contextValue;
    if (overSocket === true || request.headers.get('accept')?.includes('text/event-stream') === true) return;
    setResultAndStopExecution({
      errors: [
        new GraphQLError('Subscribe over a WebSocket (graphql-transport-ws) or with "Accept: text/event-stream".', {
          extensions: { code: 'BAD_REQUEST', http: { status: 406 } },
        }),
      ],
    });
  },
};
