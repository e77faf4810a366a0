import type { DecideOutcome } from '../decide.js';

/** A decision as AuthZEN has it. */
export interface PresentedEvaluation {
  readonly decision: boolean;
  readonly context: object;
}

export function presentOutcome(outcome: DecideOutcome): PresentedEvaluation {
  if (outcome.kind === 'notFound')
    return { decision: false, context: { verdict: 'DENY', explanation: 'There is no such project, or you may not see it.' } };
  const { id, callId, verdict, basis, explanation, advice, reasons, obligations, approvalNeeded } = outcome.decision;
  const { epoch, toolId, toolDefinitionDigest, actionType, decidedAt } = outcome.decision;
  return {
    decision: verdict === 'ALLOW',
    context: {
      id,
      callId,
      verdict,
      basis,
      explanation,
      advice,
      reasons,
      obligations,
      approvalNeeded,
      epoch,
      toolId,
      toolDefinitionDigest,
      actionType,
      decidedAt,
      isRepeated: outcome.isRepeated,
    },
  };
}
