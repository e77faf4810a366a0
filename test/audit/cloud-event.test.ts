import { describe, expect, it } from '@jest/globals';
import { CATALOGUE, EVENT_TYPES } from '../../src/audit/catalogue.js';
import { parseCloudEvent } from '../../src/audit/cloud-event.js';
import { canonicalJson } from '../../src/kernel/index.js';
import { aCloudEvent, aSession, reportedData } from '../support/cloud-events.js';

const now = new Date('2026-11-22T09:30:00.000Z');
const time = '2026-11-22T09:29:59.123456+00:00';
const REPORTER = 'reporter';
const window = { maxAgeDays: 400, maxAheadSeconds: 300 };
const parse = (event: unknown) => parseCloudEvent(event, REPORTER, now, window);
const parseWith = (change: Readonly<Record<string, unknown>>) => parse(aCloudEvent({ time, ...change }));
const hostile = (json: string) =>
  parse(JSON.parse(JSON.stringify(aCloudEvent({ time, data: 'HERE', type: 'other' })).replace('"HERE"', json)));

describe('an event of the agent service', () => {
  it('is read with everything that it says', () => {
    const event = parse(
      aCloudEvent({
        id: 'e-1',
        time,
        projectid: 'p-1',
        userid: 'u-1',
        agentid: 'a-1',
        callid: 'c-1',
        humanid: 'h-1',
        parentsessionid: '4710',
        surface: 'IDE',
        executionmode: 'INTERACTIVE',
        traceparent: '00-ab-cd-01',
        final: true,
        total_events_sent: 7,
      }),
    );

    expect(event).toEqual({
      type: 'ai_tool_invoked',
      source: '/duo_workflow_service',
      sourceId: 'e-1',
      occurredAt: '2026-11-22T09:29:59.123Z',
      projectId: 'p-1',
      userId: 'u-1',
      humanId: 'h-1',
      recordedBy: REPORTER,
      agentId: 'a-1',
      sessionId: '4711',
      parentSessionId: '4710',
      surface: 'IDE',
      executionMode: 'INTERACTIVE',
      sequence: 3,
      callId: 'c-1',
      tool: 'read_file',
      verdict: null,
      outcome: null,
      contentType: 'application/json',
      data: { workflow_id: '4711', ip_address: '192.0.2.7', tool_name: 'read_file', tool_args: { path: 'README.md' } },
      // To the microsecond, as it was sent.
      attributes: { time, traceparent: '00-ab-cd-01', final: true, total_events_sent: 7 },
    });
  });

  it.each(aSession('4711', { time }))('is taken: $type', (event) => {
    expect(parse(event)).toMatchObject({ type: event['type'], sessionId: '4711', data: event['data'] });
  });

  it.each(Object.keys(reportedData))('may send null for what it does not know: %s', (type) => {
    const nulls = Object.fromEntries(
      Object.keys({ ...reportedData[type], workflow_id: '', ip_address: '' }).map((key) => [key, key === 'tool_name' ? 'grep' : null]),
    );

    expect(parseWith({ type, data: nulls })).toMatchObject({ type, data: nulls });
  });

  it('is in the catalogue with all of its types', () => {
    const known = [...CATALOGUE].filter(([, { isOwn }]) => !isOwn).map(([type]) => type);

    expect(known.sort()).toEqual(Object.keys(reportedData).sort());
  });

  it.each([
    ['ai_tool_response_received', 'SUCCEEDED'],
    ['ai_tool_execution_failed', 'FAILED'],
    ['ai_tool_execution_retried', null],
    ['ai_tool_invoked', null],
  ])('%s ends a call as %s', (type, outcome) => {
    expect(parseWith({ type })).toMatchObject({ outcome });
  });

  it('names its session by workflow_id where it has no subject', () => {
    expect(parseWith({ subject: undefined })).toMatchObject({ sessionId: '4711' });
    expect(parseWith({ subject: null, data: { tool_name: 't', workflow_id: 'not\nplain' } })).toMatchObject({ sessionId: null });
  });
});

