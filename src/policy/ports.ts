import type { AuditLog } from '../audit/index.js';
import type { EntityNode, EntityUid, PolicyExplanation, Request } from '../cedar/index.js';
import type { EpochCounter } from '../directory/index.js';
import type { OrganizationId, PageRequest } from '../kernel/index.js';
import type { BacktestWriter } from './backtest/ports.js';
import type { Draft, EnforcementMode, Policy, PolicyInForce, PolicyProblem, Review, ReviewSubject, Revision, Statement } from './policy.js';
import type { RuleBook, RuleChange, StoredRule } from './tool-rules.js';

/** Reads policy text, away from everything that decides. */
export interface PolicyParser {
  /**
   * Parses `text` and checks it against `schema`. Takes any text that passed `textProblem`; one that breaks the parser or keeps
   * it for seconds comes back as a problem and harms nobody else.
   */
  parse(text: string, schema: string): Promise<ParsedText>;
  /**
   * Parses many texts of one author, in a small part of the time. In their order; each as if it were parsed alone, but that after some
   * which break the parser, or take a minute, those behind them are not read any more, and have a problem that says so.
   *
   * @throws Failure OVERLOADED, as `parse` does, when too many wait to be read already.
   */
  parseAll(texts: readonly string[], schema: string): Promise<readonly ParsedText[]>;
}

export type ParsedText =
  /** In the order of the text. */
  | { readonly statements: readonly Statement[] }
  /** `parsed`: the statements, where they could be read and do not agree with the schema; empty otherwise. */
  | { readonly problems: readonly PolicyProblem[]; readonly parsed: readonly Statement[] };

/** A request as Cedar takes it, with everything that it is about. */
export interface CedarRequest extends Request {
  /** By key. */
  readonly entities: ReadonlyMap<string, CedarEntity>;
}

export interface CedarEntity extends EntityNode {
  readonly uid: EntityUid;
}

/** What Cedar says to a request, by the ids under which the statements were loaded. */
export interface CedarAnswer {
  readonly isAllowed: boolean;
  /** Statements that determined the answer, in no order. */
  readonly reasons: readonly string[];
  /** Statements that could not be evaluated, in no order. */
  readonly errors: readonly string[];
}

/** Statements made ready to be evaluated many times. What they hold is freed once nobody refers to them. */
export interface LoadedStatements {
  /** @throws Error when the request is no request: a bug of ours, to be answered with DENY. */
  authorize(request: CedarRequest): CedarAnswer;
  /** Whether any of the statements can apply to the request, whatever is supposed in its context; true when that is not known. */
  mayApply(request: CedarRequest): boolean;
  /** What became of each statement, in the order in which they were loaded. Looks at all of them. */
  explain(request: CedarRequest): readonly PolicyExplanation[];
}

/** Evaluates policies. */
export interface PolicyEngine {
  /**
   * The same object of Cedar's JSON form is made ready only once, however often it is loaded, so it must not be changed.
   *
   * @throws Error when there is something among them that it does not hold: such are refused when they are saved
   */
  load(statements: ReadonlyMap<string, Statement>): LoadedStatements;
}

