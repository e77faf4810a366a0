import { z } from 'zod';
import type { BundledPolicy, SeenPolicy, StandingPolicy } from '../../policy/index.js';
import { ask, type Asking } from '../api.js';
import { CommandError } from '../command-error.js';

/** A policy as it stands in the namespace, and who made it so. */
export interface Standing extends StandingPolicy {
  readonly status: string;
  /** Null before the first publish. */
  readonly publishedBy: string | null;
  readonly publishedAt: string | null;
}

/** The policies of the service, as the commands use them. */
export interface PolicyService {
  /** The policies of the namespace that applying a folder with these names minds. */
  standing(namespaceId: string, names: readonly string[]): Promise<readonly Standing[]>;
  /** All policies of the namespace. */
  everything(namespaceId: string): Promise<readonly Standing[]>;
  /** Runs a folder's cases, and changes nothing. */
  test(namespaceId: string, policies: readonly BundledPolicy[]): Promise<Tested>;
  /** Applies a folder, all of it or nothing. */
  apply(request: Apply): Promise<Applied>;
}

export interface Apply {
  readonly namespaceId: string;
  readonly policies: readonly BundledPolicy[];
  readonly basedOn: readonly SeenPolicy[];
  readonly adopt: readonly string[];
  readonly repository: string | null;
  readonly message: string | null;
  /** The names of warnings that are meant. */
  readonly confirm: readonly string[];
}

const Warning = z.object({
  ...{ name: z.string(), kind: z.string(), line: z.number(), column: z.number(), message: z.string(), help: z.string() },
});
const Case = z.object({ name: z.string(), line: z.number(), passed: z.boolean(), difference: z.string().nullable() });
const Test = z.object({
  name: z.string(),
  test: z.object({
    ...{ passed: z.number(), failed: z.number(), results: z.array(Case) },
    uncovered: z.array(z.object({ line: z.number(), column: z.number(), message: z.string() })),
  }),
  warnings: z.array(Warning),
});
export type Test = z.infer<typeof Test>;
export type Warning = z.infer<typeof Warning>;

const Result = z.object({
  name: z.string(),
  action: z.enum(['CREATE', 'PUBLISH', 'RETIRE', 'ADOPT', 'KEEP']),
  policyId: z.string(),
  revision: z.number(),
});
export type Result = z.infer<typeof Result>;

const number = z.number().nullish();
const Refusal = z.object({
  __typename: z.string(),
  message: z.string(),
  problems: z
    .array(
      z.object({
        ...{ name: z.string().optional(), path: z.string().optional(), isInCases: z.boolean().optional() },
        ...{ message: z.string(), help: z.string().nullish(), line: number, column: number },
      }),
    )
    .optional(),
  policies: z
    .array(
      z.object({
        ...{ name: z.string(), policyId: z.string(), reason: z.string().optional(), revision: number, repository: z.string().nullish() },
        ...{ seenRevision: number, seenOrigin: z.string().nullish(), nowRevision: number, nowOrigin: z.string().nullish() },
      }),
    )
    .optional(),
  failed: z.array(z.object({ name: z.string(), result: Case })).optional(),
  warnings: z.array(z.object({ name: z.string(), warning: Warning })).optional(),
  demandedBy: z.array(z.string()).optional(),
  missing: z.array(z.string()).optional(),
});
export type Refusal = z.infer<typeof Refusal>;

export type Tested = { readonly tests: readonly Test[] } | { readonly refusals: readonly Refusal[] };
export type Applied = { readonly results: readonly Result[] } | { readonly refusals: readonly Refusal[] };

const Policy = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  origin: z.enum(['AUTHORED', 'TOOL_RULES', 'AS_CODE']),
  status: z.string(),
  appliedAsCode: z.object({ repository: z.string().nullable() }).nullable(),
  latest: z
    .object({
      ...{ revision: z.number(), status: z.enum(['PUBLISHED', 'RETIRED']), text: z.string(), cases: z.string().nullable() },
      ...{ mode: z.enum(['ENFORCE', 'SHADOW']), effectiveFrom: z.string().nullable(), effectiveUntil: z.string().nullable() },
      ...{ publishedAt: z.string(), publishedBy: z.object({ id: z.string() }).nullable() },
    })
    .nullable(),
});
const PageOfPolicies = z.object({
  nodes: z.array(Policy),
  pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
});
const Page = z.object({ data: z.object({ page: PageOfPolicies.nullable() }) });
const Payload = z.object({ data: z.object({ applied: z.object({ results: z.array(Result).nullable(), errors: z.array(Refusal) }) }) });

const TestPayload = z.object({ data: z.object({ tested: z.object({ tests: z.array(Test).nullable(), errors: z.array(Refusal) }) }) });

