import { hash, randomBytes } from 'node:crypto';
import { canonicalJson, type JsonObject } from '../kernel/index.js';
import { canonicalEvent, type AuditEvent, type SealedContent, type SealedEvent } from './event.js';

/**
 * Commits to an event: SHA-256 over 16 random bytes and the event's canonical JSON (RFC 8785).
 *
 * The salt keeps an erased event from being guessed from its seal. The content is committed to in the same way, with a salt of its
 * own that is erased with it; its hash is part of the event, so that one seal covers all of it.
 *
 * @param content what the event's `contentSeal` commits to; null when it has none
 */
export function seal(event: AuditEvent, content: SealedContent | null = null): SealedEvent {
  const json = canonicalEvent(event);
  const salt = newSalt();
  return { event, content, json, bytes: Buffer.byteLength(json), salt, seal: sealOf(salt, json) };
}

/** Commits to the content of an event: prompts, answers and results. Null when there is none. */
export function sealContent(content: JsonObject | null): SealedContent | null {
  if (content === null) return null;
  const json = canonicalJson(content);
  const salt = newSalt();
  return { json, salt, seal: sealOf(salt, json).toString('hex') };
}

/** Where what is hashed is put together; a longer one has a buffer of its own. */
const workspace = Buffer.allocUnsafe(64 * 1024);

/** The seal that `salt` and `json` must have. */
export function sealOf(salt: Uint8Array, json: string): Buffer {
  const most = salt.length + 3 * json.length;
  const bytes = most <= workspace.length ? workspace : Buffer.allocUnsafe(most);
  bytes.set(salt);
  return hash('sha256', bytes.subarray(0, salt.length + bytes.write(json, salt.length)), 'buffer');
}

const SALT_BYTES = 16;
const STOCK_BYTES = 256 * SALT_BYTES;
/** Randomness is asked for in stock: each asking costs as much as a seal. Nothing of it is given out twice. */
let stock: Buffer = Buffer.alloc(0);
let given = STOCK_BYTES;

function newSalt(): Buffer {
  if (given === STOCK_BYTES) {
    stock = randomBytes(STOCK_BYTES);
    given = 0;
  }
  return stock.subarray(given, (given += SALT_BYTES));
}
