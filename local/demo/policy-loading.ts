import { Refusal } from '../refusal.js';
import type { Api } from './api.js';
import { policies, type DemoPolicy } from './policies.js';

const known = /* GraphQL */ `
  query DemoKnownPolicies($namespaceId: ID!) {
    agentPolicies(namespaceId: $namespaceId, first: 100) {
      nodes {
        id
        name
        status
        latestRevision
      }
    }
  }
`;

const create = /* GraphQL */ `
  mutation DemoCreatePolicy($input: AgentPolicyCreateInput!) {
    agentPolicyCreate(input: $input) {
      policy {
        id
        name
        status
        latestRevision
      }
      errors {
        __typename
        ... on AgentRefusal {
          message
        }
        ... on AgentPolicyInvalid {
          problems {
            message
            help
            line
          }
        }
      }
    }
  }
`;

const publish = /* GraphQL */ `
  mutation DemoPublishPolicy($input: AgentPolicyPublishInput!) {
    agentPolicyPublish(input: $input) {
      errors {
        __typename
        ... on AgentRefusal {
          message
        }
        ... on AgentPolicyInvalid {
          problems {
            message
            help
            line
          }
        }
      }
    }
  }
`;

interface KnownPolicy {
  readonly id: string;
  readonly name: string;
  readonly status: 'DRAFT' | 'PUBLISHED' | 'RETIRED';
  readonly latestRevision: number;
}

type Refusals = readonly { readonly message: string }[];

/** Publishes the demo's policies that are not there yet. One that was changed or retired since stays so. */
export async function publishPolicies(api: Api): Promise<void> {
  for (const policy of policies) {
    const present = (await knownIn(api, policy.namespaceId)).find(({ name }) => name === policy.name) ?? (await createPolicy(api, policy));
    // A draft without a revision: an earlier load was cut short between the two steps.
    if (present.status === 'DRAFT' && present.latestRevision === 0) await publishFirst(api, present);
  }
}

async function knownIn(api: Api, namespaceId: string): Promise<readonly KnownPolicy[]> {
  const { agentPolicies } = await api.graphql<{ agentPolicies: { nodes: readonly KnownPolicy[] } | null }>(known, { namespaceId });
  return agentPolicies?.nodes ?? [];
}

async function createPolicy(api: Api, policy: DemoPolicy): Promise<KnownPolicy> {
  const { agentPolicyCreate } = await api.graphql<{ agentPolicyCreate: { policy: KnownPolicy | null; errors: Refusals } }>(create, {
    input: policy,
  });
  if (agentPolicyCreate.policy === null) throw refusal(policy.name, agentPolicyCreate.errors);
  return agentPolicyCreate.policy;
}

async function publishFirst(api: Api, { id, name }: KnownPolicy): Promise<void> {
  const input = { policyId: id, basedOn: 0, message: 'Demo' };
  const { agentPolicyPublish } = await api.graphql<{ agentPolicyPublish: { errors: Refusals } }>(publish, { input });
  if (agentPolicyPublish.errors.length > 0) throw refusal(name, agentPolicyPublish.errors);
}

function refusal(name: string, errors: Refusals): Refusal {
  return new Refusal(`The demo policy "${name}" was refused: ${JSON.stringify(errors)}`);
}
