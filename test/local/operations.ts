import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { StartedHouse } from './house.js';

export interface Answer<Data> {
  readonly data: Data;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: string; readonly serviceName?: string };
  }[];
}

/** One operation through the gateway, as the holder of one of the house's tokens. */
export function ask<Data>({ gateway, tokens }: StartedHouse, holder: keyof StartedHouse['tokens'], query: string): Promise<Answer<Data>> {
  return send(gateway, { authorization: `Bearer ${tokens[holder]}` }, query);
}

/** The same with a header of the test's own making. */
export async function send<Data>(
  url: string,
  headers: Readonly<Record<string, string>>,
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<Answer<Data>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const answer: Answer<Data> = JSON.parse(await response.text());
  return answer;
}

export interface Decided {
  readonly agentDecisionRequest: { readonly decision: { readonly id: string; readonly verdict: string } };
}

/** Dana's code reviewer wants to read a file in acme/payments/api: leaves a decision in the audit log. */
export async function aDecision(house: StartedHouse): Promise<Decided['agentDecisionRequest']['decision']> {
  const { data } = await ask<Decided>(
    house,
    'developer',
    `mutation { agentDecisionRequest(input: { agentId: "gid://platform/Agent/code-reviewer", projectId: "${house.demo.projectId}", tool: "read_file" }) { decision { id verdict } } }`,
  );
  return data.agentDecisionRequest.decision;
}

export interface FeedItem {
  readonly __typename: string;
  readonly cursor: string;
  readonly event?: { readonly id: string; readonly position: number; readonly project: { readonly name: string } | null };
}

/** The live feed through the gateway, over a WebSocket: behind a cursor, or from now on. */
export function openFeed(
  { gateway, tokens }: StartedHouse,
  after: string | null = null,
): AsyncIterableIterator<FeedItem> & { close(): Promise<void> } {
  const client = createClient({
    url: gateway.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${tokens.securityTool}` },
  });
  const results = client.iterate<{ agentAuditEventAppended: FeedItem }>({
    query: `subscription ($after: String) { agentAuditEventAppended(after: $after) { __typename
      ... on AgentAuditEventAppended { cursor event { id position project { name } } } ... on AgentAuditFeedHeartbeat { cursor } } }`,
    variables: { after },
  });
  const items = (async function* (): AsyncGenerator<FeedItem> {
    for await (const { data, errors } of results) {
      if (data == null) throw new Error(JSON.stringify(errors));
      yield data.agentAuditEventAppended;
    }
  })();
  return Object.assign(items, { close: async () => void (await client.dispose()) });
}

/** With which code a feed through the gateway is refused. */
export async function refusalOfFeed(gateway: string, token: string, after: string | null): Promise<string | undefined> {
  const client = createClient({
    url: gateway.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
  });
  const results = client.iterate({
    query: 'subscription ($after: String) { agentAuditEventAppended(after: $after) { __typename } }',
    variables: { after },
  });
  const { value } = await results.next();
  await client.dispose();
  const codes: readonly unknown[] = (value?.errors ?? []).map(
    (error: { readonly extensions?: { readonly code?: unknown } }) => error.extensions?.code,
  );
  return codes.map(String).join();
}
