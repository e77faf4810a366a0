import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aCloudEvent, type CloudEvent } from '../support/cloud-events.js';
import { aPublishedPolicy, DECIDE } from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { recordedInOrder, untilPositioned } from '../support/sessions.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
/** Another process, whose clock is an hour ahead: what was just decided is long ago for it. */
let later: TestSubgraph;
let company: TestOrganization;
let owner: Client;
let ada: Client;
beforeAll(async () => {
  subgraph = await aSubgraph({ AUDIT_ORPHAN_AFTER_SECONDS: '600' });
  later = await subgraph.sibling({}, () => new Date(Date.now() + 3_600_000));
});
afterAll(async () => {
  await later.close();
  await subgraph.close();
});
beforeEach(async () => {
  company = await anOrganization(subgraph);
  owner = await company.member('OWNER', company.id);
  ada = await company.member('DEVELOPER', company.api, { userId: 'ada' });
  await company.member('DEVELOPER', company.shop, { userId: 'ada' });
  await aPublishedPolicy(owner, company.id, 'permit (principal, action, resource in Tool::"read");');
});

interface Decided {
  readonly id: string;
  readonly callId: string;
}

/** Asks as ada; the decision with the id of its call. */
async function asked(input: Readonly<Record<string, unknown>> = {}): Promise<Decided> {
  const query = DECIDE.replace('decision { id ', 'decision { id callId ');
  const { data } = await ada.graphql<{ answer: { decision: Decided | null } }>(query, {
    input: { agentId: company.coder, projectId: company.api, tool: 'read', arguments: {}, sessionId: 'run', ...input },
  });
  if (data?.answer.decision == null) throw new Error('Nothing was decided.');
  return data.answer.decision;
}

const outcome = (callid: string, change: CloudEvent = {}): CloudEvent =>
  aCloudEvent({
    type: 'ai_tool_response_received',
    data: { tool_name: 'read' },
    subject: 'run',
    projectid: company.api,
    userid: 'ada',
    callid,
    ...change,
  });
const report = (...events: readonly CloudEvent[]) => recordedInOrder(company.platform, owner, events);

const CALLS = 'nodes { callId } pageInfo { hasNextPage endCursor }';
interface Calls {
  readonly calls: { readonly nodes: readonly { readonly callId: string }[]; readonly pageInfo: { readonly endCursor: string } } | null;
}

/** The call ids that `agentOrphanedCalls` lists; null when it says nothing. */
async function orphans(client: Client, args = '(olderThanSeconds: 0)'): Promise<readonly string[] | null> {
  const { data, errors } = await client.graphql<Calls>(`{ calls: agentOrphanedCalls${args} { ${CALLS} } }`);
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data?.calls?.nodes.map(({ callId }) => callId) ?? null;
}

describe('a call', () => {
  it('has the id that the question gave it, or that of its decision', async () => {
    expect((await asked({ callId: 'c1' })).callId).toBe('c1');
    const { id, callId } = await asked();
    expect(callId).toBe(id);
  });

  it('has the same id when the same question is asked again', async () => {
    const [first, second] = [await asked({ requestId: 'q' }), await asked({ requestId: 'q' })];

    expect(second).toEqual(first);
    expect(second.callId).toBe(first.id);
  });

  it('has it in the answer over AuthZEN, and in its event', async () => {
    const response = await ada.request('/access/v1/evaluation', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        subject: { type: 'agent', id: company.coder },
        action: { name: 'invokeTool' },
        resource: { type: 'tool', id: 'read', properties: { project: company.api } },
      }),
    });
    const { context }: { readonly context: Decided } = JSON.parse(await response.text());

    expect(context.callId).toBe(context.id);
    const { data } = await ada.graphql('query ($id: ID!) { agentAuditEvent(id: $id) { callId } }', { id: context.id });
    expect(data).toEqual({ agentAuditEvent: { callId: context.id } });
  });
});