/** Reads policies. */
export interface PolicyReader {
  /** Those of `ids` that are policies of the organization, in no order. */
  byIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly Policy[]>;
  /** A page of the policies attached to the namespace, by name; one more than asked when there are more. */
  listAttached(organizationId: OrganizationId, namespaceId: string, page: PageRequest): Promise<readonly Policy[]>;
  /**
   * For each of `projectIds`, in their order, a page of the policies that decide calls there at `at.now`, by name; null for a project
   * that is not below any of the namespaces `at.memberOf`, or does not exist.
   */
  listInForce(
    organizationId: OrganizationId,
    at: PlaceAndTime,
    projectIds: readonly string[],
    page: PageRequest,
  ): Promise<readonly (readonly Policy[] | null)[]>;
  /** The same, one entry for each revision in force, shadows included, from the organization's down to the project's. */
  listEffective(
    organizationId: OrganizationId,
    at: PlaceAndTime,
    projectIds: readonly string[],
    page: PageRequest,
  ): Promise<readonly (readonly EffectivePolicy[] | null)[]>;
  /** For each of `policyIds`, in their order, a page of its revisions, newest first; one more than asked when there are more. */
  revisions(organizationId: OrganizationId, policyIds: readonly string[], page: PageRequest): Promise<readonly (readonly Revision[])[]>;
  /** Those of the revisions named that there are, in no order. */
  revisionsByNumber(
    organizationId: OrganizationId,
    wanted: readonly { readonly policyId: string; readonly revision: number }[],
  ): Promise<readonly Revision[]>;
  /** For each of `policyIds`, in their order, its revisions that are in force at `now` or still to start, oldest first. */
  currentRevisions(organizationId: OrganizationId, policyIds: readonly string[], now: Date): Promise<readonly (readonly Revision[])[]>;
  /** For each of `policyIds`, in their order, the latest review of its draft as it is; null where there is none. */
  draftReviews(organizationId: OrganizationId, policyIds: readonly string[]): Promise<readonly (Review | null)[]>;
  /** Those of `namespaceIds` for which it is set that a second person reviews what is published. */
  demandingReview(organizationId: OrganizationId, namespaceIds: readonly string[]): Promise<readonly string[]>;
  /** For each of those, the users whose applies as code need none all the same. */
  trustedAppliers(organizationId: OrganizationId, namespaceIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** The policies of the namespace that are applied as code, and those with these names, each with its latest revision. In no order. */
  listBundle(organizationId: OrganizationId, namespaceId: string, names: readonly string[]): Promise<readonly PolicyWithLatest[]>;
  /** A page of the same policies, by name; one more than asked when there are more. */
  pageBundle(organizationId: OrganizationId, namespaceId: string, names: readonly string[], page: PageRequest): Promise<readonly Policy[]>;
  /** A page of the rules about tools of a namespace, by tool and class; one more than asked when there are more. */
  listToolRules(organizationId: OrganizationId, namespaceId: string, page: PageRequest): Promise<readonly StoredRule[]>;
  /**
   * Every revision of the organization that is in force at `asOf` or still to start: `inForceAt` tells which of them are at any moment
   * from then on.
   */
  inForce(organizationId: OrganizationId, asOf: Date): Promise<readonly PolicyInForce[]>;
  /** What is enforced at `now` of the policies attached to the namespaces, in the order of their ids. */
  enforcedAlong(organizationId: OrganizationId, namespaceIds: readonly string[], now: Date): Promise<readonly PolicyInForce[]>;
  /**
   * What was in force at `then`, a moment that is over, of the policies attached to the namespaces, shadows included: by what was
   * published by then. In the order of their ids and revisions.
   */
  inForceThen(organizationId: OrganizationId, namespaceIds: readonly string[], then: Date): Promise<readonly PolicyInForce[]>;
}

export interface PolicyWithLatest {
  readonly policy: Policy;
  /** Without its statements; null before the first publish. */
  readonly latest: Omit<Revision, 'statements'> | null;
}

export interface PlaceAndTime {
  readonly memberOf: readonly string[];
  readonly now: Date;
}

/** A revision that is in force in a project. */
export interface EffectivePolicy {
  readonly policyId: string;
  readonly name: string;
  readonly namespaceId: string;
  /** Of the namespace that it is attached to: 1 the organization, 2 a group at the top, and so on. */
  readonly level: number;
  readonly kind: 'ORGANIZATION' | 'GROUP' | 'PROJECT';
  readonly revision: number;
  readonly mode: EnforcementMode;
  readonly effectiveFrom: Date | null;
  readonly effectiveUntil: Date | null;
}

/** Writes policies, inside one transaction. */
export interface PolicyWriter {
  /** Stores a new policy; false when its namespace has one of that name. */
  insert(organizationId: OrganizationId, policy: Policy): Promise<boolean>;
  /** The policy, locked until the transaction ends; null when there is none. */
  lock(organizationId: OrganizationId, policyId: string): Promise<Policy | null>;
  revision(organizationId: OrganizationId, policyId: string, revision: number): Promise<Revision | null>;
  /** Stores the revision; the policy takes its status. */
  addRevision(organizationId: OrganizationId, revision: Revision): Promise<void>;
  saveDraft(organizationId: OrganizationId, policyId: string, draft: Draft): Promise<void>;
  addReview(organizationId: OrganizationId, review: Review): Promise<void>;
  /** The reviews of what has this number, newest first. */
  reviews(organizationId: OrganizationId, policyId: string, subject: ReviewSubject, number: number): Promise<readonly Review[]>;
  /**
   * Those of `line` for which it is set that a second person reviews what is published. Until the transaction ends nobody sets it
   * otherwise.
   */
  demandingReview(organizationId: OrganizationId, line: readonly string[]): Promise<readonly string[]>;
  /** For each of those, the users whose applies as code need none all the same. Until the transaction ends nobody sets it otherwise. */
  trustedAppliers(organizationId: OrganizationId, line: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Waits for transactions that have asked what is set; until this one ends nobody asks or sets anything. */
  lockSettings(organizationId: OrganizationId): Promise<void>;
  /** Sets it, or takes it back; whether that changed anything. Waits for transactions that have asked. */
  demandReview(
    organizationId: OrganizationId,
    namespaceId: string,
    by: { readonly at: Date; readonly userId: string } | null,
  ): Promise<boolean>;
  /** Sets those users, where a review is demanded; whether that changed anything. Waits likewise. */
  trustAppliers(
    organizationId: OrganizationId,
    namespaceId: string,
    userIds: readonly string[],
    by: { readonly at: Date; readonly userId: string },
  ): Promise<boolean>;
  /**
   * What `PolicyReader.listBundle` lists, locked until the transaction ends; nobody else applies anything to the namespace until then
   * either.
   */
  lockBundle(organizationId: OrganizationId, namespaceId: string, names: readonly string[]): Promise<readonly PolicyWithLatest[]>;
  /** Stores new policies, in the order of their names; how many: fewer, when the namespace has one of such a name by now. */
  insertAll(organizationId: OrganizationId, policies: readonly Policy[]): Promise<number>;
  /** Stores revisions; what has become of their policies is for `saveAll`. */
  addRevisions(organizationId: OrganizationId, revisions: readonly Revision[]): Promise<void>;
  /** Stores what policies are by now, but for their name and place. */
  saveAll(organizationId: OrganizationId, policies: readonly Policy[]): Promise<void>;
  /** The rules about tools of a namespace. Until the transaction ends nobody else changes them. */
  lockToolRules(organizationId: OrganizationId, namespaceId: string): Promise<RuleBook>;
  changeToolRules(
    organizationId: OrganizationId,
    namespaceId: string,
    changes: readonly RuleChange[],
    by: { readonly at: Date; readonly userId: string },
  ): Promise<void>;
}

/** What one transaction over policies can do. */
export interface PolicyTransaction {
  readonly policies: PolicyWriter;
  readonly backtests: BacktestWriter;
  readonly auditLog: AuditLog;
  readonly epoch: EpochCounter;
}
