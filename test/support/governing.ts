import type { Client } from './subgraph.js';

/** What a mutation on policies answered: the policy, or one refusal. */
export interface PolicyAnswer {
  readonly policy: { readonly id: string; readonly status: string; readonly latestRevision: number } | null;
  readonly errors: readonly Readonly<Record<string, unknown>>[];
}

const REFUSALS = `__typename ... on AgentRefusal { message }
  ... on AgentNotFound { field } ... on AgentInputInvalid { inputProblems: problems { path message } }`;
const BACKTEST_NEEDED = '... on AgentPolicyBacktestNeeded { demandedBy backtestProblems: problems }';
const POLICY = `policy { id status latestRevision }`;

const CREATE = `mutation ($input: AgentPolicyCreateInput!) { answer: agentPolicyCreate(input: $input) { ${POLICY} errors { ${REFUSALS}
  ... on AgentPolicyInvalid { problems { message help line column } } ... on AgentPolicyNameTaken { name } } } }`;
const PUBLISH = `mutation ($input: AgentPolicyPublishInput!) { answer: agentPolicyPublish(input: $input) { ${POLICY} errors { ${REFUSALS}
  ... on AgentPolicyInvalid { problems { message help line column } } ... on AgentPolicyConflict { basedOn latest }
  ... on AgentPolicyDraftConflict { basedOnVersion draft { version text savedBy { id } } text }
  ... on AgentPolicyReviewNeeded { demandedBy } ${BACKTEST_NEEDED} } } }`;
const RETIRE = `mutation ($input: AgentPolicyRetireInput!) { answer: agentPolicyRetire(input: $input) { ${POLICY} errors { ${REFUSALS}
  ... on AgentPolicyConflict { basedOn latest } ... on AgentPolicyReviewNeeded { demandedBy } ${BACKTEST_NEEDED} } } }`;
const SAVE_DRAFT = `mutation ($input: AgentPolicyDraftSaveInput!) { answer: agentPolicyDraftSave(input: $input) { ${POLICY} errors { ${REFUSALS}
  ... on AgentPolicyDraftConflict { basedOnVersion draft { version text savedBy { id } } text }
  ... on AgentPolicyInvalid { problems { message help line column } } } } }`;
const REVIEW = `mutation ($input: AgentPolicyReviewInput!) { answer: agentPolicyReview(input: $input) { ${POLICY} errors { ${REFUSALS}
  ... on AgentPolicyDraftConflict { basedOnVersion draft { version text savedBy { id } } text } } } }`;
const ROLL_BACK = `mutation ($input: AgentPolicyRollbackInput!) { answer: agentPolicyRollback(input: $input) { ${POLICY} errors { ${REFUSALS}
  ... on AgentPolicyConflict { basedOn latest } ... on AgentPolicyReviewNeeded { demandedBy } ${BACKTEST_NEEDED}
  ... on AgentPolicyInvalid { problems { message help line column } } } } }`;

/** The mutations on policies, each with its input. */
export const createPolicy = (client: Client, input: object): Promise<PolicyAnswer> => answerOf<PolicyAnswer>(client, CREATE, input);
export const publishPolicy = (client: Client, input: object): Promise<PolicyAnswer> => answerOf<PolicyAnswer>(client, PUBLISH, input);
export const retirePolicy = (client: Client, input: object): Promise<PolicyAnswer> => answerOf<PolicyAnswer>(client, RETIRE, input);
export const saveDraft = (client: Client, input: object): Promise<PolicyAnswer> => answerOf<PolicyAnswer>(client, SAVE_DRAFT, input);
export const reviewPolicy = (client: Client, input: object): Promise<PolicyAnswer> => answerOf<PolicyAnswer>(client, REVIEW, input);
export const rollBackPolicy = (client: Client, input: object): Promise<PolicyAnswer> => answerOf<PolicyAnswer>(client, ROLL_BACK, input);

