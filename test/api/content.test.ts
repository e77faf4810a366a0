import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { sealOf } from '../../src/audit/index.js';
import { SCOPES } from '../../src/kernel/index.js';
import type { Database } from '../../src/platform/postgres.js';
import { aCloudEvent, aSession } from '../support/cloud-events.js';
import { openAsOwner } from '../support/database.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { postBatch, recorded } from '../support/recording.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

const PROMPT = 'Summarise the salaries of the board';

let subgraph: TestSubgraph;
let owner: Database;
let company: TestOrganization;
beforeAll(async () => {
  subgraph = await aSubgraph();
  owner = openAsOwner(subgraph.databaseUrl);
  company = await anOrganization(subgraph);
});
afterAll(async () => {
  await owner.close();
  await subgraph.close();
});

const aPrompt = (change: object = {}) =>
  aCloudEvent({
    type: 'ai_user_input_received',
    projectid: company.api,
    data: { content: PROMPT, content_length: PROMPT.length },
    ...change,
  });

const FIELDS = 'id contentStatus contentSeal payload { ... on AgentMessagePayload { content contentLength } }';
const reveal = (client: Client, eventIds: readonly string[], reason = 'Incident 7') =>
  client.graphql<{ agentAuditContentReveal: { events: readonly object[] | null; errors: readonly object[] } | null }>(
    `mutation ($input: AgentAuditContentRevealInput!) { agentAuditContentReveal(input: $input) {
       events { ${FIELDS} } errors { __typename ... on AgentNotFound { field } ... on AgentInputInvalid { problems { path message } } } } }`,
    { input: { eventIds, reason } },
  );
const reveals = async (client: Client) =>
  (
    await client.graphql<{ agentAuditEvents: { nodes: readonly object[] } }>(
      '{ agentAuditEvents(filter: { types: ["ai_content_revealed"] }) { nodes { namespaceId user { id } } } }',
    )
  ).data?.agentAuditEvents.nodes;

