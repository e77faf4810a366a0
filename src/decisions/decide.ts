import { randomUUID } from 'node:crypto';
import {
  authorOf,
  eventOf,
  OWN_SOURCE,
  prepareEvent,
  type PreparedEvent,
  seal,
  whoDid,
  type AuditEvent,
  type AuditLog,
  type Author,
  type Humans,
  type NewEvent,
  type RecordingPlaces,
  type Redactor,
  type StoredEvent,
} from '../audit/index.js';
import { hashOf, requireScope, type Clock, type Json, type Viewer } from '../kernel/index.js';
import { DECISION_EVENT, evaluate, factsOf, type Evaluation, type PolicySet, type ToolCall } from '../policy/index.js';
import type { Tool } from '../tools/index.js';
import { decisionIn, EXPLANATIONS, type Decision, type DecisionData } from './decision.js';
import { callOf, gather } from './gather.js';
import type { SelfCheck } from './self-check.js';
import { questionDigest, type Question } from './question.js';
import { shadowVerdict, type ShadowVerdict, type Watching } from './shadow.js';
import type { Facts, Snapshots } from './snapshot.js';

export interface Deciding extends Watching {
  readonly snapshots: Snapshots;
  readonly log: AuditLog;
  readonly places: RecordingPlaces;
  readonly humans: Humans;
  readonly redactor: Redactor;
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
 * @throws Failure FORBIDDEN without the scope `decision:request`; OVERLOADED, UNAVAILABLE.
 */
export async function decide(deps: Deciding, viewer: Viewer, question: Question): Promise<DecideOutcome> {
  requireScope(viewer, 'decision:request');
  const gathered = await deps.snapshots.read(viewer.organizationId, (facts) => gather(facts, viewer.userId, question));
  if (gathered === null) return { kind: 'notFound', field: 'projectId' };

  const now = deps.clock();
  const call = callOf(viewer.userId, question, gathered, now);
  const judge = (set: PolicySet): Evaluation => evaluate(set, call);
  const set = gathered.facts.policySet(gathered.project, now);
  const evaluation = judge(set);
  if (evaluation.failed.length > 0)
    deps.alarm('policies could not be evaluated', { organizationId: viewer.organizationId, failed: evaluation.failed });

  const { facts, named } = gathered;
  const shadows = facts.shadows(gathered.project, now);
  const shadow = shadowVerdict(deps, viewer.organizationId, { shadows, enforced: evaluation, judge });
  const author = await authorOf(deps.humans, viewer, question.sessionId);
  const made = eventOfDecision({ author, question, facts, call, tool: named.tool, evaluation, shadow, now });
  const event = withCallId(eventOf(viewer.organizationId, now, made, await asRecorded(deps, viewer, made)));
  const keyParts = ['decision', viewer.userId, question.requestId, questionDigest(question)] as const;
  const { organizationId } = viewer;
  const first = await recordOnce(deps, viewer, event, question.requestId === null ? null : hashOf(...keyParts));
  // What was allowed once is not allowed for ever: by now a policy may forbid it, or ask for more, and then that is the answer.
  deps.selfCheck.offer({ organizationId, eventId: first.stored.event.id, set, call, evaluation });
  const isOutdated = first.isRepeated && isStricter(evaluation, first.decision);
  return isOutdated ? recordOnce(deps, viewer, event, hashOf(...keyParts, facts.epoch)) : first;
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
const withCallId = (event: AuditEvent): AuditEvent => ({ ...event, callId: event.callId ?? event.id });

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
  readonly question: Question;
  readonly facts: Facts;
  readonly call: ToolCall;
  readonly tool: Tool | null;
  readonly evaluation: Evaluation;
  readonly shadow: ShadowVerdict | null;
  readonly now: Date;
}

function eventOfDecision({ author, question, facts, call, tool, evaluation, shadow, now }: Made): NewEvent {
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
  };
  return {
    type: DECISION_EVENT,
    source: OWN_SOURCE,
    sourceId: randomUUID(),
    occurredAt: now.toISOString(),
    projectId: question.projectId,
    ...whoDid(author),
    agentId: question.agentId,
    sessionId: question.sessionId,
    surface: question.circumstances.surface,
    executionMode: question.circumstances.executionMode,
    callId: question.callId,
    tool: question.tool,
    verdict: evaluation.verdict,
    outcome: null,
    data: asJson(data),
  };
}

const asJson = (data: DecisionData): Json => ({
  ...data,
  reasons: data.reasons.map((reason) => ({ ...reason })),
  failed: data.failed.map((reason) => ({ ...reason })),
  approvalNeeded: data.approvalNeeded === null ? null : { ...data.approvalNeeded },
  shadow: data.shadow === null ? null : { ...data.shadow, reasons: data.shadow.reasons.map((reason) => ({ ...reason })) },
});
