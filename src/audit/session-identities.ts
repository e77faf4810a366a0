import { hasJustBeen, type Clock, type OrganizationId } from '../kernel/index.js';
import type { SessionIdentities, SessionIdentity } from './session-ports.js';

/** How long a session counts as unknown without being asked for again. */
const UNKNOWN_MILLISECONDS = 1_000;
/** How long a known one is answered before it is read again, beside the answer. */
const KNOWN_MILLISECONDS = 5_000;
/** The most sessions that are remembered. */
const KEPT_SESSIONS = 100_000;

interface Remembered {
  readonly identity: SessionIdentity | null;
  readonly at: number;
}

/**
 * Remembers what `sessions` answers. A session that is known is answered from memory: what its first events say hardly ever changes, and
 * is read again in the background after five seconds. One that is not known is asked for again after one. What is asked for at the same
 * time is read once; a reading that fails is not remembered.
 */
export function rememberSessionIdentities(sessions: SessionIdentities, clock: Clock): SessionIdentities {
  const kept = new Map<string, Remembered>();
  const underWay = new Map<string, Promise<SessionIdentity | null>>();

  const read = (organizationId: OrganizationId, sessionId: string, key: string): Promise<SessionIdentity | null> => {
    const already = underWay.get(key);
    if (already !== undefined) return already;
    const at = clock().getTime();
    const reading = sessions
      .identity(organizationId, sessionId)
      .then((identity) => {
        if (kept.size >= KEPT_SESSIONS) kept.clear();
        kept.set(key, { identity, at });
        return identity;
      })
      .finally(() => underWay.delete(key));
    underWay.set(key, reading);
    return reading;
  };

  return {
    identity(organizationId, sessionId) {
      // Neither id holds a line break.
      const key = `${organizationId}\n${sessionId}`;
      const remembered = kept.get(key);
      if (remembered === undefined) return read(organizationId, sessionId, key);
      const isKnown = remembered.identity !== null;
      const isFresh = hasJustBeen(remembered.at, clock().getTime(), isKnown ? KNOWN_MILLISECONDS : UNKNOWN_MILLISECONDS);
      if (!isFresh && !isKnown) return read(organizationId, sessionId, key);
      // When it fails, what is known stays, and the next who asks tries again.
      if (!isFresh) read(organizationId, sessionId, key).catch(() => undefined);
      return Promise.resolve(remembered.identity);
    },
  };
}
