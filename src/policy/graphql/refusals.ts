import { inputInvalid, notFound } from '../../platform/graphql-input.js';
import type { BundleInvalid } from '../changes/read-bundle.js';
import type { BundleCasesFailed, BundleConflict, BundleDrifted, BundleWarned } from '../changes/apply-bundle.js';
import type { BacktestNeeded } from '../backtest/demand.js';
import type {
  AsCode,
  CasesFailed,
  CasesInvalid,
  Conflict,
  DraftConflict,
  Generated,
  Invalid,
  NotConfirmed,
  NotFound,
  ReviewNeeded,
  Unacceptable,
} from '../changes/changing.js';
import type { SelfCheckFailed } from '../self-check/check-revisions.js';
import { presentDraft } from './present.js';
import { presentCase } from './present-trial.js';

export const refusalOf = {
  notFound: ({ field }: NotFound) => notFound(field),

  unacceptable: ({ problems }: Unacceptable) => inputInvalid(problems),

  invalid: ({ problems }: Invalid) => ({
    __typename: 'AgentPolicyInvalid' as const,
    message: 'The policy’s text is not acceptable; problems says where and why.',
    problems,
  }),

  casesInvalid: ({ problems }: CasesInvalid) => ({
    __typename: 'AgentPolicyCasesInvalid' as const,
    message: 'The policy’s cases cannot be read; problems says where and why.',
    problems,
  }),

  casesFailed: ({ run }: CasesFailed) => {
    const failed = run.results.filter(({ isPassed }) => !isPassed).map(presentCase);
    const [first] = failed;
    return {
      __typename: 'AgentPolicyCasesFailed' as const,
      message: `${run.failed} of ${run.passed + run.failed} cases fail, and each has to pass. The first, ${JSON.stringify(first?.name)}: ${first?.difference} Mend the text, or the case if it wants the wrong thing.`,
      failed,
    };
  },

  warned: ({ warnings }: NotConfirmed) => ({
    __typename: 'AgentPolicyWarned' as const,
    message: `${warnings.length === 1 ? 'One thing' : `${warnings.length} things`} about the text may not be meant; warnings says what, where and what to do. If it is meant, do this again with every name in confirm.`,
    warnings,
  }),

  nameTaken: ({ name }: { readonly name: string }) => ({
    __typename: 'AgentPolicyNameTaken' as const,
    message: `The namespace has a policy named ${JSON.stringify(name)} already. Publish a new revision of that one, or take another name.`,
    name,
  }),

  /** With the policy's id, by which the revisions are found. */
  conflict: ({ policyId, basedOn, latest, text, cases }: Conflict) => ({
    __typename: 'AgentPolicyConflict' as const,
    message: `You worked from revision ${basedOn}, but the latest is ${latest}. Look at what changed and try again with basedOn: ${latest}.`,
    policyId,
    basedOn,
    latest,
    text,
    cases,
  }),

  draftConflict: ({ policyId, basedOn, latest, text, cases }: DraftConflict) => ({
    __typename: 'AgentPolicyDraftConflict' as const,
    message:
      basedOn === null
        ? `The draft is not the text, or has not the cases, with that digest: it is version ${latest.version}, saved by ${latest.savedBy}. Read it, and review that, with both digests when it has cases.`
        : `You worked from version ${basedOn} of the draft, but it is at ${latest.version}, saved by ${latest.savedBy}. Look at what changed and try again with draftVersion: ${latest.version}.`,
    basedOnVersion: basedOn,
    draft: presentDraft(policyId, latest),
    text,
    cases,
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

  selfCheckFailed: ({ statements, requestDigest }: SelfCheckFailed) => ({
    __typename: 'AgentPolicySelfCheckFailed' as const,
    message: `Nothing came in force: the service does not evaluate ${statementsWords(statements)} as Cedar does. That is a fault of the service and not of the text, and what decided before still does. Tell the service’s operators, with the digest ${requestDigest}; their log says more.`,
    requestDigest,
    statements: statements.map(({ policyName, number, statement }) => ({ policyName, number, statement })),
  }),

  ownDraft: () => ({
    __typename: 'AgentPolicyOwnDraft' as const,
    message: 'You saved this draft yourself. Somebody else must review it.',
  }),

  generated: (_outcome: Generated) => ({
    __typename: 'AgentPolicyGenerated' as const,
    message: 'This policy follows from rules about tools. Change them with agentToolRuleSet.',
  }),

  asCode: ({ policyId, name, repository }: AsCode) => ({
    __typename: 'AgentPolicyAsCode' as const,
    message: `This policy is applied as code${repository === null ? '' : ` from ${repository}`}. Change it there, in the file of ${JSON.stringify(name)}, and apply the folder; or release it with agentPolicyRelease to change it by hand.`,
    policyId,
    repository,
  }),

  bundleInvalid: ({ problems }: BundleInvalid) => ({
    __typename: 'AgentPolicyBundleInvalid' as const,
    message: `The texts of ${counted(new Set(problems.map(({ name }) => name)).size, 'policy', 'policies')} are not acceptable; problems says where and why. Nothing of the folder was applied.`,
    problems,
  }),

  bundleCasesFailed: ({ trials }: BundleCasesFailed) => {
    const failed = trials.flatMap(({ name, trial }) =>
      trial.run.results.flatMap((result) => (result.isPassed ? [] : [{ name, result: presentCase(result) }])),
    );
    return {
      __typename: 'AgentPolicyBundleCasesFailed' as const,
      message: `${counted(failed.length, 'case fails', 'cases fail')}, and so nothing of the folder was applied. Of ${JSON.stringify(failed[0]?.name)}, ${JSON.stringify(failed[0]?.result.name)}: ${failed[0]?.result.difference ?? ''}`,
      failed,
    };
  },

  bundleWarned: ({ trials }: BundleWarned) => {
    const warnings = trials.flatMap(({ name, trial }) => trial.warnings.map((warning) => ({ name, warning })));
    return {
      __typename: 'AgentPolicyBundleWarned' as const,
      message: `${counted(warnings.length, 'statement of the folder', 'statements of the folder')} may not mean what ${warnings.length === 1 ? 'its author thinks' : 'their authors think'}. Nothing of the folder was applied. Mend them, or apply it again with every name in confirm.`,
      warnings,
    };
  },

  bundleConflict: ({ moved }: BundleConflict) => ({
    __typename: 'AgentPolicyBundleConflict' as const,
    message: `${counted(moved.length, 'policy is', 'policies are')} not as you have seen ${moved.length === 1 ? 'it' : 'them'}. Nothing of the folder was applied. Look at what changed, and plan again.`,
    policies: moved.map(({ name, policyId, seen, now }) => ({
      ...{ name, policyId, seenRevision: seen?.revision ?? null, seenOrigin: seen?.origin ?? null },
      ...{ nowRevision: now?.revision ?? null, nowOrigin: now?.origin ?? null },
    })),
  }),

  bundleDrifted: ({ drifted }: BundleDrifted) => ({
    __typename: 'AgentPolicyBundleDrifted' as const,
    message: `${counted(drifted.length, 'policy is', 'policies are')} not as the last apply has left ${drifted.length === 1 ? 'it' : 'them'}. Nothing of the folder was applied. Look at each, and name in adopt those that the folder is to take over.`,
    policies: drifted.map(({ drift, ...policy }) => ({ ...policy, reason: drift })),
  }),
};

const statementsWords = (statements: SelfCheckFailed['statements']): string => {
  const [first] = statements;
  const others = statements.length - 1;
  const words = `statement ${first?.number ?? 1} of ${JSON.stringify(first?.policyName ?? '')}`;
  return others < 1 ? words : `${words} and ${counted(others, 'other', 'others')}`;
};

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

const BACKTEST_NEEDED: Readonly<Record<BacktestNeeded['what'], string>> = {
  PUBLISH:
    'A backtest must show first what this text changes here, and change no more than is allowed. Start one with agentPolicyBacktest, and publish the same text within 24 hours.',
  RETIRE:
    'A backtest must show first what the retirement changes here, and change no more than is allowed. Start one with agentPolicyBacktest and the subject RETIRE, and retire the policy within 24 hours.',
  BUNDLE:
    'A backtest of each policy that changes must show first what its text changes here. Start them with agentPolicyBacktest and the texts of the folder, and apply the same folder within 24 hours.',
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
  BUNDLE:
    'A second person must review what is published here, and nobody here can see who has reviewed a folder. Either an owner trusts the user who applies it, with trustedAppliers of agentPolicySettingsSet for each namespace that demands reviews; or the policies are written and reviewed by hand.',
  RULES:
    'A second person must review what is published here, and rules about tools are not reviewed. Write a policy, and have its draft reviewed.',
};
