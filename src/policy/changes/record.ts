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
  readonly cases: string | null;
  readonly message: string | null;
  readonly draftVersion?: number;
  readonly author?: string;
  readonly reviewer?: string | null;
  readonly repeats?: number | null;
  readonly reviewSubject?: ReviewSubject;
  /** Where the folder is, and the digest of what it says, of which this is part: of what is applied as code. */
  readonly repository?: string | null;
  readonly bundle?: string;
  /** Of a trial: how many of the cases passed and failed, and the names of what it warned of. */
  readonly casesPassed?: number;
  readonly casesFailed?: number;
  readonly warnings?: readonly string[];
  readonly backtestDigest?: string | null;
}

export function policyRecord(deps: { readonly clock: Clock }, author: Author, namespace: Namespace, record: PolicyRecord): Append {
  const { type, policy, text, cases, ...said } = record;
  const { mode, effectiveFrom, effectiveUntil } = { ...AT_ONCE, ...said };
  const data = {
    policyId: policy.id,
    name: policy.name,
    namespaceId: policy.namespaceId,
    revision: said.revision,
    digest: sha256Hex(text),
    casesDigest: cases === null ? null : sha256Hex(cases),
    message: said.message,
    mode,
    effectiveFrom: effectiveFrom?.toISOString() ?? null,
    effectiveUntil: effectiveUntil?.toISOString() ?? null,
    draftVersion: said.draftVersion ?? null,
    author: said.author ?? null,
    reviewer: said.reviewer ?? null,
    repeats: said.repeats ?? null,
    reviewSubject: said.reviewSubject ?? null,
    repository: said.repository ?? null,
    bundle: said.bundle ?? null,
    casesPassed: said.casesPassed ?? null,
    casesFailed: said.casesFailed ?? null,
    warnings: said.warnings ?? null,
    backtestDigest: said.backtestDigest ?? null,
  };
  return recordIn(deps, author, namespace, { type, data });
}

interface RevisionRecord {
  readonly type: string;
  readonly policy: Policy;
  readonly revision: Revision;
  readonly trial: Pick<PolicyRecord, 'casesPassed' | 'casesFailed' | 'warnings'> | undefined;
}

export const revisionRecord = (
  deps: { readonly clock: Clock },
  author: Author,
  namespace: Namespace,
  { type, policy, revision, trial }: RevisionRecord,
): Append => policyRecord(deps, author, namespace, { ...revision, type, policy, ...trial });

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
