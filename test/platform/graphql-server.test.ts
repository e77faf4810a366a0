import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { buildASTSchema, execute, parse, type ExecutionResult, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import { WebSocket } from 'ws';
import { Failure } from '../../src/kernel/index.js';
import { serveGraphql } from '../../src/platform/graphql-server.js';
import { serveSubscriptions } from '../../src/platform/graphql-subscriptions.js';
import { createHttpServer, type HttpServer } from '../../src/platform/http-server.js';
import { createLogger } from '../../src/platform/logger.js';

const SDL = `
  scalar Anything
  interface Named { name: String! }
  type Cat implements Named { name: String! lives: Int }
  type Dog implements Named { name: String! barks: Boolean broken: String }
  union Animal = Cat | Dog
  enum Mood { GOOD BAD }
  input Wish { toy: Anything count: Int = 3 }
  type Query {
    animals: [Animal!]! named: [Named] echo(value: Anything, values: [Anything], wish: Wish, first: Int = 20, mood: Mood): Anything
    kennel: Kennel bug: String refusal: String outage: String wrongNumber: Int wrongMood: Mood nothing: String! brokenList: [String]
  }
  type Kennel { kennel: Kennel size: Int }
  type Mutation { add(number: Int!): Int }
  type Subscription { bugAtOnce: Int bugLater: Int bugInField: Int refusal: Int contexts: Int }`;

const SECRET = 'the password is hunter2';
let server: HttpServer;
let url: string;
const logged: string[] = [];
const schema = aSchema();
beforeAll(async () => {
  const logger = createLogger('warn', (line) => void logged.push(line));
  server = createHttpServer(logger);
  const options = {
    schema,
    authenticate: async () => ({ isRouter: true, viewer: null }),
    contextFor: () => ({}),
    introspection: true,
    logger,
  };
  await serveGraphql(server, options);
  serveSubscriptions(server, { ...options, schema: aSchema() });
  url = await server.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());

describe('a bug', () => {
  it.each([
    ['that throws', '{ bug }', ['bug']],
    ['that gives text for a number', '{ wrongNumber }', ['wrongNumber']],
    ['that gives a value which no enumeration has', '{ wrongMood }', ['wrongMood']],
    ['that gives no list', '{ brokenList }', ['brokenList']],
    ['below a union', '{ animals { ... on Dog { broken } } }', ['animals', 1, 'broken']],
    // Written-out scalars go through graphql-js, everything else through graphql-jit.
    ['that throws beside a written-out scalar', '{ bug echo(value: {a: 1}) }', ['bug']],
    ['that gives text for a number, beside one', '{ wrongNumber echo(value: {a: 1}) }', ['wrongNumber']],
  ])('%s shows nothing of itself but a trace id, under which it is logged', async (_how, query, path) => {
    logged.length = 0;

    const { status, body } = await posted({ query });

    expect(status).toBe(200);
    expect(body['errors']).toEqual([
      {
        message: 'Internal server error',
        path,
        locations: expect.any(Array),
        extensions: { code: 'INTERNAL_SERVER_ERROR', traceId: expect.any(String) },
      },
    ]);
    expect(JSON.stringify(body)).not.toContain('hunter2');
    expect(logged.filter((line) => line.includes(traceIdIn(body)) && /hunter2|Expected Iterable/.test(line))).toHaveLength(1);
  });

  it('where a value must be shows nothing either', async () => {
    expect(await posted({ query: '{ nothing }' })).toMatchObject({
      status: 200,
      body: { data: null, errors: [{ message: 'Internal server error', path: ['nothing'] }] },
    });
  });

  it.each([
    ['before its first result', 'bugAtOnce'],
    ['while it waits', 'bugLater'],
    ['in a field of a result', 'bugInField'],
  ])('in a subscription shows nothing of itself: %s', async (_when, field) => {
    logged.length = 0;

    const seen = JSON.stringify(await subscribed(`subscription { ${field} }`));

    expect(seen).not.toContain('hunter2');
    expect(seen).toContain('Internal server error');
    expect(seen).toContain('traceId');
    expect(logged.filter((line) => line.includes('hunter2'))).toHaveLength(1);
  });
});

describe('a subscription', () => {
  it('has a context of its own for every result, since what one remembers may not hold for the next', async () => {
    expect(await subscribed('subscription { contexts }')).toEqual([
      { data: { contexts: 1 } },
      { data: { contexts: 1 } },
      { data: { contexts: 1 } },
    ]);
  });
});

describe('a failure', () => {
  it.each([
    ['{ refusal }', 'FORBIDDEN', 'This needs the scope x.'],
    ['{ outage }', 'UNAVAILABLE', 'The database cannot be reached. Try again.'],
    ['{ refusal echo(value: {a: 1}) }', 'FORBIDDEN', 'This needs the scope x.'],
  ])('shows its code and its sentence: %s', async (query, code, message) => {
    expect(await posted({ query })).toMatchObject({ body: { errors: [{ message, path: expect.any(Array), extensions: { code } }] } });
  });

  it('does so over WebSocket', async () => {
    expect(await subscribed('subscription { refusal }')).toMatchObject([
      { errors: [{ message: 'This needs the scope x.', extensions: { code: 'FORBIDDEN' } }] },
    ]);
  });
});

describe('a wrong document', () => {
  it.each([
    ['is no GraphQL', { query: '{' }, 'GRAPHQL_PARSE_FAILED'],
    ['asks for a field that is not there', { query: '{ missing }' }, 'GRAPHQL_VALIDATION_FAILED'],
    ['has variables of another type', { query: 'query ($n: Int) { echo(first: $n) }', variables: { n: 'x' } }, 'BAD_USER_INPUT'],
    ['names an operation that is not there', { query: '{ bug }', operationName: 'other' }, 'OPERATION_RESOLUTION_FAILURE'],
    ['is deeper than 15 levels', { query: `{ kennel ${'{ kennel '.repeat(15)}{ size }${' }'.repeat(15)} }` }, 'GRAPHQL_VALIDATION_FAILED'],
    [
      'has more than 60 aliases',
      { query: `{ ${Array.from({ length: 61 }, (_, n) => `a${n}: bug`).join(' ')} }` },
      'GRAPHQL_VALIDATION_FAILED',
    ],
    ['has more than 5,000 tokens', { query: `{ ${'bug '.repeat(5_001)} }` }, 'GRAPHQL_PARSE_FAILED'],
  ])('that %s is told so', async (_what, body, code) => {
    expect(await posted(body)).toMatchObject({
      status: 200,
      body: { errors: [{ message: expect.stringMatching(/\w/), extensions: { code } }] },
    });
    expect(await posted(body, 'application/graphql-response+json')).toMatchObject({
      status: 400,
      body: { errors: [{ extensions: { code } }] },
    });
  });

  it('costs no more than the first look when it spreads its fragments into each other ten times over', async () => {
    const fragments = Array.from({ length: 40 }, (_, n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`).join(' ');
    const startedAt = performance.now();

    await posted({ query: `{ ...F0 } ${fragments} fragment F40 on Query { bug }` });

    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe('compiled and interpreted execution agree', () => {
  it.each<[string, Readonly<Record<string, unknown>>?]>([
    ['{ animals { __typename ... on Named { name } ... on Cat { lives } ... on Dog { barks } } }'],
    ['{ named { __typename name ... on Dog { barks } } }'],
    ['query ($a: Boolean!) { animals @skip(if: $a) { __typename } named @include(if: $a) { name } }', { a: true }],
    [
      'query ($a: Boolean!) { animals @skip(if: $a) { __typename } ...F @include(if: $a) } fragment F on Query { named { name } }',
      { a: false },
    ],
    ['{ echo }'],
    ['{ echo(first: null) }'],
    ['{ a: echo(first: 1) b: echo(mood: GOOD, value: "x") c: echo(values: "one") }'],
    ['query ($n: Int) { echo(first: $n) }'],
    ['query ($n: Int) { echo(first: $n) }', { n: null }],
    ['query ($n: Int = 7, $v: Anything, $m: Mood) { echo(first: $n, value: $v, mood: $m) }', { v: { a: [1, { b: null }] }, m: 'BAD' }],
    ['query ($v: Anything) { echo(value: { path: $v, deep: [$v, { again: $v }] }) }', { v: 'secret' }],
    ['query ($v: Anything) { echo(wish: { toy: { name: $v } }) }', { v: 'secret' }],
    ['query ($v: Anything) { echo(wish: { toy: $v }, values: [$v, 1]) }', { v: 'secret' }],
    ['query ($w: Wish) { echo(wish: $w) }', { w: { toy: { name: 'ball' } } }],
    ['{ echo(value: { __proto__: "x", constructor: 1, a: ENUM, n: 1.5, t: true, z: null }) }'],
    ['{ animals { ... on Dog { broken name } } }'],
    ['{ refusal animals { ... on Cat { name } } }'],
    ['{ nothing }'],
    ['mutation { a: add(number: 1) b: add(number: 2) c: add(number: 3) }'],
  ])('%s %j', async (query, variables = {}) => {
    const compiled = await posted({ query, variables });
    const interpreted = await execute({
      schema: aSchema(),
      document: parse(query),
      variableValues: variables,
      contextValue: {},
      rootValue: {},
    });

    expect(compiled.body['data']).toEqual(plain(interpreted).data);
    expect(pathsOf(compiled.body)).toEqual(pathsOf(plain(interpreted)));
  });
});

function aSchema(): GraphQLSchema {
  let sum = 0;
  const throwing = (error: Error) => (): never => {
    throw error;
  };
  const howOftenAsked: GraphQLFieldResolver<unknown, { asked?: number }> = (_root, _args, context) =>
    (context.asked = (context.asked ?? 0) + 1);
  const cat = { __typename: 'Cat', name: 'Tom', lives: 9 };
  const dog = { __typename: 'Dog', name: 'Rex', barks: true };
  const iterable = (next: () => Promise<IteratorResult<number>>) => () => ({
    next,
    [Symbol.asyncIterator]() {
      return this;
    },
  });
  const resolvers: Readonly<Record<string, Readonly<Record<string, GraphQLFieldResolver<unknown, unknown>>>>> = {
    Query: {
      animals: () => [cat, dog],
      named: () => [dog, null, cat],
      echo: (_root, args) => args,
      bug: throwing(new Error(SECRET)),
      refusal: throwing(new Failure('FORBIDDEN', 'This needs the scope x.')),
      outage: throwing(Object.assign(new Error(SECRET), { code: 'ECONNREFUSED' })),
      wrongNumber: () => SECRET,
      wrongMood: () => SECRET,
      nothing: () => null,
      brokenList: () => SECRET,
    },
    Dog: { broken: throwing(new Error(SECRET)) },
    Mutation: { add: async (_root, args: { readonly number: number }) => (sum = sum * 10 + args.number) },
    Subscription: {
      bugAtOnce: throwing(new Error(SECRET)),
      bugLater: iterable(async () => throwing(new Error(SECRET))()),
      bugInField: iterable(times(1)),
      refusal: throwing(new Failure('FORBIDDEN', 'This needs the scope x.')),
      contexts: iterable(times(3)),
    },
  };
  const built = buildASTSchema(parse(SDL));
  for (const [type, fields] of Object.entries(resolvers)) {
    const known = built.getType(type);
    if (known === undefined || !('getFields' in known)) throw new Error(`There is no type ${type}.`);
    for (const [name, resolve] of Object.entries(fields)) {
      const field = known.getFields()[name];
      if (field === undefined) throw new Error(`There is no field ${name}.`);
      Object.assign(
        field,
        type === 'Subscription'
          ? { subscribe: resolve, resolve: name === 'contexts' ? howOftenAsked : throwing(new Error(SECRET)) }
          : { resolve },
      );
    }
  }
  return built;
}

/** Gives a number so many times, then ends. */
function times(most: number): () => Promise<IteratorResult<number>> {
  let given = 0;
  return async () => ((given += 1) > most ? { done: true, value: undefined } : { done: false, value: given });
}

type Body = Readonly<Record<string, unknown>>;

async function posted(body: object, accept = 'application/json'): Promise<{ readonly status: number; readonly body: Body }> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', accept },
  });
  const answer: Body = JSON.parse(await response.text());
  return { status: response.status, body: answer };
}

/** Every result, and what ended the subscription. */
async function subscribed(query: string): Promise<readonly unknown[]> {
  const client = createClient({ url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 });
  const seen: unknown[] = [];
  try {
    for await (const result of client.iterate({ query })) seen.push(result);
  } catch (error) {
    seen.push(error);
  } finally {
    await client.dispose();
  }
  return seen;
}

const plain = (result: ExecutionResult): ExecutionResult => JSON.parse(JSON.stringify(result));
const errorsIn = (body: object): readonly { readonly path?: unknown; readonly extensions?: Body }[] =>
  'errors' in body && Array.isArray(body.errors) ? body.errors : [];
const pathsOf = (body: object): readonly unknown[] => errorsIn(body).map((error) => error.path);
const traceIdIn = (body: Body): string => String(errorsIn(body)[0]?.extensions?.['traceId']);
