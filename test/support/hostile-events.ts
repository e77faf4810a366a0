import { tokens } from '../audit/fake-secrets.js';
import { aCloudEvent, type CloudEvent } from './cloud-events.js';
import type { Random } from './random.js';

/** An event as it goes over the wire, with what must become of it. */
export interface SentEvent {
  /** JSON, though perhaps none that anybody would write. */
  readonly json: string;
  /** The `id` that the answer must name; null where the event has none that is a string. */
  readonly id: string | null;
  readonly answer:
    | { readonly status: 'stored'; readonly unknownType?: true }
    | { readonly status: 'rejected'; readonly path: string | RegExp; readonly reason: RegExp };
}

export const SESSION = 'hostile-session';

/** Stands in an event for JSON that `JSON.stringify` would not write. */
const HERE = '<here>';
const withRaw = (event: CloudEvent, raw: string): string => JSON.stringify(event).replace(JSON.stringify(HERE), () => raw);

const GONE = undefined;
const MUST = /^must /;
const MISSING = /^is missing: it must /;
const NOT_PLAIN = /^must not hold control characters$/;
const BAD_UNICODE = /^must be well-formed Unicode/;
const TOO_DEEP = /^must not be nested deeper than 64 levels$/;
const NAMES = ['id', 'source', 'type', 'subject', 'projectid', 'userid', 'agentid', 'callid', 'humanid', 'parentsessionid'];
const LONG = 'x'.repeat(501);

const SECRETS = tokens.map(([, token]) => token).filter((token) => token.length <= 200);

interface Kinds {
  readonly pick: Random;
  /** Of the event that is made. */
  readonly id: string;
}

type Change = readonly [change: CloudEvent, path: string | RegExp, reason: RegExp];
type Raw = readonly [change: CloudEvent, raw: string, path: string | RegExp, reason: RegExp];

/** Attributes that are missing, of a wrong type, or of a wrong shape. */
const ATTRIBUTES: readonly ((kinds: Kinds) => Change)[] = [
  ({ pick }) => of(pick.pick(['id', 'source', 'type', 'time', 'specversion']), GONE, MISSING),
  ({ pick }) => of(pick.pick(NAMES), pick.pick([7, -1.5, true, {}, [], ['a']]), MUST),
  ({ pick }) => of(pick.pick(NAMES), '', /^must not be empty$/),
  ({ pick }) => of(pick.pick(NAMES), LONG, /^must have at most \d+ characters$/),
  ({ pick }) => of(pick.pick(NAMES), pick.pick(['a\u0000b', 'a\nb', '\u001b[31m', '\u007f']), NOT_PLAIN),
  ({ pick }) => of(pick.pick(['id', 'source', 'type']), null, /^must be a string$/),
  ({ pick }) => of('specversion', pick.pick(['0.3', '2.0', 1, null, {}]), /^must be "1.0"/),
  ({ pick }) => of('sequence', pick.pick([-1, 1.5, true, {}, [1], '']), MUST),
  ({ pick }) => of('surface', pick.pick(['web', '', 7, ['WEB']]), /^must be one of WEB, IDE/),
  ({ pick }) => of('executionmode', pick.pick(['interactive', '', 7, {}]), /^must be INTERACTIVE or BACKGROUND$/),
  ({ pick }) => of('projectid', `gid://platform/Project/${pick.below(1_000)}`, /^must be a project of the organization/),
  () => of('source', '/agent-governance', /^must not be \/agent-governance/),
  ({ pick }) => of('type', pick.pick(['ai_tool_decision_made', 'ai_policy_published', 'ai_retention_dropped']), /^must not be ai_/),
  ({ pick }) => of(pick.pick(['callid', 'agentid']), pick.pick(SECRETS), /^must not hold a secret/),
  ({ pick }) =>
    of(
      'time',
      pick.pick(['now', '', 'yesterday', '2026-11-22', '2026-02-30T09:30:00Z', '2026-11-22T09:30:00', 1_795_339_800, {}, null]),
      /^must be an RFC 3339 time/,
    ),
  ({ pick }) => of('time', inSeconds(pick.pick([600, 86_400, 10 * 365 * 86_400])), /^must lie between 400 days ago and 300 seconds ahead/),
  ({ pick }) => of('time', inSeconds(-86_400 * pick.pick([401, 4_000, 20_000])), /^must lie between 400 days ago and 300 seconds ahead/),
];

const of = (name: string, value: unknown, reason: RegExp): Change => [{ [name]: value }, name, reason];
const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString();

const toolCall = (more: CloudEvent): CloudEvent => ({ data: { tool_name: 'read_file', ...more } });

