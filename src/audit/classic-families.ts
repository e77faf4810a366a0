import { isJsonObject, type Json, type JsonObject } from '../kernel/index.js';
import { familyOf, type Family } from './catalogue.js';
import type { AuditEvent } from './event.js';

/** What an event happened to, as the classic envelope names it. */
export interface ClassicTarget {
  /** A class of GitLab's where it has one, else the type of schema.graphql. */
  readonly type: string;
  /** Its id as the event has it. */
  readonly id: string;
  /** What a person calls it. */
  readonly details: string;
}

interface ClassicFamily {
  /** Null where the event names none: then it happened to the entity. */
  readonly target: (event: AuditEvent, data: JsonObject) => ClassicTarget | null;
  /**
   * What of the event's data goes into `details`. Only what is listed: the content of prompts, answers and results is shown
   * elsewhere, by a grant of its own.
   */
  readonly details: (data: JsonObject) => JsonObject;
}

/** Members as the producer sent them. */
const asSent =
  (...keys: readonly string[]) =>
  (data: JsonObject): JsonObject =>
    picked(data, keys);

/** Members that this service wrote, with their names as the envelope spells names. */
const asOurs =
  (...keys: readonly string[]) =>
  (data: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(picked(data, keys)).map(([key, value]) => [snakeCase(key), inSnakeCase(value)]));

/** For each family of the catalogue, its target and its details. A family that is missing does not compile. */
const FAMILIES: Readonly<Record<Family, ClassicFamily>> = {
  session: { target: sessionOf, details: asSent('workflow_id', 'workflow_type', 'status', 'duration_seconds', 'error_message') },
  message: { target: sessionOf, details: asSent('workflow_id', 'input_type', 'output_type', 'content_length') },
  modelCall: {
    target: sessionOf,
    details: asSent(
      ...['workflow_id', 'model_name', 'tools_bound', 'prompt_token_count', 'completion_token_count'],
      ...['finish_reason', 'latency_ms', 'error_type', 'error_message'],
    ),
  },
  toolCall: {
    target: sessionOf,
    details: asSent(
      ...['workflow_id', 'tool_name', 'tool_args', 'response_length', 'error_type', 'error_message'],
      ...['attempt_number', 'max_attempts', 'previous_error'],
    ),
  },
  decision: { target: toolOf, details: decisionDetails },
  decisionRefusal: { target: agentOf, details: asOurs('reason', 'route', 'fields', 'leftOut') },
  policy: {
    target: policyOf,
    details: asOurs(
      ...['policyId', 'name', 'namespaceId', 'revision', 'digest', 'message', 'mode', 'effectiveFrom', 'effectiveUntil'],
      ...['draftVersion', 'author', 'reviewer', 'repeats', 'reviewSubject', 'casesDigest', 'casesPassed', 'casesFailed', 'warnings'],
      ...['backtestDigest', 'repository', 'bundle'],
    ),
  },
  policySettings: {
    target: () => null,
    details: asOurs(
      ...['namespaceId', 'isReviewRequired', 'wasReviewRequired', 'trustedAppliers', 'backtestDays'],
      ...['maxNewlyDenied', 'maxNewlyAsked', 'maxNewlyAllowed'],
    ),
  },
  policyBacktest: {
    target: policyOf,
    details: asOurs(
      ...['backtestId', 'policyId', 'name', 'namespaceId', 'subject', 'digest', 'baseline', 'from', 'to', 'isFiltered'],
      ...['decisions', 'newlyDenied', 'newlyAsked', 'newlyAllowed', 'reportDigest'],
      ...['skipped', 'withoutArguments', 'notReproduced', 'inForceDigest'],
    ),
  },
  toolRule: { target: toolOf, details: asOurs('namespaceId', 'tool', 'agentClass', 'verdict', 'previousVerdict', 'policyId') },
  tool: {
    target: toolOf,
    details: asOurs('toolId', 'namespaceId', 'definitionDigest', 'previousDefinitionDigest', 'actionType', 'actionTypeReason', 'labels'),
  },
  approval: {
    target: toolOf,
    details: asOurs('decisionId', 'toolId', 'toolName', 'level', 'scope', 'reason', 'expiresAt', 'decidedBy'),
  },
  stop: { target: agentOf, details: asOurs('agentId', 'reason', 'expiresAt') },
  retentionDrop: {
    target: () => null,
    details: asOurs('class', 'namespaceId', 'month', 'from', 'to', 'firstPosition', 'lastPosition', 'count'),
  },
  retentionChange: { target: () => null, details: asOurs('namespaceId', 'class', 'days', 'previousDays') },
  legalHold: {
    target: holdOf,
    details: asOurs('holdId', 'name', 'reason', 'namespaceId', 'sessionId', 'userId', 'agentId', 'from', 'to'),
  },
  contentReveal: { target: () => null, details: asOurs('eventIds', 'reason') },
  recordingMode: { target: () => null, details: asOurs('namespaceId', 'mode', 'previousMode') },
  sessionReport: { target: sessionOf, details: asOurs('producer', 'batchId', 'totalEventsSent') },
  // What a type that is not known carries may be content.
  unknown: { target: sessionOf, details: () => ({}) },
};

