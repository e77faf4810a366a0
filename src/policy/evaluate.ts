import { annotationsOf, fulfils, HIGHEST_APPROVAL, type Annotations, type Severity } from './annotations.js';
import { argumentsUnseen, readsArguments, withoutArguments } from './argument-reading.js';
import { readArguments, type CallArguments } from './call-arguments.js';
import { cedarRequest, supposing } from './cedar-request.js';
import type { Effect, PolicyInForce, Statement } from './policy.js';
import type { CedarAnswer, CedarRequest, LoadedStatements, PolicyEngine } from './ports.js';
import type { Approval, ToolCall } from './tool-call.js';

/** The policies that decide calls at one place, made ready. */
export interface PolicySet {
  readonly policies: readonly PolicyInForce[];
  /** What made them ready. */
  readonly engine: PolicyEngine;
  readonly statements: LoadedStatements;
  /** By the id under which a statement was loaded: whose it is, and what its annotations say. */
  readonly owners: ReadonlyMap<string, Owner>;
  /** Those that read arguments, without the clauses that do, each as a forbid: they match where the statement might. */
  readonly readers: () => LoadedStatements;
  /** Every obligation that some statement demands. */
  readonly obligations: readonly string[];
}

interface Owner {
  readonly policy: PolicyInForce;
  readonly effect: Effect;
  readonly annotations: Annotations;
}

/** Why a verdict came out as it did, without that any policy was asked. */
export const UNASKED_BASES = ['IDENTITY_CONTRADICTED', 'HUMAN_NO_MEMBER'] as const;

/** Why a verdict came out as it did. */
export type Basis =
  | ('PERMITTED' | 'APPROVAL_NEEDED' | 'FORBIDDEN' | 'OBLIGATION_NEEDED' | 'NO_MATCH' | 'ARGUMENTS_UNREADABLE' | 'POLICY_ERROR')
  | (typeof UNASKED_BASES)[number];

/** A policy that determined a verdict: one for each of its statements that has a name or words of its own. */
export interface Reason {
  readonly policyId: string;
  readonly policyName: string;
  readonly namespaceId: string;
  readonly revision: number;
  readonly effect: Effect;
  /** What the statement's annotations say; absent where they say nothing. */
  readonly statement?: string;
  readonly reason?: string;
  readonly severity?: Severity;
}

export interface Evaluation {
  readonly verdict: 'ALLOW' | 'ASK' | 'DENY';
  readonly basis: Basis;
  readonly reasons: readonly Reason[];
  /** The statements behind the reasons, by the ids under which they were loaded. */
  readonly determining: readonly string[];
  /** Policies that could not be evaluated: each is somebody's to mend. */
  readonly failed: readonly Reason[];
  /** Of ALLOW and ASK, what the enforcement point has to do; of OBLIGATION_NEEDED, what it would have had to promise. */
  readonly obligations: readonly string[];
  /** Of ASK, who must approve: at least so many of at least that level. */
  readonly approval: Approval | null;
  /** What to do instead, in words that may be shown to a model. */
  readonly advice: readonly string[];
}

/** Makes the policies of one place ready to be evaluated many times. */
export function preparePolicySet(engine: PolicyEngine, policies: readonly PolicyInForce[]): PolicySet {
  const statements = new Map<string, Statement>();
  const owners = new Map<string, Owner>();
  for (const policy of policies) {
    policy.statements.forEach((statement, index) => {
      const id = statementId(policy, index);
      statements.set(id, statement);
      owners.set(id, { policy, effect: statement.effect, annotations: annotationsIn(statement) });
    });
  }
  let readers: LoadedStatements | null = null;
  return {
    ...{ policies, engine },
    statements: engine.load(statements),
    owners,
    readers: () => (readers ??= engine.load(readersAmong(statements))),
    obligations: [...new Set([...owners.values()].flatMap(({ annotations }) => annotations.obligations))],
  };
}

/** The id under which the statement at `index` of a policy is loaded. A policy is in a set once. */
export const statementId = ({ id }: Pick<PolicyInForce, 'id'>, index: number): string => `${id}/${index}`;

const known = new WeakMap<Statement, Annotations>();

/** What a statement's annotations say; looked at once, however many sets hold it. */
function annotationsIn(statement: Statement): Annotations {
  const before = known.get(statement);
  if (before !== undefined) return before;
  const annotations = annotationsOf(statement.est);
  known.set(statement, annotations);
  return annotations;
}

const readersAmong = (statements: ReadonlyMap<string, Statement>): ReadonlyMap<string, Statement> =>
  new Map([...statements].flatMap(([id, { est }]) => (readsArguments(est) ? [[id, withoutArguments(est)] as const] : [])));

