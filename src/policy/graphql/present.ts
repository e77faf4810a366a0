import type { ResolversTypes } from '../../generated/graphql.js';
import { sha256Hex } from '../../kernel/index.js';
import type { Draft, Policy, Review, Revision } from '../policy.js';
import type { PoliciesForRequest } from './for-request.js';

export type PresentedPolicy = Awaited<ResolversTypes['AgentPolicy']>;

const stub = (id: string | null): { readonly id: string } | null => (id === null ? null : { id });
export const timeOf = (date: Date | null): string | null => date?.toISOString() ?? null;

/** Of a draft that nobody has reviewed: `AgentPolicy.status` and `AgentPolicyDraft.review` look whether somebody has. */
export function presentPolicy(policy: Policy): PresentedPolicy {
  const { id, name, description, namespaceId, origin, status, draft, latestRevision } = policy;
  return {
    ...{ id, name, description, namespaceId, origin, status, latestRevision },
    draftText: draft.text,
    draft: presentDraft(id, draft),
    createdAt: policy.createdAt.toISOString(),
    createdBy: { id: policy.createdBy },
  };
}

/** With the policy's id, by which its review is found. */
export const presentDraft = (policyId: string, { version, text, savedAt, savedBy }: Draft) => ({
  policyId,
  version,
  text,
  digest: sha256Hex(text),
  savedAt: savedAt.toISOString(),
  savedBy: { id: savedBy },
});

export const presentReview = ({ mode, effectiveFrom, effectiveUntil, digest, message, reviewedAt, reviewedBy }: Review) => ({
  mode,
  effectiveFrom: timeOf(effectiveFrom),
  effectiveUntil: timeOf(effectiveUntil),
  digest,
  message,
  reviewedAt: reviewedAt.toISOString(),
  reviewedBy: { id: reviewedBy },
});

export const presentRevision = (revision: Revision) => ({
  id: `${revision.policyId}/${revision.revision}`,
  revision: revision.revision,
  status: revision.status,
  mode: revision.mode,
  effectiveFrom: timeOf(revision.effectiveFrom),
  effectiveUntil: timeOf(revision.effectiveUntil),
  text: revision.text,
  json: revision.statements.map(({ est }) => est),
  digest: revision.digest,
  author: { id: revision.author },
  reviewer: stub(revision.reviewer),
  repeats: revision.repeats,
  message: revision.message,
  publishedAt: revision.publishedAt.toISOString(),
  publishedBy: { id: revision.publishedBy },
  backtestDigest: revision.backtestDigest,
});

export const presentedOrNull = (revision: Revision | null) => (revision === null ? null : presentRevision(revision));

export async function presentById(policies: PoliciesForRequest, id: string): Promise<PresentedPolicy | null> {
  const policy = await policies.byId(id);
  return policy === null ? null : presentPolicy(policy);
}