const SET = `mutation ($input: AgentPolicySettingsSetInput!) { answer: agentPolicySettingsSet(input: $input) {
  settings { namespaceId isReviewRequired reviewRequiredBy } errors { ${REFUSALS} } } }`;

/** Demands, or does not demand any more, that a second person reviews what is published; what is set then. */
export const setReviewRequired = (
  client: Client,
  namespaceId: string,
  isReviewRequired: boolean,
): Promise<{ readonly settings: unknown }> => answerOf(client, SET, { namespaceId, isReviewRequired });

let names = 0;

/** The id of a new policy, created and published. */
export async function aPublishedPolicy(
  client: Client,
  namespaceId: string,
  text: string,
  name = `policy ${(names += 1)}`,
): Promise<string> {
  const id = idIn(await createPolicy(client, { namespaceId, name, text }));
  return idIn(await publishPolicy(client, { policyId: id, basedOn: 0 }));
}

/** The id of a new policy that was never published. */
export async function aDraft(client: Client, namespaceId: string, text: string, name = `policy ${(names += 1)}`): Promise<string> {
  return idIn(await createPolicy(client, { namespaceId, name, text }));
}

function idIn(answer: PolicyAnswer): string {
  if (answer.policy === null) throw new Error(`The policy was refused: ${JSON.stringify(answer.errors)}`);
  return answer.policy.id;
}

/** What registering a tool answered. */
export interface ToolAnswer {
  readonly tool: Readonly<Record<string, unknown>> | null;
  readonly change: string | null;
  readonly errors: readonly Readonly<Record<string, unknown>>[];
}

const REGISTER = `mutation ($input: AgentToolRegisterInput!) { answer: agentToolRegister(input: $input) {
  tool { id server name aliases actionType actionTypeReason risk definitionDigest namespaceId annotations { readOnlyHint destructiveHint } }
  change errors { ${REFUSALS} } } }`;

/** Registers a tool whose schema takes anything, unless the input says otherwise. */
export const registerTool = (client: Client, input: object): Promise<ToolAnswer> =>
  answerOf<ToolAnswer>(client, REGISTER, { inputSchema: { type: 'object' }, ...input });

/** What a decision request answered. */
export interface DecisionAnswer {
  readonly decision: Decided | null;
  readonly errors: readonly Readonly<Record<string, unknown>>[];
}
export interface Decided {
  readonly id: string;
  readonly verdict: string;
  readonly basis: string;
  readonly explanation: string;
  readonly epoch: number;
  readonly actionType: string;
  readonly toolName: string;
  readonly toolDefinitionDigest: string | null;
  readonly tool: { readonly id: string } | null;
  readonly reasons: readonly {
    readonly policyId: string;
    readonly policyName: string;
    readonly revision: number;
    readonly effect: string;
    readonly namespaceId: string;
  }[];
}

export const DECIDE = `mutation ($input: AgentDecisionRequestInput!) { answer: agentDecisionRequest(input: $input) {
  decision { id verdict basis explanation epoch actionType toolName toolDefinitionDigest tool { id } reasons { policyId policyName revision effect namespaceId } }
  errors { ${REFUSALS} } } }`;

/** Asks for a decision; what the payload says. */
export const askDecision = (client: Client, input: object): Promise<DecisionAnswer> => answerOf<DecisionAnswer>(client, DECIDE, input);

/** Asks for a decision that must be given. */
export async function decisionOn(client: Client, input: object): Promise<Decided> {
  const { decision, errors } = await askDecision(client, input);
  if (decision === null) throw new Error(`No decision was made: ${JSON.stringify(errors)}`);
  return decision;
}

async function answerOf<Answer>(client: Client, mutation: string, input: object): Promise<Answer> {
  const { data, errors } = await client.graphql<{ readonly answer: Answer | null }>(mutation, { input });
  if (data?.answer == null) throw new Error(`The request failed: ${JSON.stringify(errors)}`);
  return data.answer;
}