/**
 * Decides one tool call. Pure: the same call and policies, the same answer.
 *
 * What no policy permits is denied, and any `forbid` that matches wins over every `permit`, so neither the order of policies nor
 * the level they come from matters (as in Cedar: docs.cedarpolicy.com/auth/authorization.html). Unlike in Cedar, a `forbid` that
 * cannot be evaluated denies: Cedar would skip it, so that an argument of the wrong type would turn a denial into permission.
 *
 * What is denied is evaluated again as if every obligation that the enforcement point promises were met, and then as if it had been
 * approved as well: if the first allows, the verdict is ALLOW with those obligations, if the second does, ASK. What the annotations
 * say gives the answer its parameters and never changes it.
 *
 * A tool that is registered for another part of the organization is unknown here: what permits it by its name permits it there.
 * What forbids it by its name forbids it here too.
 */
export const evaluate = (set: PolicySet, call: ToolCall): Evaluation => evaluatePrepared(set, prepareCall(call));

/** An evaluation, with what it came of. */
export interface EvaluationInDetail {
  readonly evaluation: Evaluation;
  /** Ids of the statements behind its reasons. */
  readonly decidedBy: readonly string[];
  /** The call as it was asked about: of a tool that is registered elsewhere, under one of its two names. */
  readonly asked: PreparedCall;
}

/** A call made ready to be evaluated against several sets of policies. */
export interface PreparedCall {
  readonly call: ToolCall;
  readonly request: CedarRequest;
  readonly given: CallArguments;
  /** Of a tool that is registered elsewhere, the call of one that nobody can name. */
  readonly unnamed: PreparedCall | null;
}

export function prepareCall(call: ToolCall, given = readArguments(call.arguments)): PreparedCall {
  const { tool } = call;
  const unnamed = !tool.isElsewhere
    ? null
    : prepareCall({ ...call, tool: { ...tool, id: `not registered here: ${tool.id}`, isElsewhere: false } }, given);
  return { call, request: cedarRequest(call, given), given, unnamed };
}

/** `evaluate` of a call that has been made ready. */
export const evaluatePrepared = (set: PolicySet, prepared: PreparedCall): Evaluation => evaluateInDetail(set, prepared).evaluation;

/** The same, with what it came of. */
export function evaluateInDetail(set: PolicySet, prepared: PreparedCall): EvaluationInDetail {
  const named = evaluateNamed(set, prepared);
  if (prepared.unnamed === null || named.evaluation.verdict === 'DENY') return named;
  const unnamed = evaluateNamed(set, prepared.unnamed);
  return unnamed.evaluation.verdict === 'DENY' ? unnamed : named;
}

function evaluateNamed(set: PolicySet, asked: PreparedCall): EvaluationInDetail {
  const { call, request, given } = asked;
  const judge = (approval: Approval | null, promises: readonly string[]): Judgement =>
    judged(set, approval === call.approval && promises.length === 0 ? request : supposing(request, approval, promises), given.isComplete);
  const because = (judgement: Judgement, more: Changes = {}): EvaluationInDetail => ({
    evaluation: evaluation(set, judgement, more),
    decidedBy: judgement.reasons,
    asked,
  });
  const plain = judge(call.approval, []);
  if (plain.isAllowed || !mayGiveWay(set, plain)) return because(plain);

  const promised = promisedIn(set, call);
  const obliged = promised.length === 0 ? plain : judge(call.approval, promised);
  const obligations = obligationsOf(set, plain);
  if (obliged.isAllowed) return because(obliged, { obligations });

  const approved = judge(HIGHEST_APPROVAL, promised);
  if (approved.isAllowed)
    return because(obliged, { verdict: 'ASK', basis: 'APPROVAL_NEEDED', obligations, approval: approvalFor(set, obliged) });

  const unmet = judge(HIGHEST_APPROVAL, set.obligations).isAllowed;
  return unmet ? because(approved, { basis: 'OBLIGATION_NEEDED', obligations: obligationsOf(set, approved) }) : because(approved);
}

/** Every obligation of the set that the enforcement point promises. */
export const promisedIn = (set: PolicySet, { promises }: ToolCall): readonly string[] =>
  set.obligations.filter((obligation) => fulfils(promises, obligation));

/** What Cedar says, with what it does not: what could not be evaluated, or not be seen. */
interface Judgement {
  readonly isAllowed: boolean;
  readonly basis: Exclude<Basis, 'APPROVAL_NEEDED' | 'OBLIGATION_NEEDED' | (typeof UNASKED_BASES)[number]>;
  /** Ids of statements. */
  readonly reasons: readonly string[];
  readonly failed: readonly string[];
}

