import type {
  AgentApprovalPayloadResolvers,
  AgentDecisionPayloadResolvers,
  AgentDecisionRequestInput,
  AgentDecisionResolvers,
  AgentOrphanedCallResolvers,
  MutationResolvers,
} from '../generated/graphql.js';
import { eventBehind, type StoredEvent } from '../audit/index.js';
import { Failure } from '../kernel/index.js';
import { inputInvalid, inputProblems, notFound } from '../platform/graphql-input.js';
import type { DecideOutcome } from './decide.js';
import type { AccessContext } from './graphql/access.js';
import type { ExplainContext } from './graphql/explain.js';
import { presentDecision, type PresentedDecision } from './graphql/present.js';
import { parseQuestion } from './parse-question.js';
import { MAX_QUESTIONS, type Question } from './question.js';
import type { Refusal } from './refusals.js';

export { accessForRequest, Agent, AgentTool, Project } from './graphql/access.js';
export { AgentExplainedPolicy, AgentExplainedStatement, AgentPolicyExplanation, explainForRequest, Query } from './graphql/explain.js';

export interface DecisionContext extends ExplainContext, AccessContext {
  /** Decides for the viewer. */
  readonly decide: (question: Question) => Promise<DecideOutcome>;
  /** Records that the input could not be read as a question. */
  readonly refusedQuestion: (refused: Pick<Refusal, 'fields' | 'agentId'>) => void;
  /** The event, as far as the viewer may see it. */
  readonly eventById: (id: string) => Promise<StoredEvent | null>;
}

async function presentById(context: DecisionContext, id: string): Promise<PresentedDecision | null> {
  const stored = await context.eventById(id);
  return stored === null ? null : presentDecision(stored);
}

export const AgentDecision: Pick<AgentDecisionResolvers<DecisionContext>, '__resolveReference'> = {
  __resolveReference: ({ id }, context) => presentById(context, id),
};

export const AgentDecisionPayload: Pick<AgentDecisionPayloadResolvers<DecisionContext>, 'decision'> = {
  decision(payload) {
    const stored = eventBehind(payload);
    return stored === null ? null : presentDecision(stored);
  },
};

export const AgentApprovalPayload: Pick<AgentApprovalPayloadResolvers<DecisionContext>, 'decision'> = {
  decision: ({ decisionId }, _args, context) => presentById(context, decisionId),
};

export const AgentOrphanedCall: Pick<AgentOrphanedCallResolvers<DecisionContext>, 'decision'> = {
  decision: ({ decision }, _args, context) => (decision == null ? null : presentById(context, decision.id)),
};

export const Mutation: Pick<MutationResolvers<DecisionContext>, 'agentDecisionRequest' | 'agentDecisionRequests'> = {
  agentDecisionRequest: async (_root, { input }, context) => decided(input, context),

  async agentDecisionRequests(_root, { inputs }, context) {
    if (inputs.length > MAX_QUESTIONS)
      throw new Failure('BAD_USER_INPUT', `inputs: must hold at most ${MAX_QUESTIONS}; got ${inputs.length}.`);
    return Promise.all(inputs.map((input) => decided(input, context)));
  },
};

async function decided(input: AgentDecisionRequestInput, { decide, refusedQuestion }: DecisionContext) {
  const parsed = parseQuestion(input);
  if (!parsed.success) {
    const problems = inputProblems(parsed.error);
    refusedQuestion({ fields: problems.map(({ path }) => path), agentId: input.agentId });
    return refused(inputInvalid(problems));
  }
  const outcome = await decide(parsed.data);
  if (outcome.kind === 'notFound') return refused(notFound(outcome.field));
  return { decision: presentDecision(outcome.stored), errors: [] };
}

const refused = <Refusal>(refusal: Refusal) => ({ decision: null, errors: [refusal] });
