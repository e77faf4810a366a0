import { z } from 'zod';
import type { StoredEvent } from '../audit/index.js';
import { isJsonObject, type JsonObject } from '../kernel/index.js';
import { UNASKED_BASES } from './evaluate.js';
import { SCHEMA_VERSION } from './model.js';
import { EXECUTION_MODES, SURFACES, type ToolCall } from './tool-call.js';

/** The type of the events that record decisions. */
export const DECISION_EVENT = 'ai_tool_decision_made';

/**
 * What stands in a decision's record of the call beside the event's own fields, the arguments and the tool's digest: together they are
 * the call as it was evaluated. What is empty or as with most calls is left out. Members are described in docs/policy-model.md.
 */
const Facts = z.object({
  /** Version of the model. */
  model: z.string(),
  agent: z.object({
    known: z.boolean().default(true),
    classes: z.array(z.string()).default([]),
    trust: z.number(),
    autonomous: z.boolean().default(false),
    owner: z.string().nullable().default(null),
  }),
  user: z.object({
    level: z.number(),
    teams: z.array(z.string()).default([]),
    ownLevel: z.number().optional(),
    humans: z.array(z.object({ id: z.string(), level: z.number() })).default([]),
  }),
  /** From the organization down. */
  line: z.array(z.object({ id: z.string(), class: z.number().nullable().default(null), frozen: z.boolean().default(false) })).min(2),
  tool: z.object({
    known: z.boolean().default(true),
    elsewhere: z.boolean().default(false),
    server: z.string().nullable().default(null),
    risk: z.number(),
    labels: z.array(z.string()).default([]),
  }),
  environment: z.string(),
  branch: z.string().nullable().default(null),
  branchProtected: z.boolean(),
  surface: z.enum(SURFACES),
  executionMode: z.enum(EXECUTION_MODES),
  zone: z.string(),
  sessionLabels: z.array(z.string()).nullable().default(null),
  sessionCounts: z.object({ allowed: z.number(), asked: z.number(), denied: z.number(), failed: z.number() }).nullable().default(null),
  approval: z.object({ level: z.number(), count: z.number() }).nullable().default(null),
  promises: z.array(z.string()).default([]),
});

/** What is recorded of a call beside the event's own fields; `callIn` reads it. */
export function factsOf(call: ToolCall): JsonObject {
  const { agent, user, projectLine, tool, circumstances, session } = call;
  return {
    model: SCHEMA_VERSION,
    agent: {
      trust: agent.trust,
      ...(!agent.isKnown && { known: false }),
      ...(agent.classes.length > 0 && { classes: agent.classes }),
      ...(agent.autonomous && { autonomous: true }),
      ...(agent.ownerId !== null && { owner: agent.ownerId }),
    },
    user: { level: user.level, ...(user.teams.length > 0 && { teams: user.teams }), ...onBehalfFacts(user) },
    line: projectLine.map(({ id, dataClass, isFrozen }) => ({
      id,
      ...(dataClass !== null && { class: dataClass }),
      ...(isFrozen && { frozen: true }),
    })),
    tool: {
      risk: tool.risk,
      ...(!tool.isKnown && { known: false }),
      ...(tool.isElsewhere && { elsewhere: true }),
      ...(tool.server !== null && { server: tool.server }),
      ...(tool.labels.length > 0 && { labels: tool.labels }),
    },
    environment: circumstances.environment,
    ...(circumstances.branch !== null && { branch: circumstances.branch }),
    branchProtected: circumstances.isBranchProtected,
    surface: circumstances.surface,
    executionMode: circumstances.executionMode,
    zone: call.timeZone,
    ...(session.labels !== null && { sessionLabels: session.labels }),
    ...(session.counts !== null && { sessionCounts: { ...session.counts } }),
    ...(call.approval !== null && { approval: { ...call.approval } }),
    ...(call.promises.length > 0 && { promises: call.promises }),
  };
}

const onBehalfFacts = ({ onBehalf }: ToolCall['user']): JsonObject =>
  onBehalf == null ? {} : { ownLevel: onBehalf.ownLevel, humans: onBehalf.humans.map(({ id, level }) => ({ id, level })) };

const Recorded = z.object({
  // What no policy decided can tell nothing of policies.
  basis: z
    .string()
    .refine((basis) => !UNASKED_BASES.some((unasked) => unasked === basis))
    .optional(),
  toolId: z.string().nullish(),
  toolDefinitionDigest: z.string().nullish(),
  actionType: z.enum(['READ', 'WRITE', 'DESTROY']),
  arguments: z.custom<JsonObject>(isJsonObject).optional(),
  facts: Facts,
});

/** A call that was decided, to be evaluated again. */
export interface RecordedCall {
  readonly call: ToolCall;
  /** False where arguments were not recorded, or secrets in them redacted: a policy that reads those may answer otherwise. */
  readonly isWhole: boolean;
}

/**
 * The call that a decision was about, as it was evaluated; null when the event is none, is from before facts were recorded, or no policy was
 * asked.
 */
export function callIn({ event }: Pick<StoredEvent, 'event'>): RecordedCall | null {
  const parsed = event.type === DECISION_EVENT ? Recorded.safeParse(event.data) : null;
  if (parsed?.success !== true || event.agentId === null || event.userId === null) return null;
  const { toolId, toolDefinitionDigest, actionType, arguments: given, facts } = parsed.data;
  const { agent, user, line, tool } = facts;
  const call: ToolCall = {
    agent: {
      id: event.agentId,
      isKnown: agent.known,
      classes: agent.classes,
      trust: agent.trust,
      autonomous: agent.autonomous,
      ownerId: agent.owner,
    },
    user: {
      ...{ id: event.userId, level: user.level, teams: user.teams },
      onBehalf: user.ownLevel === undefined ? null : { ownLevel: user.ownLevel, humans: user.humans },
    },
    projectLine: line.map((one, index) => ({ id: one.id, kind: kindAt(index, line.length), dataClass: one.class, isFrozen: one.frozen })),
    tool: {
      id: toolId ?? event.tool ?? '',
      server: tool.server,
      isKnown: tool.known,
      isElsewhere: tool.elsewhere,
      actionType,
      risk: tool.risk,
      definitionDigest: toolDefinitionDigest ?? null,
      labels: tool.labels,
    },
    arguments: given ?? {},
    sessionId: event.sessionId,
    session: { labels: facts.sessionLabels, counts: facts.sessionCounts },
    circumstances: {
      environment: facts.environment,
      branch: facts.branch,
      isBranchProtected: facts.branchProtected,
      surface: facts.surface,
      executionMode: facts.executionMode,
    },
    now: new Date(event.occurredAt),
    timeZone: facts.zone,
    approval: facts.approval,
    promises: facts.promises,
  };
  return { call, isWhole: given !== undefined && event.redacted.length === 0 };
}

function kindAt(index: number, length: number): 'ORGANIZATION' | 'GROUP' | 'PROJECT' {
  if (index === length - 1) return 'PROJECT';
  return index === 0 ? 'ORGANIZATION' : 'GROUP';
}
