import { isVisible, type EventScope, type StoredEvent } from '../audit/index.js';
import type { Directory } from '../directory/index.js';
import { Failure, hasJustBeen, type Clock, type OrganizationId, type Viewer } from '../kernel/index.js';
import type { Follower, LogEntry, Tail } from '../log/index.js';
import { feedCursor, NO_CURSOR, positionBehind } from './cursor.js';

export type FeedItem =
  | { readonly kind: 'event'; readonly cursor: string; readonly stored: StoredEvent }
  | { readonly kind: 'heartbeat'; readonly cursor: string; readonly nextPosition: number; readonly isBeginning: boolean };

/** Where a feed begins: behind a cursor, with the first event of the log, or with what comes. */
export type FeedStart = { readonly after: string } | 'BEGINNING' | 'NOW';

export interface Feeding {
  readonly follower: Pick<Follower, 'tail'>;
  readonly directory: Pick<Directory, 'lines'>;
  /** What the viewer may see now. */
  readonly scopeOf: (viewer: Viewer) => Promise<EventScope>;
  readonly clock: Clock;
  readonly heartbeatSeconds: number;
}

/** What a viewer may see is asked again at the latest this long after the last time; with `sharedScopes` it counts within a second. */
const SCOPE_MILLISECONDS = 500;

/**
 * Follows an organization's log as far as the viewer may see it: from `start` on, in the order of positions.
 * Whoever goes on from the cursor of the last item that it got misses nothing; the first item comes at once, for its cursor.
 *
 * An iterator of its own and no generator: `return` ends it at once, also while it waits.
 *
 * @throws Failure, from `next`, UNAUTHENTICATED when the viewer's token has expired; BAD_USER_INPUT when `after` is no cursor of
 * this log.
 */
export function openFeed(deps: Feeding, viewer: Viewer, start: FeedStart): AsyncIterableIterator<FeedItem> {
  const tail = deps.follower.tail(viewer.organizationId);
  const reading = new Reading(deps, viewer, tail, start);
  let isDone = false;
  const finish = (): IteratorResult<FeedItem> => {
    isDone = true;
    tail.close();
    return { done: true, value: undefined };
  };
  return {
    async next() {
      if (isDone) return { done: true, value: undefined };
      try {
        const item = await reading.next();
        return isDone || item === null ? finish() : { done: false, value: item };
      } catch (error) {
        finish();
        throw error;
      }
    },
    return: async () => finish(),
    async throw(error) {
      finish();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** One viewer's way through the log. */
class Reading {
  readonly #deps: Feeding;
  readonly #viewer: Viewer;
  readonly #tail: Tail;
  #position: number | null = null;
  readonly #start: () => Promise<number>;
  #ready: LogEntry[] = [];
  #scope: { readonly value: EventScope; readonly at: number } | null = null;
  /** Where namespaces lie, as far as it was asked since `#scope` was: one that moves takes its events along. */
  #lines = new Map<string, readonly string[]>();
  #lastItemAt: number;

  constructor(deps: Feeding, viewer: Viewer, tail: Tail, from: FeedStart) {
    this.#deps = deps;
    this.#viewer = viewer;
    this.#tail = tail;
    this.#lastItemAt = deps.clock().getTime();
    // Where "now" is must be known when the subscription begins, not when its first item is asked for.
    const start = startOf(tail, viewer.organizationId, from);
    start.catch(() => undefined);
    this.#start = () => start;
  }

  /** The next item; null when the tail was closed. */
  async next(): Promise<FeedItem | null> {
    if (this.#position === null) {
      // First: whoever may see nothing shall not learn from a cursor how long the log is.
      await this.#currentScope();
      this.#position = await this.#start();
      return this.#heartbeat(this.#position, true);
    }
    await this.#currentScope();
    for (;;) {
      const entry = this.#ready.shift();
      if (entry !== undefined) {
        this.#position = entry.position + 1;
        if (await this.#isVisible(entry)) return this.#item({ kind: 'event', cursor: this.#cursor(this.#position), stored: entry.stored });
        continue;
      }
      const wait = this.#untilHeartbeat();
      if (wait <= 0) return this.#heartbeat(this.#position, false);
      const entries = await this.#tail.next(this.#position, Math.min(wait, SCOPE_MILLISECONDS));
      if (entries === null) return null;
      await this.#currentScope();
      this.#ready = [...entries];
    }
  }

  #cursor(position: number): string {
    return feedCursor(this.#viewer.organizationId, position);
  }

  #heartbeat(nextPosition: number, isBeginning: boolean): FeedItem {
    return this.#item({ kind: 'heartbeat', cursor: this.#cursor(nextPosition), nextPosition, isBeginning });
  }

  #item(item: FeedItem): FeedItem {
    this.#lastItemAt = this.#deps.clock().getTime();
    return item;
  }

  #untilHeartbeat(): number {
    return this.#lastItemAt + this.#deps.heartbeatSeconds * 1_000 - this.#deps.clock().getTime();
  }

  async #isVisible(entry: LogEntry): Promise<boolean> {
    const scope = await this.#currentScope();
    const { event } = entry.stored;
    if (scope.isWhole || event.namespaceId === null) return isVisible(scope, event, []);
    if (!this.#lines.has(event.namespaceId)) await this.#readLines([entry, ...this.#ready]);
    return isVisible(scope, event, this.#lines.get(event.namespaceId) ?? []);
  }

  async #readLines(entries: readonly LogEntry[]): Promise<void> {
    const ids = [...new Set(entries.flatMap(({ stored }) => stored.event.namespaceId ?? []))].filter((id) => !this.#lines.has(id));
    const found = await this.#deps.directory.lines(this.#viewer.organizationId, ids);
    for (const id of ids) this.#lines.set(id, found.get(id) ?? []);
  }

  async #currentScope(): Promise<EventScope> {
    const now = this.#deps.clock().getTime();
    if (now >= this.#viewer.expiresAt.getTime())
      throw new Failure('UNAUTHENTICATED', 'The token has expired. Subscribe again with a new one, after the last cursor.');
    if (this.#scope === null || !hasJustBeen(this.#scope.at, now, SCOPE_MILLISECONDS)) {
      this.#scope = { value: await this.#deps.scopeOf(this.#viewer), at: now };
      this.#lines = new Map();
    }
    return this.#scope.value;
  }
}

async function startOf(tail: Tail, organizationId: OrganizationId, start: FeedStart): Promise<number> {
  const size = await tail.size();
  if (start === 'NOW') return size;
  if (start === 'BEGINNING') return 0;
  const position = positionBehind(organizationId, start.after);
  if (position > size) throw new Failure('BAD_USER_INPUT', NO_CURSOR);
  return position;
}
