import { afterEach, describe, expect, it } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { eventScope, type AuditEvent } from '../../src/audit/index.js';
import type { Role } from '../../src/directory/index.js';
import { openFeed, type FeedItem, type FeedStart } from '../../src/feed/index.js';
import { feedCursor } from '../../src/feed/cursor.js';
import { cursorOf, Failure, organizationId, userId } from '../../src/kernel/index.js';
import { followLogs, type Follower } from '../../src/log/index.js';
import { acme, anEvent } from '../audit/events.js';
import { acmeRows, aDirectory, aGroupRow } from '../directory/directory.js';
import { aMemoryLog } from '../log/memory-log.js';
import { aRandom } from '../support/random.js';

let follower: Follower;
afterEach(() => follower.close());

/** `ada`, with a role in payments, before a log of `events`; the clock stands still until the test moves it. */
function givenFeed(events: readonly AuditEvent[] = [], { role = 'MAINTAINER' as Role, tokenSeconds = 3_600 } = {}) {
  const log = aMemoryLog();
  log.grow(events);
  follower = followLogs({
    reader: log.reader,
    hints: log.hints,
    report: (_message, error) => {
      throw error;
    },
  });
  const directory = aDirectory({ namespaces: acmeRows, memberships: [{ userId: 'ada', namespaceId: 'payments', role }] });
  const time = { now: Date.parse('2026-11-22T09:30:00Z') };
  const viewer = {
    userId: userId('ada'),
    organizationId: acme,
    agentId: null,
    scopes: new Set(['audit:read']),
    expiresAt: new Date(time.now + tokenSeconds * 1_000),
  };
  const deps = {
    follower,
    directory: {
      lines: async (_organization: unknown, ids: readonly string[]) =>
        new Map([...directory.state.namespaces.values()].filter(({ id }) => ids.includes(id)).map(({ id, ancestors }) => [id, ancestors])),
    },
    scopeOf: async () => eventScope(acme, { userId: viewer.userId, memberships: [...directory.state.memberships.values()] }),
    clock: () => new Date(time.now),
    heartbeatSeconds: 15,
  };
  return { log, time, viewer, directory, deps, feed: (start: FeedStart = 'NOW') => afterItsBeginning(openFeed(deps, viewer, start)) };
}

/** The feed behind the heartbeat with which every feed begins. */
function afterItsBeginning(feed: AsyncIterableIterator<FeedItem>): AsyncIterableIterator<FeedItem> {
  let hasBegun = false;
  const rest: AsyncIterableIterator<FeedItem> = {
    async next() {
      const item = await feed.next();
      if (hasBegun || item.done === true) return item;
      hasBegun = true;
      expect(item.value.kind).toBe('heartbeat');
      return feed.next();
    },
    return: async () => (await feed.return?.()) ?? { done: true, value: undefined },
    throw: async (error) => (await feed.throw?.(error)) ?? { done: true, value: undefined },
    [Symbol.asyncIterator]: () => rest,
  };
  return rest;
}

const seen = (sourceId: string): AuditEvent => anEvent({ sourceId, userId: 'bob', projectId: 'api' });
const unseen = (): AuditEvent => anEvent({ sourceId: 'unseen', userId: 'bob', projectId: 'index' });

/** The next `count` items. */
async function take(feed: AsyncIterator<FeedItem>, count: number): Promise<readonly FeedItem[]> {
  const items: FeedItem[] = [];
  while (items.length < count) {
    const next = await feed.next();
    if (next.done === true) break;
    items.push(next.value);
  }
  return items;
}

/** The feed has read to the end of the log and waits there: each read of the log in memory takes one turn of the event loop. */
async function untilWaiting(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await setImmediate();
}

const nameOf = (item: FeedItem | undefined): string => (item?.kind === 'event' ? item.stored.event.sourceId : (item?.kind ?? 'nothing'));

