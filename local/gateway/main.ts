/** The gateway in front of both subgraphs: GraphQL over HTTP and over WebSocket (graphql-ws) on one port, at /graphql. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { useServer } from 'graphql-ws/use/ws';
import { createGatewayRuntime, getGraphQLWSOptions } from '@graphql-hive/gateway-runtime';
import httpTransport from '@graphql-mesh/transport-http';
import { WebSocketServer } from 'ws';
import { endWithParent, required } from '../child.js';
import { composeSupergraph } from './compose.js';
import { propagate, socketContext, type GatewayContext } from './identity.js';
import { refuseLeakingSubscriptions } from './subscriptions.js';
import { nameUnreachableSubgraphs } from './unreachable.js';
import { subscriptionTransport } from './ws-transport.js';

const supergraph = composeSupergraph(required('SUPERGRAPH_CONFIG'), {
  governance: required('GOVERNANCE_URL'),
  platform: required('PLATFORM_URL'),
});
writeFileSync(required('SUPERGRAPH_FILE'), supergraph);

const gateway = createGatewayRuntime<GatewayContext>({
  supergraph,
  propagateHeaders: { fromClientToSubgraphs: propagate(required('ROUTER_SECRET')) },
  transports: { http: httpTransport, ws: subscriptionTransport({ 'router-secret': required('ROUTER_SECRET') }) },
  transportEntries: { governance: { options: { subscriptions: { kind: 'ws' } } } },
  plugins: () => [refuseLeakingSubscriptions, nameUnreachableSubgraphs],
  maskedErrors: true,
  healthCheckEndpoint: '/health',
  landingPage: false,
  graphiql: false,
  logging: 'warn',
});

const server = createServer(gateway);
const sockets = new WebSocketServer({ server, path: '/graphql', maxPayload: 1024 * 1024 });
const webSocket = useServer(getGraphQLWSOptions(gateway, socketContext), sockets);
// An operation over a WebSocket does not wait for the schema to be built, one over HTTP does.
await gateway.getSchema();
server.listen(Number(required('PORT')), '127.0.0.1');

endWithParent(async () => {
  server.close();
  await webSocket.dispose();
  server.closeAllConnections();
  await gateway.dispose();
});
