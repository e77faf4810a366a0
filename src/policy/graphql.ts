import type {
  AgentDecisionReasonResolvers,
  AgentEffectivePolicyResolvers,
  AgentPolicyBundleResultResolvers,
  AgentExplainedPolicyResolvers,
  AgentNearMissResolvers,
  AgentPolicyConflictResolvers,
  AgentPolicyDraftResolvers,
  AgentPolicyPayloadResolvers,
  AgentPolicyResolvers,
  AgentToolRulePayloadResolvers,
  ProjectResolvers,
  QueryResolvers,
} from '../generated/graphql.js';
import { connectionOf, cursorOf, Failure, isUuid, pageRequest, type Page } from '../kernel/index.js';
import { isKeyOf, keyOf } from './cursor.js';
import * as backtests from './graphql/backtests.js';
import * as bundle from './graphql/bundle.js';
import * as changes from './graphql/changes.js';
import type { PolicyContext } from './graphql/for-request.js';
import { BundleNames } from './graphql/input.js';
import { presentById, presentedOrNull, presentPolicy, presentReview, presentRevision, timeOf } from './graphql/present.js';
import * as settings from './graphql/settings.js';
import * as toolRules from './graphql/tool-rules.js';
import * as test from './graphql/test.js';
import { SCHEMA, SCHEMA_VERSION } from './model.js';
import type { Policy } from './policy.js';
import type { EffectivePolicy } from './ports.js';
import { diffPolicy, listBundle, listPolicies } from './read-policies.js';

export { policiesForRequest, type PoliciesForRequest, type PolicyContext } from './graphql/for-request.js';
export {
  AgentPolicyBacktest,
  AgentPolicyBacktestCall,
  AgentPolicyBacktestGroup,
  AgentPolicyBacktestPayload,
  Subscription,
} from './graphql/backtests.js';
export { AgentToolRule, AgentToolRuleResult } from './graphql/tool-rules.js';

const CURSOR = 'policy';
const isKey = isKeyOf(2);
const presentPage = (page: Page<Policy>) => connectionOf(page, ({ name, id }) => cursorOf(CURSOR, keyOf(name, id)), presentPolicy);

const REVISION_CURSOR = 'revision';
const isNumber = (key: string): boolean => /^[1-9]\d{0,8}$/.test(key);

const EFFECTIVE_CURSOR = 'effective-policy';
const isEffectiveKey = isKeyOf(4, ([level = '', _name, _id, revision = '']) => isNumber(level) && isNumber(revision));

const presentEffective = ({ kind, revision, effectiveFrom, effectiveUntil, ...policy }: EffectivePolicy) => ({
  ...policy,
  namespaceKind: kind,
  revisionNumber: revision,
  effectiveFrom: timeOf(effectiveFrom),
  effectiveUntil: timeOf(effectiveUntil),
});

export const Project: Pick<ProjectResolvers<PolicyContext>, 'agentPolicies' | 'agentEffectivePolicies'> = {
  async agentPolicies({ id }, args, { policies }) {
    const page = await policies.inForce(id, pageRequest(CURSOR, args, isKey));
    return page === null ? null : presentPage(page);
  },
  async agentEffectivePolicies({ id }, args, { policies }) {
    const page = await policies.effective(id, pageRequest(EFFECTIVE_CURSOR, args, isEffectiveKey));
    if (page === null) return null;
    const key = ({ level, name, policyId, revision }: EffectivePolicy): string => keyOf(String(level), name, policyId, String(revision));
    return connectionOf(page, (item) => cursorOf(EFFECTIVE_CURSOR, key(item)), presentEffective);
  },
};

export const AgentPolicy: Pick<
  AgentPolicyResolvers<PolicyContext>,
  '__resolveReference' | 'status' | 'latest' | 'published' | 'shadow' | 'scheduled' | 'revisions' | 'backtests'
> = {
  __resolveReference: ({ id }, { policies }) => presentById(policies, id),
  async status({ id, status = 'DRAFT' }, _args, { policies }) {
    return status === 'DRAFT' && (await policies.draftReview(id)) !== null ? 'REVIEWED' : status;
  },
  async latest({ id, latestRevision }, _args, { policies }) {
    const number = latestRevision ?? (await policies.byId(id))?.latestRevision ?? 0;
    return number === 0 ? null : presentedOrNull(await policies.revision(id, number));
  },
  published: async ({ id }, _args, { policies }) => presentedOrNull((await policies.current(id)).enforced),
  shadow: async ({ id }, _args, { policies }) => presentedOrNull((await policies.current(id)).shadow),
  scheduled: async ({ id }, _args, { policies }) => (await policies.current(id)).scheduled.map(presentRevision),
  async revisions({ id }, args, { policies }) {
    const page = await policies.revisions(id, pageRequest(REVISION_CURSOR, args, isNumber));
    return connectionOf(page, ({ revision }) => cursorOf(REVISION_CURSOR, String(revision)), presentRevision);
  },
  backtests: ({ id }, args, context) => backtests.presentBacktests(context, id, args),
};

export const AgentPolicyDraft: Pick<AgentPolicyDraftResolvers<PolicyContext>, 'review'> = {
  async review({ policyId }, _args, { policies }) {
    const review = await policies.draftReview(policyId);
    return review === null ? null : presentReview(review);
  },
};