describe('the content of an event', () => {
  it('is shown nowhere, though the event is', async () => {
    const [id] = await recorded(company.platform, [aPrompt()]);
    const auditor = await company.member('AUDITOR', company.id);

    const { data } = await auditor.graphql(
      `query ($id: ID!) { agentAuditEvent(id: $id) { ${FIELDS} } agentAuditEvents(first: 100) { nodes { ${FIELDS} extensions } } }`,
      { id },
    );

    expect(data).toMatchObject({
      agentAuditEvent: {
        contentStatus: 'WITHHELD',
        payload: { content: null, contentLength: PROMPT.length },
        contentSeal: expect.any(String),
      },
    });
    expect(JSON.stringify(data)).not.toContain(PROMPT);
  });

  it('is shown by a reveal, which is an event itself', async () => {
    const [id = ''] = await recorded(company.platform, [aPrompt()]);
    const auditor = await company.member('AUDITOR', company.payments, { userId: `auditor-${randomUUID()}` });

    const { data } = await reveal(auditor, [id]);

    expect(data?.agentAuditContentReveal).toEqual({
      events: [
        { id, contentStatus: 'REVEALED', contentSeal: expect.any(String), payload: { content: PROMPT, contentLength: PROMPT.length } },
      ],
      errors: [],
    });
    expect(await reveals(auditor)).toEqual([{ namespaceId: company.api, user: { id: expect.stringContaining('auditor-') } }]);
  });

  it('is recorded as revealed in each project that it came from', async () => {
    const ids = await recorded(company.platform, [aPrompt(), aPrompt({ projectid: company.web }), aPrompt({ projectid: company.web })]);
    const auditor = await company.member('AUDITOR', company.payments);
    const before = (await reveals(auditor))?.length ?? 0;

    await reveal(auditor, ids);

    expect((await reveals(auditor))?.slice(0, -before || undefined)).toHaveLength(2);
  });

  it('is not shown without the scope for it, nor to whoever may not see the event; and then nothing is recorded', async () => {
    const [seen = '', unseen = ''] = await recorded(company.platform, [aPrompt(), aPrompt({ projectid: company.shop })]);
    const withoutScope = await company.member('OWNER', company.id, { scopes: ['audit:read'] });
    const maintainer = await company.member('MAINTAINER', company.core, { userId: 'curious' });
    const before = await reveals(await company.member('OWNER', company.id));

    expect((await reveal(withoutScope, [seen])).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    expect((await reveal(maintainer, [seen, unseen])).data).toEqual({
      agentAuditContentReveal: { events: null, errors: [{ __typename: 'AgentNotFound', field: 'eventIds' }] },
    });
    expect((await reveal(maintainer, [seen, randomUUID(), 'nonsense'])).data?.agentAuditContentReveal?.events).toBeNull();
    expect(await reveals(await company.member('OWNER', company.id))).toEqual(before);
  });

  it.each<[string, readonly string[], string, string]>([
    ['no event', [], 'why', 'eventIds'],
    ['101 events', Array.from({ length: 101 }, () => randomUUID()), 'why', 'eventIds'],
    ['no reason', [randomUUID()], '  ', 'reason'],
    ['a reason of 1,001 characters', [randomUUID()], 'x'.repeat(1_001), 'reason'],
  ])('is not shown for %s', async (_what, ids, reason, path) => {
    const auditor = await company.member('AUDITOR', company.id);

    expect((await reveal(auditor, ids, reason)).data?.agentAuditContentReveal).toMatchObject({
      events: null,
      errors: [{ problems: [{ path }] }],
    });
  });

  it('is committed to by the event’s own seal', async () => {
    const [id = ''] = await recorded(company.platform, [aPrompt()]);
    const [row] = await owner.sql.query<{ json: string; salt: Buffer; seal: Buffer; content: string; content_salt: Buffer }>(
      `SELECT e.json::text AS json, e.salt, e.seal, c.json::text AS content, c.salt AS content_salt
       FROM audit_event e JOIN audit_event_content c ON c.event_id = e.id WHERE e.id = $1::uuid`,
      [id],
    );
    if (row === undefined) throw new Error('The event is not there.');

    expect(sealOf(row.salt, row.json)).toEqual(row.seal);
    expect((JSON.parse(row.json) as { contentSeal: string }).contentSeal).toBe(sealOf(row.content_salt, row.content).toString('hex'));
    expect(row.json).not.toContain(PROMPT);
  });

  it('that somebody has changed in the database is not shown as if it were the one recorded', async () => {
    const [id = ''] = await recorded(company.platform, [aPrompt()]);
    await owner.sql.query(`UPDATE audit_event_content SET json = '{"data":{"content":"forged"}}' WHERE event_id = $1::uuid`, [id]);

    const answer = await reveal(await company.member('AUDITOR', company.id), [id]);

    expect(answer.data?.agentAuditContentReveal ?? null).toBeNull();
    expect(answer.errors).toHaveLength(1);
  });

  it('counts when an event is sent again: with another one it is another event', async () => {
    const event = aPrompt();
    await recorded(company.platform, [event]);

    expect(await postBatch(company.platform, [event])).toMatchObject({ duplicates: 1 });
    expect(await postBatch(company.platform, [{ ...event, data: { content: 'other', content_length: PROMPT.length } }])).toMatchObject({
      rejected: 1,
      results: [{ path: 'id' }],
    });
  });
});

const setMode = (client: Client, namespaceId: string, mode: 'FULL' | 'METADATA_ONLY') =>
  client.graphql<{ agentRecordingModeSet: object | null }>(
    `mutation ($input: AgentRecordingModeSetInput!) { agentRecordingModeSet(input: $input) {
       namespaceId mode errors { __typename ... on AgentNotFound { field } } } }`,
    { input: { namespaceId, mode } },
  );

/** Everything that the database holds of an organization, as text. */
const everythingOf = async (organizationId: string): Promise<string> =>
  JSON.stringify(
    await owner.sql.query(
      'SELECT e.*, c.json AS content FROM audit_event e LEFT JOIN audit_event_content c ON c.event_id = e.id WHERE e.organization_id = $1',
      [organizationId],
    ),
  );

describe('a namespace of which only metadata is recorded', () => {
  let quiet: TestOrganization;
  let boss: Client;
  beforeAll(async () => {
    quiet = await anOrganization(subgraph);
    boss = await quiet.member('OWNER', quiet.id);
    expect((await setMode(boss, quiet.payments, 'METADATA_ONLY')).data).toEqual({
      agentRecordingModeSet: { namespaceId: quiet.payments, mode: 'METADATA_ONLY', errors: [] },
    });
  });

  it('keeps no content, no arguments, no errors and nothing that a type does not name, from the next event on', async () => {
    const events = aSession('quiet', { projectid: quiet.api, traceparent: '00-hidden' });
    await recorded(quiet.platform, [
      ...events,
      aCloudEvent({ projectid: quiet.api, type: 'com.example.new', data: { anything: 'hidden' } }),
    ]);

    expect(await everythingOf(quiet.id)).not.toMatch(/Fix the|Done|You are|I will|# Title|README|Out of tokens|Too many|No such|hidden/);
    const { data } = await boss.graphql<{ agentAuditEvents: { nodes: readonly { contentStatus: string; recordingMode: string }[] } }>(
      `query ($project: [ID!]) { agentAuditEvents(first: 100, filter: { projectIds: $project }) { nodes { contentStatus recordingMode toolName type } } }`,
      { project: [quiet.api] },
    );
    expect(data?.agentAuditEvents.nodes).toHaveLength(12);
    expect(new Set(data?.agentAuditEvents.nodes.map(({ contentStatus, recordingMode }) => `${contentStatus} ${recordingMode}`))).toEqual(
      new Set(['NOT_RECORDED METADATA_ONLY']),
    );
  });

  it('keeps no arguments of a decision', async () => {
    const developer = await quiet.member('DEVELOPER', quiet.api);
    const { data } = await developer.graphql<{ agentDecisionRequest: { decision: object | null } }>(
      `mutation ($input: AgentDecisionRequestInput!) { agentDecisionRequest(input: $input) { decision { verdict event { recordingMode } } } }`,
      { input: { agentId: quiet.coder, projectId: quiet.api, tool: 'some_tool', arguments: { path: 'hidden-path' } } },
    );

    expect(data?.agentDecisionRequest.decision).toMatchObject({ verdict: 'DENY', event: { recordingMode: 'METADATA_ONLY' } });
    expect(await everythingOf(quiet.id)).not.toContain('hidden-path');
  });

  it('is not the one beside it', async () => {
    await recorded(quiet.platform, [aCloudEvent({ projectid: quiet.shop, data: { tool_name: 't', tool_args: { path: 'shown-path' } } })]);

    expect(await everythingOf(quiet.id)).toContain('shown-path');
  });

  it('takes what was recorded whole before, when it is sent again, for what it is', async () => {
    const event = aCloudEvent({ projectid: quiet.web, data: { tool_name: 't', tool_args: { path: 'early-path' } } });
    await setMode(boss, quiet.payments, 'FULL');
    await recorded(quiet.platform, [event]);
    await setMode(boss, quiet.payments, 'METADATA_ONLY');

    expect(await postBatch(quiet.platform, [event])).toMatchObject({ duplicates: 1 });
  });

  it('stays so below, whatever is set below', async () => {
    await setMode(boss, quiet.api, 'FULL');
    await recorded(quiet.platform, [aCloudEvent({ projectid: quiet.api, data: { tool_name: 't', tool_args: { path: 'below-path' } } })]);

    expect(await everythingOf(quiet.id)).not.toContain('below-path');
  });

  it('is set by its owner with the scope for it, and by nobody else; each change is an event', async () => {
    const other = await anOrganization(subgraph);
    const otherBoss = await other.member('OWNER', other.id);
    const changes = async () =>
      (await owner.sql.query("SELECT 1 FROM audit_event WHERE organization_id = $1 AND type = 'ai_recording_mode_changed'", [other.id]))
        .length;

    expect((await setMode(await other.member('MAINTAINER', other.core), other.core, 'METADATA_ONLY')).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
    const scopes = SCOPES.filter((scope) => scope !== 'recording:write');
    expect((await setMode(await other.member('OWNER', other.id, { scopes }), other.core, 'METADATA_ONLY')).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
    expect((await setMode(otherBoss, quiet.core, 'METADATA_ONLY')).data).toEqual({
      agentRecordingModeSet: { namespaceId: null, mode: null, errors: [{ __typename: 'AgentNotFound', field: 'namespaceId' }] },
    });
    expect(await changes()).toBe(0);

    for (const mode of ['METADATA_ONLY', 'METADATA_ONLY', 'FULL', 'FULL'] as const) await setMode(otherBoss, other.core, mode);
    expect(await changes()).toBe(2);
  });
});

describe('what happened in a namespace that was deleted', () => {
  it('is still seen by those above it', async () => {
    const gone = await anOrganization(subgraph);
    const maintainer = await gone.member('MAINTAINER', gone.payments);
    await recorded(gone.platform, [aCloudEvent({ id: 'kept', projectid: gone.api })]);

    await pushed(gone.platform, { namespaces: [{ id: gone.core, deleted: true }] });

    expect((await maintainer.graphql('{ agentAuditEvents { nodes { sourceId } } }')).data).toEqual({
      agentAuditEvents: { nodes: [{ sourceId: 'kept' }] },
    });
  });
});
