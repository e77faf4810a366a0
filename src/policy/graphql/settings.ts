import type { MutationResolvers, QueryResolvers } from '../../generated/graphql.js';
import { inputInvalid, inputProblems } from '../../platform/graphql-input.js';
import { setPolicySettings } from '../changes/set-policy-settings.js';
import { readPolicySettings, type PolicySettings } from '../read-policies.js';
import type { PolicyContext } from './for-request.js';
import { SettingsInput } from './input.js';
import { refusalOf } from './refusals.js';

const presentSettings = ({ namespaceId, reviewDemandedBy, backtestDemands }: PolicySettings) => ({
  namespaceId,
  isReviewRequired: reviewDemandedBy.length > 0,
  reviewRequiredBy: [...reviewDemandedBy],
  backtestDemands: [...backtestDemands].map(([demandedBy, demand]) => ({ namespaceId: demandedBy, ...demand })),
});

export const Query: Pick<QueryResolvers<PolicyContext>, 'agentPolicySettings'> = {
  async agentPolicySettings(_root, { namespaceId }, { policies }) {
    const viewer = policies.viewer();
    const settings = await readPolicySettings(policies.deps, viewer, namespaceId ?? viewer.organizationId);
    return settings === null ? null : presentSettings(settings);
  },
};

export const Mutation: Pick<MutationResolvers<PolicyContext>, 'agentPolicySettingsSet'> = {
  async agentPolicySettingsSet(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = SettingsInput.safeParse(input);
    if (!parsed.success) return { settings: null, errors: [inputInvalid(inputProblems(parsed.error))] };
    const outcome = await setPolicySettings(policies.deps, viewer, { ...parsed.data, backtest: parsed.data.backtest });
    if (outcome.kind === 'notFound') return { settings: null, errors: [refusalOf.notFound(outcome)] };
    const settings = await readPolicySettings(policies.deps, viewer, outcome.namespaceId);
    return { settings: settings === null ? null : presentSettings(settings), errors: [] };
  },
};
