import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { CATALOGUE, EVENT_TYPES } from '../../src/audit/catalogue.js';
import { OWN_SOURCE, type NewEvent } from '../../src/audit/index.js';
import { postgresAuditLog } from '../../src/audit/postgres.js';
import { organizationId } from '../../src/kernel/index.js';
import type { Database } from '../../src/platform/postgres.js';
import { openAsOwner } from '../support/database.js';
import { anAppend } from '../audit/events.js';
import { ownData } from '../audit/own-data.js';
import { aCloudEvent, reportedData } from '../support/cloud-events.js';
import { aPublishedPolicy, decisionOn, registerTool, retirePolicy } from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { postBatch, postBody } from '../support/recording.js';
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

interface EventTypeAnswer {
  readonly name: string;
  readonly payloadSchema: object;
  readonly [field: string]: unknown;
}

const TYPES = `{ types: agentAuditEventTypes { name description scopes category payloadType payloadSchema contentFields detailFields
  retentionClass isRecordedByService since } }`;

interface ShownEvent {
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly extensions: unknown;
}

const EVENTS = `query ($types: [String!]) { agentAuditEvents(first: 100, filter: { types: $types }) { nodes { type extensions payload { __typename
  ... on AgentApprovalPayload { decisionId toolName level approvalScope: scope reason expiresAt decision { id verdict } tool { id } decidedBy { id } }
  ... on AgentPolicyPayload { name revision policy { id } }
  ... on AgentToolPayload { definitionDigest actionType reason tool { id } }
  ... on AgentStopPayload { reason expiresAt agent { id } }
  ... on AgentRetentionDropPayload { retentionClass dropped: namespaceId month from to firstPosition lastPosition count }
  ... on AgentRetentionChangePayload { retentionClass changed: namespaceId days previousDays }
  ... on AgentLegalHoldPayload { holdId name reason held: namespaceId sessionId from to user { id } agent { id } }
  ... on AgentContentRevealPayload { eventIds reason }
  ... on AgentRecordingModePayload { changed: namespaceId mode previousMode }
  ... on AgentSessionReportPayload { producer batchId totalEventsSent }
  ... on AgentUnknownPayload { contentType } } } } }`;

async function shownTo(client: Client, types: readonly string[]): Promise<readonly ShownEvent[]> {
  const { data, errors } = await client.graphql<{ readonly agentAuditEvents: { readonly nodes: readonly ShownEvent[] } }>(EVENTS, {
    types,
  });
  if (data?.agentAuditEvents == null || errors !== undefined) throw new Error(`No events: ${JSON.stringify(errors)}`);
  return data.agentAuditEvents.nodes;
}

describe('Query.agentAuditEventTypes', () => {
  it('gives every type of the catalogue to whoever is signed in', async () => {
    const company = await anOrganization(subgraph);
    const nobody = await subgraph.as({ userId: 'nobody', organizationId: company.id, scopes: [] });

    const { data, errors } = await nobody.graphql<{ readonly types: readonly EventTypeAnswer[] }>(TYPES);

    expect(errors).toBeUndefined();
    expect(data?.types.map(({ name }) => name)).toEqual(EVENT_TYPES.map(({ name }) => name));
    expect(data?.types.find(({ name }) => name === 'ai_tool_approval_granted')).toEqual({
      name: 'ai_tool_approval_granted',
      description: 'A human approved a tool call.',
      scopes: ['PROJECT'],
      category: 'APPROVAL',
      payloadType: 'AgentApprovalPayload',
      payloadSchema: expect.objectContaining({ required: ['decisionId', 'toolName'] }),
      contentFields: [],
      detailFields: [],
      retentionClass: 'DECISIONS',
      isRecordedByService: true,
      since: '0.2.0',
    });
  });

  it('gives schemas that the recorded data passes', async () => {
    const company = await anOrganization(subgraph);
    const { data } = await company.platform.graphql<{ readonly types: readonly EventTypeAnswer[] }>(TYPES);
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    addFormats.default(ajv);

    const wrong = Object.entries({ ...reportedData, ...ownData }).filter(([type, content]) => {
      const schema = data?.types.find(({ name }) => name === type)?.payloadSchema;
      return schema === undefined || !ajv.validate(schema, content);
    });

    expect([data?.types.length, wrong]).toEqual([EVENT_TYPES.length, []]);
  });

  it('says nothing to strangers', async () => {
    const { data, errors } = await subgraph.anonymous().graphql(TYPES);

    expect(data?.['types'] ?? null).toBeNull();
    expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  });
});

