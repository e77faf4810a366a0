import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { aPublishedPolicy, decisionOn, registerTool } from '../support/governing.js';
import { aCloudEvent, aSession } from '../support/cloud-events.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { recorded } from '../support/recording.js';
import { statementsDuring } from '../support/statements.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

const seven = 'gid://gitlab/Project/7';
const invoked = { projectid: seven, userid: 'gid://gitlab/User/42', agentid: 'coder', callid: 'call-1' };

let subgraph: TestSubgraph;
let company: TestOrganization;
let owner: Client;
beforeAll(async () => {
  subgraph = await aSubgraph();
  company = await anOrganization(subgraph);
  owner = await company.member('OWNER', company.id);
  await pushed(company.platform, { namespaces: [{ id: seven, kind: 'PROJECT', parentId: company.core, path: 'seven' }] });
});
afterAll(() => subgraph.close());

type Envelope = Readonly<Record<string, unknown>> & { readonly details: Readonly<Record<string, unknown>> };

async function get(
  client: Client,
  id: string,
): Promise<{ readonly status: number; readonly type: string | null; readonly body: Envelope }> {
  const response = await client.request(`/v1/audit-events/${id}`, { headers: { accept: 'application/json' } });
  return { status: response.status, type: response.headers.get('x-gitlab-audit-event-type'), body: JSON.parse(await response.text()) };
}

const recordedOne = async (event: object): Promise<string> => (await recorded(company.platform, [aCloudEvent({ ...event })]))[0] ?? '';

/** The envelopes in the owner's list, newest first, without what changes while the sequencer works. */
async function listed(
  client: Client,
  first: number,
  fields = 'type classicEnvelope',
): Promise<readonly { readonly classicEnvelope: Envelope }[]> {
  const { data, errors } = await client.graphql<{ readonly events: { readonly nodes: readonly { readonly classicEnvelope: Envelope }[] } }>(
    `query ($first: Int) { events: agentAuditEvents(first: $first) { nodes { ${fields} } } }`,
    { first },
  );
  if (data == null) throw new Error(`No list: ${JSON.stringify(errors)}`);
  return data.events.nodes;
}

const withoutPosition = ({ details: { position: _, ...details }, ...envelope }: Envelope) => ({ ...envelope, details });

