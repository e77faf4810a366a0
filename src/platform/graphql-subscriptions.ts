import type { IncomingMessage } from 'node:http';
import { CloseCode } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import type { FastifyInstance } from 'fastify';
import {
  createSourceEventStream,
  execute,
  GraphQLError,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
} from 'graphql';
import { WebSocketServer } from 'ws';
import { toFailure } from './errors.js';
import { costProblem } from './graphql-cost.js';
import { errorPresenter } from './graphql-errors.js';
import { limitRules, MAX_TOKENS, type GraphqlServer } from './graphql-server.js';
import type { Caller, Credentials } from './identity.js';

/** A message that a client may send: subscriptions are documents of a few kilobytes. */
const MAX_MESSAGE_BYTES = 64 * 1024;

/** The most subscriptions on one connection: a gateway carries all of a token's clients over one. */
const MAX_SUBSCRIPTIONS = 1_000;
const tooManySubscriptions = new GraphQLError(
  `A connection carries at most ${MAX_SUBSCRIPTIONS} subscriptions. End some, or open another.`,
  { extensions: { code: 'OVERLOADED' } },
);

/** Close code of RFC 6455's registry: the client may connect again. */
const TRY_AGAIN_LATER = 1013;

type Connection = { caller?: Caller } & Record<PropertyKey, unknown>;

/**
 * Serves subscriptions at `/graphql` by the graphql-transport-ws protocol, to the router or to tokens of this service's own
 * audience, shown in the upgrade request's headers or in the connection's parameters. Subscriptions only: queries and mutations
 * would pass by the limits of the HTTP side.
 */
export function serveSubscriptions<Context extends object>(http: FastifyInstance, options: GraphqlServer<Context>): void {
  const sockets = new WebSocketServer({ server: http.server, path: '/graphql', maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  const present = errorPresenter(options.logger);
  const rules = options.introspection
    ? [...specifiedRules, ...limitRules]
    : [...specifiedRules, NoSchemaIntrospectionCustomRule, ...limitRules];

  const callers = new WeakMap<object, Caller>();
  const contextOf = (caller: Caller | undefined): Record<string, unknown> | undefined => {
    if (caller === undefined) return undefined;
    const context: Record<string, unknown> = Object.fromEntries(Object.entries(options.contextFor(caller)));
    callers.set(context, caller);
    return context;
  };

  const server = useServer<Record<string, unknown>, Connection>(
    {
      schema: options.schema,
      // What the library itself tells a client then holds no message of an error of ours.
      isProd: true,
      connectionInitWaitTimeout: 5_000,
      async onConnect(ctx) {
        try {
          ctx.extra.caller = await options.authenticate(socketCredentials(ctx.extra.request, ctx.connectionParams));
          return true;
        } catch (error) {
          const failure = toFailure(error);
          if (failure === null) throw error;
          // Not by returning false: clients of graphql-ws take 4403 for a passing fault and knock again for ever.
          if (failure.code === 'UNAVAILABLE') ctx.extra.socket.close(TRY_AGAIN_LATER, failure.message);
          else ctx.extra.socket.close(CloseCode.Unauthorized, failure.message);
          return true;
        }
      },
      onSubscribe(ctx, _id, payload) {
        // What a client sends before it has seen its socket close.
        if (ctx.extra.caller === undefined)
          return [new GraphQLError('This connection is not authenticated.', { extensions: { code: 'UNAUTHENTICATED' } })];
        const document = parseOrErrors(payload.query);
        if (Array.isArray(document)) return document;
        if (Object.keys(ctx.subscriptions).length > MAX_SUBSCRIPTIONS) return [tooManySubscriptions];
        const errors = [...validate(options.schema, document, rules), ...onlySubscriptions(document, payload.operationName)];
        const cost = errors.length > 0 ? null : costProblem(options.schema, document, payload.operationName, payload.variables ?? {});
        if (cost !== null) return [cost];
        return errors.length > 0 ? errors : undefined;
      },
      context: (ctx) => contextOf(ctx.extra.caller),
      subscribe: (args) => subscribeAfresh(args, () => contextOf(callers.get(Object(args.contextValue)))),
      onNext: (_ctx, _id, _payload, _args, result) => masked(result, present),
      onError: (_ctx, _id, _payload, errors) => errors.map((error) => present(error.toJSON(), error)),
    },
    sockets,
    12_000,
  );
  // Before the HTTP server closes: its close would wait for the sockets.
  http.addHook('preClose', async () => {
    for (const socket of sockets.clients) socket.close(1001, 'Going away');
    await server.dispose();
  });
}

/**
 * Where a WebSocket client's credentials may stand: the upgrade request's headers, or the connection's parameters as browsers,
 * Hive Gateway and Apollo Router (nested, as `connectionParams.token`) send them.
 */
function socketCredentials(request: IncomingMessage, parameters: Readonly<Record<string, unknown>> | undefined): Credentials {
  const params = parameters ?? {};
  const nested =
    typeof params['connectionParams'] === 'object' && params['connectionParams'] !== null && 'token' in params['connectionParams']
      ? params['connectionParams'].token
      : undefined;
  const text = (...values: readonly unknown[]): string | undefined =>
    values.find((value): value is string => typeof value === 'string' && value !== '');
  return {
    authorization: text(request.headers.authorization, params['authorization'], params['Authorization'], nested),
    routerSecret: text(request.headers['router-secret'], params['router-secret']),
  };
}

/**
 * `subscribe` of graphql-js, but with a context of its own for every result. A context remembers what its viewer may see and what
 * was read for it: right for one request, wrong for as long as a feed lives.
 */
async function subscribeAfresh(
  args: ExecutionArgs,
  freshContext: () => unknown,
): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
  const source = await createSourceEventStream(args);
  if (!(Symbol.asyncIterator in source)) return source;
  const events = source[Symbol.asyncIterator]();
  const finished: IteratorResult<ExecutionResult> = { done: true, value: undefined };
  const results: AsyncIterableIterator<ExecutionResult> = {
    async next() {
      const event = await events.next();
      return event.done === true
        ? finished
        : { done: false, value: await execute({ ...args, rootValue: event.value, contextValue: freshContext() }) };
    },
    async return() {
      await events.return?.();
      return finished;
    },
    async throw(error) {
      await events.return?.();
      throw error;
    },
    [Symbol.asyncIterator]: () => results,
  };
  return results;
}

function parseOrErrors(query: string): DocumentNode | GraphQLError[] {
  try {
    return parse(query, { maxTokens: MAX_TOKENS });
  } catch (error) {
    if (error instanceof GraphQLError) return [error];
    throw error;
  }
}

function onlySubscriptions(document: DocumentNode, operationName: string | null | undefined): readonly GraphQLError[] {
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  const chosen = operations.filter((operation) => operationName == null || operation.name?.value === operationName);
  if (chosen.every((operation) => operation.operation === 'subscription')) return [];
  return [
    new GraphQLError('Only subscriptions are served over WebSocket; send queries and mutations by HTTP POST to /graphql.', {
      extensions: { code: 'BAD_REQUEST' },
    }),
  ];
}

function masked<Result extends { readonly errors?: readonly GraphQLError[] | undefined }>(
  result: Result,
  present: ReturnType<typeof errorPresenter>,
): Result {
  if (result.errors === undefined) return result;
  const errors = result.errors.map((error) => {
    const { message, path, extensions } = present(error.toJSON(), error);
    return new GraphQLError(message, { ...(path && { path }), ...(extensions && { extensions }) });
  });
  return { ...result, errors };
}