/** Data that is not what the type wants. */
const DATA: readonly ((kinds: Kinds) => Change)[] = [
  () => of('data', GONE, /^must be a JSON object$/),
  ({ pick }) => of('data', pick.pick([null, [], 'text', 7, false]), /^must be a JSON object$/),
  ({ pick }) => [
    { data: { workflow_id: SESSION, tool_name: pick.pick([7, null, {}, ['read_file']]) } },
    'data.tool_name',
    /^must be a string$/,
  ],
  () => [{ data: { workflow_id: SESSION } }, 'data.tool_name', /^is missing: it must be a string$/],
  ({ pick }) => [
    toolCall({ tool_name: pick.pick(['', 'x'.repeat(301)]) }),
    'data.tool_name',
    /^must (not be empty|have at most 300 characters)$/,
  ],
  ({ pick }) => [
    toolCall({ attempt_number: pick.pick([-1, 1.5, 2 ** 31, '1', {}]) }),
    'data.attempt_number',
    /^must be a whole number from 0 to 2147483647$/,
  ],
  ({ pick }) => [toolCall({ error_message: pick.pick([7, {}, []]) }), 'data.error_message', /^must be a string$/],
  ({ pick }) => [
    { type: 'ai_llm_input_sent', data: { tools_bound: pick.pick(['grep', {}, 7]) } },
    'data.tools_bound',
    /^must be an array of strings$/,
  ],
  () => [{ type: 'ai_llm_input_sent', data: { tools_bound: ['grep', 7] } }, 'data.tools_bound.1', /^must be a string$/],
  ({ pick }) => [
    { type: 'ai_llm_response_received', data: { latency_ms: pick.pick([-1, 'soon', {}]) } },
    'data.latency_ms',
    /^must be a number from 0 on$/,
  ],
  () => [{ data_base64: 'e30=' }, 'data_base64', /^must not come beside data$/],
  ({ pick }) => [{ data: GONE, data_base64: pick.pick(['e30', '***', 'e30=\n']) }, 'data_base64', /^must be Base64/],
  ({ pick }) => [{ data: GONE, data_base64: pick.pick(['/w==', 'Kg==', '']) }, 'data_base64', /^must hold JSON in UTF-8/],
];

const nested = (open: string, close: string, levels: number): string => `${open.repeat(levels)}1${close.repeat(levels)}`;
const anyNesting = (pick: Random, levels: number): string =>
  pick.below(2) === 0 ? nested('[', ']', levels) : nested('{"a":', '}', levels);
/** `data` and its member take two of the 64 levels. */
const FITTING_LEVELS = 62;

/** What no producer would write on purpose, and JSON can say. */
const RAW: readonly ((kinds: Kinds) => Raw)[] = [
  ({ pick }) => [{ [pick.pick(NAMES)]: HERE }, '"a\\ud83d"', /^[a-z]+$/, BAD_UNICODE],
  () => [toolCall({ note: HERE }), '["fine", "\\udc00"]', 'data.note.1', BAD_UNICODE],
  () => [toolCall({ note: HERE }), '{"\\ud800": 1}', 'data.note', /^must have member names that are well-formed Unicode$/],
  ({ pick }) => [toolCall({ tool_args: HERE }), anyNesting(pick, FITTING_LEVELS + 1 + pick.below(3)), 'data.tool_args', TOO_DEEP],
  ({ pick }) => [{ data: HERE }, anyNesting(pick, 65 + pick.below(5_000)), /^data\.(0|a)$/, TOO_DEEP],
  ({ pick }) => [{ extension: HERE }, anyNesting(pick, 100), /^extension\.(0|a)$/, TOO_DEEP],
  ({ pick }) => [toolCall({ n: HERE }), pick.pick(['1e400', '-1e999', '9'.repeat(400)]), 'data.n', MUST],
  ({ pick }) => [
    toolCall({ n: [HERE] }),
    pick.pick(['12345678901234567891', '-9007199254740993']),
    'data.n.0',
    /^must be a whole number that a double can hold exactly/,
  ],
];

/** What is no event at all. */
const NO_EVENTS = ['null', '7', '"text"', '[]', 'true', '[{}]'];

