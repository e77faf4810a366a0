import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { readFile } from 'node:fs/promises';
import type { Database } from '../../src/platform/postgres.js';
import { openAsOwner } from '../support/database.js';
import { aCloudEvent, aSession, serviceData } from '../support/cloud-events.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { aProxy, through } from '../support/proxy.js';
import { postBatch, postBody, recorded } from '../support/recording.js';
import { itWithData, linesOf } from '../support/shared-data.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
let database: Database;
let company: TestOrganization;
beforeAll(async () => {
  subgraph = await aSubgraph();
  database = openAsOwner(subgraph.databaseUrl);
  company = await anOrganization(subgraph);
});
afterAll(async () => {
  await database.close();
  await subgraph.close();
});

const STRUCTURED = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';

/** What is stored under a source id, as it was hashed. */
const storedUnder = async (sourceId: string) =>
  (
    await database.sql.query<{ json: string }>(
      `SELECT json::text AS json FROM audit_event WHERE organization_id = $1 AND json::text LIKE '%"sourceId":' || $2 || '%'`,
      [company.id, JSON.stringify(sourceId)],
    )
  ).map(({ json }) => JSON.parse(json) as Readonly<Record<string, unknown>>);

interface Recorded {
  readonly answer: {
    readonly stored: number;
    readonly duplicates: number;
    readonly rejected: number;
    readonly receipts: readonly Readonly<Record<string, unknown>>[];
  } | null;
}
const recordByMutation = (client: Client, events: readonly unknown[]) =>
  client.graphql<Recorded>(
    'mutation ($input: AgentAuditEventsRecordInput!) { answer: agentAuditEventsRecord(input: $input) { stored duplicates rejected receipts { index status sourceId eventId seal path reason } } }',
    { input: { events } },
  );

