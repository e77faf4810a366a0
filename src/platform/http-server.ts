import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { fastify, type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Failure, parseJson, type FailureCode, type Viewer } from '../kernel/index.js';
import { toFailure } from './errors.js';
import { viewerOf, type Authenticate, type Caller } from './identity.js';
import type { Logger } from './logger.js';

/** The HTTP server, as rooms add their routes to it. */
export type HttpServer = FastifyInstance;

/** A request, as its routes and hooks see it. */
export type HttpRequest = FastifyRequest;

/** What a REST caller gets instead of an answer. */
export interface ErrorBody {
  readonly error: { readonly code: FailureCode | 'INTERNAL'; readonly message: string; readonly traceId?: string };
}

const STATUS: Readonly<Record<FailureCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  BAD_USER_INPUT: 400,
  NOT_FOUND: 404,
  OVERLOADED: 503,
  UNAVAILABLE: 503,
};

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** The status that answers a body of a type which the route does not take, where a protocol wants another one than 415. */
    wrongTypeStatus?: number;
  }
}

/** The HTTP server before any room has added its routes. */
export function createHttpServer(logger: Logger): HttpServer {
  // Ids in paths have up to 200 characters, each of up to four bytes, each of which is written as three.
  const routerOptions = { maxParamLength: 2_400 };
  const server = fastify({ logger: false, bodyLimit: 1024 * 1024, forceCloseConnections: 'idle', trustProxy: false, routerOptions });
  server.decorateRequest('caller', null);
  server.addHook('preParsing', refuseAnnouncedExcess);
  endConnectionsOnClose(server);
  // Fastify reads text too; no route of ours takes it. And of JSON it refuses what has a member called __proto__, which is data here.
  server.removeContentTypeParser(['text/plain', 'application/json']);
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) => jsonIn(body));
  server.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, body } = presentError(error, request, logger);
    if (status === 503) reply.header('Retry-After', '1');
    if (status === 401) reply.header('WWW-Authenticate', 'Bearer');
    return reply.status(status).send(body);
  });
  server.setNotFoundHandler((request, reply) => {
    const body: ErrorBody = {
      error: { code: 'NOT_FOUND', message: `There is nothing at ${request.method} ${request.url.split('?')[0] ?? ''}.` },
    };
    return reply.status(404).send(body);
  });
  return server;
}

/**
 * Lets no connection outlive its answer once the server closes. Those that are idle then are closed by Fastify; one that is waiting for
 * an answer would be kept alive behind it, and the server would wait over a minute for a client that has no more to ask.
 */
function endConnectionsOnClose(server: FastifyInstance): void {
  let isClosing = false;
  server.addHook('preClose', async () => void (isClosing = true));
  server.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing) reply.header('Connection', 'close');
    done();
  });
}

/** The most that is read of a body that is refused for its size. */
const MAX_READ_AWAY_BYTES = 64 * 1024 * 1024;

/**
 * Refuses a body that announces more than its route takes, but reads it away before it answers: a client that is still writing when the
 * connection closes reports a broken pipe, and never the limit.
 *
 * @throws Failure BAD_USER_INPUT naming the limit.
 */
function refuseAnnouncedExcess(
  request: FastifyRequest,
  _reply: unknown,
  body: Readable,
  done: (error: Error | null, body?: Readable) => void,
): void {
  const announced = Number(request.headers['content-length'] ?? 0);
  // Answered at once: nearly every request passes here.
  if (announced <= request.routeOptions.bodyLimit) return done(null, body);
  const refuse = (): void => done(Object.assign(tooLarge(request), { statusCode: 413 }));
  if (announced > MAX_READ_AWAY_BYTES) return refuse();
  finished(body.resume()).then(refuse, refuse);
}

function tooLarge({ routeOptions: { bodyLimit } }: FastifyRequest, cause?: unknown): Failure {
  return new Failure('BAD_USER_INPUT', `body: must have at most ${bodyLimit} bytes (${bodyLimit / 1024 / 1024} MiB).`, { cause });
}

