import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Database } from '../../src/platform/postgres.js';
import { aResource, authzen, type Evaluated } from '../support/authzen.js';
import { openAsOwner } from '../support/database.js';
import {
  agents,
  aGeneratedOrganization,
  inSessionOfItsOwn,
  isOwn,
  ofCore,
  pairsAllowed,
  tools,
} from '../support/generated-organization.js';
import { aPublishedPolicy } from '../support/governing.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
let database: Database;
let company: TestOrganization;
let owner: Client;
let developer: Client;

beforeAll(async () => {
  subgraph = await aSubgraph();
  database = openAsOwner(subgraph.databaseUrl);
  ({ company, owner, developer } = await aGeneratedOrganization(subgraph));
}, 60_000);
afterAll(async () => {
  await database.close();
  await subgraph.close();
});

interface Found {
  readonly results?: readonly { readonly type?: string; readonly id?: string; readonly name?: string }[];
  readonly page?: { readonly next_token: string; readonly count: number };
  readonly error?: { readonly message: string };
}

const search = (client: Client, kind: 'subject' | 'resource' | 'action', request: object) =>
  authzen<Found>(client, `search/${kind}`, request);

const INVOKE = { name: 'invokeTool' };
const bySubject = (more: object = {}): object => ({
  ...{ subject: { type: 'agent' }, action: INVOKE, resource: aResource(tools[0] ?? '', company.api), ...more },
});
const byResource = (more: object = {}): object => ({
  ...{
    subject: { type: 'agent', id: agents[0] },
    action: INVOKE,
    resource: { type: 'tool', properties: { project: company.api } },
    ...more,
  },
});
const byAction = (more: object = {}): object => ({
  ...{ subject: { type: 'agent', id: agents[0] }, resource: aResource(tools[0] ?? '', company.api), ...more },
});
const idsIn = ({ body }: { readonly body: Found }): readonly unknown[] => (body.results ?? []).map(({ id, name }) => id ?? name);

describe('a search', () => {
  const asked: readonly (readonly [string, { readonly action: object; readonly context?: Readonly<Record<string, unknown>> }])[] = [
    ['with nothing said', { action: INVOKE }],
    ['in staging, with promises', { action: INVOKE, context: { environment: 'staging', promises: ['redact', 'log'] } }],
    ['in a session', { action: INVOKE, context: { session: 'trusted', promises: ['redact:pii'] } }],
    [
      'with arguments',
      {
        action: { ...INVOKE, properties: { arguments: { path: '/etc/passwd' } } },
        context: { session: 'trusted', environment: 'staging', promises: ['redact', 'log'] },
      },
    ],
  ];

  it('with a token that names an agent finds what that one may do, and nothing of others', async () => {
    const allowed = await pairsAllowed(owner, company.api, { action: INVOKE });
    const [first = ''] = [...allowed];
    const agentId = first.split(' ')[0] ?? '';
    const as = await company.member('OWNER', company.id, { agentId });
    const found = await Promise.all(
      agents.map(async (id) => idsIn(await search(as, 'resource', byResource({ subject: { type: 'agent', id } })))),
    );
    const subjects = await Promise.all(
      tools.map(async (id) => idsIn(await search(as, 'subject', bySubject({ resource: aResource(id, company.api) })))),
    );

    const own = tools.filter((tool) => allowed.has(`${agentId} ${tool}`));
    expect(found).toEqual(agents.map((id) => (id === agentId ? own : [])));
    expect(subjects).toEqual(tools.map((tool) => (own.includes(tool) ? [agentId] : [])));
  });

  it.each(asked)('finds what evaluations allow, for every agent and tool: %s', async (_what, more) => {
    for (const [client, project] of [
      [owner, company.api],
      [developer, company.api],
      [developer, company.web],
    ] as const) {
      const allowed = await pairsAllowed(client, project, more);
      const ofTools = await Promise.all(
        agents.map((id) => search(client, 'resource', { ...byResource(more), ...subject(id), ...{ resource: inProject(project) } })),
      );
      const ofAgents = await Promise.all(
        tools.map((id) => search(client, 'subject', { ...bySubject(more), resource: aResource(id, project) })),
      );

      const usable = tools.filter((id) => project === company.api || !ofCore.has(id));
      expect(ofTools.map(idsIn)).toEqual(agents.map((agent) => usable.filter((tool) => allowed.has(`${agent} ${tool}`))));
      const shown = client === owner ? agents : agents.filter(isOwn);
      expect(ofAgents.map(idsIn)).toEqual(tools.map((tool) => shown.filter((agent) => allowed.has(`${agent} ${tool}`))));
    }
  });

  it('for actions finds invokeTool where evaluations allow the call', async () => {
    const context = { session: 'trusted' };
    const allowed = await pairsAllowed(developer, company.api, { action: INVOKE, context });
    const pairs = agents.slice(0, 4).flatMap((agent) => tools.map((tool) => ({ agent, tool })));

    const found = await Promise.all(
      pairs.map(({ agent, tool }) =>
        search(developer, 'action', byAction({ ...subject(agent), resource: aResource(tool, company.api), context })),
      ),
    );

    expect(found.map(({ body }) => body)).toEqual(
      pairs.map(({ agent, tool }) =>
        allowed.has(`${agent} ${tool}`)
          ? { results: [{ name: 'invokeTool' }], page: { next_token: '', count: 1 } }
          : { results: [], page: { next_token: '', count: 0 } },
      ),
    );
    expect(new Set(found.map(({ body }) => body.page?.count))).toEqual(new Set([0, 1]));
  });

  it('gives each resource with its project, so that it can be sent as it came', async () => {
    const context = { session: 'trusted', promises: ['redact'], environment: 'staging' };
    const { body } = await search(developer, 'resource', byResource({ context }));

    expect(body.results?.length).toBeGreaterThan(0);
    const { body: answer } = await authzen<{ readonly evaluations: readonly Evaluated[] }>(developer, 'evaluations', {
      ...{ ...subject(agents[0]), action: INVOKE, context: inSessionOfItsOwn(context) },
      evaluations: body.results?.map((resource) => ({ resource })),
    });
    expect(new Set(answer.evaluations.map(({ decision }) => decision))).toEqual(new Set([true]));
  });

  it('records nothing', async () => {
    const before = await eventsRecorded();

    await Promise.all([
      search(owner, 'subject', bySubject()),
      search(owner, 'resource', byResource()),
      search(owner, 'action', byAction()),
    ]);

    expect(await eventsRecorded()).toBe(before);
  });
});

