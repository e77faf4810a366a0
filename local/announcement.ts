import type { Running } from './supervisor/house.js';

/** The one line that scripts read. */
export function jsonLine({ gateway, subgraph, tokens }: Running): string {
  const { developer, policyAdmin, securityTool } = tokens;
  return JSON.stringify({ gateway, subgraph, tokens: { developer, policyAdmin, securityTool } });
}

/** What a person sees once everything can be used: where it is, who they may be, and what to try. */
export function announce({ gateway, subgraph, tokens, demo }: Running): string {
  const webSocket = gateway.replace(/^http/, 'ws');
  return `
It runs. Ctrl-C stops it; the data stays (npm run reset throws it away).

  Gateway (platform and governance in one graph)  ${gateway}
  Governance subgraph                             ${subgraph}

Tokens, for 30 days:

  developer       ${tokens.developer}

  policyAdmin     ${tokens.policyAdmin}

  securityTool    ${tokens.securityTool}

Try, in another terminal:

1. Ask for a decision: may the agent "code-reviewer" share this file? (With an address elsewhere a policy forbids it.)

${curl(gateway, 'developer', decisionRequest(demo.projectId))}

2. See it in the audit log, with the project's name from the platform:

${curl(gateway, 'policyAdmin', auditQuery)}

3. Watch live, then repeat step 1:

curl -sN ${gateway} -H "authorization: Bearer $(npm run --silent token -- securityTool)" \\
  -H 'content-type: application/json' -H 'accept: text/event-stream' -d '${bodyOf(feed)}'

   or over a WebSocket (graphql-transport-ws) at ${webSocket}, with the connection parameter {"authorization": "Bearer TOKEN"}.

4. Replay recorded agent runs, a row per tool call: npx agent-governance replay FILE.ndjson
`;
}

const auditQuery =
  '{ project(fullPath: "acme/payments/api") { name agentAuditEvents(first: 5) { nodes { type occurredAt agent { name } user { name } } } } }';

const feed =
  'subscription { agentAuditEventAppended { __typename ... on AgentAuditEventAppended { event { position type project { name } agent { name } } } } }';

function decisionRequest(projectId: string): string {
  const call = `agentId: "gid://platform/Agent/code-reviewer", projectId: "${projectId}", tool: "share_file"`;
  const args = 'arguments: { file_id: "7", email: "ines@acme.example", permission: "r" }';
  return `mutation { agentDecisionRequest(input: { ${call}, ${args} }) { decision { verdict explanation reasons { policyName revision } } errors { __typename ... on AgentRefusal { message } } } }`;
}

function curl(url: string, holder: string, operation: string): string {
  return `curl -s ${url} -H "authorization: Bearer $(npm run --silent token -- ${holder})" \\
  -H 'content-type: application/json' -d '${bodyOf(operation)}'`;
}

function bodyOf(operation: string): string {
  return JSON.stringify({ query: operation });
}
