/** What a caller can do about a failure; the `extensions.code` of a GraphQL error and the `code` of a REST error. */
export type FailureCode = 'UNAUTHENTICATED' | 'FORBIDDEN' | 'BAD_USER_INPUT' | 'NOT_FOUND' | 'OVERLOADED' | 'UNAVAILABLE';

/** Something outside the domain went wrong, in one sentence that may be shown to the caller. Everything else thrown is a bug. */
export class Failure extends Error {
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'Failure';
    this.code = code;
  }
}