describe('one event in structured mode', () => {
  it('is answered with its receipt once it is stored', async () => {
    const event = aCloudEvent({ projectid: company.api, agentid: company.coder });

    const answer = await postBody(company.platform, STRUCTURED, JSON.stringify(event));

    expect(answer).toEqual({
      status: 200,
      stored: 1,
      duplicates: 0,
      rejected: 0,
      unknownTypes: 0,
      results: [
        {
          index: 0,
          id: event['id'],
          status: 'stored',
          eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          seal: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      ],
    });
    expect(await storedUnder(String(event['id']))).toMatchObject([
      {
        type: 'ai_tool_invoked',
        source: '/duo_workflow_service',
        projectId: company.api,
        agentId: company.coder,
        sessionId: '4711',
        sequence: 3,
        tool: 'read_file',
        data: event['data'],
      },
    ]);
  });

  it('that is rejected makes the answer 400, with path and reason', async () => {
    expect(await postBody(company.platform, STRUCTURED, JSON.stringify(aCloudEvent({ id: 'x', type: '' })))).toEqual({
      status: 400,
      ...{ stored: 0, duplicates: 0, rejected: 1, unknownTypes: 0 },
      results: [{ index: 0, id: 'x', status: 'rejected', path: 'type', reason: 'must not be empty' }],
    });
  });

  it.each([`${STRUCTURED}; charset=utf-8`, 'Application/CloudEvents+JSON'])('may be announced as %s', async (contentType) => {
    expect((await postBody(company.platform, contentType, JSON.stringify(aCloudEvent()))).status).toBe(200);
  });
});

describe('a batch', () => {
  it('may hold every type that the agent service sends, in its shape', async () => {
    const events = aSession('session-of-all-types', { projectid: company.web });

    const answer = await postBatch(company.platform, events);

    expect(answer).toMatchObject({ status: 200, stored: 11, rejected: 0 });
    const rows = await database.sql.query<{ json: string }>(
      `SELECT json_build_object('data', e.json -> 'data', 'content', c.json -> 'data')::text AS json
       FROM audit_event e LEFT JOIN audit_event_content c ON c.event_id = e.id WHERE e.organization_id = $1 AND session_id = $2 ORDER BY seq`,
      [company.id, 'session-of-all-types'],
    );
    const whole = rows.map(({ json }) => JSON.parse(json) as { data: object; content: object | null });
    expect(whole.map(({ data, content }) => ({ ...data, ...content }))).toEqual(events.map((event) => event['data']));
  });

  it.each([`${BATCH}; charset=utf-8`, 'Application/CloudEvents-Batch+JSON'])('may be announced as %s', async (contentType) => {
    expect((await postBody(company.platform, contentType, JSON.stringify([aCloudEvent()]))).status).toBe(200);
  });

  it('stores the good ones and names what is wrong with each of the others', async () => {
    const good = [aCloudEvent({ id: 'good-0' }), aCloudEvent({ id: 'good-4' })];

    const body = JSON.stringify([
      good[0],
      aCloudEvent({ id: 'late', time: '2020-01-01T00:00:00Z' }),
      'text',
      aCloudEvent({ id: 'lost', projectid: 'nowhere' }),
      good[1],
      'HERE',
      'DEEP',
    ])
      .replace('"HERE"', JSON.stringify(aCloudEvent({ id: 'huge', type: 'other', data: 'N' })).replace('"N"', '[1e400]'))
      .replace(
        '"DEEP"',
        JSON.stringify(aCloudEvent({ id: 'deep', type: 'other', data: 'N' })).replace('"N"', `${'['.repeat(10_000)}${']'.repeat(10_000)}`),
      );
    const answer = await postBody(company.platform, BATCH, body);

    expect(answer).toMatchObject({ status: 200, stored: 2, duplicates: 0, rejected: 5 });
    expect(answer.results?.map(({ index, id, status, path }) => [index, id, status, path ?? null])).toEqual([
      [0, 'good-0', 'stored', null],
      [1, 'late', 'rejected', 'time'],
      [2, null, 'rejected', ''],
      [3, 'lost', 'rejected', 'projectid'],
      [4, 'good-4', 'stored', null],
      [5, 'huge', 'rejected', 'data.0'],
      [6, 'deep', 'rejected', 'data.0'],
    ]);
    expect([await storedUnder('good-0'), await storedUnder('good-4'), await storedUnder('late')].map((rows) => rows.length)).toEqual([
      1, 1, 0,
    ]);
  });

  it('keeps hostile content as what it is', async () => {
    const body = JSON.stringify([aCloudEvent({ id: 'hostile', data: 'HERE' })]).replace(
      '"HERE"',
      '{"tool_name":"read\\u0000file","tool_args":{"__proto__":{"a":1},"constructor":{"prototype":2},"nul":"\\u0000"}}',
    );

    expect(await postBody(company.platform, BATCH, body)).toMatchObject({ stored: 1 });
    const [stored] = await storedUnder('hostile');
    expect(JSON.stringify(stored?.['data'])).toBe(
      '{"tool_args":{"__proto__":{"a":1},"constructor":{"prototype":2},"nul":"\\u0000"},"tool_name":"read\\u0000file"}',
    );
  });

  it('is refused where it is no UTF-8', async () => {
    const body = Buffer.from(JSON.stringify([aCloudEvent({ id: 'latin', data: { tool_name: 'grep', note: 'caf\u00e9' } })]), 'latin1');
    const response = await company.platform.request('/v1/audit-events', { method: 'POST', headers: { 'content-type': BATCH }, body });

    expect({ status: response.status, body: await response.json() }).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('UTF-8') } },
    });
  });

  it('names a number that a double cannot hold, and stores the others', async () => {
    const body = JSON.stringify(['n-1', 'n-2'].map((id) => aCloudEvent({ id, data: { tool_name: 'grep', n: id } }))).replace(
      '"n":"n-1"',
      '"n":12345678901234567891',
    );

    expect(await postBody(company.platform, BATCH, body)).toMatchObject({
      ...{ stored: 1, rejected: 1 },
      results: [{ status: 'rejected', path: 'data.n', reason: expect.stringContaining('a double can hold exactly') }, { status: 'stored' }],
    });
  });

  it('is bounded: 500 events are taken, 501 refused as a whole', async () => {
    const events = Array.from({ length: 501 }, (_, n) => aCloudEvent({ id: `bound-${n}` }));

    expect(await postBatch(company.platform, events)).toEqual({
      status: 400,
      error: { code: 'BAD_USER_INPUT', message: 'events: must hold at most 500 events (and 5 MiB) a request; got 501.' },
    });
    expect(await storedUnder('bound-0')).toEqual([]);
    expect(await postBatch(company.platform, events.slice(1))).toMatchObject({ status: 200, stored: 500 });
  });

  it('is bounded to 5 MiB', async () => {
    const filled = (bytes: number) => {
      const frame = JSON.stringify([aCloudEvent({ type: 'other', data: '' })]).length;
      return JSON.stringify([aCloudEvent({ type: 'other', data: 'x'.repeat(bytes - frame) })]);
    };

    for (const bytes of [5 * 1024 * 1024 + 1, 20 * 1024 * 1024]) {
      expect(await postBody(company.platform, BATCH, filled(bytes))).toMatchObject({
        status: 413,
        error: { code: 'BAD_USER_INPUT', message: 'body: must have at most 5242880 bytes (5 MiB).' },
      });
    }
    expect(await postBody(company.platform, BATCH, filled(5 * 1024 * 1024))).toMatchObject({
      status: 400,
      results: [{ path: 'data', reason: expect.stringMatching(/^must be shorter: the event may have at most 1000000 characters of JSON/) }],
    });
  });
});

