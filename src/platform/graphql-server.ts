import { ApolloServer, HeaderMap, type ApolloServerPlugin, type GraphQLResponse } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import type { FastifyInstance } from 'fastify';
import {
  BREAK,
  getNamedType,
  GraphQLError,
  isScalarType,
  isSpecifiedScalarType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLFormattedError,
  type GraphQLSchema,
  type ValidationRule,
} from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import { isExactInteger } from '../kernel/index.js';
import { toFailure } from './errors.js';
import { costProblem } from './graphql-cost.js';
import { errorPresenter, requestError, type PresentError } from './graphql-errors.js';
import { credentialsOf } from './http-server.js';
import type { Authenticate, Caller } from './identity.js';
import type { Logger } from './logger.js';

/** The most lexical tokens that a document may have; a gateway's entity fetches need a few hundred. */
export const MAX_TOKENS = 5_000;

/** Rules on top of the specification's. Aliases leave room for gateways, which merge entity fetches under aliases. */
export const limitRules: readonly ValidationRule[] = [
  limitRule(maxDepthRule({ n: 15, ...reported() }) as LimitRule),
  limitRule(maxAliasesRule({ n: 60, ...reported() }) as LimitRule),
  exactNumbers,
];

/** A number written out in a document becomes a double like one in a variable. */
function exactNumbers(context: RuleContext): ReturnType<ValidationRule> {
  return {
    IntValue(node) {
      if (isExactInteger(node.value)) return;
      context.reportError(
        new GraphQLError(`The number ${node.value.slice(0, 40)} cannot be held exactly by a double; send it as a string.`, { nodes: node }),
      );
    },
  };
}

/** By itself such a rule throws out of the validation, which would look like a bug of ours. */
function reported() {
  return { propagateOnRejection: false, onReject: [(context: RuleContext | null, error: GraphQLError) => context?.reportError(error)] };
}

type RuleContext = Parameters<ValidationRule>[0];
type LimitRule = (context: RuleContext) => ReturnType<ValidationRule>;
function limitRule(rule: LimitRule): ValidationRule {
  return (context) => rule(context);
}

export interface GraphqlServer<Context extends object> {
  readonly schema: GraphQLSchema;
  readonly authenticate: Authenticate;
  /** Everything that resolvers need for one request. */
  readonly contextFor: (caller: Caller) => Context;
  readonly introspection: boolean;
  readonly logger: Logger;
}

/**
 * Serves queries and mutations at `/graphql`, to the router or to tokens of this service's own audience.
 *
 * Apollo Server with the plugins off that wrap every field, and graphql-jit in place of graphql-js: a fifth of the CPU.
 */
export async function serveGraphql<Context extends object>(http: FastifyInstance, options: GraphqlServer<Context>): Promise<void> {
  const present = errorPresenter(options.logger);
  const apollo = new ApolloServer<Context>({
    schema: options.schema,
    introspection: options.introspection,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: !options.introspection,
    formatError: present,
    parseOptions: { maxTokens: MAX_TOKENS },
    maxRecursiveSelections: true,
    validationRules: [...limitRules],
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      compiledExecution(options.schema, present),
      wellFormedStatus,
    ],
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message?: unknown) => options.logger.warn(String(message)),
      error: (message?: unknown) => options.logger.error(String(message)),
    },
  });
  await apollo.start();
  // Fastify has answered every request by then, so there is nothing for Apollo's own drain plugin to do.
  http.addHook('onClose', () => apollo.stop());

  const handler = fastifyApolloHandler(apollo, {
    async context(request) {
      try {
        return options.contextFor(await options.authenticate(credentialsOf(request)));
      } catch (error) {
        const failure = toFailure(error);
        throw failure === null ? error : requestError(failure);
      }
    },
  });
  http.route({ url: '/graphql', method: ['GET', 'POST'], bodyLimit: 8 * 1024 * 1024, handler });
}

const MAX_COMPILED = 1_000;

/** Refuses what asks for too much, and executes documents by graphql-jit, each compiled once. What it cannot compile, graphql-js executes. */
function compiledExecution<Context extends object>(schema: GraphQLSchema, present: PresentError): ApolloServerPlugin<Context> {
  const compiled = new Map<string, CompiledQuery | null>();
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ document, operationName, request }) {
          const problem = costProblem(schema, document, operationName, request.variables ?? {});
          if (problem !== null) throw problem;
        },
        async responseForOperation({ document, operationName, queryHash, contextValue, request, operation }) {
          // Despite its type there is none when the document has none of that name; Apollo Server says so.
          if (operation == null || operation.operation === 'subscription') return null;
          const key = `${queryHash} ${operationName ?? ''}`;
          const query = remembered(compiled, key, () => compile(schema, document, operationName));
          if (query === null) return null;
          const result: ExecutionResult = await query.query({}, contextValue, request.variables ?? {});
          // Apollo Server formats the errors of its own execution only.
          const { errors, ...rest } = result;
          // The variables do not fit, so nothing has run. Apollo Server finds the same and knows the status for it.
          if (!('data' in rest)) return null;
          const singleResult = errors === undefined ? rest : { errors: errors.map((error) => present(plainError(error), error)), ...rest };
          const response: GraphQLResponse = {
            http: { status: undefined, headers: new HeaderMap() },
            body: { kind: 'single', singleResult },
          };
          return response;
        },
      };
    },
  };
}

const plainError = ({ message, locations, path }: GraphQLError): GraphQLFormattedError => ({
  message,
  ...(locations && { locations }),
  ...(path && { path }),
});

function compile(schema: GraphQLSchema, document: DocumentNode, operationName: string | null): CompiledQuery | null {
  if (hasScalarLiteral(schema, document)) return null;
  const query = compileQuery(schema, document, operationName ?? undefined);
  return isCompiledQuery(query) ? query : null;
}

/**
 * Whether the document writes out an object or a list where a scalar of ours is expected, as in `arguments: { path: $path }`.
 * graphql-jit would leave out the variables in it: a call would be decided without the arguments that matter.
 */
function hasScalarLiteral(schema: GraphQLSchema, document: DocumentNode): boolean {
  const types = new TypeInfo(schema);
  let isFound = false;
  const look = () => {
    const type = getNamedType(types.getInputType());
    isFound ||= isScalarType(type) && !isSpecifiedScalarType(type);
    return isFound ? BREAK : undefined;
  };
  visit(document, visitWithTypeInfo(types, { ObjectValue: look, ListValue: look }));
  return isFound;
}

function remembered<Value>(known: Map<string, Value>, key: string, make: () => Value): Value {
  const value = known.has(key) ? known.get(key) : undefined;
  if (value !== undefined) return value;
  const oldest = known.keys().next();
  if (known.size >= MAX_COMPILED && oldest.done !== true) known.delete(oldest.value);
  const made = make();
  known.set(key, made);
  return made;
}

const DOCUMENT_CODES = new Set(['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT', 'OPERATION_RESOLUTION_FAILURE']);

/**
 * A well-formed GraphQL response has status 200 under the older media type, whatever the document's errors (GraphQL over HTTP,
 * section "application/json"); under `application/graphql-response+json` it keeps 400.
 */
const wellFormedStatus: ApolloServerPlugin = {
  async requestDidStart() {
    return {
      async willSendResponse({ request, response, errors }) {
        const accept = request.http?.headers.get('accept') ?? '';
        if (accept.includes('application/graphql-response+json') || response.http.status !== 400) return;
        if (errors?.every((error) => DOCUMENT_CODES.has(String(error.extensions['code'])))) response.http.status = 200;
      },
    };
  },
};
