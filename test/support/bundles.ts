import { answerOf, REFUSALS } from './governing.js';
import type { Client } from './subgraph.js';

/** A policy of a folder. */
export interface Bundled {
  readonly name: string;
  readonly text: string;
  readonly cases?: string;
  readonly description?: string;
  readonly mode?: 'ENFORCE' | 'SHADOW';
}

/** What a policy is seen as. */
export interface Seen {
  readonly policyId: string;
  readonly name: string;
  readonly revision: number;
  readonly origin: string;
}

/** What applying a folder answered. */
export interface BundleAnswer {
  readonly results:
    readonly { readonly name: string; readonly action: string; readonly policyId: string; readonly revision: number }[] | null;
  readonly errors: readonly Readonly<Record<string, unknown>>[];
}

export const APPLY = `mutation ($input: AgentPolicyBundleApplyInput!) { answer: agentPolicyBundleApply(input: $input) {
  results { name action policyId revision }
  errors { ${REFUSALS} ... on AgentPolicyBundleInvalid { problems { name isInCases message help line column } }
    ... on AgentPolicyBundleConflict { policies { name policyId seenRevision seenOrigin nowRevision nowOrigin } }
    ... on AgentPolicyBundleDrifted { policies { name policyId reason revision repository } }
    ... on AgentPolicyBundleCasesFailed { failed { name result { name line difference verdict } } }
    ... on AgentPolicyBundleWarned { warnings { name warning { name kind line } } }
    ... on AgentPolicyReviewNeeded { demandedBy } ... on AgentPolicyBacktestNeeded { demandedBy backtestProblems: problems } } } }`;
const BUNDLE = `query ($namespaceId: ID!, $names: [String!]!) { agentPolicyBundle(namespaceId: $namespaceId, names: $names, first: 100) {
  nodes { id name origin latestRevision } } }`;
const RELEASE = `mutation ($input: AgentPolicyReleaseInput!) { answer: agentPolicyRelease(input: $input) {
  policy { id origin appliedAsCode { repository revision } } errors { ${REFUSALS} } } }`;

/** What is there to be seen of a namespace by whoever applies policies of these names. */
export async function seenIn(client: Client, namespaceId: string, names: readonly string[]): Promise<readonly Seen[]> {
  interface Node {
    readonly id: string;
    readonly name: string;
    readonly origin: string;
    readonly latestRevision: number;
  }
  const { data, errors } = await client.graphql<{ readonly agentPolicyBundle: { readonly nodes: readonly Node[] } | null }>(BUNDLE, {
    namespaceId,
    names,
  });
  if (data?.agentPolicyBundle == null) throw new Error(`The namespace is not there: ${JSON.stringify(errors)}`);
  return data.agentPolicyBundle.nodes.map(({ id, name, origin, latestRevision }) => ({
    ...{ policyId: id, name, origin, revision: latestRevision },
  }));
}

/** Applies policies on what is there now, unless the input says what was seen; as somebody who means whatever the service warns of. */
export async function applyBundle(
  client: Client,
  namespaceId: string,
  policies: readonly Bundled[],
  more: {
    readonly basedOn?: readonly Seen[];
    readonly adopt?: readonly string[];
    readonly repository?: string;
    readonly confirm?: readonly string[];
    readonly message?: string;
  } = {},
): Promise<BundleAnswer> {
  const basedOn =
    more.basedOn ??
    (await seenIn(
      client,
      namespaceId,
      policies.map(({ name }) => name),
    ));
  const input = { namespaceId, policies, ...more, basedOn };
  const answer = await answerOf<BundleAnswer>(client, APPLY, input);
  const confirm = answer.errors.flatMap(({ __typename, warnings }) => (__typename === 'AgentPolicyBundleWarned' ? namesIn(warnings) : []));
  return confirm.length === 0 || 'confirm' in more ? answer : answerOf<BundleAnswer>(client, APPLY, { ...input, confirm });
}

const namesIn = (warnings: unknown): readonly string[] =>
  JSON.stringify(warnings)
    .split('"warning":{"name":"')
    .slice(1)
    .map((text) => text.slice(0, text.indexOf('"')));

/** Lets a policy be changed by hand. */
export const releasePolicy = (
  client: Client,
  policyId: string,
): Promise<{ readonly policy: Readonly<Record<string, unknown>> | null; readonly errors: readonly Readonly<Record<string, unknown>>[] }> =>
  answerOf(client, RELEASE, { policyId });