describe('a feed', () => {
  it.each<[string, FeedStart, number]>([
    ['now', 'NOW', 2],
    ['the beginning', 'BEGINNING', 0],
    ['a cursor', { after: feedCursor(acme, 1) }, 1],
  ])('says at once where it begins: %s', async (_what, start, nextPosition) => {
    const { deps, viewer } = givenFeed(['a', 'b'].map(seen));
    const feed = openFeed(deps, viewer, start);

    expect(await take(feed, 1)).toEqual([{ kind: 'heartbeat', cursor: feedCursor(acme, nextPosition), nextPosition, isBeginning: true }]);
    expect(await feed.return?.()).toEqual({ done: true, value: undefined });
  });

  it('asks anew what may be seen when the clock was set back', async () => {
    const { log, time, directory, feed } = givenFeed([seen('before')]);
    const live = feed('BEGINNING');
    await take(live, 1);

    directory.push({ memberships: [{ userId: 'ada', namespaceId: 'payments', deleted: true }] });
    time.now -= 3_600_000;
    log.grow([seen('after'), anEvent({ sourceId: 'own', userId: 'ada' })]);
    log.hint();

    expect((await take(live, 1)).map(nameOf)).toEqual(['own']);
  });

  it('begins behind the cursor and goes on with what comes', async () => {
    const { log, feed } = givenFeed(['a', 'b', 'c'].map(seen));

    const items = take(feed({ after: feedCursor(acme, 1) }), 3);
    log.grow([seen('d')]);
    log.hint();

    expect((await items).map(nameOf)).toEqual(['b', 'c', 'd']);
  });

  it('without a cursor begins where the log ends when it is opened, not when it is first read', async () => {
    const { log, feed } = givenFeed(['a', 'b'].map(seen));

    const live = feed();
    await setImmediate();
    log.grow([seen('c')]);

    expect((await take(live, 1)).map(nameOf)).toEqual(['c']);
  });

  it.each([...Array(25).keys()])(
    'goes on without loss or repetition wherever it is broken off, however hints come (seed %i)',
    async (seed) => {
      const random = aRandom(seed);
      const events = Array.from({ length: 300 }, (_, index) => (random.below(3) === 0 ? unseen() : seen(`e${index}`)));
      const { log, feed } = givenFeed();
      const wanted = events.map(({ sourceId }) => sourceId).filter((name) => name !== 'unseen');

      const grow = async (): Promise<void> => {
        for (let rest = events; rest.length > 0;) {
          const count = 1 + random.below(40);
          if (random.below(3) === 0) log.hint();
          log.grow(rest.slice(0, count));
          for (let hints = random.below(3); hints > 0; hints -= 1) log.hint();
          rest = rest.slice(count);
          await setImmediate();
        }
        log.hint();
      };
      const growing = grow();
      const got: string[] = [];
      let cursor = feedCursor(acme, 0);
      while (got.length < wanted.length) {
        const session = feed({ after: cursor });
        const items = await take(session, Math.min(wanted.length - got.length, 1 + random.below(60)));
        await session.return?.();
        got.push(...items.map(nameOf));
        cursor = items.at(-1)?.cursor ?? cursor;
      }
      await growing;

      expect(got).toEqual(wanted);
    },
  );

  it('shows each event with its position and a cursor behind it', async () => {
    const { feed } = givenFeed([unseen(), seen('a'), unseen(), seen('b')]);

    expect(await take(feed({ after: feedCursor(acme, 0) }), 2)).toMatchObject([
      { kind: 'event', cursor: feedCursor(acme, 2), stored: { position: 1 } },
      { kind: 'event', cursor: feedCursor(acme, 4), stored: { position: 3 } },
    ]);
  });

  it('at the very end of the log waits for the next event', async () => {
    const { log, feed } = givenFeed(['a'].map(seen));

    const items = take(feed({ after: feedCursor(acme, 1) }), 1);
    log.grow([seen('b')]);
    log.hint();

    expect((await items).map(nameOf)).toEqual(['b']);
  });
});

describe('what a viewer sees', () => {
  const story = [
    anEvent({ sourceId: 'own, elsewhere', userId: 'ada', projectId: 'index' }),
    anEvent({ sourceId: 'own, without project', userId: 'ada' }),
    anEvent({ sourceId: 'below the group', userId: 'bob', projectId: 'ledger' }),
    anEvent({ sourceId: 'beside the group', userId: 'bob', projectId: 'index' }),
    anEvent({ sourceId: 'without project', userId: 'bob' }),
    anEvent({ sourceId: 'in a project that is gone', userId: 'bob', projectId: 'gone' }),
    anEvent({ sourceId: 'the last', userId: 'ada' }),
  ];

  it.each<[Role, readonly string[]]>([
    ['DEVELOPER', ['own, elsewhere', 'own, without project', 'the last']],
    ['MAINTAINER', ['own, elsewhere', 'own, without project', 'below the group', 'the last']],
    ['AUDITOR', ['own, elsewhere', 'own, without project', 'below the group', 'the last']],
  ])('as %s of payments', async (role, names) => {
    const { feed } = givenFeed(story, { role });

    expect((await take(feed({ after: feedCursor(acme, 0) }), names.length)).map(nameOf)).toEqual(names);
  });

  it('as owner of the organization is everything', async () => {
    const { directory, feed } = givenFeed(story);
    directory.push({ memberships: [{ userId: 'ada', namespaceId: 'acme', role: 'OWNER' }] });

    expect((await take(feed({ after: feedCursor(acme, 0) }), 7)).map(nameOf)).toEqual(story.map(({ sourceId }) => sourceId));
  });

  it('ends within a second of losing the role', async () => {
    const { log, time, directory, feed } = givenFeed([seen('before')]);
    const live = feed({ after: feedCursor(acme, 0) });
    await take(live, 1);

    directory.push({ memberships: [{ userId: 'ada', namespaceId: 'payments', deleted: true }] });
    time.now += 1_000;
    log.grow([seen('after'), anEvent({ sourceId: 'own', userId: 'ada' })]);
    log.hint();

    expect((await take(live, 1)).map(nameOf)).toEqual(['own']);
  });

  it('follows a project that moves, for events that are in memory already too', async () => {
    const { log, time, directory, feed } = givenFeed([anEvent({ userId: 'ada' })]);
    const follows = feed({ after: feedCursor(acme, 0) });
    await take(follows, 1);
    const waiting = take(follows, 1);
    log.grow([anEvent({ sourceId: 'of ledger', userId: 'bob', projectId: 'ledger' }), seen('of api')]);
    log.hint();
    expect((await waiting).map(nameOf)).toEqual(['of ledger']);

    directory.push({ namespaces: [aGroupRow('cards', 'search')] });
    time.now += 1_000;

    expect((await take(follows, 1)).map(nameOf)).toEqual(['of api']);
    expect((await take(feed({ after: feedCursor(acme, 1) }), 1)).map(nameOf)).toEqual(['of api']);
  });
});

