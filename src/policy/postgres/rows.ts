import type {
  Draft,
  Effect,
  EnforcementMode,
  Policy,
  PolicyOrigin,
  PolicyStatus,
  Review,
  ReviewSubject,
  Revision,
  Statement,
} from '../policy.js';
import type { RuleVerdict, StoredRule } from '../tool-rules.js';

export interface PolicyRow {
  readonly id: string;
  readonly namespace_id: string;
  readonly name: string;
  readonly description: string | null;
  readonly origin: string;
  readonly status: string;
  readonly draft_text: string;
  readonly draft_version: number;
  readonly draft_saved_at: Date;
  readonly draft_saved_by: string;
  readonly latest_revision: number;
  readonly created_at: Date;
  readonly created_by: string;
}

export const POLICY_COLUMNS =
  'p.id, p.namespace_id, p.name, p.description, p.origin, p.status, p.draft_text, p.draft_version, p.draft_saved_at, p.draft_saved_by, p.latest_revision, p.created_at, p.created_by';

export const toPolicy = (row: PolicyRow): Policy => ({
  id: row.id,
  namespaceId: row.namespace_id,
  name: row.name,
  description: row.description,
  origin: row.origin as PolicyOrigin,
  status: row.status as PolicyStatus,
  draft: toDraft(row),
  latestRevision: row.latest_revision,
  createdAt: row.created_at,
  createdBy: row.created_by,
});

const toDraft = (row: PolicyRow): Draft => ({
  text: row.draft_text,
  version: row.draft_version,
  savedAt: row.draft_saved_at,
  savedBy: row.draft_saved_by,
});

export interface RevisionRow {
  readonly policy_id: string;
  readonly revision: number;
  readonly status: string;
  readonly mode: string;
  readonly effective_from: Date | null;
  readonly effective_until: Date | null;
  readonly text: string;
  readonly est: string;
  readonly digest: string;
  readonly author: string;
  readonly reviewer: string | null;
  readonly repeats: number | null;
  readonly message: string | null;
  readonly published_at: Date;
  readonly published_by: string;
  readonly backtest_digest: string | null;
}

export const REVISION_COLUMNS =
  'r.policy_id, r.revision, r.status, r.mode, r.effective_from, r.effective_until, r.text, r.est::text AS est, r.digest, r.author, r.reviewer, r.repeats, r.message, r.published_at, r.published_by, r.backtest_digest';

export const toRevision = (row: RevisionRow): Revision => ({
  policyId: row.policy_id,
  revision: row.revision,
  status: row.status as Revision['status'],
  mode: row.mode as EnforcementMode,
  effectiveFrom: row.effective_from,
  effectiveUntil: row.effective_until,
  text: row.text,
  statements: statementsIn(row.est),
  digest: row.digest,
  author: row.author,
  reviewer: row.reviewer,
  repeats: row.repeats,
  message: row.message,
  publishedAt: row.published_at,
  publishedBy: row.published_by,
  backtestDigest: row.backtest_digest,
});

export const statementsIn = (est: string): readonly Statement[] =>
  (JSON.parse(est) as { effect: Effect; est: Statement['est'] }[]).map(({ effect, est: json }) => ({ effect, est: json }));

export interface ReviewRow {
  readonly id: string;
  readonly policy_id: string;
  readonly subject: string;
  readonly number: number;
  readonly digest: string;
  readonly mode: string;
  readonly effective_from: Date | null;
  readonly effective_until: Date | null;
  readonly message: string | null;
  readonly reviewed_at: Date;
  readonly reviewed_by: string;
}

export const REVIEW_COLUMNS =
  'v.id, v.policy_id, v.subject, v.number, v.digest, v.mode, v.effective_from, v.effective_until, v.message, v.reviewed_at, v.reviewed_by';

export const toReview = (row: ReviewRow): Review => ({
  id: row.id,
  policyId: row.policy_id,
  subject: row.subject as ReviewSubject,
  number: row.number,
  digest: row.digest,
  mode: row.mode as EnforcementMode,
  effectiveFrom: row.effective_from,
  effectiveUntil: row.effective_until,
  message: row.message,
  reviewedAt: row.reviewed_at,
  reviewedBy: row.reviewed_by,
});

export interface RuleRow {
  readonly tool: string;
  readonly agent_class: string;
  readonly verdict: string;
  readonly policy_id: string;
  readonly set_at: Date;
  readonly set_by: string;
}

export const RULE_COLUMNS = 't.tool, t.agent_class, t.verdict, t.policy_id, t.set_at, t.set_by';

export const toRule = (row: RuleRow): StoredRule => ({
  tool: row.tool,
  agentClass: row.agent_class,
  verdict: row.verdict as RuleVerdict,
  policyId: row.policy_id,
  setAt: row.set_at,
  setBy: row.set_by,
});
