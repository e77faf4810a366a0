/** The example platform subgraph: owns `Group`, `Project`, `User` and `Agent`, as a real platform would. In memory. */
import { readFileSync } from 'node:fs';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import fastify from 'fastify';
import { parse } from 'graphql';
import { endWithParent, required } from '../child.js';
import { resolvers } from './resolvers.js';
import { identify, type PlatformContext } from './viewer.js';

const typeDefs = parse(readFileSync(new URL('schema.graphql', import.meta.url), 'utf8'));
const contextFor = identify(required('JWKS_URL'), required('TOKEN_ISSUER'));

const app = fastify({ forceCloseConnections: true });
const server = new ApolloServer<PlatformContext>({
  schema: buildSubgraphSchema([{ typeDefs, resolvers }]),
  plugins: [fastifyApolloDrainPlugin(app), ApolloServerPluginInlineTraceDisabled()],
  stopOnTerminationSignals: false,
  introspection: true,
  includeStacktraceInErrorResponses: false,
});
await server.start();

app.get('/health', () => ({ status: 'ready' }));
app.route({
  url: '/graphql',
  method: ['GET', 'POST', 'OPTIONS'],
  handler: fastifyApolloHandler(server, { context: (request) => contextFor(request.headers.authorization) }),
});
await app.listen({ host: '127.0.0.1', port: Number(required('PORT')) });

endWithParent(async () => {
  await app.close();
  await server.stop();
});
