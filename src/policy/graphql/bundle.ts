import type { MutationResolvers, QueryResolvers } from '../../generated/graphql.js';
import { isUuid } from '../../kernel/index.js';
import { inputInvalid, inputProblems, notFound } from '../../platform/graphql-input.js';
import { applyBundle, type ApplyOutcome } from '../changes/apply-bundle.js';
import { releasePolicy, type ReleaseOutcome } from '../changes/release-policy.js';
import type { TestBundleOutcome } from '../changes/test-bundle.js';
import type { PolicyContext } from './for-request.js';
import { BundleInput, BundleTestInput, ReleaseInput } from './input.js';
import { presentTrial } from './present-trial.js';
import { presentPolicy } from './present.js';
import { refusalOf } from './refusals.js';

export const Mutation: Pick<MutationResolvers<PolicyContext>, 'agentPolicyBundleApply' | 'agentPolicyRelease'> = {
  async agentPolicyBundleApply(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = BundleInput.safeParse(input);
    if (!parsed.success) return notApplied(inputInvalid(inputProblems(parsed.error)));
    return presentApplied(await applyBundle(policies.deps, viewer, parsed.data));
  },
  async agentPolicyRelease(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = ReleaseInput.safeParse(input);
    if (!parsed.success) return notReleased(inputInvalid(inputProblems(parsed.error)));
    if (!isUuid(input.policyId)) return notReleased(notFound('policyId'));
    return presentReleased(await releasePolicy(policies.deps, viewer, parsed.data));
  },
};

export const Query: Pick<QueryResolvers<PolicyContext>, 'agentPolicyBundleTest'> = {
  async agentPolicyBundleTest(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = BundleTestInput.safeParse(input);
    if (!parsed.success) return notTested(inputInvalid(inputProblems(parsed.error)));
    return presentTested(await policies.testBundle(viewer, parsed.data));
  },
};

const notTested = <Refusal>(refusal: Refusal) => ({ tests: null, errors: [refusal] });
const notApplied = <Refusal>(refusal: Refusal) => ({ results: null, errors: [refusal] });
const notReleased = <Refusal>(refusal: Refusal) => ({ policy: null, errors: [refusal] });

/** Each with its policy's id, by which that is found. */
function presentApplied(outcome: ApplyOutcome) {
  switch (outcome.kind) {
    case 'done':
      return { results: outcome.results, errors: [] };
    case 'bundleInvalid':
      return notApplied(refusalOf.bundleInvalid(outcome));
    case 'bundleCasesFailed':
      return notApplied(refusalOf.bundleCasesFailed(outcome));
    case 'bundleWarned':
      return notApplied(refusalOf.bundleWarned(outcome));
    case 'bundleConflict':
      return notApplied(refusalOf.bundleConflict(outcome));
    case 'bundleDrifted':
      return notApplied(refusalOf.bundleDrifted(outcome));
    case 'reviewNeeded':
      return notApplied(refusalOf.reviewNeeded(outcome));
    case 'backtestNeeded':
      return notApplied(refusalOf.backtestNeeded(outcome));
    case 'selfCheckFailed':
      return notApplied(refusalOf.selfCheckFailed(outcome));
    case 'unacceptable':
      return notApplied(refusalOf.unacceptable(outcome));
    case 'notFound':
      return notApplied(refusalOf.notFound(outcome));
  }
}

function presentTested(outcome: TestBundleOutcome) {
  switch (outcome.kind) {
    case 'tested':
      return { tests: outcome.trials.map(({ name, trial }) => ({ name, ...presentTrial(trial) })), errors: [] };
    case 'bundleInvalid':
      return notTested(refusalOf.bundleInvalid(outcome));
    case 'unacceptable':
      return notTested(refusalOf.unacceptable(outcome));
    case 'notFound':
      return notTested(refusalOf.notFound(outcome));
  }
}

function presentReleased(outcome: ReleaseOutcome) {
  switch (outcome.kind) {
    case 'done':
      return { policy: presentPolicy(outcome.policy), errors: [] };
    case 'selfCheckFailed':
      return notReleased(refusalOf.selfCheckFailed(outcome));
    case 'generated':
      return notReleased(refusalOf.generated(outcome));
    case 'notFound':
      return notReleased(refusalOf.notFound(outcome));
  }
}
