import { z } from 'zod';
import { isJsonObject, isPlain, jsonProblem, parseJson, type Json, type JsonObject } from '../kernel/index.js';
import { CATALOGUE } from './catalogue.js';
import { EXECUTION_MODES, OWN_SOURCE, SURFACES, type NewEvent, type Outcome } from './event.js';

/** The deepest that an event's data may nest. */
export const MAX_DEPTH = 64;
/** The largest that one event may be, in characters of JSON. */
export const MAX_EVENT_CHARACTERS = 1_000_000;

/** Why an event is not recorded: the attribute, what is wrong with it and what would be right. */
export interface Rejection {
  readonly path: string;
  readonly reason: string;
}

/** How far an event's time may lie from the clock. */
export interface TimeWindow {
  readonly maxAgeDays: number;
  readonly maxAheadSeconds: number;
}

/** A name of up to `longest` characters. One check for all that may be wrong: nine names come with every event. */
const name = (longest: number) =>
  z.string('must be a string').check(({ value, issues }) => {
    const message = nameProblem(value, longest);
    if (message !== null) issues.push({ code: 'custom', message, input: value });
  });

function nameProblem(text: string, longest: number): string | null {
  if (text === '') return 'must not be empty';
  if (text.length > longest) return `must have at most ${longest} characters`;
  return isPlain(text) ? null : 'must not hold control characters';
}

const NO_COUNTER = 'must be a string, or a whole number from 0 on';

const Envelope = z.looseObject({
  specversion: z.literal('1.0', 'must be "1.0" (CloudEvents 1.0)'),
  id: name(200),
  source: name(500).refine((source) => source !== OWN_SOURCE, `must not be ${OWN_SOURCE}: that is this service itself`),
  type: name(200),
  subject: name(200).nullish(),
  time: z.iso.datetime({ offset: true, error: 'must be an RFC 3339 time with seconds and a zone, for example 2026-11-22T09:30:00.000Z' }),
  datacontenttype: name(200).nullish(),
  sequence: z.union([z.number().int(NO_COUNTER).nonnegative(NO_COUNTER), name(200)], NO_COUNTER).nullish(),
  projectid: name(300).nullish(),
  userid: name(300).nullish(),
  humanid: name(300).nullish(),
  agentid: name(300).nullish(),
  callid: name(200).nullish(),
  parentsessionid: name(200).nullish(),
  surface: z.enum(SURFACES, `must be one of ${SURFACES.join(', ')}`).nullish(),
  executionmode: z.enum(EXECUTION_MODES, `must be ${EXECUTION_MODES.join(' or ')}`).nullish(),
  data: z.unknown().optional(),
  data_base64: z.string('must be a string').nullish(),
});

const OWN_ATTRIBUTES = new Set(Object.keys(Envelope.shape));

/**
 * Reads one CloudEvents 1.0 event in JSON format (github.com/cloudevents/spec, v1.0.2) in the shape that the platform's agent
 * service sends: `subject` is the session; the extension attributes `projectid`, `userid`, `agentid`, `callid` and `sequence`
 * say where it belongs.
 *
 * `time` is required, although CloudEvents leaves it out of its required attributes: with it a retry has the same id.
 *
 * @param reporter whose token brings it: the user, where the event names none
 */
export function parseCloudEvent(raw: unknown, reporter: string, now: Date, window: TimeWindow): NewEvent | Rejection {
  if (!isJsonObject(raw)) return { path: '', reason: 'must be a JSON object' };
  const problem = jsonProblem(raw, 'event', MAX_DEPTH);
  if (problem !== null) return { path: problem.path.replace(/^event\.?/, ''), reason: problem.reason };
  const parsed = Envelope.safeParse(raw);
  if (!parsed.success) return rejectionOf(parsed.error, raw, '');
  const envelope = parsed.data;

  const time = Date.parse(envelope.time);
  const untimely = timeProblem(time, now, window);
  if (untimely !== null) return { path: 'time', reason: untimely };
  const definition = CATALOGUE.get(envelope.type);
  const data = dataIn(raw, envelope.datacontenttype ?? null);
  if (isRejection(data)) return data.rejection;
  if (definition?.isOwn === true) return { path: 'type', reason: `must not be ${envelope.type}: only this service records it` };
  const content = definition === undefined ? null : dataProblem(definition.data, data.value);
  if (content !== null) return content;

  const userId = envelope.userid ?? reporter;
  return {
    type: envelope.type,
    source: envelope.source,
    sourceId: envelope.id,
    occurredAt: new Date(time).toISOString(),
    projectId: envelope.projectid ?? null,
    userId,
    humanId: envelope.humanid ?? userId,
    recordedBy: reporter,
    agentId: envelope.agentid ?? null,
    sessionId: envelope.subject ?? workflowOf(data.value),
    parentSessionId: envelope.parentsessionid ?? null,
    surface: envelope.surface ?? null,
    executionMode: envelope.executionmode ?? null,
    sequence: counterIn(envelope.sequence ?? null),
    callId: envelope.callid ?? null,
    tool: toolOf(data.value),
    verdict: null,
    outcome: outcomeOf(envelope.type),
    contentType: envelope.datacontenttype ?? null,
    data: data.value,
    attributes: attributesBeyond(raw, envelope.datacontenttype ?? null),
  };
}

