import { hash } from 'node:crypto';

/** SHA-256. Parts are hashed as a JSON array, so that no two lists of parts give the same bytes. */
export const hashOf = (...parts: readonly (string | number | null)[]): Buffer => hash('sha256', JSON.stringify(parts), 'buffer');

/** SHA-256 of `text` in UTF-8, in lower-case hexadecimal. */
export const sha256Hex = (text: string): string => hash('sha256', text, 'hex');
