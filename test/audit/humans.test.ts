import { describe, expect, it } from '@jest/globals';
import { eventFrom } from '../../src/audit/event.js';
import { authorOf, knowledgeOf, withHumans, type Humans } from '../../src/audit/humans.js';
import { seal } from '../../src/audit/seal.js';
import { rememberSessionHumans } from '../../src/audit/session-humans.js';
import type { NamedHuman } from '../../src/audit/session-ports.js';
import { organizationId, userId } from '../../src/kernel/index.js';
import { acme, anEvent, humansAlone } from './events.js';

/** `ci` belongs to ada and `siem` to nobody; earlier, session `named` has named hanna for `ci`. */
function someHumans(): Humans & { readonly asked: string[][] } {
  const asked: string[][] = [];
  const known: readonly NamedHuman[] = [{ sessionId: 'named', userId: 'ci', humanId: 'hanna' }];
  return {
    asked,
    owners: async () =>
      new Map([
        ['ci', 'ada'],
        ['siem', null],
      ]),
    async named(_organization, sessionIds) {
      asked.push([...sessionIds]);
      return known.filter(({ sessionId }) => sessionIds.includes(sessionId));
    },
  };
}

/** `USER in SESSION named HUMAN`, each part but the first as far as there is one. */
const acting = (user: string | null, sessionId: string | null = null, humanId: string | null = user) =>
  anEvent({ userId: user, sessionId, humanId });

async function humansOf(humans: Humans, ...events: readonly ReturnType<typeof acting>[]) {
  const known = await withHumans(humans, acme, events);
  return known.map((event) => ('reason' in event ? null : [event.humanId, event.humanSource]));
}

describe('the human behind an event', () => {
  it.each<[string, ReturnType<typeof acting>, string | null, string | null]>([
    ['the user, who is no service account', acting('bob', 'named'), 'bob', null],
    ['whom it names', acting('ci', 'named', 'hugo'), 'hugo', null],
    ['whom it names for a user who is no service account', acting('bob', 'named', 'hugo'), 'hugo', null],
    ['whom its session names', acting('ci', 'named'), 'hanna', 'SESSION'],
    ['who is responsible, where the session names nobody', acting('ci', 'other'), 'ada', 'DIRECTORY'],
    ['who is responsible, without a session', acting('ci'), 'ada', 'DIRECTORY'],
    ['nobody who is known, where nobody is responsible', acting('siem', 'other'), null, 'UNKNOWN'],
    ['nobody whom the session names for another user', acting('siem', 'named'), null, 'UNKNOWN'],
    ['nobody, when nobody did it', acting(null, 'named'), null, null],
  ])('is %s', async (_who, event, human, source) => {
    expect(await humansOf(someHumans(), event)).toEqual([[human, source]]);
  });

  it('is whom another event of the same request names, of the same session and user', async () => {
    const humans = someHumans();

    expect(
      await humansOf(
        humans,
        acting('ci', 's'),
        acting('ci', 's', 'hugo'),
        acting('ci', 's', 'late'),
        acting('ci', 't'),
        acting('siem', 's'),
      ),
    ).toEqual([
      ['hugo', 'SESSION'],
      ['hugo', null],
      ['late', null],
      ['ada', 'DIRECTORY'],
      [null, 'UNKNOWN'],
    ]);
    expect(humans.asked).toEqual([['t', 's']]);
  });

  it('is looked for only where a service account names nobody, once a session', async () => {
    const humans = someHumans();

    await humansOf(humans, acting('bob', 's'), acting('ci', 's', 'hugo'), acting('ci'));
    expect(humans.asked).toEqual([]);

    await humansOf(humans, acting('ci', 't'), acting('ci', 't'), acting('ci', 'u'));
    expect(humans.asked).toEqual([['t', 'u']]);
  });

  it('leaves the very same events where there are no service accounts, and rejections alone', async () => {
    const events = [acting('ci', 's'), { path: 'id', reason: 'is missing' }];

    expect(await withHumans(humansAlone, acme, events)).toBe(events);
    expect((await withHumans(someHumans(), acme, events))[1]).toBe(events[1]);
  });

  it.each<[string, ReturnType<typeof anEvent>, string | null]>([
    ['of the user', anEvent({ userId: 'bob' }), 'USER'],
    ['that the event names', anEvent({ userId: 'ci', humanId: 'hanna' }), 'EVENT'],
    ['that the directory names', anEvent({ userId: 'ci', humanId: 'ada', humanSource: 'DIRECTORY' }), 'DIRECTORY'],
    ['that the session names', anEvent({ userId: 'ci', humanId: 'hanna', humanSource: 'SESSION' }), 'SESSION'],
    ['that is not known', anEvent({ userId: 'siem', humanId: null, humanSource: 'UNKNOWN' }), 'UNKNOWN'],
    ['of nobody', anEvent(), null],
  ])('%s is stored and read as it is', (_whose, event, known) => {
    const read = eventFrom(seal(event).json);

    expect(read).toEqual(event);
    expect(knowledgeOf(read)).toBe(known);
  });
});

describe('whoever does something themselves', () => {
  const viewer = (user: string) => ({
    ...{ userId: userId(user), organizationId: acme, agentId: null, scopes: new Set<string>() },
    expiresAt: new Date(Date.now() + 60_000),
  });

  it.each<[string, string, string | null, string | null, string | null]>([
    ['themselves', 'bob', 'named', 'bob', null],
    ['whom the session names', 'ci', 'named', 'hanna', 'SESSION'],
    ['who is responsible for the service account', 'ci', null, 'ada', 'DIRECTORY'],
    ['nobody who is known', 'siem', 'named', null, 'UNKNOWN'],
  ])('has a human behind them: %s', async (_who, user, sessionId, human, source) => {
    expect(await authorOf(someHumans(), viewer(user), sessionId)).toMatchObject({ userId: user, humanId: human, humanSource: source });
  });

  it('costs no look at sessions when they are no service account', async () => {
    const humans = someHumans();
    await authorOf(humans, viewer('bob'), 'named');
    expect(humans.asked).toEqual([]);
  });
});

describe('whom sessions name', () => {
  it('is read again after five seconds, each organization on its own', async () => {
    let now = 1_000_000;
    const humans = someHumans();
    const remembered = rememberSessionHumans(humans, () => new Date(now));
    const named = async (...ids: readonly string[]) => (await remembered.named(acme, ids)).map(({ humanId }) => humanId);

    expect(await named('named', 'other')).toEqual(['hanna']);
    now += 4_999;
    expect(await named('other', 'named', 'new')).toEqual(['hanna']);
    await remembered.named(organizationId('elsewhere'), ['named']);
    expect(humans.asked).toEqual([['named', 'other'], ['new'], ['named']]);

    now += 1;
    expect(await named('named', 'other')).toEqual(['hanna']);
    expect(humans.asked.at(-1)).toEqual(['named', 'other']);
  });
});
