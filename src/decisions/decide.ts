import { randomUUID } from 'node:crypto';
import {
  authorOf,
  eventOf,
  humansBehind,
  OWN_SOURCE,
  prepareEvent,
  type PreparedEvent,
  seal,
  type AuditEvent,
  type AuditLog,
  type Author,
  type Humans,
  type NewEvent,
  type RecordingPlaces,
  type Redactor,
  type SessionIdentities,
  type StoredEvent,
} from '../audit/index.js';
import { hashOf, requireScope, type Clock, type Json, type JsonObject, type Viewer } from '../kernel/index.js';
import { DECISION_EVENT, evaluate, factsOf, type Evaluation, type PolicySet, type Reason, type ToolCall } from '../policy/index.js';
import type { Tool } from '../tools/index.js';
import { decisionIn, EXPLANATIONS, type Decision, type DecisionData } from './decision.js';
import { callOf, gather, type Gathered } from './gather.js';
import { identify, unasked, type Identified } from './identity.js';
import type { SelfCheck } from './self-check.js';
import { questionDigest, type Question } from './question.js';
import type { Refusals, Route } from './refusals.js';
import { shadowVerdict, type ShadowVerdict, type Watching } from './shadow.js';
import type { Facts, Snapshots } from './snapshot.js';

export interface Deciding extends Watching {
  readonly snapshots: Snapshots;
  readonly log: AuditLog;
  readonly places: RecordingPlaces;
  readonly humans: Humans;
  readonly sessions: SessionIdentities;
  readonly redactor: Redactor;
  readonly refusals: Refusals;
  readonly clock: Clock;
  readonly selfCheck: Pick<SelfCheck, 'offer'>;
}

export type DecideOutcome =
  | {
      readonly kind: 'decided';
      readonly decision: Decision;
      readonly stored: StoredEvent;
      /** Whether it was decided at an earlier asking with the same request id. */
      readonly isRepeated: boolean;
    }
  | { readonly kind: 'notFound'; readonly field: 'projectId' };

/**
 * Decides whether an agent may make a tool call for the viewer, and records the decision. Answers only after the record is
 * durable; when it throws, the call must not be made.
 *
 * A question asked again with the same request id has one record and one answer, also when policies changed in between; unless it
 * was allowed, or could be approved, and is not so readily any more: then that is the answer, with a record of it.
 *
 * A question that is refused, for want of the scope or of the project, is recorded too, as far as `Refusals` goes.
 *
 * @throws Failure FORBIDDEN without the scope `decision:request`; OVERLOADED, UNAVAILABLE.
 */
export async function decide(deps: Deciding, viewer: Viewer, asked: Question, route: Route): Promise<DecideOutcome> {
  if (!viewer.scopes.has('decision:request'))
    deps.refusals.record(viewer, { reason: 'SCOPE_MISSING', route, fields: [], agentId: asked.agentId });
  requireScope(viewer, 'decision:request');
  const [session, author] = await Promise.all([
    asked.sessionId === null ? null : deps.sessions.identity(viewer.organizationId, asked.sessionId),
    authorOf(deps.humans, viewer, asked.sessionId),
  ]);
  const identified = identify(viewer, asked, session);
  const { question } = identified;
  const humanIds = await humansBehind(deps.humans, viewer.organizationId, author);
  const gathered = await deps.snapshots.read(viewer.organizationId, (facts) => gather(facts, viewer.userId, question, humanIds));
  if (gathered === null) {
    deps.refusals.record(viewer, { reason: 'PROJECT_NOT_FOUND', route, fields: [PROJECT_FIELDS[route]], agentId: asked.agentId });
    return { kind: 'notFound', field: 'projectId' };
  }

  const now = deps.clock();
  const call = callOf(viewer.userId, question, gathered, now);
  const { set, evaluation, shadow } = judged(deps, viewer, { identified, gathered, call });
  const { facts, named } = gathered;
  const made = eventOfDecision({ author, identified, facts, call, tool: named.tool, evaluation, shadow, now });
  const event = withCallId(eventOf(viewer.organizationId, now, made, await asRecorded(deps, viewer, made)));
  const { organizationId } = viewer;
  const keyOf = (...more: readonly (string | number)[]): Buffer =>
    hashOf('decision', viewer.userId, asked.requestId, questionDigest(asked), ...more);
  const first = await recordOnce(deps, viewer, event, asked.requestId === null ? null : keyOf());
  if (set !== null) deps.selfCheck.offer({ organizationId, eventId: first.stored.event.id, set, call, evaluation });
  // What was allowed once is not allowed for ever: by now a policy may forbid it, or ask for more, and then that is the answer.
  const isOutdated = first.isRepeated && isStricter(evaluation, first.decision);
  return isOutdated ? recordOnce(deps, viewer, event, keyOf(facts.epoch, saidBy(evaluation))) : first;
}

/** The same for answers that are as strict: at one epoch the clock, or the session, can make another of what was stricter already. */
const saidBy = ({ verdict, basis, obligations, approval }: Evaluation): string => JSON.stringify([verdict, basis, obligations, approval]);

/** Where each door has the project of a question. */
const PROJECT_FIELDS = { GRAPHQL: 'projectId', AUTHZEN: 'resource.properties.project' } as const;

interface Judging {
  readonly identified: Identified;
  readonly gathered: Gathered;
  readonly call: ToolCall;
}

interface Judged {
  /** The policies that were asked; null where none was. */
  readonly set: PolicySet | null;
  readonly evaluation: Evaluation;
  readonly shadow: ShadowVerdict | null;
}