describe('a request that is none', () => {
  it.each([
    ['another content type', 'application/json', '{}', 415],
    ['text', 'text/plain', '{}', 415],
    ['no content type', null, JSON.stringify(aCloudEvent()), 415],
    ['malformed JSON', STRUCTURED, '{"id": ', 400],
    ['nothing', STRUCTURED, '', 400],
    ['an object as a batch', BATCH, '{}', 400],
  ])('is refused with a sentence: %s', async (_what, contentType, body, status) => {
    const answer = await postBody(company.platform, contentType, body);

    expect(answer.status).toBe(status);
    expect(answer.error).toMatchObject({
      code: 'BAD_USER_INPUT',
      message: status === 415 ? `Content-Type: must be ${STRUCTURED} or ${BATCH}.` : expect.stringMatching(/^(body|events): must /),
    });
  });

  it('may be an empty batch, which stores nothing', async () => {
    expect(await postBatch(company.platform, [])).toEqual({
      status: 200,
      ...{ stored: 0, duplicates: 0, rejected: 0, unknownTypes: 0 },
      results: [],
    });
  });

  it('needs a token with the scope audit:record', async () => {
    const reader = await company.member('OWNER', company.id, { scopes: ['audit:read', 'act:any'] });

    expect(await postBatch(reader, [aCloudEvent()])).toEqual({
      status: 403,
      error: { code: 'FORBIDDEN', message: 'This needs a token with the scope audit:record.' },
    });
    expect((await postBatch(subgraph.anonymous(), [aCloudEvent()])).status).toBe(401);
  });
});

describe('an event sent twice', () => {
  it('is stored once, whichever way it comes, and answered with the same id and seal', async () => {
    const event = aCloudEvent({ id: 'twice' });

    const first = await postBody(company.platform, STRUCTURED, JSON.stringify(event));
    const batch = await postBatch(company.platform, [event, event]);
    const mutation = await recordByMutation(company.platform, [event]);

    const [{ eventId, seal } = { eventId: null, seal: null }] = first.results ?? [];
    expect(batch).toMatchObject({
      status: 200,
      stored: 0,
      duplicates: 2,
      results: [
        { status: 'duplicate', eventId, seal },
        { status: 'duplicate', eventId, seal },
      ],
    });
    expect(mutation.data).toEqual({
      answer: {
        stored: 0,
        duplicates: 1,
        rejected: 0,
        receipts: [{ index: 0, status: 'DUPLICATE', sourceId: 'twice', eventId, seal, path: null, reason: null }],
      },
    });
    expect(await storedUnder('twice')).toHaveLength(1);
  });

  it('by two callers at once is stored once for both', async () => {
    const events = Array.from({ length: 100 }, (_, n) => aCloudEvent({ id: `race-${n}` }));

    const answers = await Promise.all([events, events.toReversed(), events].map((order) => postBatch(company.platform, order)));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.reduce((sum, { stored = 0 }) => sum + stored, 0)).toBe(100);
    expect(new Set(answers.flatMap(({ results = [] }) => results.map(({ seal }) => seal))).size).toBe(100);
  });
});

