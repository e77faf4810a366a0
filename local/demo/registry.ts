import { Refusal } from '../refusal.js';
import type { Api } from './api.js';
import { tools, type DemoTool } from './tools.js';

const known = /* GraphQL */ `
  query DemoKnownTools($after: String) {
    agentTools(first: 100, after: $after) {
      nodes {
        id
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

const register = /* GraphQL */ `
  mutation DemoRegisterTool($input: AgentToolRegisterInput!) {
    agentToolRegister(input: $input) {
      errors {
        __typename
        ... on AgentRefusal {
          message
        }
        ... on AgentInputInvalid {
          problems {
            path
            message
          }
        }
      }
    }
  }
`;

interface KnownTools {
  readonly agentTools: {
    readonly nodes: readonly { readonly id: string }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

interface Registered {
  readonly agentToolRegister: { readonly errors: readonly { readonly message: string }[] };
}

/** Registers the demo's tools that are not registered yet; one that somebody has changed since stays as it is. */
export async function registerTools(api: Api, report: (detail: string) => void): Promise<void> {
  const present = await knownIds(api);
  const missing = tools.filter(({ id }) => !present.has(id));
  for (const [index, tool] of missing.entries()) {
    report(`tool ${String(index + 1)} of ${String(missing.length)}`);
    await registerTool(api, tool);
  }
}

async function registerTool(api: Api, tool: DemoTool): Promise<void> {
  const { agentToolRegister } = await api.graphql<Registered>(register, { input: tool });
  if (agentToolRegister.errors.length > 0)
    throw new Refusal(`The demo tool ${tool.id} was refused: ${JSON.stringify(agentToolRegister.errors)}`);
}

async function knownIds(api: Api): Promise<Set<string>> {
  const ids = new Set<string>();
  let after: string | null = null;
  do {
    const { agentTools }: KnownTools = await api.graphql<KnownTools>(known, { after });
    for (const { id } of agentTools.nodes) ids.add(id);
    after = agentTools.pageInfo.hasNextPage ? agentTools.pageInfo.endCursor : null;
  } while (after !== null);
  return ids;
}