describe('a feed ends', () => {
  it('when the token does, with a sentence', async () => {
    const { log, time, viewer, feed } = givenFeed([seen('a')], { tokenSeconds: 10 });
    const live = feed({ after: feedCursor(acme, 0) });
    await take(live, 1);

    time.now = viewer.expiresAt.getTime();
    log.grow([seen('b')]);
    log.hint();

    await expect(live.next()).rejects.toEqual(
      new Failure('UNAUTHENTICATED', 'The token has expired. Subscribe again with a new one, after the last cursor.'),
    );
    expect(await live.next()).toEqual({ done: true, value: undefined });
  });

  it('when it cannot be asked what the viewer may see', async () => {
    const { deps, viewer } = givenFeed([seen('a')]);

    await expect(
      openFeed({ ...deps, scopeOf: () => Promise.reject(new Failure('FORBIDDEN', 'No.')) }, viewer, 'BEGINNING').next(),
    ).rejects.toEqual(new Failure('FORBIDDEN', 'No.'));
  });

  it('at once when it is left while it waits', async () => {
    const { feed } = givenFeed([seen('a')]);
    const live = feed();

    const waiting = live.next();
    await untilWaiting();
    const left = live.return?.();

    expect(await Promise.all([waiting, left])).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
  });

  it('when it is left before it was ever read', async () => {
    const live = givenFeed([seen('a')]).feed({ after: feedCursor(acme, 0) });

    await live.return?.();

    expect(await live.next()).toEqual({ done: true, value: undefined });
  });

  it('when an error is thrown into it', async () => {
    const live = givenFeed([seen('a')]).feed();

    await expect(live.throw?.(new Error('no more'))).rejects.toThrow('no more');
    expect(await live.next()).toEqual({ done: true, value: undefined });
  });

  it('when the service stops', async () => {
    const live = givenFeed([seen('a')]).feed();

    const waiting = live.next();
    await untilWaiting();
    follower.close();

    expect(await waiting).toEqual({ done: true, value: undefined });
  });
});

describe('a heartbeat', () => {
  it('comes when there was nothing for the viewer for so long, and moves the cursor past what is hidden', async () => {
    const { log, time, feed } = givenFeed([seen('a')]);
    const live = feed({ after: feedCursor(acme, 0) });
    await take(live, 1);

    const waiting = take(live, 1);
    await untilWaiting();
    log.grow([unseen(), unseen(), unseen()]);
    time.now += 15_000;
    log.hint();

    expect(await waiting).toEqual([{ kind: 'heartbeat', cursor: feedCursor(acme, 4), nextPosition: 4, isBeginning: false }]);
    const resumed = take(feed({ after: feedCursor(acme, 4) }), 1);
    log.grow([seen('b')]);
    log.hint();
    expect((await resumed).map(nameOf)).toEqual(['b']);
  });

  it('does not hold events up: what is at hand comes first', async () => {
    const { time, feed } = givenFeed(['a', 'b'].map(seen));
    const live = feed({ after: feedCursor(acme, 0) });
    await take(live, 1);

    time.now += 15_000;

    expect((await take(live, 1)).map(nameOf)).toEqual(['b']);
  });
});

describe('a cursor', () => {
  it.each([
    ['of a list of events', cursorOf('event', '1')],
    ['behind the end of the log', feedCursor(acme, 3)],
    ['of another organization', feedCursor(organizationId('other'), 1)],
    ['of no organization', cursorOf('feed', '1')],
    ['below nothing', cursorOf('feed', '-1')],
    ['that is no whole number', cursorOf('feed', '1.5')],
    ['with a leading zero', cursorOf('feed', '01')],
    ['beyond whole numbers', cursorOf('feed', '9007199254740993')],
    ['that is empty', ''],
    ['that is made up', 'latest'],
  ])('%s is refused', async (_what, cursor) => {
    const { feed } = givenFeed(['a', 'b'].map(seen));

    await expect(feed({ after: cursor }).next()).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringMatching(/^after: not a cursor of this (list|log)\./),
    });
  });
});