describe('the mutation', () => {
  it('takes the same events and says the same of them', async () => {
    const { data, errors } = await recordByMutation(company.platform, [
      aCloudEvent({ id: 'm-1', projectid: company.web }),
      'text',
      aCloudEvent({ id: 'm-2', data: {} }),
    ]);

    expect(errors).toBeUndefined();
    expect(data?.answer).toMatchObject({
      ...{ stored: 1, duplicates: 0, rejected: 2 },
      receipts: [
        { index: 0, status: 'STORED', sourceId: 'm-1', path: null },
        { index: 1, status: 'REJECTED', sourceId: null, path: '', reason: 'must be a JSON object', eventId: null, seal: null },
        { index: 2, status: 'REJECTED', sourceId: 'm-2', path: 'data.tool_name', reason: 'is missing: it must be a string' },
      ],
    });
    expect(await storedUnder('m-1')).toHaveLength(1);
  });

  it('takes members that other servers would refuse', async () => {
    const event = JSON.stringify(aCloudEvent({ id: 'm-proto', data: 'HERE' })).replace('"HERE"', '{"tool_name":"a","__proto__":{"b":1}}');
    const query = JSON.stringify('mutation ($e: AgentCloudEvent!) { answer: agentAuditEventsRecord(input: { events: [$e] }) { stored } }');
    const body = `{"query":${query},"variables":{"e":${event}}}`;

    const response = await company.platform.request('/graphql', { method: 'POST', headers: { 'content-type': 'application/json' }, body });

    expect(await response.json()).toEqual({ data: { answer: { stored: 1 } } });
    expect(JSON.stringify((await storedUnder('m-proto'))[0]?.['data'])).toBe('{"__proto__":{"b":1},"tool_name":"a"}');
  });

  it('takes events written into the document', async () => {
    const time = new Date().toISOString();

    const { data } = await company.platform.graphql<Recorded>(
      `mutation { answer: agentAuditEventsRecord(input: { events: [{ specversion: "1.0", id: "inline", source: "/me", type: "other", time: "${time}", data: { n: 1, deep: [{ a: null }] } }] }) { stored receipts { status reason } } }`,
    );

    expect(data?.answer).toEqual({ stored: 1, receipts: [{ status: 'STORED', reason: null }] });
    expect(await storedUnder('inline')).toMatchObject([{ data: { n: 1, deep: [{ a: null }] } }]);
  });

  it('refuses 501 events', async () => {
    const count = 501;
    const { errors } = await recordByMutation(
      company.platform,
      Array.from({ length: count }, () => aCloudEvent()),
    );

    expect(errors).toMatchObject([
      { message: `events: must hold at most 500 events (and 5 MiB) a request; got ${count}.`, extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });
});

describe('whose events', () => {
  it('are one’s own without act:any; for another user they are rejected', async () => {
    const own = await company.member('DEVELOPER', company.payments, { userId: 'ada', scopes: ['audit:record'] });

    const answer = await postBatch(own, [
      aCloudEvent({ id: 'own', projectid: company.api }),
      aCloudEvent({ id: 'for-bob', userid: 'bob' }),
    ]);

    expect(answer).toMatchObject({
      stored: 1,
      rejected: 1,
      results: [{ status: 'stored' }, { path: 'userid', reason: 'must be the token’s own user, or the token must have the scope act:any' }],
    });
    expect(await storedUnder('own')).toMatchObject([{ userId: 'ada' }]);
  });

  it('are anybody’s with act:any', async () => {
    await recorded(company.platform, [aCloudEvent({ id: 'of-bob', userid: 'bob' })]);

    expect(await storedUnder('of-bob')).toMatchObject([{ userId: 'bob' }]);
  });

  it('say nothing about projects: what is unknown, foreign or closed to one looks the same', async () => {
    const other = await anOrganization(subgraph);
    const own = await company.member('DEVELOPER', company.payments, { scopes: ['audit:record'] });
    const places = ['nowhere', other.api, company.shop, company.payments, company.id];

    const answer = await postBatch(
      own,
      places.map((projectid) => aCloudEvent({ id: 'same', projectid })),
    );

    expect(answer.results?.map(({ path, reason }) => [path, reason])).toEqual(
      places.map(() => ['projectid', 'must be a project of the organization that the directory knows']),
    );
  });
});

describe('an answer', () => {
  it('never comes without the record: with the database away it is 503, and sending again stores once', async () => {
    const proxy = await aProxy(subgraph.databaseUrl);
    const cutOff = await aSubgraph({ DATABASE_URL: through(proxy, subgraph.databaseUrl) });
    const platform = await cutOff.as({ userId: 'platform', organizationId: company.id, scopes: ['audit:record', 'act:any'] });
    const events = [aCloudEvent({ id: 'outage' })];
    await recorded(platform, [aCloudEvent()]);

    await proxy.cut();
    const refused = await postBatch(platform, events);
    await proxy.mend();
    const again = await postBatch(platform, events);
    await cutOff.close();
    await proxy.close();

    expect(refused).toMatchObject({ status: 503, error: { code: 'UNAVAILABLE' } });
    expect(again).toMatchObject({ status: 200, stored: 1 });
    expect(await storedUnder('outage')).toHaveLength(1);
  });
});

describe('real data', () => {
  itWithData(
    'cloudevents/cloudevents.schema.json',
    'what is sent and taken here is CloudEvents 1.0 by the specification’s own schema',
    async (path) => {
      const ajv = new Ajv({ strict: false });
      addFormats.default(ajv);
      const isCloudEvent = ajv.compile(JSON.parse(await readFile(path, 'utf8')) as object);
      const events = [
        ...aSession('s'),
        aCloudEvent({ projectid: company.api, userid: 'bob', agentid: company.coder, callid: 'c', type: 'com.example.other', data: [1] }),
      ];

      expect(events.filter((event) => !isCloudEvent(event)).map(() => isCloudEvent.errors)).toEqual([]);
      expect(await postBatch(company.platform, events)).toMatchObject({ stored: Object.keys(serviceData).length + 1 });
    },
  );

  itWithData(
    'agentdojo/calls.ndjson',
    '6,000 recorded tool calls give exactly the file’s counts per tool and agent, and a second time add nothing',
    async (path) => {
      const calls = await linesOf<{ traceId: string; model: string; step: number; tool: string; args: unknown }>(path);
      const theirs = await anOrganization(subgraph);
      const begin = Date.now() - 86_400_000;
      const events = calls.map(({ traceId, model, step, tool, args }, index) =>
        aCloudEvent({
          id: `${traceId} ${step}`,
          subject: traceId.slice(0, 200),
          time: new Date(begin + index).toISOString(),
          agentid: model,
          projectid: theirs.api,
          data: { tool_name: tool, tool_args: args },
        }),
      );
      const countBy = (names: readonly string[]) =>
        Object.fromEntries([...new Set(names)].sort().map((name) => [name, names.filter((other) => other === name).length]));

      await recorded(theirs.platform, events);
      const again = await Promise.all(
        Array.from({ length: 12 }, (_, n) => postBatch(theirs.platform, events.slice(n * 500, n * 500 + 500))),
      );

      expect(calls).toHaveLength(6_000);
      expect(again.reduce((sum, { duplicates = 0 }) => sum + duplicates, 0)).toBe(6_000);
      const rows = await database.sql.query<{ tool: string; agent_id: string; session_id: string; arguments: string }>(
        `SELECT tool, agent_id, session_id FROM audit_event WHERE organization_id = $1`,
        [theirs.id],
      );
      expect(countBy(rows.map(({ tool }) => tool))).toEqual(countBy(calls.map(({ tool }) => tool)));
      expect(countBy(rows.map(({ agent_id }) => agent_id))).toEqual(countBy(calls.map(({ model }) => model)));
      expect(countBy(rows.map(({ session_id }) => session_id))).toEqual(countBy(calls.map(({ traceId }) => traceId.slice(0, 200))));
    },
    60_000,
  );
});
