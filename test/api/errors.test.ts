import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aDatabase, type TestDatabase } from '../support/database.js';
import { askDecision, createPolicy, DECIDE } from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { aProxy, through, type Proxy } from '../support/proxy.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let database: TestDatabase;
let network: Proxy;
let subgraph: TestSubgraph;
let organization: TestOrganization;
let owner: Client;
beforeAll(async () => {
  database = await aDatabase();
  network = await aProxy(database.url);
  subgraph = await aSubgraph({ DATABASE_URL: through(network, database.url) });
  organization = await anOrganization(subgraph);
  owner = await organization.member('OWNER', organization.id);
});
afterAll(async () => {
  await subgraph.close();
  await network.close();
  await database.drop();
});

const JSON_TYPE = { 'content-type': 'application/json' };

async function answerTo(path: string, init: RequestInit): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await owner.request(path, init);
  return { status: response.status, body: JSON.parse(await response.text()) };
}

describe('a REST request that is refused', () => {
  it.each([
    ['no JSON', '{', JSON_TYPE, 400],
    ['an empty body', '', JSON_TYPE, 400],
    ['another JSON value than an object', '[]', JSON_TYPE, 400],
    ['text', 'hello', { 'content-type': 'text/plain' }, 400],
    ['a form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }, 400],
    ['more than a mebibyte', JSON.stringify({ more: 'x'.repeat(1024 * 1024) }), JSON_TYPE, 413],
    ['a key that would poison an object', '{"__proto__": {"isAdmin": true}}', JSON_TYPE, 400],
  ])('says why: %s', async (_what, body, headers, status) => {
    expect(await answerTo('/access/v1/evaluation', { method: 'POST', body, headers })).toEqual({
      status,
      body: { error: { code: 'BAD_USER_INPUT', message: expect.stringMatching(/\w/) } },
    });
  });

  it.each(['evaluations', 'search/subject', 'search/resource', 'search/action'])(
    'says so for every route of AuthZEN: %s',
    async (route) => {
      const statusOf = async (body: string, headers: Readonly<Record<string, string>> = JSON_TYPE) => {
        const response = await owner.request(`/access/v1/${route}`, {
          method: 'POST',
          body,
          headers: { ...headers, 'x-request-id': 'r 1' },
        });
        return [response.status, response.headers.get('x-request-id')];
      };

      for (const body of ['{', '', '[]', 'null', '{}']) expect(await statusOf(body)).toEqual([400, 'r 1']);
      expect(await statusOf('{}', { 'content-type': 'text/plain' })).toEqual([400, 'r 1']);
      expect(await statusOf(JSON.stringify({ more: 'x'.repeat(1024 * 1024) }))).toEqual([413, 'r 1']);
    },
  );

  it('says so for the directory too', async () => {
    expect(await answerTo('/v1/directory', { method: 'PUT', body: 'hello', headers: { 'content-type': 'text/plain' } })).toMatchObject({
      status: 415,
    });
    expect(await answerTo('/v1/directory', { method: 'PUT', body: '{"projects": []}', headers: JSON_TYPE })).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('projects') } },
    });
  });

  it.each([
    ['GET', '/access/v1/evaluation'],
    ['GET', '/access/v1/evaluations'],
    ['PUT', '/access/v1/search/subject'],
    ['GET', '/'],
    ['GET', '/v1/audit-events?secret=hunter2'],
  ])('names what is not there: %s %s', async (method, path) => {
    expect(await answerTo(path, { method })).toEqual({
      status: 404,
      body: { error: { code: 'NOT_FOUND', message: `There is nothing at ${method} ${path.split('?')[0] ?? ''}.` } },
    });
  });

  it('names the scope that a token lacks', async () => {
    const reader = await organization.member('OWNER', organization.id, { scopes: ['audit:read'] });

    const response = await reader.request('/v1/directory', { method: 'PUT', body: '{}', headers: JSON_TYPE });

    expect({ status: response.status, body: await response.json() }).toEqual({
      status: 403,
      body: { error: { code: 'FORBIDDEN', message: 'This needs a token with the scope directory:write.' } },
    });
  });
});

