import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { isObjectType, isUnionType } from 'graphql';
import { readFile } from 'node:fs/promises';
import { eventTypesPage, PAGE } from '../../scripts/document-event-types.js';
import { buildSubgraph } from '../../scripts/schema/build.js';
import { currentSchema } from '../../scripts/schema/files.js';
import { CATALOGUE, contentOf, detailsOf, EVENT_TYPES, familyOf, fieldsOf, retentionClassOf } from '../../src/audit/catalogue.js';
import { OWN_SOURCE } from '../../src/audit/event.js';
import { presentEvent } from '../../src/audit/index.js';
import { payloadSchemaOf, presentEventType } from '../../src/audit/present-event-type.js';
import { PAYLOAD_TYPES } from '../../src/audit/present-payload.js';
import type { Json } from '../../src/kernel/index.js';
import { reportedData } from '../support/cloud-events.js';
import { anEvent } from './events.js';
import { ownData } from './own-data.js';

const typical: Readonly<Record<string, object>> = { ...reportedData, ...ownData };
const schema = buildSubgraph(currentSchema());
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
addFormats.default(ajv);

const types = EVENT_TYPES.map((type) => [type.name, type] as const);
const namesOf = (chosen: (name: string) => boolean) => EVENT_TYPES.map(({ name }) => name).filter(chosen);

/** The fields of an event's payload, as `AgentAuditEvent.payload` resolves them. */
const shown = (type: string, data: Json, source: string = OWN_SOURCE) =>
  presentEvent({ event: anEvent({ type, data, source }), seal: Buffer.alloc(32), position: null });
const asJson = (data: unknown): Json => JSON.parse(JSON.stringify(data));

