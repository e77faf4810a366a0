import type { MutationResolvers } from '../../generated/graphql.js';
import { isUuid } from '../../kernel/index.js';
import { inputInvalid, inputProblems, notFound } from '../../platform/graphql-input.js';
import type { Tried } from '../changes/changing.js';
import { createPolicy, type CreateOutcome } from '../changes/create-policy.js';
import { publishPolicy, type PublishOutcome } from '../changes/publish-policy.js';
import { retirePolicy, type RetireOutcome } from '../changes/retire-policy.js';
import { reviewPolicy, type ReviewOutcome } from '../changes/review.js';
import { rollBackPolicy, type RollBackOutcome } from '../changes/roll-back-policy.js';
import { saveDraft, type SaveDraftOutcome } from '../changes/save-draft.js';
import type { Policy } from '../policy.js';
import type { PolicyContext } from './for-request.js';
import { CreateInput, DraftSaveInput, PublishInput, RetireInput, ReviewInput, RollbackInput } from './input.js';
import { presentPolicy } from './present.js';
import { refusalOf } from './refusals.js';
import { NO_TRIAL, presentTrial } from './present-trial.js';

type Mutations = Pick<
  MutationResolvers<PolicyContext>,
  'agentPolicyCreate' | 'agentPolicyDraftSave' | 'agentPolicyReview' | 'agentPolicyPublish' | 'agentPolicyRollback' | 'agentPolicyRetire'
>;

export const Mutation: Mutations = {
  async agentPolicyCreate(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = CreateInput.safeParse(input);
    if (!parsed.success) return notTried(inputInvalid(inputProblems(parsed.error)));
    return presentCreate(await createPolicy(policies.deps, viewer, parsed.data));
  },
  async agentPolicyDraftSave(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = DraftSaveInput.safeParse(input);
    if (!parsed.success) return notTried(inputInvalid(inputProblems(parsed.error)));
    if (!isUuid(input.policyId)) return notTried(notFound('policyId'));
    return presentSaved(await saveDraft(policies.deps, viewer, parsed.data));
  },
  async agentPolicyReview(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = ReviewInput.safeParse(input);
    if (!parsed.success) return refused(inputInvalid(inputProblems(parsed.error)));
    if (!isUuid(input.policyId)) return refused(notFound('policyId'));
    return presentReviewed(await reviewPolicy(policies.deps, viewer, parsed.data));
  },
  async agentPolicyPublish(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = PublishInput.safeParse(input);
    if (!parsed.success) return refused(inputInvalid(inputProblems(parsed.error)));
    if (!isUuid(input.policyId)) return refused(notFound('policyId'));
    return presentPublished(await publishPolicy(policies.deps, viewer, parsed.data));
  },
  async agentPolicyRollback(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = RollbackInput.safeParse(input);
    if (!parsed.success) return refused(inputInvalid(inputProblems(parsed.error)));
    if (!isUuid(input.policyId)) return refused(notFound('policyId'));
    return presentRolledBack(await rollBackPolicy(policies.deps, viewer, parsed.data));
  },
  async agentPolicyRetire(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = RetireInput.safeParse(input);
    if (!parsed.success) return refused(inputInvalid(inputProblems(parsed.error)));
    if (!isUuid(input.policyId)) return refused(notFound('policyId'));
    return presentRetired(await retirePolicy(policies.deps, viewer, parsed.data));
  },
};

const tried = ({ policy, trial }: Tried) => ({ policy: presentPolicy(policy), ...presentTrial(trial), errors: [] });
const notTried = <Refusal>(refusal: Refusal) => ({ ...refused(refusal), ...NO_TRIAL });
const done = ({ policy }: { readonly policy: Policy }) => ({ policy: presentPolicy(policy), errors: [] });
const refused = <Refusal>(refusal: Refusal) => ({ policy: null, errors: [refusal] });

function presentCreate(outcome: CreateOutcome) {
  switch (outcome.kind) {
    case 'done':
      return tried(outcome);
    case 'nameTaken':
      return notTried(refusalOf.nameTaken(outcome));
    case 'invalid':
      return notTried(refusalOf.invalid(outcome));
    case 'casesInvalid':
      return notTried(refusalOf.casesInvalid(outcome));
    case 'notFound':
      return notTried(refusalOf.notFound(outcome));
  }
}

function presentSaved(outcome: SaveDraftOutcome) {
  switch (outcome.kind) {
    case 'done':
      return tried(outcome);
    case 'draftConflict':
      return notTried(refusalOf.draftConflict(outcome));
    case 'invalid':
      return notTried(refusalOf.invalid(outcome));
    case 'casesInvalid':
      return notTried(refusalOf.casesInvalid(outcome));
    case 'generated':
      return notTried(refusalOf.generated(outcome));
    case 'asCode':
      return notTried(refusalOf.asCode(outcome));
    case 'notFound':
      return notTried(refusalOf.notFound(outcome));
  }
}

function presentReviewed(outcome: ReviewOutcome) {
  switch (outcome.kind) {
    case 'done':
      return done(outcome);
    case 'draftConflict':
      return refused(refusalOf.draftConflict(outcome));
    case 'ownDraft':
      return refused(refusalOf.ownDraft());
    case 'generated':
      return refused(refusalOf.generated(outcome));
    case 'asCode':
      return refused(refusalOf.asCode(outcome));
    case 'unacceptable':
      return refused(refusalOf.unacceptable(outcome));
    case 'notFound':
      return refused(refusalOf.notFound(outcome));
  }
}

function presentPublished(outcome: PublishOutcome) {
  return outcome.kind === 'draftConflict' ? refused(refusalOf.draftConflict(outcome)) : presentRolledBack(outcome);
}

function presentRolledBack(outcome: RollBackOutcome) {
  switch (outcome.kind) {
    case 'invalid':
      return refused(refusalOf.invalid(outcome));
    case 'casesInvalid':
      return refused(refusalOf.casesInvalid(outcome));
    case 'casesFailed':
      return refused(refusalOf.casesFailed(outcome));
    case 'warned':
      return refused(refusalOf.warned(outcome));
    case 'selfCheckFailed':
      return refused(refusalOf.selfCheckFailed(outcome));
    case 'unacceptable':
      return refused(refusalOf.unacceptable(outcome));
    default:
      return presentRetired(outcome);
  }
}

function presentRetired(outcome: RetireOutcome) {
  switch (outcome.kind) {
    case 'done':
      return done(outcome);
    case 'conflict':
      return refused(refusalOf.conflict(outcome));
    case 'backtestNeeded':
      return refused(refusalOf.backtestNeeded(outcome));
    case 'reviewNeeded':
      return refused(refusalOf.reviewNeeded(outcome));
    case 'generated':
      return refused(refusalOf.generated(outcome));
    case 'asCode':
      return refused(refusalOf.asCode(outcome));
    case 'notFound':
      return refused(refusalOf.notFound(outcome));
  }
}
