import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Failure } from '../kernel/index.js';
import { toFailure } from './errors.js';
import type { Logger } from './logger.js';

/** Codes that Apollo Server gives to documents and requests which are wrong in themselves. */
const CLIENT_CODES = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

const HTTP_STATUS: Partial<Record<Failure['code'], number>> = { UNAUTHENTICATED: 401, FORBIDDEN: 403, UNAVAILABLE: 503, OVERLOADED: 503 };

/** Turns an error into what a client sees. */
export type PresentError = (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;

/** A failure before any field was resolved, with the HTTP status that says the same. */
export const requestError = (failure: Failure): GraphQLError =>
  new GraphQLError(failure.message, {
    originalError: failure,
    extensions: { code: failure.code, http: { status: HTTP_STATUS[failure.code] ?? 400 } },
  });

/**
 * The one place where errors become what a client sees: a `Failure` its code and sentence, a wrong document what is wrong with
 * it, anything else `Internal server error` and a trace id, under which the cause is logged.
 */
export function errorPresenter(logger: Logger): PresentError {
  return (formatted, error) => {
    const cause = rootCause(error);
    const failure = toFailure(cause);
    const place = { ...(formatted.locations && { locations: formatted.locations }), ...(formatted.path && { path: formatted.path }) };
    if (failure !== null) return { message: failure.message, ...place, extensions: { code: failure.code } };
    const code = formatted.extensions?.['code'];
    if (typeof code === 'string' && CLIENT_CODES.has(code)) return { message: formatted.message, ...place, extensions: { code } };
    // An error of graphql-js about the document or its variables has no cause of ours and no path; one with a path is about a
    // value that a resolver gave.
    if (cause instanceof GraphQLError && code === undefined && formatted.path === undefined)
      return { message: formatted.message, ...place, extensions: { code: 'BAD_USER_INPUT' } };
    const traceId = crypto.randomUUID();
    logger.error('a field failed', { traceId, path: formatted.path, error: cause });
    return { message: 'Internal server error', ...place, extensions: { code: 'INTERNAL_SERVER_ERROR', traceId } };
  };
}

function rootCause(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError != null) cause = cause.originalError;
  return cause;
}