function judged(set: PolicySet, request: CedarRequest, isComplete: boolean): Judgement {
  const answer = set.statements.authorize(request);
  const isForbid = (id: string): boolean => ownerOf(set, id).effect === 'FORBID';
  const failedForbids = answer.errors.filter(isForbid);
  const denied = (basis: Judgement['basis'], reasons: readonly string[]): Judgement => ({
    isAllowed: false,
    basis,
    reasons,
    failed: answer.errors,
  });
  if (!answer.isAllowed) return denied(basisOfDenial(answer, failedForbids), answer.reasons.length > 0 ? answer.reasons : failedForbids);
  if (failedForbids.length > 0) return denied('POLICY_ERROR', failedForbids);
  if (isComplete) return { isAllowed: true, basis: 'PERMITTED', reasons: answer.reasons, failed: answer.errors };

  // What reads arguments of which not all can be seen has not been evaluated: a forbid denies then, and a permit does not permit.
  const unseen = argumentsUnseen(set.readers(), request);
  const blindForbids = unseen.filter(isForbid);
  const permits = answer.reasons.filter((id) => !unseen.includes(id));
  if (blindForbids.length > 0 || permits.length === 0)
    return denied('ARGUMENTS_UNREADABLE', blindForbids.length > 0 ? blindForbids : answer.reasons);
  return { isAllowed: true, basis: 'PERMITTED', reasons: permits, failed: answer.errors };
}

function basisOfDenial(answer: CedarAnswer, failedForbids: readonly string[]): Judgement['basis'] {
  if (answer.reasons.length > 0) return 'FORBIDDEN';
  return failedForbids.length > 0 ? 'POLICY_ERROR' : 'NO_MATCH';
}

/** Whether every forbid that denies is one that an approval or a promise could lift. */
function mayGiveWay(set: PolicySet, { basis, reasons }: Judgement): boolean {
  const isLiftable = (id: string): boolean => {
    const { approval, obligations } = ownerOf(set, id).annotations;
    return approval !== null || obligations.length > 0;
  };
  return (basis === 'FORBIDDEN' || basis === 'ARGUMENTS_UNREADABLE') && reasons.every(isLiftable);
}

const obligationsOf = (set: PolicySet, { reasons }: Judgement): readonly string[] =>
  [...new Set(reasons.flatMap((id) => ownerOf(set, id).annotations.obligations))].sort();

/** As much as the most demanding of the forbids asks for. */
function approvalFor(set: PolicySet, { reasons }: Judgement): Approval {
  const asked = reasons.flatMap((id) => ownerOf(set, id).annotations.approval ?? []);
  return { level: Math.max(0, ...asked.map(({ level }) => level)), count: Math.max(1, ...asked.map(({ count }) => count)) };
}

/** What an evaluation says otherwise than the judgement that it comes of. */
type Changes = Partial<Pick<Evaluation, 'verdict' | 'basis' | 'obligations' | 'approval'>>;

function evaluation(set: PolicySet, judgement: Judgement, changes: Changes): Evaluation {
  const { isAllowed, basis, reasons, failed } = judgement;
  return {
    verdict: changes.verdict ?? (isAllowed ? 'ALLOW' : 'DENY'),
    basis: changes.basis ?? basis,
    reasons: reasonsOf(set, reasons),
    determining: reasons,
    failed: reasonsOf(set, failed),
    obligations: changes.obligations ?? [],
    approval: changes.approval ?? null,
    advice: adviceOf(set, reasons),
  };
}

function adviceOf(set: PolicySet, statementIds: readonly string[]): readonly string[] {
  const advice = new Set<string>();
  for (const id of statementIds) {
    const words = ownerOf(set, id).annotations.advice;
    if (words !== null) advice.add(words);
  }
  return [...advice].sort();
}

function ownerOf(set: PolicySet, id: string): Owner {
  const owner = set.owners.get(id);
  if (owner === undefined) throw new Error(`The engine named a statement that was not loaded: ${id}`);
  return owner;
}

/** The policies behind statements, each once for each effect and name, in the order of their names. */
function reasonsOf(set: PolicySet, statementIds: readonly string[]): readonly Reason[] {
  if (statementIds.length === 0) return [];
  const told = new Map<string, ToldReason>();
  for (const id of statementIds) {
    const reason = toldReason(ownerOf(set, id));
    told.set(reason.name, reason);
  }
  return [...told.values()].sort((left, right) => (left.place < right.place ? -1 : 1)).map(({ reason }) => reason);
}

interface ToldReason {
  readonly reason: Reason;
  /** The same for the same reason. */
  readonly name: string;
  /** By which reasons are put in their order. */
  readonly place: string;
}

const toldReasons = new WeakMap<Owner, ToldReason>();

/** What a statement is as a reason; worked out once, however many calls it decides. */
function toldReason(owner: Owner): ToldReason {
  const known = toldReasons.get(owner);
  if (known !== undefined) return known;
  const reason = reasonFor(owner);
  const { policyName, policyId, effect, statement = '', reason: why = '' } = reason;
  const told = { reason, name: JSON.stringify(reason), place: JSON.stringify([policyName, policyId, effect, statement, why]) };
  toldReasons.set(owner, told);
  return told;
}

const reasonFor = ({ policy, effect, annotations: { id, reason, severity } }: Owner): Reason => ({
  policyId: policy.id,
  policyName: policy.name,
  namespaceId: policy.namespaceId,
  revision: policy.revision,
  effect,
  ...(id !== null && { statement: id }),
  ...(reason !== null && { reason }),
  ...(severity !== null && { severity }),
});