describe('the catalogue', () => {
  it('has every type once, by name', () => {
    const names = EVENT_TYPES.map(({ name }) => name);

    expect(names).toEqual([...new Set(names)].sort());
    expect([...CATALOGUE.keys()]).toEqual(names);
    expect(names.sort()).toEqual(Object.keys(typical).sort());
  });

  it.each(types)('defines %s completely', (_name, type) => {
    expect(type).toMatchObject({
      name: expect.stringMatching(/^[a-z0-9_]+$/),
      description: expect.stringMatching(/^[A-Z].{10,120}\.$/),
      since: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
    expect(type.description.match(/\.(?= |$)/g)).toHaveLength(1);
    expect(type.scopes.length).toBeGreaterThan(0);
    expect(new Set(type.scopes).size).toBe(type.scopes.length);
    const members = [...type.content, ...type.details];
    expect(members.filter((member) => !fieldsOf(type.name).has(member))).toEqual([]);
    expect(new Set(members).size).toBe(members.length);
  });

  it.each(types)(
    'describes the payload of %s in JSON Schema that takes a typical one, and more members, and no other shape',
    (name, type) => {
      const isValid = ajv.compile(payloadSchemaOf(type));
      const data = typical[name] ?? {};

      expect([isValid(data), isValid.errors]).toEqual([true, null]);
      expect(isValid({ ...data, something_else: [1] })).toBe(true);
      expect([isValid('text'), isValid(null), isValid([])]).toEqual([false, false, false]);
      const [field] = [...fieldsOf(name)].filter((key) => key !== 'tool_args' && key !== 'arguments');
      expect(isValid({ ...data, [String(field)]: { an: 'object' } })).toBe(false);
    },
  );

  it.each(types)('agrees with what the service takes: %s', (name, type) => {
    const isValid = ajv.compile(payloadSchemaOf(type));
    const data = typical[name] ?? {};
    const tried = Object.keys(type.data.shape).flatMap((key) =>
      [null, '', 'text', -1, 1.5, 7, true, [], ['x'], {}, '2026-11-22T10:00:00.000Z', '2026-13'].map((value) => ({
        ...data,
        [key]: value,
      })),
    );

    expect(tried.filter((changed) => isValid(changed) !== type.data.safeParse(changed).success)).toEqual([]);
  });

  it('keeps decisions and approvals as decisions, everything else as metadata', () => {
    expect(namesOf((name) => retentionClassOf(name) === 'DECISIONS')).toEqual([
      'ai_tool_approval_expired',
      'ai_tool_approval_granted',
      'ai_tool_approval_rejected',
      'ai_tool_approval_requested',
      'ai_tool_decision_made',
    ]);
    expect(namesOf((name) => retentionClassOf(name) === 'METADATA')).toHaveLength(EVENT_TYPES.length - 5);
  });

  it.each([
    ['ai_agent_session_started', ['goal'], ['error_message']],
    ['duo_session_created', ['goal'], ['error_message']],
    ['ai_user_input_received', ['content'], []],
    ['ai_llm_input_sent', ['prompt_content', 'response_content'], ['error_message']],
    ['ai_tool_invoked', ['response_content'], ['error_message', 'previous_error', 'tool_args']],
    ['ai_tool_decision_made', [], ['arguments']],
    ['ai_tool_approval_granted', [], []],
  ])('tells content from details: %s', (type, content, details) => {
    expect([[...contentOf(type)].sort(), [...detailsOf(type)].sort()]).toEqual([content, details]);
  });

  it.each(['com.example.new', 'toString', '__proto__', ''])('knows nothing of an unknown type: %j', (type) => {
    expect([familyOf(type), retentionClassOf(type)]).toEqual(['unknown', 'METADATA']);
    expect([fieldsOf(type), contentOf(type), detailsOf(type)]).toEqual([new Set(), new Set(), new Set()]);
  });
});

describe('the payload union', () => {
  it('has one member for each family, and no other', () => {
    const union = schema.getType('AgentAuditPayload');

    expect(
      isUnionType(union) &&
        union
          .getTypes()
          .map(({ name }) => name)
          .sort(),
    ).toEqual(Object.values(PAYLOAD_TYPES).sort());
    expect([...new Set(EVENT_TYPES.map(({ family }) => family)), 'unknown'].sort()).toEqual(Object.keys(PAYLOAD_TYPES).sort());
  });

  it.each(types)('shows %s with all fields of its member, and nothing that was sent is out of sight', (name, { isOwn, family }) => {
    const { payload, extensions } = shown(name, asJson(typical[name]), isOwn ? OWN_SOURCE : '/duo_workflow_service');
    const member = schema.getType(payload.__typename);

    expect(payload.__typename).toBe(PAYLOAD_TYPES[family]);
    expect(Object.keys(payload).sort()).toEqual(['__typename', ...Object.keys(isObjectType(member) ? member.getFields() : {})].sort());
    expect(extensions).toBeNull();
  });
});

describe('what does not have the shape of its type', () => {
  it.each(Object.keys(ownData))('is shown as unknown, and whole, where somebody else had taken the name: %s', (name) => {
    const data = asJson(typical[name]);

    expect(shown(name, data, '/somebody-else')).toMatchObject({ payload: { __typename: 'AgentUnknownPayload' }, extensions: { data } });
  });

  it.each([[{ workflow_type: { an: 'object' }, status: 'success' }], ['text'], [[1]], [{ duration_seconds: -1 }]])(
    'is shown as unknown, and whole, where it was stored before the type was known: %j',
    (data) => {
      expect(shown('duo_session_created', asJson(data), '/somebody-else')).toMatchObject({
        payload: { __typename: 'AgentUnknownPayload' },
        extensions: { data },
      });
    },
  );
});

describe('what a producer sends beyond a type’s fields', () => {
  it.each(Object.keys(reportedData))('is kept as extensions: %s', (name) => {
    const more = { ip_address: '192.0.2.7', new_member: { deep: [null, 1] }, toString: 'x', workflow_id: 'another' };

    expect(shown(name, asJson({ ...typical[name], ...more }), '/duo_workflow_service').extensions).toEqual({ data: more });
  });

  it('is the session’s own id only where the event has another', () => {
    const event = (sessionId: string | null) => anEvent({ type: 'duo_session_resumed', data: { workflow_id: '4711' }, sessionId });
    const extensionsFor = (sessionId: string | null) =>
      presentEvent({ event: event(sessionId), seal: Buffer.alloc(32), position: null }).extensions;

    expect([extensionsFor('4711'), extensionsFor('4712')]).toEqual([null, { data: { workflow_id: '4711' } }]);
  });

  it('is the second of two message types', () => {
    const { payload, extensions } = shown('ai_user_input_received', { input_type: 'chat', output_type: 'voice' }, '/duo_workflow_service');

    expect([payload, extensions]).toMatchObject([{ messageType: 'chat' }, { data: { output_type: 'voice' } }]);
  });
});

describe('an event type as it is shown', () => {
  it('has every fact of its definition', () => {
    const type = CATALOGUE.get('ai_tool_invoked');
    expect(type).toBeDefined();

    expect(type && presentEventType(type)).toEqual({
      name: 'ai_tool_invoked',
      description: 'An agent called a tool.',
      scopes: ['ORGANIZATION', 'PROJECT'],
      category: 'TOOL_CALL',
      payloadType: 'AgentToolCallPayload',
      payloadSchema: expect.objectContaining({ $schema: 'https://json-schema.org/draft/2020-12/schema', required: ['tool_name'] }),
      contentFields: ['response_content'],
      detailFields: ['error_message', 'previous_error', 'tool_args'],
      retentionClass: 'METADATA',
      isRecordedByService: false,
      since: '0.1.0',
    });
  });

  it('stands in docs/event-types.md as in the catalogue', async () => {
    expect(await readFile(PAGE, 'utf8')).toBe(eventTypesPage());
  });
});