describe('an event of an unknown type', () => {
  const RECORD =
    'mutation ($input: AgentAuditEventsRecordInput!) { answer: agentAuditEventsRecord(input: $input) { stored duplicates rejected unknownTypes receipts { status isUnknownType } } }';
  const unknown = aCloudEvent({ id: 'unknown', type: 'com.example.new', data: { anything: [1] } });
  const events = [
    unknown,
    aCloudEvent({ id: 'known' }),
    aCloudEvent({ id: 'late', type: 'com.example.new', time: '2020-01-01T00:00:00Z' }),
  ];

  it('is stored as such, and its receipt says so', async () => {
    const company = await anOrganization(subgraph);
    const owner = await company.member('OWNER', company.id);

    const answer = await postBatch(company.platform, events);
    const again = await postBody(company.platform, 'application/cloudevents+json', JSON.stringify(unknown));

    expect(answer).toMatchObject({ status: 200, stored: 2, duplicates: 0, rejected: 1, unknownTypes: 1 });
    expect(answer.results?.map(({ status, unknownType }) => [status, unknownType])).toEqual([
      ['stored', true],
      ['stored', undefined],
      ['rejected', undefined],
    ]);
    expect(again).toMatchObject({ status: 200, duplicates: 1, unknownTypes: 1, results: [{ status: 'duplicate', unknownType: true }] });
    expect(await shownTo(owner, ['com.example.new'])).toEqual([
      {
        type: 'com.example.new',
        payload: { __typename: 'AgentUnknownPayload', contentType: 'application/json' },
        extensions: expect.objectContaining({ data: { anything: [1] } }),
      },
    ]);
  });

  it('is told apart by the mutation too', async () => {
    const company = await anOrganization(subgraph);

    const { data, errors } = await company.platform.graphql(RECORD, { input: { events } });

    expect(errors).toBeUndefined();
    expect(data?.['answer']).toEqual({
      ...{ stored: 2, duplicates: 0, rejected: 1, unknownTypes: 1 },
      receipts: [
        { status: 'STORED', isUnknownType: true },
        { status: 'STORED', isUnknownType: false },
        { status: 'REJECTED', isUnknownType: false },
      ],
    });
  });
});

describe('a type that a producer may send', () => {
  it('keeps what the producer adds, reachable as extensions', async () => {
    const company = await anOrganization(subgraph);
    const owner = await company.member('OWNER', company.id);
    const added = { new_member: { deep: [null, 1] }, ip_address: '192.0.2.7' };
    const sent = Object.entries(reportedData).map(([type, data]) => aCloudEvent({ type, data: { ...data, ...added }, extra: 'x' }));

    expect(await postBatch(company.platform, sent)).toMatchObject({ stored: sent.length, unknownTypes: 0 });

    const shown = await shownTo(owner, Object.keys(reportedData));
    expect(shown.map(({ type }) => type).sort()).toEqual(Object.keys(reportedData).sort());
    expect(shown.filter(({ payload }) => payload['__typename'] === 'AgentUnknownPayload')).toEqual([]);
    expect(shown.map(({ extensions }) => extensions)).toEqual(
      sent.map(() => ({ attributes: expect.objectContaining({ extra: 'x' }), data: added })),
    );
  });
});

