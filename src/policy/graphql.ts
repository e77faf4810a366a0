import DataLoader from 'dataloader';
import { z } from 'zod';
import type {
  AgentDecisionReasonResolvers,
  AgentPolicyPayloadResolvers,
  AgentPolicyResolvers,
  MutationResolvers,
  ProjectResolvers,
  QueryResolvers,
  ResolversTypes,
} from '../generated/graphql.js';
import {
  connectionOf,
  cursorOf,
  isUuid,
  isPlain,
  isPlainText,
  isWellFormed,
  pageOf,
  pageRequest,
  type Page,
  type PageRequest,
  type Viewer,
} from '../kernel/index.js';
import { inputInvalid, inputProblems, notFound } from '../platform/graphql-input.js';
import { loadersByPage } from '../platform/graphql-loaders.js';
import {
  createPolicy,
  publishPolicy,
  retirePolicy,
  type CreateOutcome,
  type PolicyChanging,
  type PublishOutcome,
  type RetireOutcome,
} from './change-policy.js';
import { isKey, keyOf } from './cursor.js';
import { SCHEMA, SCHEMA_VERSION } from './model.js';
import type { Policy, PolicyProblem, Revision } from './policy.js';
import { listPolicies, listPoliciesInForce, policiesById, type PolicyReading } from './read-policies.js';

/** Policies for one GraphQL request: asked field by field, answered in batches. */
export interface PoliciesForRequest {
  readonly viewer: () => Viewer;
  readonly deps: PolicyReading & PolicyChanging;
  byId(id: string): Promise<Policy | null>;
  revisions(policyId: string, page: PageRequest): Promise<Page<Revision>>;
  inForce(projectId: string, page: PageRequest): Promise<Page<Policy> | null>;
}

export interface PolicyContext {
  readonly policies: PoliciesForRequest;
}

export function policiesForRequest(deps: PolicyReading & PolicyChanging, viewer: () => Viewer): PoliciesForRequest {
  const byId = new DataLoader<string, Policy | null>(async (ids) => policiesById(deps, viewer(), ids));
  const revisions = loadersByPage((page) => async (ids) => {
    const lists = await deps.policies.revisions(viewer().organizationId, ids, page);
    return lists.map((rows) => pageOf(rows, page));
  });
  const inForce = loadersByPage((page) => async (ids) => listPoliciesInForce(deps, viewer(), ids, page));
  return {
    viewer,
    deps,
    byId: (id) => (isUuid(id) ? byId.load(id) : Promise.resolve(null)),
    revisions: (id, page) => revisions(page).load(id),
    inForce: (projectId, page) => inForce(page).load(projectId),
  };
}

type PresentedPolicy = Awaited<ResolversTypes['AgentPolicy']>;

const CURSOR = 'policy';
const presentPage = (page: Page<Policy>) => connectionOf(page, (policy) => cursorOf(CURSOR, keyOf(policy)), presentPolicy);

function presentPolicy(policy: Policy): PresentedPolicy {
  const { id, name, description, namespaceId, status, draftText, latestRevision } = policy;
  return {
    id,
    name,
    description,
    namespaceId,
    status,
    draftText,
    latestRevision,
    createdAt: policy.createdAt.toISOString(),
    createdBy: { id: policy.createdBy },
  };
}

const REVISION_CURSOR = 'revision';
const LATEST: PageRequest = { first: 1, after: null };
const isRevision = (key: string): boolean => /^[1-9]\d{0,8}$/.test(key);

const presentRevision = (revision: Revision) => ({
  id: `${revision.policyId}/${revision.revision}`,
  revision: revision.revision,
  status: revision.status,
  text: revision.text,
  digest: revision.digest,
  message: revision.message,
  publishedAt: revision.publishedAt.toISOString(),
  publishedBy: { id: revision.publishedBy },
});

async function presentById(policies: PoliciesForRequest, id: string): Promise<PresentedPolicy | null> {
  const policy = await policies.byId(id);
  return policy === null ? null : presentPolicy(policy);
}

export const Project: Pick<ProjectResolvers<PolicyContext>, 'agentPolicies'> = {
  async agentPolicies({ id }, args, { policies }) {
    const page = await policies.inForce(id, pageRequest(CURSOR, args, isKey));
    return page === null ? null : presentPage(page);
  },
};

export const AgentPolicy: Pick<AgentPolicyResolvers<PolicyContext>, '__resolveReference' | 'published' | 'revisions'> = {
  __resolveReference: ({ id }, { policies }) => presentById(policies, id),
  async published({ id, status }, _args, { policies }) {
    if (status !== 'PUBLISHED') return null;
    const [latest] = (await policies.revisions(id, LATEST)).items;
    return latest === undefined ? null : presentRevision(latest);
  },
  async revisions({ id }, args, { policies }) {
    const page = await policies.revisions(id, pageRequest(REVISION_CURSOR, args, isRevision));
    return connectionOf(page, ({ revision }) => cursorOf(REVISION_CURSOR, String(revision)), presentRevision);
  },
};

