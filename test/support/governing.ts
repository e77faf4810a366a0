import type { Client } from './subgraph.js';

/** What a mutation on policies answered: the policy, or one refusal. */
export interface PolicyAnswer {
  readonly policy: { readonly id: string; readonly status: string; readonly latestRevision: number } | null;
  readonly errors: readonly Readonly<Record<string, unknown>>[];
}

/** With what is told of a text before it decides anything. */
export interface TriedAnswer extends PolicyAnswer {
  readonly test: TestAnswer | null;
  readonly warnings: readonly WarningAnswer[];
}

export interface TestAnswer {
  readonly passed: number;
  readonly failed: number;
  readonly results: readonly Readonly<Record<string, unknown>>[];
  readonly coverage: readonly Readonly<Record<string, unknown>>[];
  readonly uncovered: readonly Readonly<Record<string, unknown>>[];
}

export interface WarningAnswer {
  readonly name: string;
  readonly kind: string;
  readonly message: string;
}

const REFUSALS = `__typename ... on AgentRefusal { message }
  ... on AgentNotFound { field } ... on AgentInputInvalid { inputProblems: problems { path message } }`;
const CASES_INVALID = '... on AgentPolicyCasesInvalid { caseProblems: problems { path message help line column } }';
const TRIAL = `test { passed failed results { name line passed difference verdict reasons { policyName statement revision } }
  coverage { number statement decided applied clauses { kind line isTrue isFalse isError isNotReached } } uncovered { line message } }
  warnings { name kind line column statement message help }`;
const UNTRIED = `... on AgentPolicyCasesFailed { failed { name difference verdict wanted { verdict } } }
  ... on AgentPolicyWarned { warnings { name kind line column statement message help } }`;
const BACKTEST_NEEDED = '... on AgentPolicyBacktestNeeded { demandedBy backtestProblems: problems }';
const POLICY = `policy { id status latestRevision }`;

const create = (
  trial = '',
): string => `mutation ($input: AgentPolicyCreateInput!) { answer: agentPolicyCreate(input: $input) { ${POLICY} ${trial} errors { ${REFUSALS}
  ... on AgentPolicyInvalid { problems { message help line column } } ... on AgentPolicyNameTaken { name } ${CASES_INVALID} } } }`;
const PUBLISH = `mutation ($input: AgentPolicyPublishInput!) { answer: agentPolicyPublish(input: $input) { ${POLICY} errors { ${REFUSALS}
  ... on AgentPolicyInvalid { problems { message help line column } } ... on AgentPolicyConflict { basedOn latest }
  ... on AgentPolicyDraftConflict { basedOnVersion draft { version text savedBy { id } } text cases }
  ... on AgentPolicyReviewNeeded { demandedBy } ${CASES_INVALID} ${UNTRIED} ${BACKTEST_NEEDED} } } }`;
const RETIRE = `mutation ($input: AgentPolicyRetireInput!) { answer: agentPolicyRetire(input: $input) { ${POLICY} errors { ${REFUSALS}
  ... on AgentPolicyConflict { basedOn latest } ... on AgentPolicyReviewNeeded { demandedBy } ${BACKTEST_NEEDED} } } }`;
const save = (
  trial = '',
): string => `mutation ($input: AgentPolicyDraftSaveInput!) { answer: agentPolicyDraftSave(input: $input) { ${POLICY} ${trial} errors { ${REFUSALS}
  ... on AgentPolicyDraftConflict { basedOnVersion draft { version text savedBy { id } } text cases }
  ... on AgentPolicyInvalid { problems { message help line column } } ${CASES_INVALID} } } }`;
const REVIEW = `mutation ($input: AgentPolicyReviewInput!) { answer: agentPolicyReview(input: $input) { ${POLICY} errors { ${REFUSALS}
  ... on AgentPolicyDraftConflict { basedOnVersion draft { version text savedBy { id } } text cases } } } }`;
const ROLL_BACK = `mutation ($input: AgentPolicyRollbackInput!) { answer: agentPolicyRollback(input: $input) { ${POLICY} errors { ${REFUSALS}
  ... on AgentPolicyConflict { basedOn latest } ... on AgentPolicyReviewNeeded { demandedBy }
  ... on AgentPolicyInvalid { problems { message help line column } } ${UNTRIED} ${BACKTEST_NEEDED} } } }`;

/** The mutations on policies, each with its input. */
export const createPolicy = (client: Client, input: object): Promise<PolicyAnswer> => answerOf<PolicyAnswer>(client, create(), input);
/** As an author does who means whatever the service warns of. */
export const publishPolicy = (client: Client, input: object): Promise<PolicyAnswer> => confirming(client, PUBLISH, input);
/** As an author does who has not read any warning. */
export const publishUnconfirmed = (client: Client, input: object): Promise<PolicyAnswer> => answerOf<PolicyAnswer>(client, PUBLISH, input);
export const retirePolicy = (client: Client, input: object): Promise<PolicyAnswer> => answerOf<PolicyAnswer>(client, RETIRE, input);
export const saveDraft = (client: Client, input: object): Promise<PolicyAnswer> => answerOf<PolicyAnswer>(client, save(), input);
/** The same, with what is told of the text. */
export const createAndTry = (client: Client, input: object): Promise<TriedAnswer> => answerOf<TriedAnswer>(client, create(TRIAL), input);
export const saveAndTry = (client: Client, input: object): Promise<TriedAnswer> => answerOf<TriedAnswer>(client, save(TRIAL), input);
export const reviewPolicy = (client: Client, input: object): Promise<PolicyAnswer> => answerOf<PolicyAnswer>(client, REVIEW, input);
export const rollBackPolicy = (client: Client, input: object): Promise<PolicyAnswer> => confirming(client, ROLL_BACK, input);

/** What is published meanwhile can make something redundant that was not: then there is another warning. */
async function confirming(client: Client, mutation: string, input: object, confirm: readonly string[] = []): Promise<PolicyAnswer> {
  const answer = await answerOf<PolicyAnswer>(client, mutation, { ...input, confirm });
  const warnings = answer.errors.flatMap(({ __typename, warnings }) => (__typename === 'AgentPolicyWarned' ? warnings : []));
  const names = warnings.flatMap((warning) => (isNamed(warning) ? [warning.name] : []));
  return names.length === 0 ? answer : confirming(client, mutation, input, [...confirm, ...names]);
}

const isNamed = (warning: unknown): warning is { readonly name: string } =>
  typeof warning === 'object' && warning !== null && 'name' in warning && typeof warning.name === 'string';

const TEST = `query ($input: AgentPolicyTestInput!) { answer: agentPolicyTest(input: $input) { ${TRIAL} errors { ${REFUSALS}
  ... on AgentPolicyInvalid { problems { message help line column } } ${CASES_INVALID} } } }`;

/** What comes of a policy's cases. */
export const testPolicy = (client: Client, input: object): Promise<Omit<TriedAnswer, 'policy'>> =>
  answerOf<Omit<TriedAnswer, 'policy'>>(client, TEST, input);

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
