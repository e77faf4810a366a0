import type {
  AgentApprovalPayloadResolvers,
  AgentDecisionPayloadResolvers,
  AgentDecisionResolvers,
  AgentOrphanedCallResolvers,
  MutationResolvers,
  ResolversTypes,
} from '../generated/graphql.js';
import { eventBehind, presentEvent, type StoredEvent } from '../audit/index.js';
import { inputInvalid, inputProblems, notFound } from '../platform/graphql-input.js';
import type { Reason } from '../policy/index.js';
import type { DecideOutcome } from './decide.js';
import { decisionIn } from './decision.js';
import { parseQuestion } from './parse-question.js';
import type { Question } from './question.js';

export interface DecisionContext {
  /** Decides for the viewer. */
  readonly decide: (question: Question) => Promise<DecideOutcome>;
  /** The event, as far as the viewer may see it. */
  readonly eventById: (id: string) => Promise<StoredEvent | null>;
}

type PresentedDecision = Awaited<ResolversTypes['AgentDecision']>;

export function presentDecision(stored: StoredEvent): PresentedDecision | null {
  const decision = decisionIn(stored);
  if (decision === null) return null;
  const { toolId, reasons, shadow, ...rest } = decision;
  const watched = shadow === null ? null : { ...shadow, reasons: shadow.reasons.map(presentReason) };
  return {
    ...rest,
    reasons: reasons.map(presentReason),
    shadow: watched,
    tool: toolId === null ? null : { id: toolId },
    event: presentEvent(stored),
  };
}

const presentReason = ({ severity, ...reason }: Reason) => ({ ...reason, severity: severity === undefined ? null : SEVERITIES[severity] });

const SEVERITIES = { low: 'LOW', medium: 'MEDIUM', high: 'HIGH', critical: 'CRITICAL' } as const;

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

export const Mutation: Pick<MutationResolvers<DecisionContext>, 'agentDecisionRequest'> = {
  async agentDecisionRequest(_root, { input }, { decide }) {
    const parsed = parseQuestion(input);
    if (!parsed.success) return refused(inputInvalid(inputProblems(parsed.error)));
    const outcome = await decide(parsed.data);
    if (outcome.kind === 'notFound') return refused(notFound(outcome.field));
    return { decision: presentDecision(outcome.stored), errors: [] };
  },
};

const refused = <Refusal>(refusal: Refusal) => ({ decision: null, errors: [refusal] });
