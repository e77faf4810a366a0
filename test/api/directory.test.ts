import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Database } from '../../src/platform/postgres.js';
import { openAsOwner } from '../support/database.js';
import { aCloudEvent } from '../support/cloud-events.js';
import { anOrganization } from '../support/organization.js';
import { recorded } from '../support/recording.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
let database: Database;
beforeAll(async () => {
  subgraph = await aSubgraph();
  database = openAsOwner(subgraph.databaseUrl);
});
afterAll(async () => {
  await database.close();
  await subgraph.close();
});

interface PushAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> & { readonly errors?: readonly Readonly<Record<string, unknown>>[] };
}

async function push(client: Client, rows: unknown, body = JSON.stringify(rows)): Promise<PushAnswer> {
  const response = await client.request('/v1/directory', { method: 'PUT', body, headers: { 'content-type': 'application/json' } });
  return { status: response.status, body: (await response.json()) as PushAnswer['body'] };
}

/** Somebody who may push for a new organization. */
async function aPlatform(scopes: readonly string[] = ['directory:write']) {
  const id = `organization-${randomUUID()}`;
  return {
    id,
    platform: await subgraph.as({ userId: 'platform', organizationId: id, scopes }),
    root: { id, kind: 'ORGANIZATION', path: 'company' },
  };
}

const linesOf = async (organizationId: string) =>
  Object.fromEntries(
    (
      await database.sql.query<{ id: string; ancestors: readonly string[] }>(
        'SELECT id, ancestors FROM namespace WHERE organization_id = $1',
        [organizationId],
      )
    ).map(({ id, ancestors }) => [id, ancestors]),
  );
const epochOf = async (organizationId: string) =>
  Number((await database.sql.query<{ epoch: string }>('SELECT epoch FROM organization WHERE id = $1', [organizationId]))[0]?.epoch);

describe('a push of 50,000 rows', () => {
  const fiftyThousand = (id: string) => ({
    namespaces: [
      // Backwards, so that every row comes before its parent.
      ...Array.from({ length: 8_000 }, (_, n) => ({ id: `p${n}`, kind: 'PROJECT', parentId: `g${n % 999}`, path: `p${n}` })),
      ...Array.from({ length: 999 }, (_, n) => ({
        id: `g${n}`,
        kind: 'GROUP',
        parentId: n < 100 ? id : `g${n - 100}`,
        path: `g${n}`,
      })).toReversed(),
      { id, kind: 'ORGANIZATION', path: 'company' },
    ],
    memberships: Array.from({ length: 31_000 }, (_, n) => ({ userId: `u${n % 5_000}`, namespaceId: `g${n % 997}`, role: 'DEVELOPER' })),
    agents: Array.from({ length: 10_000 }, (_, n) => ({ id: `a${n}`, classes: ['coding'], trust: n % 101 })),
  });
  const none = { created: 0, updated: 0, unchanged: 0, deleted: 0, rejected: 0 };

  it('is taken in one request, whole; coming again it changes nothing', async () => {
    const { id, platform } = await aPlatform();
    const rows = fiftyThousand(id);

    const first = await push(platform, rows);
    const epoch = await epochOf(id);
    const again = await push(platform, rows);

    expect(first).toEqual({
      status: 200,
      body: {
        namespaces: { ...none, received: 9_000, created: 9_000 },
        memberships: { ...none, received: 31_000, created: 31_000 },
        agents: { ...none, received: 10_000, created: 10_000 },
        users: { ...none, received: 0 },
        errors: [],
      },
    });
    expect(again.body).toEqual({
      namespaces: { ...none, received: 9_000, unchanged: 9_000 },
      memberships: { ...none, received: 31_000, unchanged: 31_000 },
      agents: { ...none, received: 10_000, unchanged: 10_000 },
      users: { ...none, received: 0 },
      errors: [],
    });
    expect((await linesOf(id))['p307']).toEqual([id, 'g7', 'g107', 'g207', 'g307', 'p307']);
    expect(await epochOf(id)).toBe(epoch);
  }, 60_000);

  it('may not hold one row more, and then nothing of it is taken', async () => {
    const { id, platform } = await aPlatform();

    const answer = await push(platform, { agents: Array.from({ length: 50_001 }, (_, n) => ({ id: `a${n}` })) });

    expect(answer).toEqual({
      status: 400,
      body: { error: { code: 'BAD_USER_INPUT', message: 'body: must hold at most 50,000 rows in all; send the rest in another request.' } },
    });
    expect(await database.sql.query('SELECT 1 FROM agent WHERE organization_id = $1 LIMIT 1', [id])).toEqual([]);
  });
});

