import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { z } from 'zod';
import { sha256Hex } from '../../src/kernel/index.js';
import { withClient } from '../support/cluster.js';
import { theCompany } from '../support/company.js';
import type { Product } from '../support/product.js';
import { showProgress } from '../support/progress.js';

/** Somebody who owns the organization and may ask for decisions. */
export interface Administrator {
  graphql<Data>(document: string, variables: object, schema: z.ZodType<Data>): Promise<Data>;
  /** The verdict on a call of a tool. */
  decide(tool: string): Promise<string>;
}

const OWNER = theCompany.users[0] ?? '';

export async function anAdministrator(product: Product): Promise<Administrator> {
  const platform = await product.token({ userId: theCompany.reporter, organizationId: theCompany.id, scopes: ['directory:write'] });
  await sent(`${product.url}/v1/directory`, platform, 'PUT', {
    memberships: [{ namespaceId: theCompany.id, userId: OWNER, role: 'OWNER' }],
  });
  const scopes = ['policy:write', 'audit:read', 'decision:request'] as const;
  const token = await product.token({ userId: OWNER, organizationId: theCompany.id, scopes: [...scopes] });
  const graphql = async <Data>(query: string, variables: object, schema: z.ZodType<Data>): Promise<Data> => {
    const answer = await sent(`${product.url}/graphql`, token, 'POST', { query, variables });
    const parsed = z.object({ data: schema }).safeParse(answer);
    if (!parsed.success) throw new Error(`The service did not answer as it should: ${JSON.stringify(answer).slice(0, 1_000)}`);
    return parsed.data.data;
  };
  return {
    graphql,
    async decide(tool) {
      const input = { agentId: theCompany.agentsOf[0]?.[0], projectId: theCompany.projects[0], tool };
      return (await graphql(DECIDE, { input }, Decided)).answer.decision.verdict;
    },
  };
}

const DECIDE = 'mutation ($input: AgentDecisionRequestInput!) { answer: agentDecisionRequest(input: $input) { decision { verdict } } }';
const Decided = z.object({ answer: z.object({ decision: z.object({ verdict: z.string() }) }) });

async function sent(url: string, token: string, method: string, body: object): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return response.json();
}

const Created = z.object({ answer: z.object({ policy: z.object({ id: z.string() }) }) });
const CREATE =
  'mutation ($input: AgentPolicyCreateInput!) { answer: agentPolicyCreate(input: $input) { policy { id } errors { __typename } } }';
const Published = z.object({ answer: z.object({ policy: z.object({ latestRevision: z.number() }) }) });
const PUBLISH =
  'mutation ($input: AgentPolicyPublishInput!) { answer: agentPolicyPublish(input: $input) { policy { latestRevision } errors { __typename } } }';

/** The id of a new policy of the organization, a draft. */
export async function createPolicy({ graphql }: Administrator, text: string): Promise<string> {
  const input = { namespaceId: theCompany.id, name: `policy ${randomUUID()}`, text };
  return (await graphql(CREATE, { input }, Created)).answer.policy.id;
}

export async function publish({ graphql }: Administrator, policyId: string, basedOn: number, text: string): Promise<void> {
  await graphql(PUBLISH, { input: { policyId, basedOn, text } }, Published);
}

/** Puts texts in force for the organization, a policy each, beneath the service: a publish of each would take an hour. */
export async function putInForce(databaseUrl: string, texts: readonly string[]): Promise<void> {
  const progress = showProgress(`Putting ${texts.length.toLocaleString('en')} policies in force`, texts.length, 'policies');
  await withClient(databaseUrl, async (client) => {
    for (let first = 0; first < texts.length; first += ROWS) {
      const rows = texts.slice(first, first + ROWS).map((text, index) => rowOf(text, first + index));
      await client.query(INSERT_POLICIES, [theCompany.id, OWNER, JSON.stringify(rows)]);
      await client.query(INSERT_REVISIONS, [theCompany.id, OWNER, JSON.stringify(rows)]);
      progress.advance(rows.length);
    }
    await client.query('UPDATE organization SET epoch = epoch + 1 WHERE id = $1', [theCompany.id]);
    await client.query('ANALYZE policy, policy_revision');
  });
  progress.stop();
}

const ROWS = 500;
const INSERT_POLICIES = `
  INSERT INTO policy (organization_id, id, namespace_id, name, status, draft_text, draft_saved_at, draft_saved_by, latest_revision, created_at, created_by)
  SELECT $1, id, $1, name, 'PUBLISHED', text, now(), $2, 1, now(), $2 FROM json_to_recordset($3::json) AS row (id uuid, name text, text text)`;
const INSERT_REVISIONS = `
  INSERT INTO policy_revision (organization_id, policy_id, revision, status, text, est, digest, author, published_at, published_by)
  SELECT $1, id, 1, 'PUBLISHED', text, est, digest, $2, now(), $2
  FROM json_to_recordset($3::json) AS row (id uuid, text text, est json, digest text)`;

function rowOf(text: string, index: number) {
  const converted = policyToJson(text);
  if (converted.type === 'failure') throw new Error(`A policy does not parse: ${JSON.stringify(converted.errors)} ${text}`);
  const effect = converted.json.effect === 'permit' ? 'PERMIT' : 'FORBID';
  return { id: randomUUID(), name: `policy ${index}`, text, est: [{ effect, est: converted.json }], digest: sha256Hex(text) };
}

/** A tool that no policy speaks of but the one that is changed. */
export const PROBE = 'probe';

/** Milliseconds until a call has this verdict, from now on; asked again as soon as it has been answered. */
export async function untilVerdict({ decide }: Administrator, verdict: string): Promise<number> {
  const startedAt = performance.now();
  while ((await decide(PROBE)) !== verdict) await delay(1);
  return performance.now() - startedAt;
}
