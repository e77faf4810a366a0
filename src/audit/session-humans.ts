import { hasJustBeen, type Clock, type OrganizationId } from '../kernel/index.js';
import type { NamedHuman, SessionHumans } from './session-ports.js';

/**
 * How long it is taken to be as it was, whom a session names: mostly the first event says so, and sessions are projected half a second
 * behind anyway.
 */
const KEPT_MILLISECONDS = 5_000;
/** The most sessions that are remembered. */
const KEPT_SESSIONS = 100_000;

interface Remembered {
  readonly human: NamedHuman | null;
  readonly at: number;
}

/** Remembers what `sessions` answers, so that a session without a name does not cost a query for each of its events. */
export function rememberSessionHumans(sessions: SessionHumans, clock: Clock): SessionHumans {
  const kept = new Map<string, Remembered>();
  return {
    async named(organizationId, sessionIds) {
      const now = clock().getTime();
      const known = sessionIds.map((id) => [id, kept.get(nameOf(organizationId, id))] as const);
      const missing = known.flatMap(([id, remembered]) => (isFresh(remembered, now) ? [] : [id]));
      const fresh = known.flatMap(([, remembered]) => (isFresh(remembered, now) ? (remembered.human ?? []) : []));
      if (missing.length === 0) return fresh;
      const read = await sessions.named(organizationId, missing);
      if (kept.size > KEPT_SESSIONS) kept.clear();
      const named = new Map(read.map((human) => [human.sessionId, human]));
      for (const id of missing) kept.set(nameOf(organizationId, id), { human: named.get(id) ?? null, at: now });
      return [...fresh, ...read];
    },
  };
}

/** Neither id holds a line break. */
const nameOf = (organizationId: OrganizationId, sessionId: string): string => `${organizationId}\n${sessionId}`;

const isFresh = (remembered: Remembered | undefined, now: number): remembered is Remembered =>
  remembered !== undefined && hasJustBeen(remembered.at, now, KEPT_MILLISECONDS);