describe('an allowed call', () => {
  it('is an orphan until its outcome is reported, whichever it is', async () => {
    const calls = [await asked({ callId: 'c1' }), await asked({ callId: 'c2' }), await asked()];
    await untilPositioned(ada, calls[2]?.id ?? '');
    expect(await orphans(owner)).toEqual(calls.map(({ callId }) => callId));

    await report(outcome('c1'), aCloudEvent({ subject: 'run', projectid: company.api, callid: 'c2' }));
    expect(await orphans(owner)).toEqual(['c2', calls[2]?.callId]);

    await report(outcome('c2', { type: 'ai_tool_execution_failed' }), outcome(calls[2]?.callId ?? '', { projectid: undefined }));
    expect(await orphans(owner)).toEqual([]);
  });

  it('is none when it was denied', async () => {
    const { id } = await asked({ callId: 'c1', tool: 'forbidden' });
    await untilPositioned(ada, id);

    expect(await orphans(owner)).toEqual([]);
  });

  it('is paired with the outcome of its own session, project and call', async () => {
    const { id } = await asked({ callId: 'c1' });
    await untilPositioned(ada, id);

    await report(
      outcome('c2'),
      outcome('c1', { subject: 'another' }),
      outcome('c1', { projectid: company.shop }),
      outcome('c1', { projectid: undefined, userid: 'eve' }),
    );

    expect(await orphans(owner)).toEqual(['c1']);
  });

  it('without a session is paired by its id alone', async () => {
    const { id } = await asked({ callId: 'c1', sessionId: undefined });
    await untilPositioned(ada, id);
    expect(await orphans(owner)).toEqual(['c1']);

    await report(outcome('c1', { subject: undefined }));

    expect(await orphans(owner)).toEqual([]);
  });

  it('is an orphan once it is as old as the operator, or the viewer, says', async () => {
    const { id } = await asked({ callId: 'c1' });
    await untilPositioned(ada, id);
    const inAnHour = await later.as({ userId: 'auditor', organizationId: company.id, scopes: ['audit:read'] });
    await company.member('AUDITOR', company.id, { userId: 'auditor' });

    expect(await orphans(owner, '')).toEqual([]);
    expect(await orphans(inAnHour, '')).toEqual(['c1']);
    expect(await orphans(inAnHour, '(olderThanSeconds: 3500)')).toEqual(['c1']);
    expect(await orphans(inAnHour, '(olderThanSeconds: 3700)')).toEqual([]);
    expect((await owner.graphql('{ agentOrphanedCalls(olderThanSeconds: -1) { nodes { callId } } }')).errors).toMatchObject([
      { message: 'olderThanSeconds: must be 0 or more; got -1.' },
    ]);
  });
});

describe('orphans', () => {
  it('are told with all that is known of them, under their session too', async () => {
    const { id } = await asked({ callId: 'c1' });
    await untilPositioned(ada, id);

    const { data } = await owner.graphql(
      `{ orphans: agentOrphanedCalls(olderThanSeconds: 0) { nodes { callId toolName decidedAt decision { id verdict decidedAt } session { id orphans(olderThanSeconds: 0) { nodes { callId } } }
        agent { id } user { id } project { id } } } }`,
    );

    const decidedAt = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(data).toEqual({
      orphans: {
        nodes: [
          {
            ...{ callId: 'c1', toolName: 'read', decidedAt, decision: { id, verdict: 'ALLOW', decidedAt } },
            ...{ agent: { id: company.coder }, user: { id: 'ada' }, project: { id: company.api } },
            session: { id: 'run', orphans: { nodes: [{ callId: 'c1' }] } },
          },
        ],
      },
    });
  });

  it('of another project are not those of a session that they only name, but those of their project', async () => {
    await asked({ callId: 'c1' });
    const { id } = await asked({ callId: 'c2', projectId: company.shop });
    await untilPositioned(ada, id);

    const { data } = await owner.graphql<{ run: { orphans: { nodes: unknown[] } } }>(
      '{ run: agentSession(id: "run") { orphans(olderThanSeconds: 0) { nodes { callId } } } }',
    );

    expect(data?.run.orphans.nodes).toEqual([{ callId: 'c1' }]);
    expect(await orphans(owner, `(olderThanSeconds: 0, namespaceId: "${company.shop}")`)).toEqual(['c2']);
    expect(await orphans(owner, `(olderThanSeconds: 0, namespaceId: "${company.payments}")`)).toEqual(['c1']);
    expect(await orphans(owner, `(olderThanSeconds: 0, namespaceId: "${company.id}")`)).toEqual(['c1', 'c2']);
  });

  it('are shown to who may see them: their user, and who watches over all of the namespace', async () => {
    const { id } = await asked({ callId: 'c1' });
    await untilPositioned(ada, id);
    const of = (namespaceId: string) => `(olderThanSeconds: 0, namespaceId: "${namespaceId}")`;
    const [maintainer, elsewhere] = [await company.member('MAINTAINER', company.core), await company.member('OWNER', company.shop)];

    expect(await orphans(ada)).toEqual(['c1']);
    expect(await orphans(maintainer)).toEqual(['c1']);
    expect(await orphans(elsewhere)).toEqual([]);
    expect(await orphans(maintainer, of(company.api))).toEqual(['c1']);
    for (const [client, namespace] of [
      [ada, company.api],
      [maintainer, company.payments],
      [elsewhere, company.api],
      [elsewhere, 'nowhere'],
    ] as const)
      expect(await orphans(client, of(namespace))).toBeNull();
  });

  it('come oldest first, page by page', async () => {
    const calls = [];
    for (let count = 0; count < 5; count += 1) calls.push(await asked({ callId: `c${count}` }));
    await untilPositioned(ada, calls.at(-1)?.id ?? '');

    const { data } = await owner.graphql<Calls>(`{ calls: agentOrphanedCalls(first: 3, olderThanSeconds: 0) { ${CALLS} } }`);

    expect(data?.calls?.nodes.map(({ callId }) => callId)).toEqual(['c0', 'c1', 'c2']);
    expect(await orphans(owner, `(first: 3, olderThanSeconds: 0, after: "${data?.calls?.pageInfo.endCursor ?? ''}")`)).toEqual([
      'c3',
      'c4',
    ]);
  });
});