export const AgentPolicyConflict: Pick<AgentPolicyConflictResolvers<PolicyContext>, 'basedOnRevision' | 'latestRevision'> = {
  basedOnRevision: async ({ policyId, basedOn }, _args, { policies }) => presentedOrNull(await policies.revision(policyId, basedOn)),
  latestRevision: async ({ policyId, latest }, _args, { policies }) => presentedOrNull(await policies.revision(policyId, latest)),
};

export const AgentEffectivePolicy: Pick<AgentEffectivePolicyResolvers<PolicyContext>, 'policy' | 'revision'> = {
  policy: ({ policyId }, _args, { policies }) => presentById(policies, policyId),
  revision: async ({ policyId, revisionNumber }, _args, { policies }) => presentedOrNull(await policies.revision(policyId, revisionNumber)),
};

export const AgentPolicyPayload: Pick<AgentPolicyPayloadResolvers<PolicyContext>, 'policy'> = {
  policy: async (payload, _args, { policies }) => presentById(policies, (await idOf(payload.policy)) ?? ''),
};

export const AgentToolRulePayload: Pick<AgentToolRulePayloadResolvers<PolicyContext>, 'policy'> = {
  policy: async (payload, _args, { policies }) => presentById(policies, (await idOf(payload.policy)) ?? ''),
};

export const AgentDecisionReason: Pick<AgentDecisionReasonResolvers<PolicyContext>, 'policy'> = {
  policy: ({ policyId }, _args, { policies }) => presentById(policies, policyId),
};

export const AgentExplainedPolicy: Pick<AgentExplainedPolicyResolvers<PolicyContext>, 'policy' | 'revision'> = {
  policy: ({ policyId }, _args, { policies }) => presentById(policies, policyId),
  revision: async ({ policyId, revisionNumber }, _args, { policies }) =>
    revisionNumber == null ? null : presentedOrNull(await policies.revision(policyId, revisionNumber)),
};

export const AgentNearMiss: Pick<AgentNearMissResolvers<PolicyContext>, 'policy'> = {
  policy: ({ policyId }, _args, { policies }) => presentById(policies, policyId),
};

const idOf = async (stub: unknown): Promise<string | null> => {
  const policy = await stub;
  return typeof policy === 'object' && policy !== null && 'id' in policy && typeof policy.id === 'string' ? policy.id : null;
};

export const AgentPolicyBundleResult: Pick<AgentPolicyBundleResultResolvers<PolicyContext>, 'policy'> = {
  policy: ({ policyId }, _args, { policies }) => presentById(policies, policyId),
};

type OwnQueries = Pick<
  QueryResolvers<PolicyContext>,
  'agentPolicy' | 'agentPolicies' | 'agentPolicyBundle' | 'agentPolicyDiff' | 'agentPolicySchema'
>;

const ownQueries: OwnQueries = {
  agentPolicy: (_root, { id }, { policies }) => presentById(policies, id),
  async agentPolicies(_root, { namespaceId, ...args }, { policies }) {
    const viewer = policies.viewer();
    const page = await listPolicies(policies.deps, viewer, namespaceId ?? viewer.organizationId, pageRequest(CURSOR, args, isKey));
    return page === null ? null : presentPage(page);
  },
  async agentPolicyBundle(_root, { namespaceId, names, ...args }, { policies }) {
    const viewer = policies.viewer();
    const parsed = BundleNames.safeParse(names);
    if (!parsed.success) throw new Failure('BAD_USER_INPUT', `names: ${parsed.error.issues[0]?.message ?? 'are not acceptable'}.`);
    const bundle = { namespaceId: namespaceId ?? viewer.organizationId, names: parsed.data };
    const page = await listBundle(policies.deps, viewer, bundle, pageRequest(CURSOR, args, isKey));
    return page === null ? null : presentPage(page);
  },
  async agentPolicyDiff(_root, { policyId, from, to = null }, { policies }) {
    const viewer = policies.viewer();
    if (from < 0) throw new Failure('BAD_USER_INPUT', 'from: must be 0 or a revision’s number.');
    if (to !== null && to < 1) throw new Failure('BAD_USER_INPUT', 'to: must be a revision’s number, or absent for the draft.');
    const diff = isUuid(policyId) ? await diffPolicy(policies.deps, viewer, policyId, { from, to }) : null;
    if (diff === null) return null;
    const [lines, statements, caseLines] = [[...diff.lines], [...diff.statements], [...diff.caseLines]];
    return { from: presentedOrNull(diff.from), to: presentedOrNull(diff.to), lines, statements, caseLines };
  },
  agentPolicySchema(_root, _args, { policies }) {
    policies.viewer();
    return { version: SCHEMA_VERSION, text: SCHEMA };
  },
};

export const Query = {
  ...ownQueries,
  ...backtests.Query,
  ...bundle.Query,
  ...settings.Query,
  ...test.Query,
  ...toolRules.Query,
};
export const Mutation = { ...backtests.Mutation, ...changes.Mutation, ...bundle.Mutation, ...settings.Mutation, ...toolRules.Mutation };
