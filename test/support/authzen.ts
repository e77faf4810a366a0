import type { TestOrganization } from './organization.js';
import type { Client } from './subgraph.js';

/** What AuthZEN answers an evaluation. */
export interface Evaluated {
  readonly decision?: boolean;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string; readonly message: string };
}

/** An HTTP answer with its body read. */
export interface AuthzenAnswer<Body> {
  readonly status: number;
  readonly requestId: string | null;
  readonly type: string | null;
  readonly body: Body;
}

/** Sends JSON to a route of AuthZEN. */
export async function authzen<Body = Evaluated>(
  client: Client,
  path: string,
  request: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<AuthzenAnswer<Body>> {
  const response = await client.request(`/access/v1/${path}`, {
    method: 'POST',
    body: JSON.stringify(request),
    headers: { 'content-type': 'application/json', ...headers },
  });
  const body: Body = JSON.parse(await response.text());
  return { status: response.status, requestId: response.headers.get('x-request-id'), type: response.headers.get('content-type'), body };
}

/** A tool as AuthZEN names it. */
export const aResource = (id: string, project: string): object => ({ type: 'tool', id, properties: { project } });

/** A request for one evaluation: whether the coder may read. */
export const anEvaluation = (company: TestOrganization, more: object = {}): object => ({
  subject: { type: 'agent', id: company.coder },
  action: { name: 'invokeTool', properties: { arguments: { path: '/tmp' } } },
  resource: aResource('read', company.api),
  context: { session: 'run 1', call: 'call 1' },
  ...more,
});