describe('AgentTool.usableBy', () => {
  const USABLE = `query ($projectId: ID!, $circumstances: AgentCircumstancesInput, $first: Int, $after: String) { agentTools(first: 100) { nodes { id
    usableBy(projectId: $projectId, circumstances: $circumstances, first: $first, after: $after) {
      nodes { agentId verdict dependsOn agent { id } } edges { cursor } pageInfo { hasNextPage endCursor } } } } }`;
  interface Usable {
    readonly id: string;
    readonly usableBy: {
      readonly nodes: readonly { readonly agentId: string; readonly verdict: string }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    } | null;
  }
  const usable = async (client: Client, projectId: string, more: object = {}): Promise<readonly Usable[]> => {
    const { data, errors } = await client.graphql<{ readonly agentTools: { readonly nodes: readonly Usable[] } }>(USABLE, {
      projectId,
      ...more,
    });
    if (data == null) throw new Error(JSON.stringify(errors));
    return data.agentTools.nodes;
  };

  it('finds the agents that the search finds, each with its verdict', async () => {
    const circumstances = { environment: 'staging', promises: ['redact', 'log'] };
    for (const client of [owner, developer]) {
      const listed = await usable(client, company.api, { circumstances, first: 100 });
      const found = await Promise.all(
        tools.map((id) => search(client, 'subject', bySubject({ resource: aResource(id, company.api), context: circumstances }))),
      );

      expect(listed.map(({ id, usableBy }) => ({ id, agents: usableBy?.nodes.map(({ agentId }) => agentId) }))).toEqual(
        tools.map((id, index) => ({ id, agents: found[index] === undefined ? [] : idsIn(found[index]) })),
      );
      expect(new Set(listed.flatMap(({ usableBy }) => usableBy?.nodes.map(({ verdict }) => verdict) ?? []))).toEqual(new Set(['ALLOW']));
    }
  });

  it('comes in pages, and is null where the viewer may not see the project', async () => {
    const circumstances = { environment: 'staging', promises: ['redact', 'log'] };
    const whole = (await usable(owner, company.api, { circumstances, first: 100 })).find(
      ({ usableBy }) => (usableBy?.nodes.length ?? 0) > 1,
    );
    const pageOf = async (after?: string | null) =>
      (await usable(owner, company.api, { circumstances, first: 1, after })).find(({ id }) => id === whole?.id)?.usableBy;

    const first = await pageOf();
    const second = await pageOf(first?.pageInfo.endCursor);

    expect([...(first?.nodes ?? []), ...(second?.nodes ?? [])]).toEqual(whole?.usableBy?.nodes.slice(0, 2));
    expect(first?.pageInfo.hasNextPage).toBe(true);
    expect((await usable(owner, 'nowhere')).map(({ usableBy }) => usableBy)).toEqual(tools.map(() => null));
  });

  it('can be asked for a page of tools in one operation, and no more', async () => {
    const again = Array.from(
      { length: 12 },
      (_, index) => `of${index}: agentTools { nodes { usableBy(projectId: $id, first: 1) { nodes { agentId } } } }`,
    );

    const { errors } = await owner.graphql(`query ($id: ID!) { ${again.join(' ')} }`, { id: company.api });

    expect(errors?.[0]).toMatchObject({
      message: 'The operation asks for more than 100 lists usableBy. Ask in several operations.',
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });
});

describe('what a search does not show', () => {
  it('is whatever its caller may not see, as if it were not there', async () => {
    const others = await anOrganization(subgraph);
    const stranger = await others.member('OWNER', others.id);
    const nothing = { status: 200, body: { results: [], page: { next_token: '', count: 0 } } };

    for (const client of [stranger, await company.outsider()])
      for (const [kind, request] of [
        ['subject', bySubject()],
        ['resource', byResource()],
        ['action', byAction()],
      ] as const)
        expect(await search(client, kind, request)).toMatchObject(nothing);
    expect(await search(owner, 'resource', byResource({ resource: inProject('nowhere') }))).toMatchObject(nothing);
  });

  it('is what it has no word for', async () => {
    const nothing = { status: 200, body: { results: [], page: { next_token: '', count: 0 } } };

    expect(await search(owner, 'subject', bySubject({ subject: { type: 'spaceship' } }))).toMatchObject(nothing);
    expect(await search(owner, 'subject', bySubject({ action: { name: 'fly' } }))).toMatchObject(nothing);
    expect(await search(owner, 'resource', byResource({ resource: { type: 'record' } }))).toMatchObject(nothing);
    expect(await search(owner, 'action', byAction({ resource: { type: 'record', id: 'record-1' } }))).toMatchObject(nothing);
  });

  it('is anything at all, without the scope decision:request', async () => {
    const reader = await company.member('OWNER', company.id, { scopes: ['audit:read'] });

    for (const [kind, request] of [
      ['subject', bySubject()],
      ['resource', byResource()],
      ['action', {}],
    ] as const) {
      expect(await search(reader, kind, request)).toMatchObject({ status: 403 });
      expect(await search(subgraph.anonymous(), kind, request)).toMatchObject({ status: 401 });
    }
  });
});

describe('a search that is ill-formed', () => {
  it.each<['subject' | 'resource' | 'action', string, () => object]>([
    ['subject', 'action:', () => bySubject({ action: undefined })],
    ['subject', 'subject.type:', () => bySubject({ subject: {} })],
    ['subject', 'resource.id:', () => bySubject({ resource: inProject(company.api) })],
    ['subject', 'resource.properties.project: must be a string.', () => bySubject({ resource: { type: 'tool', id: 'read' } })],
    ['subject', 'context.environment: must not be empty.', () => bySubject({ context: { environment: '' } })],
    ['resource', 'subject:', () => byResource({ subject: undefined })],
    ['resource', 'subject.id:', () => byResource({ subject: { type: 'agent' } })],
    [
      'resource',
      'action.properties.arguments: must be a JSON object.',
      () => byResource({ action: { ...INVOKE, properties: { arguments: 1 } } }),
    ],
    ['action', 'resource:', () => byAction({ resource: undefined })],
    ['resource', 'page: must be a JSON object.', () => byResource({ page: 7 })],
    ['resource', 'page.limit: must be 1 or more.', () => byResource({ page: { limit: 0 } })],
    ['resource', 'page.limit: must be a whole number.', () => byResource({ page: { limit: 1.5 } })],
    ['resource', 'page.token: must be a string.', () => byResource({ page: { token: 1 } })],
  ])('is refused by naming the field: %s search, %s', async (kind, message, request) => {
    expect(await search(owner, kind, request())).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_USER_INPUT', message: expect.stringContaining(message) } },
    });
  });

  it('is not one that names what it looks for, or has fields that nobody knows', async () => {
    const more = { future: { is: 'here' }, context: { session: 'trusted', time: 'now' } };

    expect(idsIn(await search(owner, 'subject', bySubject({ ...more, subject: { type: 'agent', id: 'ignored', more: 1 } })))).toEqual(
      idsIn(await search(owner, 'subject', bySubject(more))),
    );
  });
});

