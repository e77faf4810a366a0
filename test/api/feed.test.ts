import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { feedCursor } from '../../src/feed/cursor.js';
import { cursorOf, organizationId } from '../../src/kernel/index.js';
import type { Database } from '../../src/platform/postgres.js';
import { openAsOwner } from '../support/database.js';
import { aRunningFeed, auditFeed, eventsBehind, fromTheBeginning, nextEvents, type FedEvent } from '../support/audit-feed.js';
import { aCloudEvent } from '../support/cloud-events.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { aProxy } from '../support/proxy.js';
import { recorded } from '../support/recording.js';
import { startRedis } from '../support/redis-server.js';
import { aRedisUrl } from '../support/redis.js';
import { aSubgraph, clientOf, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
let database: Database;
beforeAll(async () => {
  subgraph = await aSubgraph({ FEED_HEARTBEAT_SECONDS: '1', REDIS_URL: await aRedisUrl() });
  database = openAsOwner(subgraph.databaseUrl);
});
afterAll(async () => {
  await database.close();
  await subgraph.close();
});

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Something that is closed when the test ends, however it ends; the last first. */
function closedAfterwards<Opened>(opened: Opened, close: (opened: Opened) => Promise<unknown>): Opened {
  closing.push(() => close(opened));
  return opened;
}
const aProcess = async (environment: Readonly<Record<string, string>> = {}) =>
  closedAfterwards(await aSubgraph({ FEED_HEARTBEAT_SECONDS: '1', ...environment }), (process) => process.close());
const aSibling = async (of: TestSubgraph) => closedAfterwards(await of.sibling(), (process) => process.close());

/** The log of an organization as the database has it. */
const logOf = (organizationId: string) =>
  database.sql.query<{ position: string; id: string }>(
    'SELECT position, event_id AS id FROM log_entry WHERE organization_id = $1 ORDER BY position',
    [organizationId],
  );
const asRows = (events: readonly FedEvent[]) => events.map(({ position, id }) => ({ position: String(position), id }));

/** Writers that record at once, in small batches, until there are `total` events. */
async function recordAtOnce(clients: readonly Client[], total: number, projectid: string): Promise<void> {
  let begun = 0;
  const write = async (client: Client): Promise<void> => {
    while (begun < total) {
      const count = Math.min(total - begun, 1 + (begun % 7));
      const first = begun;
      begun += count;
      await recorded(
        client,
        Array.from({ length: count }, (_, n) => aCloudEvent({ id: `w${first + n}`, projectid })),
      );
    }
  };
  await Promise.all(clients.flatMap((client) => [client, client, client, client]).map(write));
}

const ownerOf = (company: TestOrganization, at: TestSubgraph = subgraph) =>
  at.as({ userId: 'owner', organizationId: company.id, scopes: ['audit:read', 'audit:record', 'act:any'] });
async function aCompany(): Promise<TestOrganization> {
  const company = await anOrganization(subgraph);
  await pushed(company.platform, { memberships: [{ userId: 'owner', namespaceId: company.id, role: 'OWNER' }] });
  return company;
}

describe('the feed over WebSocket', () => {
  it('shows everything behind the cursor in position order, then what is recorded while it runs', async () => {
    const company = await aCompany();
    const owner = await ownerOf(company);
    await recorded(
      company.platform,
      ['a', 'b', 'c'].map((id) => aCloudEvent({ id })),
    );

    const feed = auditFeed(owner, fromTheBeginning);
    const before = await nextEvents(feed, 3);
    await recorded(company.platform, [aCloudEvent({ id: 'd' })]);
    const after = await nextEvents(feed, 1);
    await feed.return();

    const cursorAt = (position: number): string => feedCursor(organizationId(company.id), position);
    expect([...before, ...after].map(({ position, sourceId, cursor }) => [position, sourceId, cursor])).toEqual([
      [0, 'a', cursorAt(1)],
      [1, 'b', cursorAt(2)],
      [2, 'c', cursorAt(3)],
      [3, 'd', cursorAt(4)],
    ]);
  });

  it('without a cursor is live only', async () => {
    const company = await aCompany();
    await recorded(company.platform, [aCloudEvent({ id: 'past' })]);
    await eventsBehind(await ownerOf(company), fromTheBeginning, 1);

    const feed = await aRunningFeed(await ownerOf(company));
    await recorded(company.platform, [aCloudEvent({ id: 'live' })]);
    const events = await nextEvents(feed, 1);
    await feed.return();

    expect(events.map(({ position, sourceId }) => [position, sourceId])).toEqual([[1, 'live']]);
  });

  it('at the very end goes on with the next event', async () => {
    const company = await aCompany();
    const owner = await ownerOf(company);
    await recorded(company.platform, [aCloudEvent({ id: 'a' })]);
    const [last] = await eventsBehind(owner, fromTheBeginning, 1);

    const feed = auditFeed(owner, last?.cursor);
    const next = nextEvents(feed, 1);
    await recorded(company.platform, [aCloudEvent({ id: 'b' })]);

    expect((await next).map(({ sourceId }) => sourceId)).toEqual(['b']);
    await feed.return();
  });

  it('shows each what they may see, and the cursors of one go on for another', async () => {
    const company = await aCompany();
    const [ada, maintainer] = [
      await company.member('DEVELOPER', company.payments, { userId: 'ada' }),
      await company.member('MAINTAINER', company.core),
    ];
    await recorded(company.platform, [
      aCloudEvent({ id: 'bob in shop', userid: 'bob', projectid: company.shop }),
      aCloudEvent({ id: 'bob in api', userid: 'bob', projectid: company.api }),
      aCloudEvent({ id: 'ada in shop', userid: 'ada', projectid: company.shop }),
      aCloudEvent({ id: 'ada in api', userid: 'ada', projectid: company.api }),
    ]);

    const [ofAda, ofMaintainer] = [await eventsBehind(ada, fromTheBeginning, 2), await eventsBehind(maintainer, fromTheBeginning, 2)];

    expect(ofAda.map(({ sourceId, position }) => [sourceId, position])).toEqual([
      ['ada in shop', 2],
      ['ada in api', 3],
    ]);
    expect(ofMaintainer.map(({ sourceId, position }) => [sourceId, position])).toEqual([
      ['bob in api', 1],
      ['ada in api', 3],
    ]);
    expect((await eventsBehind(maintainer, ofAda[0]?.cursor ?? null, 1)).map(({ sourceId }) => sourceId)).toEqual(['ada in api']);
  });

  it.each([
    ['of a list of events', () => cursorOf('event', '00000000-0000-7000-8000-000000000000')],
    ['of another organization', () => feedCursor(organizationId('other'), 0)],
    ['behind the end of the log', (id: string) => feedCursor(organizationId(id), 1_000_000)],
    ['that is made up', () => 'latest'],
  ])('refuses a cursor %s with a code, and lets the connection live', async (_what, after) => {
    const company = await aCompany();
    const owner = await ownerOf(company);

    await expect(auditFeed(owner, after(company.id)).next()).rejects.toThrow(/after: not a cursor of this (list|log)\..*BAD_USER_INPUT/);
  });

  it('ends with the token, with a code', async () => {
    const company = await aCompany();
    const brief = await subgraph.as({ userId: 'owner', organizationId: company.id, scopes: ['audit:read'], expiresInSeconds: 2 });

    const watch = async (): Promise<void> => {
      for await (const item of auditFeed(brief)) if (item.kind === 'event') throw new Error('Nothing was recorded.');
    };

    await expect(watch()).rejects.toThrow(/The token has expired.*UNAUTHENTICATED/);
  });

  it('shows nothing more to somebody who lost the role, within a second', async () => {
    const company = await aCompany();
    const maintainer = await company.member('MAINTAINER', company.core, { userId: 'leaver' });
    const feed = await aRunningFeed(maintainer);
    await recorded(company.platform, [aCloudEvent({ id: 'seen', userid: 'bob', projectid: company.api })]);
    expect((await nextEvents(feed, 1)).map(({ sourceId }) => sourceId)).toEqual(['seen']);

    await pushed(company.platform, { memberships: [{ userId: 'leaver', namespaceId: company.core, deleted: true }] });
    // Two heartbeats: at least a second has passed.
    await feed.next();
    await feed.next();
    await recorded(company.platform, [
      aCloudEvent({ id: 'hidden', userid: 'bob', projectid: company.api }),
      aCloudEvent({ id: 'own', userid: 'leaver' }),
    ]);

    expect((await nextEvents(feed, 1)).map(({ sourceId }) => sourceId)).toEqual(['own']);
    await feed.return();
  });

  it('needs the scope audit:read', async () => {
    const company = await aCompany();
    const recorder = await subgraph.as({ userId: 'owner', organizationId: company.id, scopes: ['audit:record'] });

    await expect(auditFeed(recorder, fromTheBeginning).next()).rejects.toThrow(/scope audit:read.*FORBIDDEN/);
  });

  it('may be left at any time without disturbing others on the same service', async () => {
    const company = await aCompany();
    const owner = await ownerOf(company);
    const staying = auditFeed(owner, fromTheBeginning);

    for (let round = 0; round < 20; round += 1) {
      const leaving = owner.subscribe('subscription { agentAuditEventAppended { __typename } }');
      const first = leaving.next();
      await recorded(company.platform, [aCloudEvent({ id: `e${round}` })]);
      await leaving.return?.();
      await first;
    }

    expect((await nextEvents(staying, 20)).map(({ position }) => position)).toEqual([...Array(20).keys()]);
    await staying.return();
  });
});

describe('a lost connection', () => {
  it('is resumed without loss or repetition while writers go on, however often the socket drops', async () => {
    const company = await aCompany();
    const owner = await ownerOf(company);
    const total = 600;
    const writing = recordAtOnce([company.platform], total, company.api);

    const seen: FedEvent[] = [];
    let drops = 0;
    while (seen.length < total) {
      const proxy = await aProxy(subgraph.url);
      const feed = droppableFeed(owner, proxy.port, seen.at(-1)?.cursor ?? feedCursor(organizationId(company.id), 0));
      const upTo = Math.min(total, seen.length + 40 + drops * 17);
      for await (const event of feed) {
        seen.push(event);
        // The socket breaks while results are on their way; those are never seen.
        if (seen.length >= upTo) break;
      }
      await proxy.cut();
      drops += 1;
    }
    await writing;

    expect(drops).toBeGreaterThan(4);
    expect(seen.map(({ position }) => position)).toEqual([...Array(total).keys()]);
    expect(asRows(seen)).toEqual(await logOf(company.id));
  });

  it('with a client that takes its time costs nobody anything, and the client nothing either', async () => {
    const company = await aCompany();
    const owner = await ownerOf(company);
    const slow = auditFeed(owner, fromTheBeginning);
    await recorded(company.platform, [aCloudEvent()]);
    const first = await nextEvents(slow, 1);

    await recordAtOnce([company.platform], 400, company.api);
    const quick = await eventsBehind(owner, fromTheBeginning, 401);
    const rest = await nextEvents(slow, 400);
    await slow.return();

    expect(asRows([...first, ...rest])).toEqual(asRows(quick));
  });

  /** A feed over a stretch of network that will be cut. */
  async function* droppableFeed(of: Client, port: number, after: string): AsyncGenerator<FedEvent, void> {
    const faraway = clientOf(`http://127.0.0.1:${port}`, { authorization: `Bearer ${of.token}` });
    for await (const item of auditFeed(faraway, after)) if (item.kind === 'event') yield item.event;
  }
});

describe('two processes on one database', () => {
  it.each(['with Redis', 'without Redis'])('what is recorded at one reaches a subscriber at the other, %s', async (how) => {
    const one = await aProcess(how === 'with Redis' ? { REDIS_URL: await aRedisUrl() } : {});
    const other = await aSibling(one);
    const company = await anOrganization(one);
    await pushed(company.platform, { memberships: [{ userId: 'owner', namespaceId: company.id, role: 'OWNER' }] });
    const at = (process: TestSubgraph) => ownerOf(company, process);

    const feeds = [auditFeed(await at(one), fromTheBeginning), auditFeed(await at(other), fromTheBeginning)];
    await recordAtOnce([await at(one), await at(other)], 100, company.api);
    const seen = await Promise.all(feeds.map((feed) => nextEvents(feed, 100)));
    await Promise.all(feeds.map((feed) => feed.return()));

    expect(seen[0]?.map(({ position }) => position)).toEqual([...Array(100).keys()]);
    expect(seen[1]).toEqual(seen[0]);
  });

  it('lose nothing when Redis is killed in the middle, nor when it comes back', async () => {
    const redis = closedAfterwards(await startRedis(), (running) => running.stop());
    const one = await aProcess({ REDIS_URL: redis.url });
    const other = await aSibling(one);
    const company = await anOrganization(one);
    await pushed(company.platform, { memberships: [{ userId: 'owner', namespaceId: company.id, role: 'OWNER' }] });
    const writers = [await ownerOf(company, one), await ownerOf(company, other)];

    const feed = auditFeed(await ownerOf(company, other), fromTheBeginning);
    await recordAtOnce(writers, 50, company.api);
    const writing = recordAtOnce(writers, 200, company.web);
    await redis.stop();
    await writing;
    const throughTheOutage = await nextEvents(feed, 250);
    closedAfterwards(await startRedis(redis.port), (again) => again.stop());
    await recordAtOnce(writers, 50, company.shop);
    const afterwards = await nextEvents(feed, 50);
    await feed.return();

    expect([...throughTheOutage, ...afterwards].map(({ position }) => position)).toEqual([...Array(300).keys()]);
    expect([...one.logged, ...other.logged].filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});

describe('a service that stops', () => {
  it('breaks the connection off instead of ending the feed, so that clients come back; none of its feeds is lost', async () => {
    const first = await aSubgraph({ FEED_HEARTBEAT_SECONDS: '1' });
    const company = await anOrganization(first);
    await pushed(company.platform, { memberships: [{ userId: 'owner', namespaceId: company.id, role: 'OWNER' }] });
    const feed = auditFeed(await ownerOf(company, first), fromTheBeginning);
    await recorded(company.platform, [aCloudEvent({ id: 'a' })]);
    const [a] = await nextEvents(feed, 1);

    const next = feed.next().then(
      () => 'the feed went on or ended',
      (event: unknown) => event,
    );
    const second = closedAfterwards(await first.restart(), (process) => process.close());
    await recorded(await ownerOf(company, second), [aCloudEvent({ id: 'b' })]);
    const resumed = await eventsBehind(await ownerOf(company, second), a?.cursor ?? null, 1);

    expect(await next).toMatchObject({ code: 1001 });
    expect(resumed.map(({ position, sourceId }) => [position, sourceId])).toEqual([[1, 'b']]);
  });
});
