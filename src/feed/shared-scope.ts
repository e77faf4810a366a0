import type { EventScope } from '../audit/index.js';
import { hasJustBeen, type Clock, type Viewer } from '../kernel/index.js';

/** How long an answer is shared. */
const SHARED_MILLISECONDS = 500;
/** The most viewers whose answers are kept. */
const KEPT_VIEWERS = 10_000;

/** Asks once for all feeds of one user, at most twice a second: a thousand idle subscriptions cost what one does. */
export function sharedScopes(scopeOf: (viewer: Viewer) => Promise<EventScope>, clock: Clock): (viewer: Viewer) => Promise<EventScope> {
  const kept = new Map<string, { readonly scope: Promise<EventScope>; readonly at: number }>();
  return (viewer) => {
    const key = JSON.stringify([viewer.organizationId, viewer.userId, [...viewer.scopes].sort()]);
    const now = clock().getTime();
    const known = kept.get(key);
    if (known !== undefined && hasJustBeen(known.at, now, SHARED_MILLISECONDS)) return known.scope;
    if (kept.size >= KEPT_VIEWERS) kept.clear();
    const scope = scopeOf(viewer);
    kept.set(key, { scope, at: now });
    scope.catch(() => kept.delete(key));
    return scope;
  };
}