describe('pages', () => {
  const wide = { context: { session: 'trusted', promises: ['redact:pii', 'log:full'], environment: 'staging' } };

  it.each<['subject' | 'resource', () => object]>([
    ['subject', () => bySubject(wide)],
    ['resource', () => byResource(wide)],
  ])('of a %s search go on where the last one ended, and the last has an empty token', async (kind, request) => {
    const whole = await search(owner, kind, request());
    const collected: unknown[] = [];
    let token: string | undefined = '';
    let pages = 0;
    do {
      const { body }: { readonly body: Found } = await search(owner, kind, { ...request(), page: { limit: 2, token } });
      expect(body.page?.count).toBe(body.results?.length);
      expect(body.results?.length).toBeGreaterThan(0);
      collected.push(...(body.results ?? []));
      token = body.page?.next_token;
      pages += 1;
    } while (token !== '');

    expect(whole.body.page).toEqual({ next_token: '', count: collected.length });
    expect(collected).toEqual(whole.body.results);
    expect(pages).toBe(Math.ceil(collected.length / 2));
  });

  it('hold at most 100, whatever is asked, and are short where 1,000 were looked through', async () => {
    const large = await anOrganization(subgraph);
    const auditor = await large.member('AUDITOR', large.id);
    await pushed(large.platform, {
      agents: Array.from({ length: 1_100 }, (_, index) => ({ id: `agent-${1_000 + index}`, classes: index < 950 ? [] : ['late'] })),
    });
    const permit = 'permit (principal in AgentClass::"late", action, resource);';
    await aPublishedPolicy(await large.member('OWNER', large.id), large.id, permit, 'late');
    const ask = async (token: string | undefined) => {
      const resource = aResource('read', large.api);
      return (await search(auditor, 'subject', { ...bySubject({ resource }), page: { limit: 1_000_000, token } })).body;
    };

    const first = await ask('');
    const second = await ask(first.page?.next_token);

    expect([first.page?.count, second.page]).toEqual([50, { next_token: '', count: 100 }]);
  });

  it('refuse a token of another search, or of somebody else', async () => {
    const { body } = await search(owner, 'subject', bySubject({ ...wide, page: { limit: 1 } }));
    const page = { token: body.page?.next_token };
    const refusal = {
      status: 400,
      body: { error: { code: 'BAD_USER_INPUT', message: expect.stringContaining('page.token: not a token of this search.') } },
    };

    expect(await search(owner, 'subject', bySubject({ ...wide, page }))).toMatchObject({ status: 200 });
    expect(await search(owner, 'subject', bySubject({ page }))).toMatchObject(refusal);
    expect(await search(owner, 'subject', bySubject({ ...wide, page, resource: aResource('other', company.api) }))).toMatchObject(refusal);
    expect(await search(developer, 'subject', bySubject({ ...wide, page }))).toMatchObject(refusal);
    expect(await search(owner, 'resource', byResource({ ...wide, page }))).toMatchObject(refusal);
    expect(await search(owner, 'action', byAction({ ...wide, page }))).toMatchObject(refusal);
    expect(await search(owner, 'subject', bySubject({ ...wide, page: { token: 'AAAA' } }))).toMatchObject(refusal);
  });
});

const subject = (id: string | undefined) => ({ subject: { type: 'agent', id } });
const inProject = (project: string) => ({ type: 'tool', properties: { project } });

async function eventsRecorded(): Promise<number> {
  const [row] = await database.sql.query<{ count: number }>('SELECT count(*)::int AS count FROM audit_event WHERE organization_id = $1', [
    company.id,
  ]);
  return row?.count ?? 0;
}
