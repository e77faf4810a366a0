import { randomUUID } from 'node:crypto';
import { eventOf, OWN_SOURCE, seal, whoDid, type Append, type Author } from '../../audit/index.js';
import type { Namespace } from '../../directory/index.js';
import { sha256Hex, type Clock, type JsonObject } from '../../kernel/index.js';
import { AT_ONCE, type Enforcement, type Policy, type ReviewSubject, type Revision } from '../policy.js';

/** What is recorded of a change of a policy. */
export interface PolicyRecord extends Partial<Enforcement> {
  readonly type: string;
  readonly policy: Pick<Policy, 'id' | 'name' | 'namespaceId'>;
  /** 0 for a draft that was never published. */
  readonly revision: number;
  readonly text: string;
  readonly message: string | null;
  readonly draftVersion?: number;
  readonly author?: string;
  readonly reviewer?: string | null;
  readonly repeats?: number | null;
  readonly reviewSubject?: ReviewSubject;
  readonly backtestDigest?: string | null;
}

export function policyRecord(deps: { readonly clock: Clock }, author: Author, namespace: Namespace, record: PolicyRecord): Append {
  const { type, policy, text, ...said } = record;
  const { mode, effectiveFrom, effectiveUntil } = { ...AT_ONCE, ...said };
  const data = {
    policyId: policy.id,
    name: policy.name,
    namespaceId: policy.namespaceId,
    revision: said.revision,
    digest: sha256Hex(text),
    message: said.message,
    mode,
    effectiveFrom: effectiveFrom?.toISOString() ?? null,
    effectiveUntil: effectiveUntil?.toISOString() ?? null,
    draftVersion: said.draftVersion ?? null,
    author: said.author ?? null,
    reviewer: said.reviewer ?? null,
    repeats: said.repeats ?? null,
    reviewSubject: said.reviewSubject ?? null,
    backtestDigest: said.backtestDigest ?? null,
  };
  return recordIn(deps, author, namespace, { type, data });
}

export const revisionRecord = (
  deps: { readonly clock: Clock },
  author: Author,
  namespace: Namespace,
  { type, policy, revision }: { readonly type: string; readonly policy: Policy; readonly revision: Revision },
): Append => policyRecord(deps, author, namespace, { ...revision, type, policy });

/** An event of this service about the namespace, done by the author. */
export function recordIn(
  deps: { readonly clock: Clock },
  author: Author,
  namespace: Namespace,
  { type, tool = null, data }: { readonly type: string; readonly tool?: string | null; readonly data: JsonObject },
): Append {
  const now = deps.clock();
  const event = eventOf(author.organizationId, now, {
    type,
    source: OWN_SOURCE,
    sourceId: randomUUID(),
    occurredAt: now.toISOString(),
    namespaceId: namespace.id,
    projectId: namespace.kind === 'PROJECT' ? namespace.id : null,
    ...whoDid(author),
    agentId: null,
    sessionId: null,
    callId: null,
    tool,
    verdict: null,
    outcome: null,
    data,
  });
  return { sealed: seal(event), key: null };
}
