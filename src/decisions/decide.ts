import { randomUUID } from 'node:crypto';
import {
  eventOf,
  OWN_SOURCE,
  prepareEvent,
  seal,
  type AuditEvent,
  type AuditLog,
  type NewEvent,
  type RecordingPlaces,
  type Redactor,
  type StoredEvent,
} from '../audit/index.js';
import type { Agent, Namespace } from '../directory/index.js';
import { hashOf, requireScope, type Clock, type Json, type Viewer } from '../kernel/index.js';
import { evaluate, type Evaluation, type PolicySet, type ToolCall, type ToolFacts } from '../policy/index.js';
import { partsOf, RISKS, UNKNOWN_RISK, type NamedTool, type Tool } from '../tools/index.js';
import { DECISION_EVENT, decisionIn, EXPLANATIONS, type Decision, type DecisionData } from './decision.js';
import { questionDigest, type Question } from './question.js';
import { shadowVerdict, type ShadowVerdict, type Watching } from './shadow.js';
import type { Facts, Snapshots } from './snapshot.js';

export interface Deciding extends Watching {
  readonly snapshots: Snapshots;
  readonly log: AuditLog;
  readonly places: RecordingPlaces;
  readonly redactor: Redactor;
  readonly clock: Clock;
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
 * was allowed and is not any more: then it is denied, with a record of that.
 *
 * @throws Failure FORBIDDEN without the scope `decision:request`; OVERLOADED, UNAVAILABLE.
 */
export async function decide(deps: Deciding, viewer: Viewer, question: Question): Promise<DecideOutcome> {
  requireScope(viewer, 'decision:request');
  const gathered = await deps.snapshots.read(viewer.organizationId, (facts) => gather(facts, viewer, question));
  if (gathered === null) return { kind: 'notFound', field: 'projectId' };

  const now = deps.clock();
  const call = callOf(viewer, question, gathered, now);
  const judge = (set: PolicySet): Evaluation => judged(set, gathered, call);
  const evaluation = judge(gathered.facts.policySet(gathered.project, now));
  if (evaluation.failed.length > 0)
    deps.alarm('policies could not be evaluated', { organizationId: viewer.organizationId, failed: evaluation.failed });

  const { facts, named } = gathered;
  const shadows = facts.shadows(gathered.project, now);
  const shadow = shadowVerdict(deps, viewer.organizationId, { shadows, enforced: evaluation, judge });
  const made = eventOfDecision({ viewer, question, facts, call, tool: named.tool, evaluation, shadow, now });
  const event = withCallId(eventOf(viewer.organizationId, now, await asRecorded(deps, viewer, made)));
  const keyParts = ['decision', viewer.userId, question.requestId, questionDigest(question)] as const;
  const first = await recordOnce(deps, viewer, event, question.requestId === null ? null : hashOf(...keyParts));
  // What was allowed once is not allowed for ever: by now a policy may forbid it, and then that is the answer.
  const isOutdated = first.isRepeated && first.decision.verdict === 'ALLOW' && evaluation.verdict !== 'ALLOW';
  return isOutdated ? recordOnce(deps, viewer, event, hashOf(...keyParts, facts.epoch)) : first;
}

/** The decision without the secrets among its arguments, and without arguments where only metadata is recorded. */
async function asRecorded({ places, redactor }: Deciding, { organizationId }: Viewer, event: NewEvent): Promise<NewEvent> {
  const project = event.projectId ?? organizationId;
  const place = (await places.places(organizationId, [project])).get(project);
  // A project that is gone by now is recorded as strictly as can be.
  return prepareEvent(redactor, event, place?.mode ?? 'METADATA_ONLY').event;
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

interface Gathered {
  readonly facts: Facts;
  readonly project: Namespace;
  readonly level: number;
  readonly agent: Agent | null;
  readonly named: NamedTool;
}

/** What the question is about; null when the project does not exist for the viewer. */
async function gather(facts: Facts, viewer: Viewer, question: Question): Promise<Gathered | null> {
  const project = await facts.project(question.projectId);
  if (project === null) return null;
  const level = await facts.level(viewer.userId, project);
  if (level === 0) return null;
  const [agent, named] = await Promise.all([facts.agent(question.agentId), facts.tool(project, question.tool)]);
  return { facts, project, level, agent, named };
}

/**
 * A tool that is registered for another part of the organization is unknown here: what permits it by its name permits it there.
 * What forbids it by its name forbids it here too.
 */
function judged(set: PolicySet, { named }: Gathered, call: ToolCall): Evaluation {
  const evaluation = evaluate(set, call);
  if (!named.isElsewhere || evaluation.verdict === 'DENY') return evaluation;
  return evaluate(set, { ...call, tool: unknownTool(`not registered here: ${randomUUID()}`) });
}

function callOf(viewer: Viewer, question: Question, { project, level, agent, named }: Gathered, now: Date): ToolCall {
  return {
    // An agent that the platform has not told us of is trusted least.
    agent: {
      id: question.agentId,
      isKnown: agent !== null,
      classes: agent?.classes ?? [],
      trust: agent?.trust ?? 0,
      autonomous: agent?.autonomous ?? true,
      ownerId: agent?.ownerId ?? null,
    },
    user: { id: viewer.userId, level },
    projectLine: project.ancestors.map((id) => ({ id, kind: kindIn(project, id) })),
    tool: named.tool === null ? unknownTool(question.tool) : knownTool(named.tool),
    arguments: question.arguments,
    sessionId: question.sessionId,
    now,
  };
}

function kindIn(project: Namespace, id: string): 'ORGANIZATION' | 'GROUP' | 'PROJECT' {
  if (id === project.id) return 'PROJECT';
  return id === project.ancestors[0] ? 'ORGANIZATION' : 'GROUP';
}

/** What is not registered may do anything. */
const unknownTool = (name: string): ToolFacts => ({
  id: name,
  server: null,
  isKnown: false,
  actionType: 'DESTROY',
  risk: UNKNOWN_RISK,
  definitionDigest: null,
});

const knownTool = ({ id, actionType, definitionDigest }: Tool): ToolFacts => ({
  id,
  server: partsOf(id).server,
  isKnown: true,
  actionType,
  risk: RISKS[actionType],
  definitionDigest,
});

interface Made {
  readonly viewer: Viewer;
  readonly question: Question;
  readonly facts: Facts;
  readonly call: ToolCall;
  readonly tool: Tool | null;
  readonly evaluation: Evaluation;
  readonly shadow: ShadowVerdict | null;
  readonly now: Date;
}

function eventOfDecision({ viewer, question, facts, call, tool, evaluation, shadow, now }: Made): NewEvent {
  const data: DecisionData = {
    basis: evaluation.basis,
    explanation: EXPLANATIONS[evaluation.basis],
    reasons: evaluation.reasons,
    failed: evaluation.failed,
    shadow,
    epoch: facts.epoch,
    requestId: question.requestId,
    toolId: tool?.id ?? null,
    toolDefinitionDigest: tool?.definitionDigest ?? null,
    actionType: call.tool.actionType,
    arguments: question.arguments,
  };
  return {
    type: DECISION_EVENT,
    source: OWN_SOURCE,
    sourceId: randomUUID(),
    occurredAt: now.toISOString(),
    projectId: question.projectId,
    userId: viewer.userId,
    agentId: question.agentId,
    sessionId: question.sessionId,
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
  shadow: data.shadow === null ? null : { ...data.shadow, reasons: data.shadow.reasons.map((reason) => ({ ...reason })) },
});