/** What policies say of the call; where it is not made by whom it says, none is asked. */
function judged(deps: Deciding, { organizationId }: Viewer, { identified, gathered, call }: Judging): Judged {
  if (identified.isSomebodyElse) return { set: null, evaluation: unasked('IDENTITY_CONTRADICTED'), shadow: null };
  if (call.user.level === 0) return { set: null, evaluation: unasked('HUMAN_NO_MEMBER'), shadow: null };
  const { facts, project } = gathered;
  const judge = (set: PolicySet): Evaluation => evaluate(set, call);
  const set = facts.policySet(project, call.now);
  const evaluation = judge(set);
  if (evaluation.failed.length > 0) deps.alarm('policies could not be evaluated', { organizationId, failed: evaluation.failed });
  const shadow = shadowVerdict(deps, organizationId, { shadows: facts.shadows(project, call.now), enforced: evaluation, judge });
  return { set, evaluation, shadow };
}

const STRICTNESS = { ALLOW: 0, ASK: 1, DENY: 2 } as const;

/** Whether what is said now allows less than what was said then, or the same on more conditions. */
function isStricter(now: Evaluation, then: Decision): boolean {
  if (now.verdict !== then.verdict) return STRICTNESS[now.verdict] > STRICTNESS[then.verdict];
  if (now.verdict === 'DENY') return false;
  const isMore = (left: number | undefined, right: number | undefined): boolean => (left ?? 0) > (right ?? 0);
  return (
    now.obligations.some((obligation) => !then.obligations.includes(obligation)) ||
    isMore(now.approval?.level, then.approvalNeeded?.level) ||
    isMore(now.approval?.count, then.approvalNeeded?.count)
  );
}

/** What is recorded of a decision: no secrets among its arguments, and no arguments where only metadata is recorded. */
async function asRecorded({ places, redactor }: Deciding, { organizationId }: Viewer, event: NewEvent): Promise<PreparedEvent> {
  const project = event.projectId ?? organizationId;
  const place = (await places.places(organizationId, [project])).get(project);
  // A project that is gone by now is recorded as strictly as can be.
  return prepareEvent(redactor, event, place?.mode ?? 'METADATA_ONLY');
}

/** A call that its caller has no id for is called by that of its decision, so that what comes of it can name the same call. */
const withCallId = (event: AuditEvent): AuditEvent => (event.callId === null ? { ...event, callId: event.id } : event);

type Decided = Extract<DecideOutcome, { readonly kind: 'decided' }>;

/** Records a decision, unless there is one under this key, which then is the answer. */
async function recordOnce(deps: Deciding, viewer: Viewer, event: AuditEvent, key: Buffer | null): Promise<Decided> {
  const [receipt] = await deps.log.append(viewer.organizationId, [{ sealed: seal(event), key }]);
  const decision = receipt === undefined ? null : decisionIn(receipt.stored);
  if (receipt === undefined || decision === null) throw new Error('The log did not answer with the decision it was given.');
  return { kind: 'decided', decision, stored: receipt.stored, isRepeated: receipt.status === 'duplicate' };
}

interface Made {
  readonly author: Author;
  readonly identified: Identified;
  readonly facts: Facts;
  readonly call: ToolCall;
  readonly tool: Tool | null;
  readonly evaluation: Evaluation;
  readonly shadow: ShadowVerdict | null;
  readonly now: Date;
}

function eventOfDecision({ author, identified, facts, call, tool, evaluation, shadow, now }: Made): NewEvent {
  const { question, parentSessionId, contradictions } = identified;
  const data: DecisionData = {
    basis: evaluation.basis,
    explanation: EXPLANATIONS[evaluation.basis],
    advice: evaluation.advice,
    reasons: evaluation.reasons,
    obligations: evaluation.obligations,
    approvalNeeded: evaluation.approval,
    failed: evaluation.failed,
    shadow,
    epoch: facts.epoch,
    requestId: question.requestId,
    toolId: tool?.id ?? null,
    toolDefinitionDigest: tool?.definitionDigest ?? null,
    actionType: call.tool.actionType,
    arguments: question.arguments,
    facts: factsOf(call),
    contradictions,
  };
  return {
    type: DECISION_EVENT,
    source: OWN_SOURCE,
    sourceId: randomUUID(),
    occurredAt: now.toISOString(),
    projectId: question.projectId,
    userId: author.userId,
    humanId: author.humanId,
    humanSource: author.humanSource,
    agentId: question.agentId,
    sessionId: question.sessionId,
    parentSessionId,
    surface: question.circumstances.surface,
    executionMode: question.circumstances.executionMode,
    callId: question.callId,
    tool: question.tool,
    verdict: evaluation.verdict,
    outcome: null,
    data: asJson(data),
  };
}

/** Field by field: a copy by spreading costs as much as a hash. */
const asJson = (data: DecisionData): Json => ({
  basis: data.basis,
  explanation: data.explanation,
  advice: data.advice,
  reasons: data.reasons.map(reasonAsJson),
  obligations: data.obligations,
  approvalNeeded: data.approvalNeeded === null ? null : { ...data.approvalNeeded },
  failed: data.failed.map(reasonAsJson),
  shadow: data.shadow === null ? null : { ...data.shadow, reasons: data.shadow.reasons.map(reasonAsJson) },
  epoch: data.epoch,
  requestId: data.requestId,
  toolId: data.toolId,
  toolDefinitionDigest: data.toolDefinitionDigest,
  actionType: data.actionType,
  arguments: data.arguments,
  facts: data.facts,
  ...(data.contradictions.length > 0 && { contradictions: data.contradictions.map((contradiction) => ({ ...contradiction })) }),
});

const reasonAsJson = (reason: Reason): JsonObject => ({ ...reason });
