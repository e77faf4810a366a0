import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { exportSPKI, generateKeyPair, importJWK, SignJWT, type JWK, type JWTPayload } from 'jose';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { aSubgraph, routerSecret, type TestSubgraph } from '../support/subgraph.js';

const ISSUER = 'https://id.example';
const HOUR = 3_600;

/** An identity provider whose every claim and header the test chooses. */
interface Provider {
  readonly jwksUrl: string;
  readonly publicKey: string;
  token(claims?: JWTPayload, header?: { readonly alg?: string; readonly kid?: string }): Promise<string>;
  /** A token by a key that the provider does not publish. */
  forged(claims?: JWTPayload): Promise<string>;
  /** Answers with this status and text instead of its keys from now on; undefined for the keys again. */
  answerWith(answer: { readonly status: number; readonly text: string } | undefined): void;
  close(): Promise<void>;
}

let provider: Provider;
let subgraph: TestSubgraph;
let organization: TestOrganization;
beforeAll(async () => {
  provider = await aProvider();
  subgraph = await aSubgraph({ TOKEN_ISSUER: ISSUER, JWKS_URL: provider.jwksUrl });
});
afterAll(async () => {
  await subgraph.close();
  await provider.close();
});

const QUERY = '{ agentTools { nodes { id } } }';
const FEED = 'subscription { agentAuditEventAppended { __typename } }';
const GOOD = { org: 'company', sub: 'ada', scope: 'audit:read decision:request', aud: 'agent-governance' };

