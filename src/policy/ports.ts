import type { AuditLog } from '../audit/index.js';
import type { EpochCounter } from '../directory/index.js';
import type { Json, OrganizationId, PageRequest } from '../kernel/index.js';
import type { Policy, PolicyInForce, PolicyProblem, Revision, Statement } from './policy.js';

/** Reads policy text, away from everything that decides. */
export interface PolicyParser {
  /**
   * Parses `text` and checks it against `schema`. Takes any text that passed `textProblem`; one that breaks the parser or keeps
   * it for seconds comes back as a problem and harms nobody else.
   */
  parse(text: string, schema: string): Promise<ParsedText>;
}

export type ParsedText =
  /** In the order of the text. */
  | { readonly statements: readonly Statement[] }
  /** `parsed`: the statements, where they could be read and do not agree with the schema; empty otherwise. */
  | { readonly problems: readonly PolicyProblem[]; readonly parsed: readonly Statement[] };

/** A request in Cedar's JSON form (docs.cedarpolicy.com/auth/entities-syntax.html). */
export interface CedarRequest {
  readonly principal: EntityId;
  readonly action: EntityId;
  readonly resource: EntityId;
  readonly context: Readonly<Record<string, Json>>;
  readonly entities: readonly CedarEntity[];
}

export interface EntityId {
  readonly type: string;
  readonly id: string;
}

export interface CedarEntity {
  readonly uid: EntityId;
  readonly attrs: Readonly<Record<string, Json>>;
  readonly parents: readonly EntityId[];
  readonly tags?: Readonly<Record<string, Json>>;
}

/** What Cedar says to a request, by the ids under which the statements were loaded. */
export interface CedarAnswer {
  readonly isAllowed: boolean;
  /** Statements that determined the answer. */
  readonly reasons: readonly string[];
  /** Statements that could not be evaluated. */
  readonly errors: readonly string[];
}

/** Statements made ready to be evaluated many times. What they hold is freed once nobody refers to them. */
export interface LoadedStatements {
  /** @throws Error when the request is no request: a bug of ours, to be answered with DENY. */
  authorize(request: CedarRequest): CedarAnswer;
}

/** Evaluates policies. */
export interface PolicyEngine {
  load(statements: ReadonlyMap<string, Statement>): LoadedStatements;
}

/** Reads policies. */
export interface PolicyReader {
  /** Those of `ids` that are policies of the organization, in no order. */
  byIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly Policy[]>;
  /** A page of the policies attached to the namespace, by name; one more than asked when there are more. */
  listAttached(organizationId: OrganizationId, namespaceId: string, page: PageRequest): Promise<readonly Policy[]>;
  /**
   * For each of `projectIds`, in their order, a page of the policies in force there, by name; null for a project that is not
   * below any of the namespaces `memberOf`, or does not exist.
   */
  listInForce(
    organizationId: OrganizationId,
    memberOf: readonly string[],
    projectIds: readonly string[],
    page: PageRequest,
  ): Promise<readonly (readonly Policy[] | null)[]>;
  /** For each of `policyIds`, in their order, a page of its revisions, newest first; one more than asked when there are more. */
  revisions(organizationId: OrganizationId, policyIds: readonly string[], page: PageRequest): Promise<readonly (readonly Revision[])[]>;
  /** Every policy of the organization that decides calls. */
  inForce(organizationId: OrganizationId): Promise<readonly PolicyInForce[]>;
}

/** Writes policies, inside one transaction. */
export interface PolicyWriter {
  /** Stores a new policy; false when its namespace has one of that name. */
  insert(organizationId: OrganizationId, policy: Policy): Promise<boolean>;
  /** The policy, locked until the transaction ends; null when there is none. */
  lock(organizationId: OrganizationId, policyId: string): Promise<Policy | null>;
  /** Stores the revision; the policy takes its status, and the draft its text. */
  addRevision(organizationId: OrganizationId, revision: Revision): Promise<void>;
}

/** What one transaction over policies can do. */
export interface PolicyTransaction {
  readonly policies: PolicyWriter;
  readonly auditLog: AuditLog;
  readonly epoch: EpochCounter;
}