describe('an attribute that is not acceptable is named, with what is right', () => {
  const text = (longest: number): [unknown, string][] => [
    ['', 'must not be empty'],
    [7, 'must be a string'],
    [{}, 'must be a string'],
    ['x'.repeat(longest + 1), `must have at most ${longest} characters`],
    ['a\u0000b', 'must not hold control characters'],
    ['a\nb', 'must not hold control characters'],
    ['\ud800', 'must be well-formed Unicode, without half of a surrogate pair'],
  ];
  const wholeNumber = 'must be a string, or a whole number from 0 on';
  const rfc3339 = 'must be an RFC 3339 time with seconds and a zone, for example 2026-11-22T09:30:00.000Z';
  const wrong: [string, unknown, string][] = [
    ...['id', 'source', 'type'].map((path): [string, unknown, string] => [path, undefined, 'is missing: it must be a string']),
    ['time', undefined, `is missing: it ${rfc3339}`],
    ['specversion', undefined, 'is missing: it must be "1.0" (CloudEvents 1.0)'],
    ...Object.entries({
      id: 200,
      source: 500,
      type: 200,
      subject: 200,
      datacontenttype: 200,
      projectid: 300,
      userid: 300,
      agentid: 300,
      callid: 200,
    }).flatMap(([path, longest]) => text(longest).map(([value, reason]): [string, unknown, string] => [path, value, reason])),
    ...['id', 'source', 'type'].map((path): [string, unknown, string] => [path, null, 'must be a string']),
    ['specversion', '0.3', 'must be "1.0" (CloudEvents 1.0)'],
    ['specversion', 1, 'must be "1.0" (CloudEvents 1.0)'],
    ['source', '/agent-governance', 'must not be /agent-governance: that is this service itself'],
    ...[-1, 1.5, 2 ** 53, true, ['1']].map((value): [string, unknown, string] => ['sequence', value, wholeNumber]),
    ...[
      '2026-11-22',
      '2026-11-22T09:30Z',
      '2026-11-22T09:30:00',
      '2026-02-30T09:30:00Z',
      '2026-11-22T24:00:00Z',
      '2026-11-22T09:30:00+25:00',
      '1795339800',
      1_795_339_800,
      null,
      'now',
    ].map((value): [string, unknown, string] => ['time', value, rfc3339]),
    ...EVENT_TYPES.filter(({ isOwn }) => isOwn).map(({ name }): [string, unknown, string] => [
      'type',
      name,
      `must not be ${name}: only this service records it`,
    ]),
  ];

  it.each(wrong)('%s: %j', (path, value, reason) => {
    expect(parseWith({ [path]: value })).toEqual({ path, reason });
  });

  it.each([
    [undefined, 'data', 'must be a JSON object'],
    [null, 'data', 'must be a JSON object'],
    [[], 'data', 'must be a JSON object'],
    ['{"tool_name":"x"}', 'data', 'must be a JSON object'],
    [{}, 'data.tool_name', 'is missing: it must be a string'],
    [{ tool_name: 7 }, 'data.tool_name', 'must be a string'],
    [{ tool_name: null }, 'data.tool_name', 'must be a string'],
    [{ tool_name: '' }, 'data.tool_name', 'must not be empty'],
    [{ tool_name: 'x'.repeat(301) }, 'data.tool_name', 'must have at most 300 characters'],
    ...[2 ** 31, -1, 1.5, '1', true].map((attempt_number): [object, string, string] => [
      { tool_name: 't', attempt_number },
      'data.attempt_number',
      'must be a whole number from 0 to 2147483647',
    ]),
    [{ tool_name: 't', workflow_id: 7 }, 'data.workflow_id', 'must be a string'],
  ])('data of a known type: %j', (data, path, reason) => {
    expect(parseWith({ data })).toEqual({ path, reason });
  });

  it.each([[null], ['text'], [[]], [7], [undefined]])('an event must be an object: %j', (event) => {
    expect(parse(event)).toEqual({ path: '', reason: 'must be a JSON object' });
  });
});

describe('the time', () => {
  const at = (milliseconds: number) => parseWith({ time: new Date(now.getTime() + milliseconds).toISOString() });
  const days = 86_400_000;

  it.each([
    ['now', 0],
    ['just 400 days ago', -400 * days],
    ['just five minutes ahead', 300_000],
  ])('may be %s', (_what, milliseconds) => {
    expect(at(milliseconds)).toMatchObject({ occurredAt: new Date(now.getTime() + milliseconds).toISOString() });
  });

  it.each([
    ['longer ago', -400 * days - 1],
    ['further ahead', 300_001],
  ])('may not be a millisecond %s', (_what, milliseconds) => {
    expect(at(milliseconds)).toEqual({
      path: 'time',
      reason: 'must lie between 400 days ago and 300 seconds ahead: from 2025-10-18T09:30:00.000Z to 2026-11-22T09:35:00.000Z now',
    });
  });

  it.each([
    ['2026-11-22T10:29:59.999999999+01:00', '2026-11-22T09:29:59.999Z'],
    ['2026-11-22T09:29:59Z', '2026-11-22T09:29:59.000Z'],
    ['2026-11-21T23:29:59-10:00', '2026-11-22T09:29:59.000Z'],
  ])('%s is %s', (given, occurredAt) => {
    expect(parseWith({ time: given })).toMatchObject({ occurredAt });
  });
});

