import { Failure } from '../kernel/index.js';
import { databaseFailure } from './postgres.js';

/** What a thrown value means for the caller; null for a bug, which callers are told nothing about. */
export function toFailure(error: unknown): Failure | null {
  return error instanceof Failure ? error : databaseFailure(error);
}