/** What looks hostile and is only unusual: it must be stored as it is. */
const UNUSUAL: readonly ((kinds: Kinds) => readonly [change: CloudEvent, raw: string])[] = [
  () => [toolCall({ note: HERE }), '"a\\u0000b\\u001f\\u007f"'],
  () => [toolCall({ tool_args: HERE }), '{"__proto__":{"a":1},"constructor":{"prototype":2},"toString":null,"hasOwnProperty":[]}'],
  () => [{ attribute: HERE }, '{"__proto__":{"projectid":"stolen"}}'],
  ({ pick }) => [toolCall({ tool_args: HERE }), anyNesting(pick, FITTING_LEVELS)],
  () => [toolCall({ n: HERE }), '[1e308,-0,5e-324,9007199254740991,0.1]'],
  ({ id }) => [{ attribute: HERE }, `1,"id":"not ${id}","id":${JSON.stringify(id)}`],
  () => [toolCall({ note: HERE }), '"\\u202edrawkcab \\ud83d\\ude00 \'; DROP TABLE audit_event; -- <script>"'],
  () => [toolCall({ 'a.b': HERE, '': 1, '💥': 2 }), '[[],{},null]'],
  () => [{ subject: SESSION, agentid: null, callid: null, sequence: HERE }, '"00000000000000000007"'],
  () => [{ time: inSeconds(240), attribute: HERE }, '[]'],
  () => [{ time: inSeconds(-390 * 86_400), attribute: HERE }, '{}'],
];
const UNKNOWN_TYPES = ['toString', '__proto__', 'com.example.new', 'ai_tool_invokd', 'ＡＩ'];
const ANY_DATA = ['null', '7', '"text"', '[[1],{}]', '{"__proto__":1,"n":"\\u0000"}'];

/** One of each twelve or so is of a megabyte: more would not fit into a request. */
const OVERSIZED = 'y'.repeat(1_000_001);

/** An event that nobody would complain about. */
export function aGoodEvent(id: string, pick: Random): SentEvent {
  const event = aCloudEvent({
    ...base(id),
    sequence: pick.below(1_000_000),
    callid: `call ${id}`,
    data: { tool_name: 'grep', tool_args: { id } },
  });
  return { json: JSON.stringify(event), id, answer: { status: 'stored' } };
}

const base = (id: string): CloudEvent => ({ id, subject: SESSION, source: '/hostile' });

/** The n-th of the events that must not get through, or of those that only look like it: every kind has its turn. */
export function aHostileEvent(id: string, n: number, pick: Random): SentEvent {
  const kinds = { pick, id };
  const turn = Math.floor(n / 6);
  switch (n % 6) {
    case 0:
    case 1:
      return changed(id, at(ATTRIBUTES, turn * 2 + (n % 6))(kinds));
    case 2:
      return changed(id, at(DATA, turn)(kinds));
    case 3:
      return rawly(id, at(RAW, turn)(kinds));
    case 4:
      return turn % 2 === 0 ? unusual(id, at(UNUSUAL, turn / 2)(kinds)) : ofUnknownType(id, at(UNKNOWN_TYPES, turn), pick.pick(ANY_DATA));
    default:
      return turn % 16 === 0
        ? oversized(id, pick)
        : { json: pick.pick(NO_EVENTS), id: null, answer: rejected('', /^must be a JSON object$/) };
  }
}

/** One kind after the other, from the beginning again at the end. */
function at<Kind>(all: readonly Kind[], turn: number): Kind {
  const kind = all[turn % all.length];
  if (kind === undefined) throw new Error('There are no kinds.');
  return kind;
}

const rejected = (path: string | RegExp, reason: RegExp) => ({ status: 'rejected' as const, path, reason });

function changed(id: string, [change, path, reason]: Change): SentEvent {
  const event = aCloudEvent({ ...base(id), ...change });
  return { json: JSON.stringify(event), id: typeof event['id'] === 'string' ? event['id'] : null, answer: rejected(path, reason) };
}

function rawly(id: string, [change, raw, path, reason]: Raw): SentEvent {
  const event = { ...base(id), ...change };
  return { json: withRaw(aCloudEvent(event), raw), id: event['id'] === HERE ? 'a\ud83d' : id, answer: rejected(path, reason) };
}

const unusual = (id: string, [change, raw]: readonly [CloudEvent, string]): SentEvent => ({
  json: withRaw(aCloudEvent({ ...base(id), ...change }), raw),
  id,
  answer: { status: 'stored' },
});

const ofUnknownType = (id: string, type: string, raw: string): SentEvent => ({
  json: withRaw(aCloudEvent({ ...base(id), type, data: HERE }), raw),
  id,
  answer: { status: 'stored', unknownType: true },
});

function oversized(id: string, pick: Random): SentEvent {
  const [change, path] = pick.pick([
    [toolCall({ response_content: OVERSIZED }), 'data.response_content'],
    [{ type: 'com.example.new', data: OVERSIZED }, 'data'],
    [{ extension: OVERSIZED }, 'extension'],
  ] as const);
  return {
    json: JSON.stringify(aCloudEvent({ ...base(id), ...change })),
    id,
    answer: rejected(path, /^must be shorter: the event may have at most 1000000 characters/),
  };
}
