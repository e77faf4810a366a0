import type { QueryResolvers } from '../../generated/graphql.js';
import { inputInvalid, inputProblems } from '../../platform/graphql-input.js';
import type { TestOutcome } from '../changes/test-policy.js';
import type { PolicyContext } from './for-request.js';
import { TestInput } from './input.js';
import { NO_TRIAL, presentTrial } from './present-trial.js';
import { refusalOf } from './refusals.js';

export const Query: Pick<QueryResolvers<PolicyContext>, 'agentPolicyTest'> = {
  async agentPolicyTest(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = TestInput.safeParse(input);
    if (!parsed.success) return refused(inputInvalid(inputProblems(parsed.error)));
    return presentTest(await policies.test(viewer, parsed.data));
  },
};

const refused = <Refusal>(refusal: Refusal) => ({ ...NO_TRIAL, errors: [refusal] });

function presentTest(outcome: TestOutcome) {
  switch (outcome.kind) {
    case 'tested':
      return { ...presentTrial(outcome.trial), errors: [] };
    case 'invalid':
      return refused(refusalOf.invalid(outcome));
    case 'casesInvalid':
      return refused(refusalOf.casesInvalid(outcome));
    case 'unacceptable':
      return refused(refusalOf.unacceptable(outcome));
    case 'notFound':
      return refused(refusalOf.notFound(outcome));
  }
}