describe('an unknown type', () => {
  it.each([[{ anything: [1, { at: 'all' }] }], ['text'], [[1, 2]], [7.5], [false], [null]])('is kept as sent: %j', (data) => {
    expect(parseWith({ type: 'com.example.new', data })).toMatchObject({ type: 'com.example.new', data, tool: null });
  });

  it.each([
    [7, 7, undefined],
    ['7', 7, undefined],
    ['00000000000000000007', 7, '00000000000000000007'],
    ['A-7', null, 'A-7'],
    ['99999999999999999999', null, '99999999999999999999'],
  ])('may count as it likes: %j', (sequence, counter, kept) => {
    const event = parseWith({ sequence });

    expect(event).toMatchObject({ sequence: counter });
    expect(Object(event).attributes.sequence).toBe(kept);
  });

  it('may send JSON as bytes', () => {
    const encoded = Buffer.from('{"tool_name":"grep"}').toString('base64');

    expect(
      parseWith({ type: 'ai_tool_invoked', data: undefined, data_base64: encoded, datacontenttype: 'application/json' }),
    ).toMatchObject({
      data: { tool_name: 'grep' },
      tool: 'grep',
      attributes: expect.not.objectContaining({ data_base64: encoded }),
    });
  });

  it.each([
    [{ data: {}, data_base64: 'e30=' }, 'must not come beside data'],
    [{ data: undefined, data_base64: 'e30' }, 'must be Base64 (RFC 4648)'],
    [{ data: undefined, data_base64: 'e30=', datacontenttype: 'application/json' }, null],
    [{ data: undefined, data_base64: '/w==', datacontenttype: 'application/json' }, 'must hold JSON in UTF-8, as datacontenttype says'],
    [{ data: undefined, data_base64: 'Kg==', datacontenttype: 'application/json' }, 'must hold JSON in UTF-8, as datacontenttype says'],
  ])('may not send other bytes as JSON, nor both: %j', (given, reason) => {
    const event = parseWith({ type: 'com.example.new', ...given });

    expect(event).toMatchObject(reason === null ? { data: {} } : { path: 'data_base64', reason });
  });

  it('keeps attributes of its own, binary data among them', () => {
    expect(
      parseWith({
        type: 'com.example.new',
        data: undefined,
        data_base64: 'AAEC',
        datacontenttype: 'image/png',
        dataschema: 'https://example.com/s',
      }),
    ).toMatchObject({ data: null, attributes: { data_base64: 'AAEC', dataschema: 'https://example.com/s' } });
  });
});

describe('hostile content', () => {
  it('may hold NUL and every control character inside its data', () => {
    expect(hostile('{"text":"a\\u0000\\u001f\\u007fb"}')).toMatchObject({ data: { text: 'a\u0000\u001f\u007fb' } });
  });

  it.each([
    [
      'a lone surrogate',
      '{"tool_args":["\\ud83d"]}',
      { path: 'data.tool_args.0', reason: 'must be well-formed Unicode, without half of a surrogate pair' },
    ],
    ['a lone surrogate as a name', '{"\\udc00":1}', { path: 'data', reason: 'must have member names that are well-formed Unicode' }],
    ['a number beyond all doubles', '{"n":-1e999}', { path: 'data.n', reason: 'must be a number that a double can hold' }],
    [
      '10,000 levels of arrays',
      `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
      { path: 'data.0', reason: 'must not be nested deeper than 64 levels' },
    ],
    [
      '10,000 levels of objects',
      `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
      { path: 'data.a', reason: 'must not be nested deeper than 64 levels' },
    ],
  ])('is refused before anything else looks at it: %s', (_what, json, rejection) => {
    expect(hostile(json)).toEqual(rejection);
  });

  it('cannot slip attributes in through __proto__, and keeps it as what it is', () => {
    const event = JSON.parse(
      JSON.stringify(aCloudEvent({ time, HERE: 0 })).replace(
        '"HERE":0',
        '"__proto__":{"projectid":"stolen","userid":"root","tool_name":"x"}',
      ),
    );

    const parsed = parse(event);

    expect(parsed).toMatchObject({ projectId: null, userId: REPORTER, tool: 'read_file' });
    expect(canonicalJson(parsed)).toContain('"attributes":{"__proto__":{"projectid":"stolen"');
  });

  it('cannot slip required attributes in through __proto__', () => {
    expect(parse(JSON.parse(`{"__proto__":${JSON.stringify(aCloudEvent({ time }))}}`))).toEqual({
      path: 'specversion',
      reason: 'is missing: it must be "1.0" (CloudEvents 1.0)',
    });
  });

  it('keeps __proto__ and constructor inside data', () => {
    expect(canonicalJson(hostile('{"constructor":{"prototype":1},"__proto__":{"a":1}}'))).toContain(
      '"data":{"__proto__":{"a":1},"constructor":{"prototype":1}}',
    );
  });

  it('finds no type among the names that every object has', () => {
    expect(['toString', '__proto__', 'constructor'].map((type) => parseWith({ type }))).toMatchObject([
      { type: 'toString' },
      { type: '__proto__' },
      { type: 'constructor' },
    ]);
  });
});
