import { inputInvalid, notFound } from '../../platform/graphql-input.js';
import type { Conflict, DraftConflict, Generated, Invalid, NotFound, ReviewNeeded, Unacceptable } from '../changes/changing.js';
import type { BacktestNeeded } from '../backtest/demand.js';
import { presentDraft } from './present.js';

export const refusalOf = {
  notFound: ({ field }: NotFound) => notFound(field),

  unacceptable: ({ problems }: Unacceptable) => inputInvalid(problems),

  invalid: ({ problems }: Invalid) => ({
    __typename: 'AgentPolicyInvalid' as const,
    message: 'The policy’s text is not acceptable; problems says where and why.',
    problems,
  }),

  nameTaken: ({ name }: { readonly name: string }) => ({
    __typename: 'AgentPolicyNameTaken' as const,
    message: `The namespace has a policy named ${JSON.stringify(name)} already. Publish a new revision of that one, or take another name.`,
    name,
  }),

  /** With the policy's id, by which the revisions are found. */
  conflict: ({ policyId, basedOn, latest, text }: Conflict) => ({
    __typename: 'AgentPolicyConflict' as const,
    message: `You worked from revision ${basedOn}, but the latest is ${latest}. Look at what changed and try again with basedOn: ${latest}.`,
    policyId,
    basedOn,
    latest,
    text,
  }),

  draftConflict: ({ policyId, basedOn, latest, text }: DraftConflict) => ({
    __typename: 'AgentPolicyDraftConflict' as const,
    message:
      basedOn === null
        ? `The draft is not the text with that digest: it is version ${latest.version}, saved by ${latest.savedBy}. Read it, and review that.`
        : `You worked from version ${basedOn} of the draft, but it is at ${latest.version}, saved by ${latest.savedBy}. Look at what changed and try again with draftVersion: ${latest.version}.`,
    basedOnVersion: basedOn,
    draft: presentDraft(policyId, latest),
    text,
  }),

  reviewNeeded: ({ what, demandedBy }: ReviewNeeded) => ({
    __typename: 'AgentPolicyReviewNeeded' as const,
    message: REVIEW_NEEDED[what],
    demandedBy,
  }),

  backtestNeeded: ({ what, demandedBy, problems }: BacktestNeeded) => ({
    __typename: 'AgentPolicyBacktestNeeded' as const,
    message: BACKTEST_NEEDED[what],
    demandedBy,
    problems,
  }),

  ownDraft: () => ({
    __typename: 'AgentPolicyOwnDraft' as const,
    message: 'You saved this draft yourself. Somebody else must review it.',
  }),

  generated: (_outcome: Generated) => ({
    __typename: 'AgentPolicyGenerated' as const,
    message: 'This policy follows from rules about tools. Change them with agentToolRuleSet.',
  }),
};

const BACKTEST_NEEDED: Readonly<Record<BacktestNeeded['what'], string>> = {
  PUBLISH:
    'A backtest must show first what this text changes here, and change no more than is allowed. Start one with agentPolicyBacktest, and publish the same text within 24 hours.',
  RETIRE:
    'A backtest must show first what the retirement changes here, and change no more than is allowed. Start one with agentPolicyBacktest and the subject RETIRE, and retire the policy within 24 hours.',
  RULES:
    'A backtest must precede what is published here, and rules about tools have none. Write a policy, and start a backtest of its draft.',
};

const REVIEW_NEEDED: Readonly<Record<ReviewNeeded['what'], string>> = {
  PUBLISH:
    'A second person must review what is published here. Save the text as the draft, and have it reviewed with the mode and times that you publish it with.',
  RETIRE:
    'A second person must agree that a policy is taken out of force here: by a review with the subject RETIRE of the latest revision.',
  ROLLBACK:
    'A second person must review what is published here, and nobody has reviewed that revision to be enforced at once. Save its text as the draft, and have it reviewed.',
  RULES:
    'A second person must review what is published here, and rules about tools are not reviewed. Write a policy, and have its draft reviewed.',
};