const PAGE = `{ nodes { id name description origin status appliedAsCode { repository }
  latest { revision status text cases mode effectiveFrom effectiveUntil publishedAt publishedBy { id } } }
  pageInfo { hasNextPage endCursor } }`;
const BUNDLE = `query Bundle($namespaceId: ID!, $names: [String!]!, $after: String) {
  page: agentPolicyBundle(namespaceId: $namespaceId, names: $names, first: 50, after: $after) ${PAGE} }`;
const POLICIES = `query Policies($namespaceId: ID!, $after: String) {
  page: agentPolicies(namespaceId: $namespaceId, first: 50, after: $after) ${PAGE} }`;
const WARNING = 'name kind line column message help';
const CASE = 'name line passed difference';
const TEST = `query Test($input: AgentPolicyBundleTestInput!) { tested: agentPolicyBundleTest(input: $input) {
  tests { name test { passed failed results { ${CASE} } uncovered { line column message } } warnings { ${WARNING} } }
  errors { __typename ... on AgentRefusal { message }
    ... on AgentPolicyBundleInvalid { problems { name isInCases message help line column } }
    ... on AgentInputInvalid { problems { path message } } } } }`;
const APPLY = `mutation Apply($input: AgentPolicyBundleApplyInput!) { applied: agentPolicyBundleApply(input: $input) {
  results { name action policyId revision }
  errors { __typename ... on AgentRefusal { message }
    ... on AgentPolicyBundleInvalid { problems { name isInCases message help line column } }
    ... on AgentInputInvalid { problems { path message } }
    ... on AgentPolicyBundleConflict { policies { name policyId seenRevision seenOrigin nowRevision nowOrigin } }
    ... on AgentPolicyBundleDrifted { policies { name policyId reason revision repository } }
    ... on AgentPolicyBundleCasesFailed { failed { name result { ${CASE} } } }
    ... on AgentPolicyBundleWarned { warnings { name warning { ${WARNING} } } }
    ... on AgentPolicyReviewNeeded { demandedBy }
    ... on AgentPolicyBacktestNeeded { demandedBy missing: problems } } } }`;

/** What the service takes of one request. */
const MAX_REQUEST_BYTES = 8 * 1024 * 1024;

/** How long reading and trying a folder of a thousand policies may take. */
const LONG_SECONDS = 300;

function boundedBody(query: string, input: object): object {
  const body = { query, variables: { input } };
  const bytes = Buffer.byteLength(JSON.stringify(body));
  if (bytes <= MAX_REQUEST_BYTES) return body;
  throw new CommandError(
    `The folder makes a request of ${bytes} bytes; the service takes at most ${MAX_REQUEST_BYTES} (8 MiB). Make several folders of it, for namespaces below.`,
  );
}

export function policyService(asking: Asking): PolicyService {
  return {
    standing: (namespaceId, names) => everyPage(asking, BUNDLE, { namespaceId, names }),
    everything: (namespaceId) => everyPage(asking, POLICIES, { namespaceId }),
    async test(namespaceId, policies) {
      const body = boundedBody(TEST, { namespaceId, policies });
      const { tested } = (await ask({ ...asking, answerSeconds: LONG_SECONDS }, '/graphql', body, TestPayload)).data;
      return tested.tests === null ? { refusals: tested.errors } : { tests: tested.tests };
    },
    async apply(input) {
      const { applied } = (await ask({ ...asking, answerSeconds: LONG_SECONDS }, '/graphql', boundedBody(APPLY, input), Payload)).data;
      return applied.results === null ? { refusals: applied.errors } : { results: applied.results };
    },
  };
}

interface About {
  readonly namespaceId: string;
  readonly names?: readonly string[];
}

async function everyPage(asking: Asking, query: string, about: About): Promise<readonly Standing[]> {
  const policies: Standing[] = [];
  let after: string | null = null;
  do {
    const page: z.infer<typeof PageOfPolicies> | null = await pageBehind(asking, query, about, after);
    if (page === null) throw new CommandError(`There is no namespace ${about.namespaceId}, or the token’s user may not see it.`);
    policies.push(...page.nodes.map(toStanding));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  return policies;
}

const pageBehind = async (asking: Asking, query: string, about: About, after: string | null) =>
  (await ask(asking, '/graphql', { query, variables: { ...about, after } }, Page)).data.page;

const toStanding = ({ id, latest, appliedAsCode, ...policy }: z.infer<typeof Policy>): Standing => ({
  ...policy,
  policyId: id,
  wasApplied: appliedAsCode !== null,
  repository: appliedAsCode?.repository ?? null,
  latest: latest === null ? null : { ...latest, hasSchedule: latest.effectiveFrom !== null || latest.effectiveUntil !== null },
  publishedBy: latest?.publishedBy?.id ?? null,
  publishedAt: latest?.publishedAt ?? null,
});