/** What the event happened to; null when it names nothing but the place. */
export const targetOf = (event: AuditEvent): ClassicTarget | null => FAMILIES[familyOf(event.type)].target(event, dataOf(event));

/** What the event's own data adds to `details`. */
export const familyDetails = (event: AuditEvent): JsonObject => FAMILIES[familyOf(event.type)].details(dataOf(event));

/** What happened in a few words: `Tool decision made: read_file, DENY`. A type that is not known stands as it is. */
export function messageOf(event: AuditEvent): string {
  const family = familyOf(event.type);
  const about = [
    event.tool ?? (family === 'policy' || family === 'policyBacktest' ? textIn(dataOf(event), 'name') : null),
    event.verdict,
  ].filter((part) => part !== null);
  const what = family === 'unknown' ? event.type : inWords(event.type);
  return about.length === 0 ? what : `${what}: ${about.join(', ')}`;
}

/** The number in a session's global id, or the id itself, as GitLab writes sessions. */
function sessionOf({ sessionId }: AuditEvent, data: JsonObject): ClassicTarget | null {
  if (sessionId === null) return null;
  const name = sessionId.replace(/^gid:\/\/.*\//, '');
  // “Unknown” is what GitLab writes for a session whose definition it does not find.
  return { type: 'Ai::DuoWorkflows::Workflow', id: sessionId, details: `${textIn(data, 'workflow_type') ?? 'Unknown'} session ${name}` };
}

function toolOf({ tool }: AuditEvent, data: JsonObject): ClassicTarget | null {
  const id = textIn(data, 'toolId') ?? tool;
  return id === null ? null : { type: 'AgentTool', id, details: id };
}

function policyOf(_event: AuditEvent, data: JsonObject): ClassicTarget | null {
  const id = textIn(data, 'policyId');
  return id === null ? null : { type: 'AgentPolicy', id, details: textIn(data, 'name') ?? id };
}

function agentOf({ agentId }: AuditEvent, data: JsonObject): ClassicTarget | null {
  const id = textIn(data, 'agentId') ?? agentId;
  return id === null ? null : { type: 'Agent', id, details: id };
}

function holdOf(_event: AuditEvent, data: JsonObject): ClassicTarget | null {
  const id = textIn(data, 'holdId');
  return id === null ? null : { type: 'AgentLegalHold', id, details: textIn(data, 'name') ?? id };
}

/** The arguments have the name that they have in a tool call's events; what is in them is the caller's. */
function decisionDetails({ arguments: tool_args = null, ...data }: JsonObject): JsonObject {
  return {
    ...asOurs(
      ...['basis', 'explanation', 'advice', 'reasons', 'failed', 'shadow', 'obligations', 'approvalNeeded'],
      ...['epoch', 'requestId', 'toolId', 'toolDefinitionDigest', 'actionType', 'contradictions'],
    )(data),
    ...picked({ tool_args }, ['tool_args']),
  };
}

const dataOf = ({ data }: AuditEvent): JsonObject => (isJsonObject(data) ? data : {});

function textIn(data: JsonObject, key: string): string | null {
  const value = data[key];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Those of `keys` that are there and not null. */
function picked(data: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(
    keys.flatMap((key): [string, Json][] => {
      const value = data[key] ?? null;
      return value === null ? [] : [[key, value]];
    }),
  );
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function inSnakeCase(value: Json): Json {
  if (Array.isArray(value)) return value.map(inSnakeCase);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [snakeCase(key), inSnakeCase(member)]));
}

function inWords(type: string): string {
  const words = type
    .replace(/^ai_/, '')
    .replaceAll('_', ' ')
    .replace(/\bllm\b/, 'LLM');
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