describe('rows that are not acceptable', () => {
  it('are answered one by one, and hold nothing else up', async () => {
    const { id, platform, root } = await aPlatform();

    const { status, body } = await push(
      platform,
      null,
      `{"namespaces":[${JSON.stringify(root)},{"id":"lone \\ud800","kind":"GROUP","parentId":"${id}","path":"g"},{"id":"g","kind":"GROUP","parentId":"${id}","path":"nul \\u0000"},{"id":"good","kind":"GROUP","parentId":"${id}","path":"good"},{"id":"somebody-elses","kind":"ORGANIZATION","path":"x"},7],
        "memberships":[{"userId":"ada","namespaceId":"nowhere","role":"OWNER"},{"userId":"ada","namespaceId":"good","role":"OWNER"}],
        "agents":[{"id":"coder","trust":1000}]}`,
    );

    expect(status).toBe(200);
    expect(body.errors?.map(({ collection, index, path }) => [collection, index, path])).toEqual([
      ['namespaces', 1, 'id'],
      ['namespaces', 2, 'path'],
      ['namespaces', 5, ''],
      ['namespaces', 4, 'id'],
      ['memberships', 0, 'namespaceId'],
      ['agents', 0, 'trust'],
    ]);
    expect(body).toMatchObject({
      namespaces: { received: 6, created: 2, rejected: 4 },
      memberships: { received: 2, created: 1, rejected: 1 },
      agents: { received: 1, rejected: 1 },
    });
    expect(await linesOf(id)).toEqual({ [id]: [id], good: [id, 'good'] });
  });
});

describe('another organization', () => {
  it('cannot be pushed for: its rows are refused and nothing of it changes', async () => {
    const theirs = await anOrganization(subgraph);
    const mine = await aPlatform();
    const before = await linesOf(theirs.id);

    const { body } = await push(mine.platform, {
      namespaces: [
        mine.root,
        { id: theirs.id, kind: 'ORGANIZATION', path: 'stolen' },
        { id: 'g', kind: 'GROUP', parentId: theirs.payments, path: 'g' },
        { id: theirs.payments, deleted: true },
      ],
      memberships: [{ userId: 'eve', namespaceId: theirs.payments, role: 'OWNER' }],
      agents: [{ id: theirs.coder, deleted: true }],
    });

    expect(body.errors?.map(({ collection, index, path, message }) => [collection, index, path, message])).toEqual([
      ['namespaces', 1, 'id', 'must be the organization that the token is for'],
      ['namespaces', 2, 'parentId', `there is no namespace "${theirs.payments}" in this organization`],
      ['memberships', 0, 'namespaceId', `there is no namespace "${theirs.payments}" in this organization`],
    ]);
    expect(await linesOf(theirs.id)).toEqual(before);
    expect(await database.sql.query('SELECT id FROM agent WHERE organization_id = $1', [theirs.id])).toEqual([{ id: theirs.coder }]);
  });

  it('may have namespaces, users and agents of the same ids', async () => {
    const theirs = await anOrganization(subgraph);
    const mine = await aPlatform();

    await push(mine.platform, {
      namespaces: [mine.root, { id: theirs.payments, kind: 'PROJECT', parentId: mine.id, path: 'p' }],
      agents: [{ id: theirs.coder, trust: 1 }],
    });

    expect(await linesOf(mine.id)).toEqual({ [mine.id]: [mine.id], [theirs.payments]: [mine.id, theirs.payments] });
    expect((await linesOf(theirs.id))[theirs.payments]).toEqual([theirs.id, theirs.payments]);
  });
});