export const AgentPolicyPayload: Pick<AgentPolicyPayloadResolvers<PolicyContext>, 'policy'> = {
  policy: async (payload, _args, { policies }) => presentById(policies, (await idOf(payload.policy)) ?? ''),
};

export const AgentDecisionReason: Pick<AgentDecisionReasonResolvers<PolicyContext>, 'policy'> = {
  policy: ({ policyId }, _args, { policies }) => presentById(policies, policyId),
};

const idOf = async (stub: unknown): Promise<string | null> => {
  const policy = await stub;
  return typeof policy === 'object' && policy !== null && 'id' in policy && typeof policy.id === 'string' ? policy.id : null;
};

export const Query: Pick<QueryResolvers<PolicyContext>, 'agentPolicy' | 'agentPolicies' | 'agentPolicySchema'> = {
  agentPolicy: (_root, { id }, { policies }) => presentById(policies, id),
  async agentPolicies(_root, { namespaceId, ...args }, { policies }) {
    const viewer = policies.viewer();
    const page = await listPolicies(policies.deps, viewer, namespaceId ?? viewer.organizationId, pageRequest(CURSOR, args, isKey));
    return page === null ? null : presentPage(page);
  },
  agentPolicySchema(_root, _args, { policies }) {
    policies.viewer();
    return { version: SCHEMA_VERSION, text: SCHEMA };
  },
};

const text = (longest: number, isFit = isPlainText, base = z.string()) =>
  base
    .max(longest, `must have at most ${longest} characters`)
    .refine(isFit, 'must not hold control characters')
    .refine(isWellFormed, 'must be well-formed Unicode');
const CreateInput = z.object({
  namespaceId: text(300),
  name: text(100, isPlain, z.string().trim().min(1, 'must not be empty')),
  description: text(1_000).nullish(),
  text: z.string(),
});
const PublishInput = z.object({
  policyId: z.string(),
  basedOn: z.number().min(0, 'must be 0 or a revision’s number'),
  text: z.string().nullish(),
  message: text(1_000).nullish(),
});
const RetireInput = PublishInput.omit({ text: true });

export const Mutation: Pick<MutationResolvers<PolicyContext>, 'agentPolicyCreate' | 'agentPolicyPublish' | 'agentPolicyRetire'> = {
  async agentPolicyCreate(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = CreateInput.safeParse(input);
    if (!parsed.success) return refused(inputInvalid(inputProblems(parsed.error)));
    return presentCreate(await createPolicy(policies.deps, viewer, { ...parsed.data, description: parsed.data.description ?? null }));
  },
  async agentPolicyPublish(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = PublishInput.safeParse(input);
    if (!parsed.success) return refused(inputInvalid(inputProblems(parsed.error)));
    if (!isUuid(input.policyId)) return refused(notFound('policyId'));
    return presentPublish(
      await publishPolicy(policies.deps, viewer, { ...parsed.data, text: parsed.data.text ?? null, message: parsed.data.message ?? null }),
    );
  },
  async agentPolicyRetire(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = RetireInput.safeParse(input);
    if (!parsed.success) return refused(inputInvalid(inputProblems(parsed.error)));
    if (!isUuid(input.policyId)) return refused(notFound('policyId'));
    return presentRetire(await retirePolicy(policies.deps, viewer, { ...parsed.data, message: parsed.data.message ?? null }));
  },
};

const done = (policy: Policy) => ({ policy: presentPolicy(policy), errors: [] });
const refused = <Refusal>(refusal: Refusal) => ({ policy: null, errors: [refusal] });

function presentCreate(outcome: CreateOutcome) {
  switch (outcome.kind) {
    case 'done':
      return done(outcome.policy);
    case 'nameTaken':
      return refused({
        __typename: 'AgentPolicyNameTaken' as const,
        message: `The namespace has a policy named ${JSON.stringify(outcome.name)} already. Publish a new revision of that one, or take another name.`,
        name: outcome.name,
      });
    case 'invalid':
      return refused(invalid(outcome.problems));
    case 'notFound':
      return refused(notFound(outcome.field));
  }
}

function presentPublish(outcome: PublishOutcome) {
  return outcome.kind === 'invalid' ? refused(invalid(outcome.problems)) : presentRetire(outcome);
}

function presentRetire(outcome: RetireOutcome) {
  switch (outcome.kind) {
    case 'done':
      return done(outcome.policy);
    case 'conflict':
      return refused({
        __typename: 'AgentPolicyConflict' as const,
        message: `You worked from revision ${outcome.basedOn}, but the latest is ${outcome.latest}. Look at what changed and try again with basedOn: ${outcome.latest}.`,
        basedOn: outcome.basedOn,
        latest: outcome.latest,
      });
    case 'notFound':
      return refused(notFound(outcome.field));
  }
}

const invalid = (problems: readonly PolicyProblem[]) => ({
  __typename: 'AgentPolicyInvalid' as const,
  message: 'The policy’s text is not acceptable; problems says where and why.',
  problems,
});