describe('GET /v1/audit-events/{id}', () => {
  it('answers with the event as GitLab streams it, and the type in the header', async () => {
    const id = await recordedOne({ ...invoked, id: 'an invocation' });

    const { status, type, body } = await get(owner, id);

    expect([status, type]).toEqual([200, 'ai_tool_invoked']);
    expect(withoutPosition(body)).toEqual({
      ...{ id, author_id: 42, author_name: 'gid://gitlab/User/42', ip_address: '192.0.2.7', event_type: 'ai_tool_invoked' },
      ...{ entity_id: 7, entity_type: 'Project', entity_path: 'company/payments/core/seven' },
      ...{ target_id: 4711, target_type: 'Ai::DuoWorkflows::Workflow', target_details: 'Unknown session 4711' },
      created_at: expect.stringMatching(/Z$/),
      details: {
        ...{ event_name: 'ai_tool_invoked', custom_message: 'Tool invoked: read_file', ip_address: '192.0.2.7' },
        ...{ human_author_id: 42, human_author_name: 'gid://gitlab/User/42', human_author_global_id: 'gid://gitlab/User/42' },
        ...{ author_name: 'gid://gitlab/User/42', author_class: 'User', author_global_id: 'gid://gitlab/User/42' },
        ...{ target_id: 4711, target_type: 'Ai::DuoWorkflows::Workflow', target_details: 'Unknown session 4711', target_global_id: '4711' },
        ...{ entity_path: 'company/payments/core/seven', entity_global_id: seven },
        ...{ workflow_id: '4711', session_id: '4711', sequence: 3, call_id: 'call-1', agent_id: 'coder' },
        ...{ tool_name: 'read_file', tool_args: { path: 'README.md' } },
        ...{ source: '/duo_workflow_service', cloud_event_id: 'an invocation', seal: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    });
  });

  it('encodes in the header what a header cannot hold', async () => {
    const { type, body } = await get(owner, await recordedOne({ type: 'com.example.файл 🙂', data: null }));

    expect(type).toBe(`com.example.${encodeURIComponent('файл')} ${encodeURIComponent('🙂')}`);
    expect(body['event_type']).toBe('com.example.файл 🙂');
  });

  it('follows a project to where it lies now, and names it by its id when it is gone', async () => {
    const project = 'gid://gitlab/Project/8';
    const row = (parentId: string) => ({ namespaces: [{ id: project, kind: 'PROJECT', parentId, path: 'eight' }] });
    await pushed(company.platform, row(company.core));
    const id = await recordedOne({ projectid: project });
    const path = async () => (await get(owner, id)).body['entity_path'];

    const before = await path();
    await pushed(company.platform, row(company.id));
    const moved = await path();
    await pushed(company.platform, { namespaces: [{ id: project, deleted: true }] });

    expect([before, moved, await path()]).toEqual(['company/payments/core/eight', 'company/eight', project]);
  });

  it('knows nothing of what is not there, of another organization, or beyond the viewer’s roles: the same 404', async () => {
    const id = await recordedOne(invoked);
    const elsewhere = await anOrganization(subgraph);
    const absent = await get(owner, randomUUID());

    expect(absent).toEqual({
      status: 404,
      type: null,
      body: { error: { code: 'NOT_FOUND', message: 'There is no such event in your organization, or you may not see it.' } },
    });
    expect(await get(await elsewhere.member('OWNER', elsewhere.id, { userId: 'gid://gitlab/User/42' }), id)).toEqual(absent);
    expect(await get(await company.member('DEVELOPER', company.core), id)).toEqual(absent);
    expect(await get(await company.outsider(), id)).toEqual(absent);
    expect(await get(owner, 'no-id')).toEqual(absent);
    expect((await get(await company.member('MAINTAINER', company.core), id)).status).toBe(200);
  });

  it('needs a token with the scope audit:read', async () => {
    const id = await recordedOne(invoked);

    expect((await get(subgraph.anonymous(), id)).status).toBe(401);
    expect(await get(await company.member('OWNER', company.id, { scopes: ['audit:record'] }), id)).toMatchObject({
      status: 403,
      body: { error: { code: 'FORBIDDEN', message: 'This needs a token with the scope audit:read.' } },
    });
  });
});

describe('AgentAuditEvent.classicEnvelope', () => {
  it('is the same in a list, by id, as entity, behind a decision, live and over REST', async () => {
    const theirs = await anOrganization(subgraph);
    const reader = await theirs.member('OWNER', theirs.id);
    await aPublishedPolicy(reader, theirs.core, 'permit (principal, action, resource);', 'everything goes');
    await registerTool(reader, { id: 'acme/read_file', aliases: ['read_file'] });
    const { id } = await decisionOn(reader, {
      agentId: theirs.coder,
      projectId: theirs.api,
      tool: 'read_file',
      arguments: { filePath: 'a' },
    });
    const live: Envelope[] = [];
    for await (const item of reader.subscribe(
      'subscription { item: agentAuditEventAppended(from: BEGINNING) { ... on AgentAuditEventAppended { event { classicEnvelope } } } }',
    )) {
      const envelope: Envelope | undefined = Object(item).data.item.event?.classicEnvelope;
      if (envelope !== undefined) live.push(envelope);
      if (live.length === 4) break;
    }

    const { data } = await reader.graphql<Readonly<Record<string, unknown>>>(
      `query ($id: ID!, $of: [_Any!]!, $decision: [_Any!]!) {
        one: agentAuditEvent(id: $id) { classicEnvelope }
        entity: _entities(representations: $of) { ... on AgentAuditEvent { classicEnvelope } }
        decision: _entities(representations: $decision) { ... on AgentDecision { event { classicEnvelope } } } }`,
      { id, of: [{ __typename: 'AgentAuditEvent', id }], decision: [{ __typename: 'AgentDecision', id }] },
    );
    const list = (await listed(reader, 4)).map(({ classicEnvelope }) => classicEnvelope);
    const { body } = await get(reader, id);

    expect(data).toEqual({
      one: { classicEnvelope: body },
      entity: [{ classicEnvelope: body }],
      decision: [{ event: { classicEnvelope: body } }],
    });
    expect(list[0]).toEqual(body);
    expect(live).toEqual(list.toReversed());
    expect(list).toMatchObject([
      {
        ...{ target_type: 'AgentTool', target_details: 'acme/read_file', entity_path: 'company/payments/core/api' },
        details: { verdict: 'ALLOW', tool_args: { filePath: 'a' }, reasons: [{ policy_name: 'everything goes', revision: 1 }] },
      },
      { target_type: 'AgentTool', target_details: 'acme/read_file', entity_path: 'company', entity_type: 'Group' },
      { event_type: 'ai_policy_published', target_type: 'AgentPolicy', target_details: 'everything goes', entity_type: 'Group' },
      { event_type: 'ai_policy_created', entity_path: 'company/payments/core' },
    ]);
  });

  it('of a session shows nothing of what was asked, answered or read', async () => {
    const theirs = await anOrganization(subgraph);
    await recorded(theirs.platform, aSession('s', { projectid: theirs.api }));

    const text = JSON.stringify(await listed(await theirs.member('OWNER', theirs.id), 100));

    expect(text).not.toMatch(/Fix the pipeline|Fix it, please|Done|You are|I will|# Title/);
    expect(text).toContain('No such file');
  });

  it('of a page of fifty costs one statement, whatever the number of projects', async () => {
    const theirs = await anOrganization(subgraph);
    const reader = await theirs.member('OWNER', theirs.id);
    const projects = Array.from({ length: 25 }, (_, n) => `gid://gitlab/Project/${1_000 + n}`);
    await pushed(theirs.platform, {
      namespaces: projects.map((id, n) => ({ id, kind: 'PROJECT', parentId: theirs.payments, path: `project-${n}` })),
    });
    await recorded(
      theirs.platform,
      [...projects, ...projects].map((projectid) => aCloudEvent({ projectid })),
    );
    let page: readonly { readonly classicEnvelope: Envelope }[] = [];

    const withEnvelopes = await requestStatements(async () => {
      page = await listed(reader, 50);
    });
    const without = await requestStatements(() => listed(reader, 50, 'type'));

    expect(new Set(page.map(({ classicEnvelope }) => classicEnvelope['entity_path']))).toEqual(
      new Set(projects.map((_id, n) => `company/payments/project-${n}`)),
    );
    expect(page).toHaveLength(50);
    expect(withEnvelopes.length).toBe(without.length + 1);
    expect(withEnvelopes.filter((text) => text.includes('string_agg'))).toHaveLength(1);
  });
});

/** The statements of requests: what the sequencer and the snapshots send of themselves is left out. */
const requestStatements = async (work: () => Promise<unknown>): Promise<readonly string[]> =>
  (await statementsDuring(work)).filter((text) => !/log_sequenc|audit_project_step|pg_try_advisory_lock|epoch/.test(text));
