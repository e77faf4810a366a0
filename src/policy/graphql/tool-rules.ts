import type { AgentToolRuleResolvers, AgentToolRuleResultResolvers, MutationResolvers, QueryResolvers } from '../../generated/graphql.js';
import { connectionOf, cursorOf, pageRequest } from '../../kernel/index.js';
import { inputInvalid, inputProblems } from '../../platform/graphql-input.js';
import { setToolRules, type RuleResult, type SetRulesOutcome } from '../changes/set-tool-rules.js';
import { isKeyOf, keyOf } from '../cursor.js';
import { listToolRules } from '../read-policies.js';
import { cedarOf, type StoredRule } from '../tool-rules.js';
import type { PolicyContext } from './for-request.js';
import { RulesInput } from './input.js';
import { presentById } from './present.js';
import { refusalOf } from './refusals.js';

const CURSOR = 'tool-rule';

const presentRule = ({ policyId, setAt, setBy, ...rule }: StoredRule) => ({
  ...rule,
  cedar: cedarOf(rule),
  policyId,
  setAt: setAt.toISOString(),
  setBy: { id: setBy },
});

export const Query: Pick<QueryResolvers<PolicyContext>, 'agentToolRules'> = {
  async agentToolRules(_root, { namespaceId, ...args }, { policies }) {
    const viewer = policies.viewer();
    const request = pageRequest(CURSOR, args, isKeyOf(2));
    const page = await listToolRules(policies.deps, viewer, namespaceId ?? viewer.organizationId, request);
    if (page === null) return null;
    return connectionOf(page, ({ tool, agentClass }) => cursorOf(CURSOR, keyOf(tool, agentClass)), presentRule);
  },
};

export const Mutation: Pick<MutationResolvers<PolicyContext>, 'agentToolRuleSet'> = {
  async agentToolRuleSet(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = RulesInput.safeParse(input);
    if (!parsed.success) return refused(inputInvalid(inputProblems(parsed.error)));
    return presentOutcome(await setToolRules(policies.deps, viewer, parsed.data));
  },
};

const refused = <Refusal>(refusal: Refusal) => ({ results: null, changed: 0, unchanged: 0, rejected: 0, errors: [refusal] });

function presentOutcome(outcome: SetRulesOutcome) {
  switch (outcome.kind) {
    case 'done': {
      const count = (status: RuleResult['status']): number => outcome.results.filter((result) => result.status === status).length;
      return {
        results: outcome.results.map(({ previous, ...result }) => ({ ...result, previousVerdict: previous })),
        changed: count('CHANGED'),
        unchanged: count('UNCHANGED'),
        rejected: count('REJECTED'),
        errors: [],
      };
    }
    case 'invalid':
      return refused(refusalOf.invalid(outcome));
    case 'selfCheckFailed':
      return refused(refusalOf.selfCheckFailed(outcome));
    case 'backtestNeeded':
      return refused(refusalOf.backtestNeeded(outcome));
    case 'reviewNeeded':
      return refused(refusalOf.reviewNeeded(outcome));
    case 'notFound':
      return refused(refusalOf.notFound(outcome));
  }
}

export const AgentToolRule: Pick<AgentToolRuleResolvers<PolicyContext>, 'policy'> = {
  policy: ({ policyId }, _args, { policies }) => presentById(policies, policyId),
};

export const AgentToolRuleResult: Pick<AgentToolRuleResultResolvers<PolicyContext>, 'policy'> = {
  policy: ({ policyId }, _args, { policies }) => presentById(policies, policyId ?? ''),
};
