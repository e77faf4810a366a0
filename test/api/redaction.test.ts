import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Database } from '../../src/platform/postgres.js';
import { aCloudEvent } from '../support/cloud-events.js';
import { openAsOwner } from '../support/database.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { postBatch, recorded } from '../support/recording.js';
import { aSubgraph, type TestSubgraph } from '../support/subgraph.js';

/** Put together here, so that nobody takes it for a real one. */
const TOKEN = ['glpat', 'aB3dE6gH9jK2mN5pQ8rT'].join('-');
const PASSWORD = 'correct horse battery';

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

/** Everything that the database holds of the organization, as text. */
const stored = async (): Promise<string> =>
  JSON.stringify(
    await owner.sql.query(
      'SELECT e.*, c.json AS content FROM audit_event e LEFT JOIN audit_event_content c ON c.event_id = e.id WHERE e.organization_id = $1',
      [company.id],
    ),
  );

const withSecrets = () =>
  aCloudEvent({
    projectid: company.api,
    note: `the token is ${TOKEN}`,
    data: {
      tool_name: 'run',
      tool_args: { command: `curl -H "PRIVATE-TOKEN: ${TOKEN}"`, password: PASSWORD, path: 'README.md' },
      raw_output: TOKEN,
    },
  });

describe('secrets in what a producer reports', () => {
  it('are never stored, and the event says where they stood', async () => {
    const [id] = await recorded(company.platform, [withSecrets()]);

    expect(await stored()).not.toContain(TOKEN);
    expect(await stored()).not.toContain(PASSWORD);
    const { data } = await (
      await company.member('OWNER', company.id)
    ).graphql('query ($id: ID!) { agentAuditEvent(id: $id) { redactedFields payload { ... on AgentToolCallPayload { arguments } } } }', {
      id,
    });
    expect(data).toEqual({
      agentAuditEvent: {
        redactedFields: ['attributes.note', 'data.raw_output', 'data.tool_args.command', 'data.tool_args.password'],
        payload: {
          arguments: {
            command: expect.stringContaining('[REDACTED:'),
            password: expect.stringMatching(/^\[REDACTED:/),
            path: 'README.md',
          },
        },
      },
    });
  });

  it('do not keep an event from being known when it is sent again', async () => {
    const event = withSecrets();
    await recorded(company.platform, [event]);

    expect(await postBatch(company.platform, [event])).toMatchObject({ duplicates: 1 });
  });

  it.each(['id', 'subject', 'callid', 'source'])('are a reason to reject an event that is named by one: %s', async (attribute) => {
    const answer = await postBatch(company.platform, [aCloudEvent({ [attribute]: TOKEN }), aCloudEvent()]);

    expect(answer).toMatchObject({ stored: 1, rejected: 1, results: [{ status: 'rejected', path: attribute }, { status: 'stored' }] });
    expect(await stored()).not.toContain(TOKEN);
  });
});

describe('secrets in the arguments of a call that is decided', () => {
  it('are not stored with the decision', async () => {
    const developer = await company.member('DEVELOPER', company.api);

    const { data } = await developer.graphql<{ agentDecisionRequest: { decision: object | null } }>(
      `mutation ($input: AgentDecisionRequestInput!) { agentDecisionRequest(input: $input) { decision { event { redactedFields } } } }`,
      { input: { agentId: company.coder, projectId: company.api, tool: 'run', arguments: { token: TOKEN } } },
    );

    expect(data?.agentDecisionRequest.decision).toEqual({ event: { redactedFields: ['data.arguments.token'] } });
    expect(await stored()).not.toContain(TOKEN);
  });
});