/** @throws Failure BAD_USER_INPUT when `body` is no JSON in UTF-8. */
export function jsonIn(body: Buffer): unknown {
  if (!isUtf8(body)) throw new Failure('BAD_USER_INPUT', 'body: must be JSON in UTF-8; it holds bytes that are no UTF-8.');
  try {
    return parseJson(body.toString());
  } catch (cause) {
    throw new Failure('BAD_USER_INPUT', body.length === 0 ? 'body: must be JSON; it is empty.' : 'body: must be JSON.', { cause });
  }
}

/** Lets nobody reach the routes of `scope` without a token of this service's own audience, or behind the router's secret. */
export function requireAuthentication(scope: HttpServer, authenticate: Authenticate): void {
  scope.addHook('onRequest', async (request) => {
    request.caller = await authenticate(credentialsOf(request));
    viewerOf(request.caller);
  });
}

/**
 * Refuses requests of `scope` while the bodies of those under way have more than `maxBytes` together, before anything of them is read: a
 * flood costs a sentence each, and no memory. One alone is always let in.
 *
 * @param largest what a body counts whose length the request does not announce
 */
export function limitBodiesUnderWay(
  scope: HttpServer,
  { maxBytes, largest }: { readonly maxBytes: number; readonly largest: number },
): void {
  let underWay = 0;
  scope.addHook('onRequest', async (request, reply) => {
    const announced = Number(request.headers['content-length'] ?? largest);
    const bytes = Number.isSafeInteger(announced) ? Math.min(announced, largest) : largest;
    if (underWay > 0 && underWay + bytes > maxBytes)
      throw new Failure('OVERLOADED', 'Too many requests are being read. Nothing of this one was stored; send it again in a moment.');
    underWay += bytes;
    reply.raw.once('close', () => (underWay -= bytes));
  });
}

/** What the request's headers show. */
export function credentialsOf(request: FastifyRequest): {
  readonly authorization: string | undefined;
  readonly routerSecret: string | undefined;
} {
  const secret = request.headers['router-secret'];
  return { authorization: request.headers.authorization, routerSecret: Array.isArray(secret) ? secret[0] : secret };
}

/** Who sent an authenticated request. */
export function viewerOfRequest(request: FastifyRequest): Viewer {
  if (request.caller === null) throw new Error('A route was added outside requireAuthentication.');
  return viewerOf(request.caller);
}

/** @throws Failure BAD_USER_INPUT naming every field at fault. */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new Failure('BAD_USER_INPUT', sentenceOf(parsed.error));
  return parsed.data;
}

/** Every problem of a zod error, in one sentence each. */
export function sentenceOf(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}.`).join(' ');
}

function presentError(error: FastifyError, request: FastifyRequest, logger: Logger): { readonly status: number; readonly body: ErrorBody } {
  const failure = toFailure(error) ?? refusalOfFastify(error, request);
  if (failure !== null)
    return {
      status: statusOf(error, failure, request),
      body: { error: { code: failure.code, message: failure.message } },
    };
  const traceId = crypto.randomUUID();
  logger.error('a request failed', { traceId, method: request.method, url: request.routeOptions.url ?? '', error });
  return { status: 500, body: { error: { code: 'INTERNAL', message: 'Internal server error', traceId } } };
}

function statusOf({ statusCode }: FastifyError, { code }: Failure, { routeOptions }: FastifyRequest): number {
  if (statusCode === 415) return routeOptions.config.wrongTypeStatus ?? 415;
  return statusCode === 413 ? statusCode : STATUS[code];
}

/** Fastify's own refusals of a request that never reached a route: bad JSON, a wrong content type, too large a body. */
function refusalOfFastify(error: FastifyError, request: FastifyRequest): Failure | null {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge(request, error);
  if (error.statusCode === undefined || error.statusCode < 400 || error.statusCode >= 500) return null;
  return new Failure('BAD_USER_INPUT', error.message, { cause: error });
}
