import { createHash, randomBytes } from 'node:crypto';
import { canonicalEvent, type AuditEvent, type SealedEvent } from './event.js';

/**
 * Commits to an event: SHA-256 over 16 random bytes and the event's canonical JSON (RFC 8785).
 *
 * The salt keeps an erased event from being guessed from its seal.
 */
export function seal(event: AuditEvent): SealedEvent {
  const json = canonicalEvent(event);
  const salt = randomBytes(16);
  return { event, json, bytes: Buffer.byteLength(json), salt, seal: sealOf(salt, json) };
}

/** The seal that `salt` and `json` must have. */
export const sealOf = (salt: Uint8Array, json: string): Buffer => createHash('sha256').update(salt).update(json).digest();