describe('a type that only this service records', () => {
  it('is rejected from a producer, each with a reason that names it', async () => {
    const company = await anOrganization(subgraph);
    const names = Object.keys(ownData);

    const answer = await postBatch(
      company.platform,
      Object.entries(ownData).map(([type, data]) => aCloudEvent({ type, data, projectid: company.api })),
    );

    expect(answer).toMatchObject({ status: 400, stored: 0, rejected: names.length });
    expect(answer.results?.map(({ path, reason }) => [path, reason])).toEqual(
      names.map((name) => ['type', `must not be ${name}: only this service records it`]),
    );
  });

  it('is recorded in the shape that the catalogue gives it', async () => {
    const company = await anOrganization(subgraph);
    const owner = await company.member('OWNER', company.id);
    const policyId = await aPublishedPolicy(owner, company.id, 'permit (principal, action, resource);');
    await registerTool(owner, { id: 'io.example.files/read_file', annotations: { readOnlyHint: true } });
    await registerTool(owner, { id: 'io.example.files/read_file', annotations: { readOnlyHint: false, destructiveHint: false } });
    await decisionOn(owner, { agentId: company.coder, projectId: company.api, tool: 'read_file', arguments: { path: 'README.md' } });
    await retirePolicy(owner, { policyId, basedOn: 1 });

    const written = await writtenFor(company);
    const wrong = written.filter(({ type, data }) => CATALOGUE.get(type)?.data.strict().safeParse(data).success !== true);

    expect(wrong).toEqual([]);
    expect(written.map(({ type }) => type)).toEqual([
      'ai_policy_created',
      'ai_policy_published',
      'ai_tool_registered',
      'ai_tool_changed',
      'ai_tool_decision_made',
      'ai_policy_retired',
    ]);
  });

  it('is shown with every field of its payload', async () => {
    const company = await anOrganization(subgraph);
    const owner = await company.member('OWNER', company.id);
    await aPublishedPolicy(owner, company.id, 'permit (principal, action, resource);');
    await registerTool(owner, { id: 'io.example.files/delete_file', annotations: { destructiveHint: true } });
    const decision = await decisionOn(owner, { agentId: company.coder, projectId: company.api, tool: 'delete_file' });
    await appended(company, { type: 'ai_tool_approval_granted', data: { ...ownData.ai_tool_approval_granted, decisionId: decision.id } });
    const others = Object.entries(ownData).filter(([type]) => !/decision|policy|approval|tool_(registered|changed)/.test(type));
    for (const [type, data] of others) await appended(company, { type, data });

    const shown = await shownTo(owner, ['ai_tool_approval_granted', ...others.map(([type]) => type)]);
    const payloadOf = (type: string) => shown.find((event) => event.type === type)?.payload;

    expect(payloadOf('ai_tool_approval_granted')).toEqual({
      __typename: 'AgentApprovalPayload',
      ...{ decisionId: decision.id, toolName: 'delete_file', level: 40, approvalScope: 'SESSION', reason: 'Seen it' },
      expiresAt: '2026-11-22T10:00:00.000Z',
      decision: { id: decision.id, verdict: 'ALLOW' },
      tool: { id: 'io.example.files/delete_file' },
      decidedBy: { id: 'gid://platform/User/1' },
    });
    expect(payloadOf('ai_tool_quarantined')).toMatchObject({
      __typename: 'AgentToolPayload',
      tool: { id: 'io.example.files/delete_file' },
      reason: 'Its description gives orders',
    });
    expect(payloadOf('ai_agent_stopped')).toEqual({
      ...{ __typename: 'AgentStopPayload', reason: 'Loops', expiresAt: null },
      agent: { id: 'gid://platform/Agent/coder' },
    });
    expect(payloadOf('ai_retention_dropped')).toEqual({
      __typename: 'AgentRetentionDropPayload',
      ...{ retentionClass: 'CONTENT', dropped: null, month: '2026-04', from: null, to: null },
      ...{ firstPosition: 0, lastPosition: 2 ** 40, count: 2 ** 33 },
    });
    expect(payloadOf('ai_retention_changed')).toEqual({
      __typename: 'AgentRetentionChangePayload',
      ...{ retentionClass: 'METADATA', changed: 'acme', days: 400, previousDays: null },
    });
    expect(payloadOf('ai_legal_hold_lifted')).toEqual({
      __typename: 'AgentLegalHoldPayload',
      ...{ holdId: 'hold-1', name: 'Case 7', reason: 'Court order', held: 'acme', sessionId: null },
      ...{ from: '2026-10-01T00:00:00.000Z', to: null, user: { id: 'gid://platform/User/1' }, agent: null },
    });
    expect(payloadOf('ai_content_revealed')).toEqual({
      __typename: 'AgentContentRevealPayload',
      ...{ eventIds: ['019aa000-0000-7000-8000-000000000001'], reason: 'Incident 12' },
    });
    expect(payloadOf('ai_recording_mode_changed')).toEqual({
      __typename: 'AgentRecordingModePayload',
      ...{ changed: 'acme', mode: 'METADATA_ONLY', previousMode: null },
    });
    expect(payloadOf('ai_agent_session_report_finished')).toEqual({
      __typename: 'AgentSessionReportPayload',
      ...{ producer: '/duo_workflow_service', batchId: 'b-9', totalEventsSent: 2 ** 33 },
    });
    expect(shown.filter(({ extensions }) => extensions !== null)).toEqual([]);
  });

  it('links an approval to nothing that its reader may not see', async () => {
    const company = await anOrganization(subgraph);
    const [owner, developer] = [
      await company.member('OWNER', company.id),
      await company.member('DEVELOPER', company.api, { userId: 'ada' }),
    ];
    const decision = await decisionOn(owner, { agentId: company.coder, projectId: company.api, tool: 'delete_file' });
    await appended(company, {
      type: 'ai_tool_approval_requested',
      projectId: company.api,
      userId: 'ada',
      data: { ...ownData.ai_tool_approval_requested, decisionId: decision.id },
    });

    const [seen] = await shownTo(developer, ['ai_tool_approval_requested']);

    expect(seen?.payload).toMatchObject({ decisionId: decision.id, decision: null, tool: null, decidedBy: null });
  });
});

/** Stores an event that this service would record. */
const appended = (company: TestOrganization, event: Partial<NewEvent>) =>
  postgresAuditLog(database.of, new Set()).append(organizationId(company.id), [
    anAppend({ source: OWN_SOURCE, ...event }, organizationId(company.id)),
  ]);

/** Everything in the organization's log, oldest first. */
async function writtenFor(company: TestOrganization): Promise<readonly { readonly type: string; readonly data: unknown }[]> {
  const rows = await database.sql.query<{ json: string }>(
    'SELECT json::text AS json FROM audit_event WHERE organization_id = $1 ORDER BY seq',
    [company.id],
  );
  return rows.map(({ json }): { readonly type: string; readonly data: unknown } => JSON.parse(json));
}