describe('over HTTP', () => {
  const ask = async (headers: Readonly<Record<string, string>>) => {
    const { status, data, errors } = await subgraph.anonymous(headers).graphql(QUERY);
    return { status, data, codes: errors?.map((error) => error.extensions?.['code']), messages: errors?.map((error) => error.message) };
  };
  const UNAUTHENTICATED = { status: 401, codes: ['UNAUTHENTICATED'] };
  const ANSWERED = { status: 200, data: { agentTools: { nodes: [] } }, codes: undefined };

  it('takes a token of its own audience from anybody', async () => {
    expect(await ask({ authorization: `Bearer ${await provider.token()}` })).toMatchObject(ANSWERED);
  });

  it.each(['bearer', 'BEARER', 'Bearer '])('reads the scheme as RFC 9110 does: %j', async (scheme) => {
    expect(await ask({ authorization: `${scheme} ${await provider.token()}` })).toMatchObject(ANSWERED);
  });

  it.each(['', 7, 'a\nb', 'x'.repeat(301), null])('takes no token whose claim agent names none: %j', async (agent) => {
    expect(await ask({ authorization: `Bearer ${await provider.token({ agent })}` })).toMatchObject({
      ...UNAUTHENTICATED,
      messages: [expect.stringContaining('agent')],
    });
    expect(await ask({ authorization: `Bearer ${await provider.token({ agent: 'gid://platform/Agent/coder' })}` })).toMatchObject(ANSWERED);
  });

  it('takes no request without a token and without the router’s secret', async () => {
    expect(await ask({})).toMatchObject(UNAUTHENTICATED);
  });

  it('takes a token of the platform’s audience behind the router’s secret alone', async () => {
    const authorization = `Bearer ${await provider.token({ aud: 'platform' })}`;

    expect(await ask({ authorization })).toMatchObject(UNAUTHENTICATED);
    expect(await ask({ authorization, 'router-secret': `${routerSecret}!` })).toMatchObject(UNAUTHENTICATED);
    expect(await ask({ authorization, 'router-secret': routerSecret })).toMatchObject(ANSWERED);
    // Remembered as good behind the secret is not remembered as good without.
    expect(await ask({ authorization })).toMatchObject(UNAUTHENTICATED);
  });

  it('takes no token of any other audience, not even behind the router’s secret', async () => {
    expect(await ask({ authorization: `Bearer ${await provider.token({ aud: 'billing' })}`, 'router-secret': routerSecret })).toMatchObject(
      UNAUTHENTICATED,
    );
  });

  it('lets the router without a token read the contract and nothing else', async () => {
    const router = subgraph.anonymous({ 'router-secret': routerSecret });

    const { data } = await router.graphql<{ _service: { sdl: string } }>('{ _service { sdl } }');
    const answer = await router.graphql(QUERY);
    const entity = await router.graphql(
      '{ _entities(representations: [{ __typename: "Project", id: "p" }]) { ... on Project { id agentTools { nodes { id } } } } }',
    );

    expect(data?._service.sdl).toContain('type AgentPolicy');
    expect(answer).toMatchObject({
      status: 200,
      data: { agentTools: null },
      errors: [{ path: ['agentTools'], extensions: { code: 'UNAUTHENTICATED' } }],
    });
    expect(entity).toMatchObject({
      data: { _entities: [{ id: 'p', agentTools: null }] },
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  it.each<[string, () => Promise<string>]>([
    ['has expired', () => provider.token({ exp: seconds() - 1 })],
    ['never ends', () => provider.token({ exp: undefined })],
    ['is not valid yet', () => provider.token({ nbf: seconds() + HOUR })],
    ['is of another issuer', () => provider.token({ iss: 'https://elsewhere.example' })],
    ['names no issuer', () => provider.token({ iss: undefined })],
    ['names no audience', () => provider.token({ aud: undefined })],
    ['names no organization', () => provider.token({ org: undefined })],
    ['has an organization that is no text', () => provider.token({ org: 7 })],
    ['has an empty organization', () => provider.token({ org: '' })],
    ['names no user', () => provider.token({ sub: undefined })],
    ['has an empty user', () => provider.token({ sub: '' })],
    ['has a user that is no text', () => provider.token({ sub: 7 as never })],
    ['has a user with a line break', () => provider.token({ sub: 'a\nb' })],
    ['is signed by another key', () => provider.forged()],
    ['names a key that is not published', () => provider.token({}, { kid: 'nobody' })],
    ['is signed by nobody', async () => `${part({ alg: 'none', typ: 'JWT' })}.${part(claims())}.`],
    ['is signed with the public key as a shared secret', async () => hmacToken(provider.publicKey)],
    ['was changed after signing', async () => changed(await provider.token())],
    ['is no token', async () => 'opensesame'],
    ['is two tokens', async () => `${await provider.token()} ${await provider.token()}`],
  ])('takes no token that %s', async (_how, make) => {
    expect(await ask({ authorization: `Bearer ${await make()}`, 'router-secret': routerSecret })).toMatchObject(UNAUTHENTICATED);
  });

  it.each(['Basic YWRhOnB3', 'Bearer', 'opensesame'])('takes no other credentials: %s', async (authorization) => {
    expect(await ask({ authorization, 'router-secret': routerSecret })).toMatchObject({
      ...UNAUTHENTICATED,
      messages: [expect.stringContaining('must read: Bearer')],
    });
  });

  it('says which claim is missing, and never a word of the token', async () => {
    const token = await provider.token({ sub: undefined });

    const { messages } = await ask({ authorization: `Bearer ${token}` });

    expect(messages).toEqual(['The token’s claim sub is missing or not for this service.']);
  });

  it.each(['/v1/directory', '/v1/audit-events', '/access/v1/evaluation'])(
    'asks for a token at %s too, before it reads the body',
    async (path) => {
      const response = await subgraph.anonymous().request(path, {
        method: path === '/v1/directory' ? 'PUT' : 'POST',
        body: 'x'.repeat(2_000_000),
        headers: { 'content-type': 'text/nonsense' },
      });

      expect({ status: response.status, challenge: response.headers.get('www-authenticate'), body: await response.json() }).toEqual({
        status: 401,
        challenge: 'Bearer',
        body: { error: { code: 'UNAUTHENTICATED', message: expect.any(String) } },
      });
    },
  );

  it('lets the router’s secret alone call no REST route', async () => {
    const response = await subgraph
      .anonymous({ 'router-secret': routerSecret })
      .request('/access/v1/evaluation', { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });

    expect(response.status).toBe(401);
  });

  it('tells anybody that it lives', async () => {
    expect((await subgraph.anonymous().request('/health/live')).status).toBe(200);
    expect((await subgraph.anonymous().request('/health/ready')).status).toBe(200);
  });
});

describe('over WebSocket', () => {
  it.each<[string, (token: string) => object]>([
    ['as browsers name it', (token) => ({ authorization: `Bearer ${token}` })],
    ['as a header is written', (token) => ({ Authorization: `Bearer ${token}` })],
    ['as Apollo Router nests it', (token) => ({ connectionParams: { token: `Bearer ${token}` } })],
  ])('takes a token in the connection’s parameters %s', async (_how, parameters) => {
    expect(await connected(parameters(await provider.token()))).toBe('acknowledged');
  });

  it('takes a token in the headers of the upgrade', async () => {
    expect(await connected({}, { authorization: `Bearer ${await provider.token()}` })).toBe('acknowledged');
  });

  it('takes a token of the platform’s audience behind the router’s secret alone', async () => {
    const authorization = `Bearer ${await provider.token({ aud: 'platform' })}`;

    expect(await connected({ authorization })).toEqual({ code: 4401, reason: expect.any(String) });
    expect(await connected({ authorization }, { 'router-secret': routerSecret })).toBe('acknowledged');
    expect(await connected({ authorization, 'router-secret': routerSecret })).toBe('acknowledged');
  });

  it.each<[string, () => Promise<object>]>([
    ['no token', async () => ({})],
    ['an expired token', async () => ({ authorization: `Bearer ${await provider.token({ exp: seconds() - 1 })}` })],
    ['a forged token', async () => ({ authorization: `Bearer ${await provider.forged()}` })],
    ['a wrong secret', async () => ({ 'router-secret': 'the-secret-of-another-router' })],
    ['a token that is no text', async () => ({ authorization: { token: await provider.token() } })],
  ])('closes a connection with %s', async (_what, make) => {
    expect(await connected(await make())).toEqual({ code: 4401, reason: expect.any(String) });
  });

  it('lets the router without a token connect, and subscribe to nothing', async () => {
    expect(await firstResult(FEED, { 'router-secret': routerSecret })).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  it.each([
    QUERY,
    '{ __schema { queryType { name } } }',
    'mutation { agentDecisionRequest(input: { agentId: "a", projectId: "p", tool: "t" }) { decision { id } } }',
    `query A ${QUERY} ${FEED.replace('subscription', 'subscription B')}`,
  ])('serves subscriptions only: %s', async (query) => {
    await expect(firstResult(query, { authorization: `Bearer ${await provider.token()}` }, 'A')).rejects.toMatchObject([
      { extensions: { code: 'BAD_REQUEST' } },
    ]);
  });

  it('ends a running subscription when its token expires, and says so', async () => {
    const ends = Math.ceil(Date.now() / 1_000) + 1;
    const token = await provider.token({ exp: ends });

    await expect(allResults(FEED, { authorization: `Bearer ${token}` })).rejects.toMatchObject([
      { message: expect.stringContaining('expired'), extensions: { code: 'UNAUTHENTICATED' } },
    ]);

    expect(Date.now()).toBeGreaterThanOrEqual(ends * 1_000);
  });
});

describe('while the issuer’s keys cannot be had', () => {
  // A process that has never seen them: what is known stays known for a while.
  let fresh: TestSubgraph;
  let away: Provider;
  beforeAll(async () => {
    away = await aProvider();
    fresh = await aSubgraph({ TOKEN_ISSUER: ISSUER, JWKS_URL: away.jwksUrl });
  });
  afterAll(() => fresh.close());

  const asked = async () => fresh.anonymous({ authorization: `Bearer ${await away.token()}` }).graphql(QUERY);

  it.each([
    ['an error', { status: 500, text: '' }],
    ['a page', { status: 200, text: '<html>' }],
    ['no keys', { status: 200, text: '{}' }],
  ])('nobody is called unauthenticated when it answers with %s', async (_what, answer) => {
    away.answerWith(answer);

    expect(await asked()).toMatchObject({ status: 503, errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  });

  it('nor when it is back', async () => {
    away.answerWith(undefined);

    expect(await asked()).toMatchObject({ status: 200 });
  });

  it('nor when it is gone, at any door', async () => {
    await away.close();
    await using gone = await aFreshSubgraph(away.jwksUrl);
    const authorization = `Bearer ${await away.token()}`;

    const rest = await gone.subgraph.anonymous({ authorization }).request('/access/v1/evaluation', { method: 'POST' });

    expect(await gone.subgraph.anonymous({ authorization }).graphql(QUERY)).toMatchObject({
      status: 503,
      errors: [{ extensions: { code: 'UNAVAILABLE' } }],
    });
    expect({ status: rest.status, body: await rest.json() }).toEqual({
      status: 503,
      body: { error: { code: 'UNAVAILABLE', message: 'The keys to verify tokens cannot be had. Try again.' } },
    });
    expect(await connected({ authorization }, {}, gone.subgraph.url)).toEqual({
      code: 1013,
      reason: 'The keys to verify tokens cannot be had. Try again.',
    });
  });
});

describe('another organization', () => {
  it('looks like nothing at all to somebody of this one', async () => {
    await using own = await aSubgraphWithOrganization();
    organization = own.organization;
    const owner = await organization.member('OWNER', organization.id);
    const stranger = await own.subgraph.as({
      userId: 'stranger',
      organizationId: 'gid://platform/Organization/other',
      scopes: ['audit:read', 'policy:write', 'tool:write', 'decision:request'],
    });
    const query = `query ($project: ID!, $namespace: ID!) {
      agentPolicies(namespaceId: $namespace) { nodes { id } }
      agentTools { nodes { id } }
      _entities(representations: [{ __typename: "Project", id: $project }]) { ... on Project { agentTools { nodes { id } } agentPolicies { nodes { id } } agentAuditEvents { nodes { id } } } }
    }`;

    const seen = await owner.graphql(query, { project: organization.api, namespace: organization.id });
    const foreign = await stranger.graphql(query, { project: organization.api, namespace: organization.id });
    const absent = await stranger.graphql(query, { project: 'nowhere', namespace: 'nowhere' });

    expect(seen.data).toMatchObject({
      _entities: [{ agentTools: { nodes: [] }, agentPolicies: { nodes: [] }, agentAuditEvents: { nodes: [] } }],
    });
    expect(foreign).toEqual(absent);
    expect(foreign.data).toEqual({
      agentPolicies: null,
      agentTools: { nodes: [] },
      _entities: [{ agentTools: null, agentPolicies: null, agentAuditEvents: null }],
    });
  });
});

const seconds = (): number => Math.floor(Date.now() / 1_000);
const claims = (more: JWTPayload = {}): JWTPayload => ({ iss: ISSUER, exp: seconds() + HOUR, ...GOOD, ...more });
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function hmacToken(key: string): string {
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims())}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

/** The same token for the owner of everything. */
function changed(token: string): string {
  const [header, , signature] = token.split('.');
  return `${header ?? ''}.${part(claims({ sub: 'root' }))}.${signature ?? ''}`;
}

async function aProvider(): Promise<Provider> {
  const [own, other] = await Promise.all([generateKeyPair('ES256', { extractable: true }), generateKeyPair('ES256')]);
  const { exportJWK } = await import('jose');
  const jwk: JWK = { ...(await exportJWK(own.publicKey)), kid: 'own', alg: 'ES256', use: 'sig' };
  let instead: { readonly status: number; readonly text: string } | undefined;
  const server = createServer((_request, response) => {
    response.writeHead(instead?.status ?? 200, { 'content-type': 'application/json' });
    response.end(instead?.text ?? JSON.stringify({ keys: [jwk] }));
  });
  const port = await listening(server);
  const sign = (key: Parameters<SignJWT['sign']>[0], more: JWTPayload, kid: string): Promise<string> =>
    new SignJWT(claims(more)).setProtectedHeader({ alg: 'ES256', kid }).sign(key);
  return {
    jwksUrl: `http://127.0.0.1:${port}/keys`,
    publicKey: await exportSPKI(await asPublicKey(jwk)),
    token: (more = {}, header = {}) => sign(own.privateKey, more, header.kid ?? 'own'),
    forged: (more = {}) => sign(other.privateKey, more, 'own'),
    answerWith(answer) {
      instead = answer;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function asPublicKey(jwk: JWK) {
  const key = await importJWK(jwk, 'ES256');
  if (key instanceof Uint8Array) throw new Error('A public key was expected.');
  return key;
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

async function aFreshSubgraph(jwksUrl: string) {
  const fresh = await aSubgraph({ TOKEN_ISSUER: ISSUER, JWKS_URL: jwksUrl });
  return { subgraph: fresh, [Symbol.asyncDispose]: () => fresh.close() };
}

async function aSubgraphWithOrganization() {
  const own = await aSubgraph();
  return { subgraph: own, organization: await anOrganization(own), [Symbol.asyncDispose]: () => own.close() };
}

interface Socket {
  readonly parameters: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly url?: string;
}

function webSocketWith(headers: Readonly<Record<string, string>>) {
  return class extends WebSocket {
    constructor(address: string, protocols: string) {
      super(address, protocols, { headers });
    }
  };
}

const wsUrl = (url: string): string => `${url.replace(/^http/, 'ws')}/graphql`;

/** Whether the server acknowledges a connection, or how it closes it. */
function connected(parameters: object, headers: Socket['headers'] = {}, url = subgraph.url): Promise<unknown> {
  return new Promise((resolve) => {
    const client = createClient({
      url: wsUrl(url),
      webSocketImpl: webSocketWith(headers),
      connectionParams: { ...parameters },
      lazy: false,
      retryAttempts: 0,
      onNonLazyError: () => resolve('failed'),
      on: {
        connected: () => {
          resolve('acknowledged');
          void client.dispose();
        },
        closed: (event) => resolve(isClose(event) ? { code: event.code, reason: event.reason } : event),
      },
    });
  });
}

const isClose = (event: unknown): event is { readonly code: number; readonly reason: string } =>
  typeof event === 'object' && event !== null && 'code' in event && 'reason' in event;

async function firstResult(query: string, parameters: object, operationName?: string): Promise<unknown> {
  const client = createClient({
    url: wsUrl(subgraph.url),
    webSocketImpl: WebSocket,
    connectionParams: { ...parameters },
    retryAttempts: 0,
  });
  try {
    for await (const result of client.iterate({
      query,
      ...(operationName !== undefined && query.includes(`query ${operationName}`) && { operationName }),
    }))
      return result;
    return 'nothing';
  } finally {
    await client.dispose();
  }
}

async function allResults(query: string, parameters: object): Promise<readonly unknown[]> {
  const client = createClient({
    url: wsUrl(subgraph.url),
    webSocketImpl: WebSocket,
    connectionParams: { ...parameters },
    retryAttempts: 0,
  });
  const results: unknown[] = [];
  try {
    for await (const result of client.iterate({ query })) results.push(result);
    return results;
  } finally {
    await client.dispose();
  }
}