describe('an operation that is refused', () => {
  const ENTITIES = 'query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }';
  const unresolvable = { __typename: 'AgentAuditEvent', id: 'x' };

  it.each([
    ['no type of ours', [unresolvable, { __typename: 'Nope', id: 'x' }], /^representations\[1\]\.__typename: must be one of /],
    ['a type that is no entity', [{ __typename: 'PageInfo', id: 'x' }], /^representations\[0\]\.__typename: must be one of /],
    ['no type', [unresolvable, { id: 'x' }], /^representations\[1\]\.__typename: must be one of /],
    ['no object', [unresolvable, 7], /^representations\[1\]\.__typename: must be one of /],
    ['a number for an id', [{ __typename: 'AgentTool', id: 5 }], /^representations\[0\]\.id: must be a string\.$/],
    ['no id', [{ __typename: 'Project' }], /^representations\[0\]\.id: must be a string\.$/],
  ])('names the representation at fault, and harms nobody else: %s', async (_what, of, message) => {
    const lost: unknown[] = [];
    const onLost = (error: unknown): unknown => lost.push(error);
    process.on('unhandledRejection', onLost);
    // Somebody for whom even the representations before it fail.
    const nobody = await organization.member('GUEST', organization.id, { scopes: [] });

    const { errors } = await nobody.graphql(ENTITIES, { of });
    await new Promise((resolve) => setTimeout(resolve, 0));
    process.off('unhandledRejection', onLost);

    expect(errors).toMatchObject([{ message: expect.stringMatching(message), extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(lost).toEqual([]);
  });

  it.each([
    ['application/json', 200],
    ['application/graphql-response+json', 400],
  ])('for asking too much is a mistake of the caller: %s', async (accept, status) => {
    const query =
      '{ agentAuditEvents(first: 100) { nodes { project { agentAuditEvents(first: 100) { nodes { project { agentTools(first: 2) { nodes { id } } } } } } } } }';

    const response = await owner.request('/graphql', {
      method: 'POST',
      headers: { ...JSON_TYPE, accept },
      body: JSON.stringify({ query }),
    });

    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });

  it('for a number that a double cannot hold says so', async () => {
    const query = `mutation { agentToolRegister(input: { id: "a/b", inputSchema: { maximum: 9007199254740993 } }) { change } }`;

    expect((await owner.graphql(query)).errors).toMatchObject([{ message: expect.stringContaining('9007199254740993') }]);
  });
});

describe('characters that cannot be stored', () => {
  const NUL = 'a\u0000b';
  const REFUSED = { message: 'A value holds characters that cannot be stored, such as NUL.', extensions: { code: 'BAD_USER_INPUT' } };

  it.each([
    ['agentPolicy(id: $id) { id }', { agentPolicy: null }],
    ['agentTool(id: $id) { id }', { agentTool: null }],
    ['agentAuditEvent(id: $id) { id }', { agentAuditEvent: null }],
  ])('are in no id: %s', async (field, data) => {
    expect(await owner.graphql(`query ($id: ID!) { ${field} }`, { id: NUL })).toEqual({ status: 200, data });
  });

  it.each(['agentPolicies', 'agentTools', 'agentAuditEvents'])('make no bug of a project’s id: %s', async (field) => {
    const query = `query ($it: [_Any!]!) { _entities(representations: $it) { ... on Project { ${field} { nodes { id } } } } }`;

    const representations = [NUL, organization.api].map((id) => ({ __typename: 'Project', id }));
    const { data, errors } = await owner.graphql(query, { it: representations });

    expect({ data, errors }).toEqual({ data: { _entities: [null, { [field]: { nodes: expect.any(Array) } }] } });
  });

  it('make no bug of a namespace’s id', async () => {
    expect(await owner.graphql('query ($id: ID!) { agentPolicies(namespaceId: $id) { nodes { id } } }', { id: NUL })).toMatchObject({
      data: { agentPolicies: null },
      errors: [REFUSED],
    });
  });

  it.each([
    ['a NUL character', NUL],
    ['half a character', '\ud800'],
  ])('are refused where they would be stored: %s', async (_what, text) => {
    const policy = { namespaceId: organization.id, name: 'p', text: 'permit (principal, action, resource);' };
    const question = { agentId: 'a', projectId: organization.api, tool: 't' };

    expect((await createPolicy(owner, { ...policy, name: text })).errors).toMatchObject([
      { __typename: 'AgentInputInvalid', inputProblems: [{ path: 'name' }] },
    ]);
    expect((await createPolicy(owner, { ...policy, description: text })).errors).toMatchObject([
      { __typename: 'AgentInputInvalid', inputProblems: [{ path: 'description' }] },
    ]);
    expect((await createPolicy(owner, { ...policy, text: `// ${text}\n${policy.text}` })).errors).toMatchObject([
      { __typename: 'AgentPolicyInvalid' },
    ]);
    expect((await createPolicy(owner, { ...policy, namespaceId: text })).errors).toMatchObject([
      { __typename: 'AgentInputInvalid', inputProblems: [{ path: 'namespaceId' }] },
    ]);
    for (const field of ['agentId', 'projectId', 'tool', 'sessionId', 'callId', 'requestId']) {
      expect((await askDecision(owner, { ...question, [field]: text })).errors).toMatchObject([
        { __typename: 'AgentInputInvalid', inputProblems: [{ path: field }] },
      ]);
    }
  });
});

describe('a page that is asked for wrongly', () => {
  it.each([
    ['first: 0', 'first: must be from 1 to 100; got 0.'],
    ['first: 101', 'first: must be from 1 to 100; got 101.'],
    ['after: "nonsense"', expect.stringMatching(/^after: not a cursor/)],
    [`after: "${Buffer.from('tool:a\u0000').toString('base64url')}"`, expect.stringMatching(/^after: not a cursor/)],
    [`after: "${Buffer.from('policy:["a","b\u0000"]').toString('base64url')}"`, expect.stringMatching(/^after: not a cursor/)],
  ])('is told so: %s', async (args, message) => {
    for (const field of ['agentTools', 'agentPolicies']) {
      expect(await owner.graphql(`{ ${field}(${args}) { nodes { id } } }`)).toMatchObject({
        status: 200,
        data: { [field]: null },
        errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }],
      });
    }
  });
});

describe('while Postgres is away', () => {
  const question = () => ({ agentId: organization.coder, projectId: organization.api, tool: 't' });
  beforeAll(() => network.cut());
  afterAll(() => network.mend());

  it.each([
    ['{ agentTools { nodes { id } } }', 'agentTools'],
    ['{ agentPolicies { nodes { id } } }', 'agentPolicies'],
    ['{ agentAuditEvents { nodes { id } } }', 'agentAuditEvents'],
  ])('a query answers UNAVAILABLE soon, and says nothing of the database’s whereabouts: %s', async (query, field) => {
    const startedAt = performance.now();

    const answer = await owner.graphql(query);

    expect(answer).toEqual({
      status: 200,
      data: { [field]: null },
      errors: [
        {
          message: 'The database cannot be reached. Try again.',
          path: [field],
          locations: expect.any(Array),
          extensions: { code: 'UNAVAILABLE' },
        },
      ],
    });
    expect(performance.now() - startedAt).toBeLessThan(6_000);
  });

  it('no call is decided, through either door', async () => {
    const graphql = await owner.graphql(DECIDE, { input: question() });
    const body = JSON.stringify({
      subject: { type: 'agent', id: organization.coder },
      action: { name: 'invokeTool' },
      resource: { type: 'tool', id: 't', properties: { project: organization.api } },
    });
    const response = await owner.request('/access/v1/evaluation', { method: 'POST', body, headers: JSON_TYPE });
    const several = { evaluations: [JSON.parse(body), {}] };
    const ofSeveral = await owner.request('/access/v1/evaluations', { method: 'POST', body: JSON.stringify(several), headers: JSON_TYPE });

    expect(graphql).toMatchObject({ data: { answer: null }, errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
    expect(ofSeveral.status).toBe(503);
    expect({ status: response.status, retryAfter: response.headers.get('retry-after'), body: await response.json() }).toEqual({
      status: 503,
      retryAfter: '1',
      body: { error: { code: 'UNAVAILABLE', message: 'The database cannot be reached. Try again.' } },
    });
  });

  it('it lives and is not ready', async () => {
    expect((await owner.request('/health/live')).status).toBe(200);
    expect((await owner.request('/health/ready')).status).toBe(503);
  });

  it('and answers again as soon as it is back', async () => {
    await network.mend();

    expect((await owner.request('/health/ready')).status).toBe(200);
    expect(await askDecision(owner, question())).toMatchObject({ decision: { verdict: 'DENY' } });
  });
});
