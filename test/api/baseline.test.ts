import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decisionOn, publishPolicy, registerTool, retirePolicy } from '../support/governing.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph({ POLICY_BASELINE: 'on' });
});
afterAll(() => subgraph.close());

async function aCompany(of: TestSubgraph = subgraph): Promise<{ readonly company: TestOrganization; readonly owner: Client }> {
  const company = await anOrganization(of);
  return { company, owner: await company.member('OWNER', company.id) };
}

interface Found {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}
const policiesOf = async (client: Client): Promise<readonly Found[]> =>
  (await client.graphql<{ agentPolicies: { nodes: readonly Found[] } }>('{ agentPolicies { nodes { id name status } } }')).data
    ?.agentPolicies.nodes ?? [];

describe('an organization that becomes known', () => {
  it('starts with the baseline as a policy of its own, with its record', async () => {
    const { company, owner } = await aCompany();
    await registerTool(owner, { id: 'com.example/read', namespaceId: company.id, annotations: { readOnlyHint: true } });

    expect(await policiesOf(owner)).toEqual([{ id: expect.any(String), name: 'baseline', status: 'PUBLISHED' }]);
    const decide = async (tool: string) => (await decisionOn(owner, { agentId: company.coder, projectId: company.api, tool })).verdict;
    expect(await decide('com.example/read')).toBe('ALLOW');
    expect(await decide('unknown')).not.toBe('ALLOW');
    const { data } = await owner.graphql<{ agentAuditEvents: { nodes: readonly { readonly type: string }[] } }>(
      '{ agentAuditEvents(first: 10, filter: { types: ["ai_policy_created", "ai_policy_published"] }) { nodes { type } } }',
    );
    expect(data?.agentAuditEvents.nodes.map(({ type }) => type)).toEqual(['ai_policy_published', 'ai_policy_created']);
  });

  it('replaces or retires it, and no later push brings it back', async () => {
    const { company, owner } = await aCompany();
    const [baseline] = await policiesOf(owner);
    const policyId = baseline?.id;

    expect((await publishPolicy(owner, { policyId, basedOn: 1, text: 'permit (principal, action, resource);' })).errors).toEqual([]);
    expect((await decisionOn(owner, { agentId: company.coder, projectId: company.api, tool: 'unknown' })).verdict).toBe('ALLOW');
    expect((await retirePolicy(owner, { policyId, basedOn: 2 })).errors).toEqual([]);
    await pushed(company.platform, { namespaces: [{ id: company.id, kind: 'ORGANIZATION', parentId: null, path: 'renamed' }] });

    expect(await policiesOf(owner)).toEqual([{ id: policyId, name: 'baseline', status: 'RETIRED' }]);
  });
});

describe('an organization that was known before', () => {
  it('is left as it is', async () => {
    const before = await subgraph.sibling({ POLICY_BASELINE: 'off' });
    const { company } = await aCompany(before);
    await before.close();
    const { id } = company;
    const platform = await subgraph.as({ userId: 'platform', organizationId: id, scopes: ['directory:write', 'act:any'] });
    const owner = await subgraph.as({ userId: `${id}/boss`, organizationId: id, scopes: ['audit:read', 'policy:write'] });

    await pushed(platform, {
      namespaces: [{ id, kind: 'ORGANIZATION', parentId: null, path: 'renamed' }],
      memberships: [{ namespaceId: id, userId: `${id}/boss`, role: 'OWNER' }],
    });

    expect(await policiesOf(owner)).toEqual([]);
  });
});
