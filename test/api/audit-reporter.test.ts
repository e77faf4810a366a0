import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aCloudEvent, type CloudEvent } from '../support/cloud-events.js';
import { anOrganization } from '../support/organization.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

const RECORD =
  'mutation ($events: [AgentCloudEvent!]!) { agentAuditEventsRecord(input: { events: $events }) { receipts { status path reason eventId seal } } }';
const record = async (client: Client, ...events: readonly CloudEvent[]) => {
  const { data } = await client.graphql<{
    agentAuditEventsRecord: { receipts: readonly { status: string; path: string | null; eventId: string | null; seal: string | null }[] };
  }>(RECORD, { events });
  return data?.agentAuditEventsRecord.receipts ?? [];
};

describe('an event', () => {
  it('says whose token reported it, beside the user on whose behalf', async () => {
    const company = await anOrganization(subgraph);
    const auditor = await company.member('AUDITOR', company.id);

    const [receipt] = await record(company.platform, aCloudEvent({ userid: 'somebody', projectid: company.api }));
    const { data } = await auditor.graphql('query ($id: ID!) { agentAuditEvent(id: $id) { user { id } recordedBy { id } } }', {
      id: receipt?.eventId,
    });

    expect(data?.['agentAuditEvent']).toEqual({
      user: { id: 'somebody' },
      recordedBy: { id: company.id.replace('Organization', 'User') + '/platform' },
    });
  });

  it('is the same one when it comes again, from whomever', async () => {
    const company = await anOrganization(subgraph);
    const ada = await company.member('DEVELOPER', company.api);
    const event = aCloudEvent({ userid: 'somebody' });

    const [first] = await record(company.platform, event);
    const [again] = await record(company.platform, event);

    expect(first).toMatchObject({ status: 'STORED' });
    expect(again).toMatchObject({ status: 'DUPLICATE', eventId: first?.eventId, seal: first?.seal });
    expect(await record(ada, { ...event, userid: undefined })).toMatchObject([{ status: 'REJECTED', path: 'id' }]);
  });

  it('is refused, and not taken for a repetition, when it says something else under the identity of a stored one', async () => {
    const company = await anOrganization(subgraph);
    const event = aCloudEvent();
    await record(company.platform, event);

    const receipts = await record(company.platform, { ...event, data: { tool_name: 'delete_everything' } }, aCloudEvent());

    expect(receipts).toMatchObject([{ status: 'REJECTED', path: 'id', seal: null }, { status: 'STORED' }]);
  });
});