/** Attributes that have no field of their own, or say more than the one they have. */
function attributesBeyond(raw: JsonObject, contentType: string | null): JsonObject {
  const names = Object.keys(raw).filter((name) => !OWN_ATTRIBUTES.has(name) || isBeyond(name, raw[name], contentType));
  return Object.fromEntries(names.map((name) => [name, raw[name] ?? null]));
}

/** The counter, where it is one: the extension leaves its form to producers (CloudEvents, “Sequence”). */
function counterIn(sequence: number | string | null): number | null {
  const counter = typeof sequence === 'string' && /^\d{1,20}$/.test(sequence) ? Number(sequence) : sequence;
  return typeof counter === 'number' && Number.isSafeInteger(counter) ? counter : null;
}

/** Whether an attribute says more than the field that we read it into: a time to the microsecond, a counter with its zeros. */
function isBeyond(key: string, value: Json | undefined, contentType: string | null): boolean {
  if (key === 'data_base64') return !isJsonType(contentType);
  if (key === 'time') return /\.\d{3}\d*[1-9]/.test(String(value));
  return key === 'sequence' && typeof value === 'string' && String(counterIn(value)) !== value;
}

/** The event's data: bytes that are announced as JSON are read as JSON, others stay among the attributes. */
function dataIn(raw: JsonObject, contentType: string | null): Data {
  const refused = (reason: string) => ({ rejection: { path: 'data_base64', reason } });
  const encoded = raw['data_base64'] ?? null;
  if (typeof encoded !== 'string') return { value: raw['data'] ?? null };
  if (raw['data'] != null) return refused('must not come beside data');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded)) return refused('must be Base64 (RFC 4648)');
  if (!isJsonType(contentType)) return { value: null };
  try {
    const value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(encoded, 'base64')));
    const problem = jsonProblem(value, 'data_base64', MAX_DEPTH);
    return problem === null ? { value } : { rejection: problem };
  } catch {
    return refused('must hold JSON in UTF-8, as datacontenttype says');
  }
}

type Data = { readonly value: Json } | { readonly rejection: Rejection };

const isRejection = (data: Data): data is { readonly rejection: Rejection } => 'rejection' in data;

const isJsonType = (contentType: string | null): boolean => /[/+]json\s*(;|$)/i.test(contentType ?? '');

function timeProblem(time: number, now: Date, window: TimeWindow): string | null {
  const oldest = now.getTime() - window.maxAgeDays * 86_400_000;
  const newest = now.getTime() + window.maxAheadSeconds * 1_000;
  if (time >= oldest && time <= newest) return null;
  return `must lie between ${window.maxAgeDays} days ago and ${window.maxAheadSeconds} seconds ahead: from ${new Date(oldest).toISOString()} to ${new Date(newest).toISOString()} now`;
}

function dataProblem(schema: z.ZodObject, data: unknown): Rejection | null {
  if (!isJsonObject(data)) return { path: 'data', reason: 'must be a JSON object' };
  const parsed = schema.safeParse(data);
  return parsed.success ? null : rejectionOf(parsed.error, data, 'data.');
}

function rejectionOf(error: z.ZodError, given: JsonObject, prefix: string): Rejection {
  const issue = error.issues[0];
  const path = issue?.path.join('.') ?? '';
  const top = String(issue?.path[0] ?? '');
  const right = issue?.message ?? 'must be acceptable';
  return { path: `${prefix}${path}`, reason: top !== '' && given[top] === undefined ? `is missing: it ${right}` : right };
}

/** Plain text of up to 200 characters, or nothing: these come from data of any shape. */
const shortText = (value: unknown, longest: number): string | null =>
  typeof value === 'string' && value !== '' && value.length <= longest && isPlain(value) ? value : null;

const workflowOf = (data: Json): string | null => (isJsonObject(data) ? shortText(data['workflow_id'], 200) : null);
const toolOf = (data: Json): string | null => (isJsonObject(data) ? shortText(data['tool_name'], 300) : null);

function outcomeOf(type: string): Outcome | null {
  if (type === 'ai_tool_response_received') return 'SUCCEEDED';
  return type === 'ai_tool_execution_failed' ? 'FAILED' : null;
}