describe('two pushes at once', () => {
  it('come one after the other: of two moves that would make a ring, one is refused', async () => {
    const { id, platform, root } = await aPlatform();
    const group = (name: string, parentId = id) => ({ id: name, kind: 'GROUP', parentId, path: name });
    await push(platform, { namespaces: [root, group('a'), group('b')] });

    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all([
        push(platform, { namespaces: [group('a', 'b')] }),
        push(platform, { namespaces: [group('b', 'a')] }),
      ]);

      expect(answers.map(({ status, body }) => [status, body.errors?.length]).sort()).toEqual([
        [200, 0],
        [200, 1],
      ]);
      expect(
        Object.values(await linesOf(id))
          .map((line) => line.length)
          .sort(),
      ).toEqual([1, 2, 3]);
      await push(platform, { namespaces: [group('a'), group('b')] });
    }
  });

  it('of the same rows create each once, and the later finds them unchanged', async () => {
    const { id, platform, root } = await aPlatform();
    const rows = {
      namespaces: [root, ...Array.from({ length: 500 }, (_, n) => ({ id: `g${n}`, kind: 'GROUP', parentId: id, path: `g${n}` }))],
    };

    const answers = await Promise.all([push(platform, rows), push(platform, rows), push(platform, rows)]);

    expect(answers.map(({ body }) => body['namespaces'])).toEqual(
      expect.arrayContaining([expect.objectContaining({ created: 501 }), expect.objectContaining({ unchanged: 501 })]),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});

describe('a group', () => {
  const eventsOf = (client: Client, projectId: string) =>
    client.graphql<{ _entities: readonly [{ agentAuditEvents: { nodes: readonly { sourceId: string }[] } | null }] }>(
      'query ($of: [_Any!]!) { _entities(representations: $of) { ... on Project { agentAuditEvents { nodes { sourceId } } } } }',
      { of: [{ __typename: 'Project', id: projectId }] },
    );

  it('that moves takes its projects and its events along: who maintains the new place sees them, who maintains the old does not', async () => {
    const company = await anOrganization(subgraph);
    const [old, sales] = [await company.member('MAINTAINER', company.payments), `${company.id}/sales`];
    await push(company.platform, { namespaces: [{ id: sales, kind: 'GROUP', parentId: company.id, path: 'sales' }] });
    const fresh = await company.member('MAINTAINER', sales);
    await recorded(company.platform, [aCloudEvent({ id: 'e', projectid: company.api })]);
    expect((await eventsOf(old, company.api)).data?._entities[0].agentAuditEvents?.nodes).toEqual([{ sourceId: 'e' }]);
    expect((await eventsOf(fresh, company.api)).data?._entities[0].agentAuditEvents).toBeNull();

    const { body } = await push(company.platform, { namespaces: [{ id: company.core, kind: 'GROUP', parentId: sales, path: 'core' }] });

    expect(body).toMatchObject({ namespaces: { received: 1, updated: 2, unchanged: 0 }, errors: [] });
    expect((await linesOf(company.id))[company.api]).toEqual([company.id, sales, company.core, company.api]);
    expect((await eventsOf(fresh, company.api)).data?._entities[0].agentAuditEvents?.nodes).toEqual([{ sourceId: 'e' }]);
    expect((await eventsOf(old, company.api)).data?._entities[0].agentAuditEvents).toBeNull();
  });

  it('that is deleted takes its projects and members along; the record of what happened in it stays', async () => {
    const company = await anOrganization(subgraph);
    const [maintainer, owner] = [await company.member('MAINTAINER', company.core), await company.member('OWNER', company.id)];
    await recorded(company.platform, [aCloudEvent({ id: 'kept', projectid: company.api })]);

    const { body } = await push(company.platform, { namespaces: [{ id: company.payments, deleted: true }] });

    expect(body).toMatchObject({ namespaces: { received: 1, deleted: 4, unchanged: 0 }, memberships: { deleted: 1 }, errors: [] });
    expect(Object.keys(await linesOf(company.id)).sort()).toEqual([company.id, company.shop].sort());
    expect((await eventsOf(maintainer, company.api)).data?._entities[0].agentAuditEvents).toBeNull();
    expect((await owner.graphql('{ agentAuditEvents { nodes { sourceId project { id } } } }')).data).toEqual({
      agentAuditEvents: { nodes: [{ sourceId: 'kept', project: { id: company.api } }] },
    });
  });
});

describe('a request that is no push', () => {
  it.each([
    [
      'without the scope',
      async () => push((await aPlatform(['audit:record', 'act:any'])).platform, {}),
      403,
      'This needs a token with the scope directory:write.',
    ],
    ['without a token', async () => push(subgraph.anonymous(), {}), 401, 'This needs a bearer token in the Authorization header.'],
    [
      'with a collection that is unknown',
      async () => push((await aPlatform()).platform, { teams: [] }),
      400,
      expect.stringContaining('teams'),
    ],
    [
      'with something else for a collection',
      async () => push((await aPlatform()).platform, { agents: {} }),
      400,
      expect.stringMatching(/^agents: /),
    ],
    ['that is an array', async () => push((await aPlatform()).platform, []), 400, expect.stringMatching(/^body: /)],
    ['that is no JSON', async () => push((await aPlatform()).platform, null, '{"agents": ['), 400, expect.any(String)],
  ])('%s is refused with a sentence', async (_what, ask, status, message) => {
    const answer = await ask();

    expect(answer.status).toBe(status);
    expect(answer.body['error']).toMatchObject({ message });
  });

  it('is never what an empty push is: that changes nothing', async () => {
    const { id, platform, root } = await aPlatform();
    await push(platform, { namespaces: [root] });
    const epoch = await epochOf(id);

    expect((await push(platform, {})).status).toBe(200);
    expect(await epochOf(id)).toBe(epoch);
  });
});
