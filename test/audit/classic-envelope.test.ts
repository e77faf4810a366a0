import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { CATALOGUE } from '../../src/audit/catalogue.js';
import { classicEnvelope, classicId, entityOf, type ClassicEnvelope } from '../../src/audit/classic-envelope.js';
import type { AuditEvent, NewEvent } from '../../src/audit/event.js';
import type { Json, JsonObject } from '../../src/kernel/index.js';
import { serviceData } from '../support/cloud-events.js';
import { itWithData } from '../support/shared-data.js';
import { anEvent } from './events.js';

const place = {
  projectId: 'gid://gitlab/Project/29',
  userId: 'gid://gitlab/User/42',
  sessionId: 'gid://gitlab/Ai::DuoWorkflows::Workflow/5',
  tool: null,
};

const envelopeOf = (event: AuditEvent, entityPath: string | null = 'acme/payments/api'): ClassicEnvelope =>
  classicEnvelope({ event, seal: Buffer.from('abcd', 'hex'), position: 7 }, { entityPath });
const shown = (change: Partial<NewEvent>, entityPath?: string | null) => envelopeOf(anEvent({ ...place, ...change }), entityPath);

const session = (details = 'Unknown session 5') => ({
  target_type: 'Ai::DuoWorkflows::Workflow',
  target_id: 5,
  target_details: details,
});
const tool = { target_type: 'AgentTool', target_id: classicId('acme/files'), target_details: 'acme/files' };
const policy = { target_type: 'AgentPolicy', target_id: classicId('b1e0'), target_details: 'no deletes' };

const entity = { target_type: 'Project', target_id: 29, target_details: 'acme/payments/api' };

const policyData = { policyId: 'b1e0', name: 'no deletes', namespaceId: 'gid://gitlab/Group/3', revision: 2, digest: 'd1', message: 'Why' };
const policyDetails = {
  policy_id: 'b1e0',
  name: 'no deletes',
  namespace_id: 'gid://gitlab/Group/3',
  revision: 2,
  digest: 'd1',
  message: 'Why',
};
const reason = { policyId: 'b1e0', policyName: 'no deletes', namespaceId: 'g', revision: 2, effect: 'FORBID' };
const toolData = { toolId: 'acme/files', definitionDigest: 'd2', actionType: 'WRITE' };
const toolDetails = { tool_name: 'acme/files', tool_id: 'acme/files', definition_digest: 'd2', action_type: 'WRITE' };

interface Case {
  readonly event?: Partial<NewEvent>;
  readonly data: JsonObject;
  readonly target: object;
  readonly details: object;
  readonly message: string;
}

const dataOf = (type: string): JsonObject => JSON.parse(JSON.stringify(serviceData[type]));
/** The data of a type of the agent service, and what of it is shown: all but these members. */
const ofService = (type: string, ...hidden: readonly string[]): Pick<Case, 'data' | 'details'> => ({
  data: dataOf(type),
  details: Object.fromEntries(Object.entries(dataOf(type)).filter(([key]) => !hidden.includes(key))),
});
const call = { event: { tool: 'read_file' }, target: session() };

/** What is decided for every type. A new type of the catalogue needs a row. */
const cases: Readonly<Record<string, Case>> = {
  ai_agent_session_started: {
    ...ofService('ai_agent_session_started', 'goal'),
    target: session('software_development session 5'),
    message: 'Agent session started',
  },
  ai_agent_session_ended: { ...ofService('ai_agent_session_ended'), target: session(), message: 'Agent session ended' },
  ai_user_input_received: { ...ofService('ai_user_input_received', 'content'), target: session(), message: 'User input received' },
  ai_user_output_displayed: { ...ofService('ai_user_output_displayed', 'content'), target: session(), message: 'User output displayed' },
  ai_llm_input_sent: { ...ofService('ai_llm_input_sent', 'prompt_content'), target: session(), message: 'LLM input sent' },
  ai_llm_response_received: {
    ...ofService('ai_llm_response_received', 'response_content'),
    target: session(),
    message: 'LLM response received',
  },
  ai_llm_request_failed: { ...ofService('ai_llm_request_failed'), target: session(), message: 'LLM request failed' },
  ai_tool_invoked: { ...ofService('ai_tool_invoked'), ...call, message: 'Tool invoked: read_file' },
  ai_tool_response_received: {
    ...ofService('ai_tool_response_received', 'response_content'),
    ...call,
    message: 'Tool response received: read_file',
  },
  ai_tool_execution_failed: { ...ofService('ai_tool_execution_failed'), ...call, message: 'Tool execution failed: read_file' },
  ai_tool_execution_retried: { ...ofService('ai_tool_execution_retried'), ...call, message: 'Tool execution retried: read_file' },
  ai_tool_decision_made: {
    event: { tool: 'files', verdict: 'DENY' },
    data: {
      ...{ basis: 'FORBIDDEN', explanation: 'A policy forbids this.', reasons: [reason], failed: [], epoch: 3, requestId: null },
      ...{ toolId: 'acme/files', toolDefinitionDigest: 'd2', actionType: 'WRITE', arguments: { filePath: 'a' } },
    },
    target: tool,
    details: {
      ...{ basis: 'FORBIDDEN', explanation: 'A policy forbids this.', failed: [], epoch: 3 },
      reasons: [{ policy_id: 'b1e0', policy_name: 'no deletes', namespace_id: 'g', revision: 2, effect: 'FORBID' }],
      ...{ tool_id: 'acme/files', tool_definition_digest: 'd2', action_type: 'WRITE', tool_args: { filePath: 'a' } },
      ...{ tool_name: 'files', verdict: 'DENY' },
    },
    message: 'Tool decision made: files, DENY',
  },
  ai_policy_created: {
    data: { ...policyData, casesDigest: 'c1' },
    target: policy,
    details: { ...policyDetails, cases_digest: 'c1' },
    message: 'Policy created: no deletes',
  },
  ai_policy_draft_changed: {
    data: { ...policyData, draftVersion: 2, author: 'gid://gitlab/User/42', reviewer: null },
    target: policy,
    details: { ...policyDetails, draft_version: 2, author: 'gid://gitlab/User/42' },
    message: 'Policy draft changed: no deletes',
  },
  ai_policy_reviewed: {
    data: { ...policyData, mode: 'SHADOW', effectiveFrom: '2026-12-01T00:00:00.000Z', reviewer: 'u2', reviewSubject: 'PUBLISH' },
    target: policy,
    details: { ...policyDetails, mode: 'SHADOW', effective_from: '2026-12-01T00:00:00.000Z', reviewer: 'u2', review_subject: 'PUBLISH' },
    message: 'Policy reviewed: no deletes',
  },
  ai_policy_rolled_back: {
    data: { ...policyData, repeats: 1 },
    target: policy,
    details: { ...policyDetails, repeats: 1 },
    message: 'Policy rolled back: no deletes',
  },
  ai_policy_adopted: {
    data: { ...policyData, repository: 'https://git.example/g', bundle: 'ab' },
    target: policy,
    details: { ...policyDetails, repository: 'https://git.example/g', bundle: 'ab' },
    message: 'Policy adopted: no deletes',
  },
  ai_policy_released: { data: policyData, target: policy, details: policyDetails, message: 'Policy released: no deletes' },
  ai_policy_settings_changed: {
    data: {
      namespaceId: 'g',
      isReviewRequired: true,
      wasReviewRequired: false,
      trustedAppliers: ['u9'],
      backtestDays: 30,
      maxNewlyDenied: 0,
    },
    target: entity,
    details: {
      ...{ namespace_id: 'g', is_review_required: true, was_review_required: false, trusted_appliers: ['u9'] },
      ...{ backtest_days: 30, max_newly_denied: 0 },
    },
    message: 'Policy settings changed',
  },
  ai_policy_backtested: {
    data: {
      ...{
        backtestId: 'bt1',
        policyId: 'b1e0',
        name: 'no deletes',
        namespaceId: 'g',
        subject: 'PUBLISH',
        digest: 'd1',
        baseline: 'IN_FORCE',
      },
      ...{ from: '2026-10-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z', isFiltered: false, decisions: 9, newlyDenied: 2 },
      ...{ newlyAsked: 1, newlyAllowed: 0, reportDigest: 'd2', skipped: 0, withoutArguments: 1, notReproduced: 0, inForceDigest: 'd3' },
    },
    target: policy,
    details: {
      ...{ backtest_id: 'bt1', policy_id: 'b1e0', name: 'no deletes', namespace_id: 'g', subject: 'PUBLISH', digest: 'd1' },
      ...{ baseline: 'IN_FORCE', from: '2026-10-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z', is_filtered: false, decisions: 9 },
      ...{ newly_denied: 2, newly_asked: 1, newly_allowed: 0, report_digest: 'd2' },
      ...{ skipped: 0, without_arguments: 1, not_reproduced: 0, in_force_digest: 'd3' },
    },
    message: 'Policy backtested: no deletes',
  },
  ai_tool_rule_changed: {
    event: { tool: 'acme/files' },
    data: { namespaceId: 'g', tool: 'acme/files', agentClass: 'coding', verdict: 'ASK', previousVerdict: null, policyId: 'b1e0' },
    target: tool,
    details: { namespace_id: 'g', tool: 'acme/files', agent_class: 'coding', verdict: 'ASK', policy_id: 'b1e0', tool_name: 'acme/files' },
    message: 'Tool rule changed: acme/files',
  },
  ai_policy_published: { data: policyData, target: policy, details: policyDetails, message: 'Policy published: no deletes' },
  ai_policy_retired: { data: policyData, target: policy, details: policyDetails, message: 'Policy retired: no deletes' },
  ai_tool_registered: {
    event: { tool: 'acme/files' },
    data: toolData,
    target: tool,
    details: toolDetails,
    message: 'Tool registered: acme/files',
  },
  ai_tool_changed: {
    event: { tool: 'acme/files' },
    data: { ...toolData, previousDefinitionDigest: 'd1' },
    target: tool,
    details: { ...toolDetails, previous_definition_digest: 'd1' },
    message: 'Tool changed: acme/files',
  },
  ...Object.fromEntries(
    ['created', 'started', 'finished', 'failed', 'stopped', 'deleted', 'resumed'].map((step): [string, Case] => [
      `duo_session_${step}`,
      {
        data: { workflow_type: 'chat', goal: 'no!' },
        target: session('chat session 5'),
        details: { workflow_type: 'chat' },
        message: `Duo session ${step}`,
      },
    ]),
  ),
  duo_cli_session_blocked: { data: {}, target: session(), details: {}, message: 'Duo cli session blocked' },
  ...Object.fromEntries(
    ['requested', 'granted', 'rejected', 'expired'].map((step): [string, Case] => [
      `ai_tool_approval_${step}`,
      {
        event: { tool: 'files' },
        data: { decisionId: 'd', toolId: 'acme/files', toolName: 'files', level: 40, scope: 'ONCE', expiresAt: '2026-11-25T00:00:00.000Z' },
        target: tool,
        details: {
          ...{ decision_id: 'd', tool_id: 'acme/files', tool_name: 'files', level: 40, scope: 'ONCE' },
          expires_at: '2026-11-25T00:00:00.000Z',
        },
        message: `Tool approval ${step}: files`,
      },
    ]),
  ),
  ...Object.fromEntries(
    ['approved', 'quarantined'].map((step): [string, Case] => [
      `ai_tool_${step}`,
      { event: { tool: 'acme/files' }, data: toolData, target: tool, details: toolDetails, message: `Tool ${step}: acme/files` },
    ]),
  ),
  ai_agent_stopped: {
    data: { agentId: 'gid://gitlab/Agent/9', reason: 'Loops' },
    target: { target_type: 'Agent', target_id: 9, target_details: 'gid://gitlab/Agent/9' },
    details: { agent_id: 'gid://gitlab/Agent/9', reason: 'Loops' },
    message: 'Agent stopped',
  },
  ai_retention_dropped: {
    data: { class: 'CONTENT', namespaceId: null, month: '2026-01', firstPosition: 3, lastPosition: 9, count: 5 },
    target: entity,
    details: { class: 'CONTENT', month: '2026-01', first_position: 3, last_position: 9, count: 5 },
    message: 'Retention dropped',
  },
  ai_retention_changed: {
    data: { namespaceId: 'g', class: 'METADATA', days: 200, previousDays: null },
    target: entity,
    details: { namespace_id: 'g', class: 'METADATA', days: 200 },
    message: 'Retention changed',
  },
  ...Object.fromEntries(
    ['placed', 'lifted'].map((step): [string, Case] => [
      `ai_legal_hold_${step}`,
      {
        data: { holdId: 'h1', name: 'Case 7', reason: 'Court', namespaceId: 'g', from: '2026-01-01T00:00:00.000Z' },
        target: { target_type: 'AgentLegalHold', target_id: classicId('h1'), target_details: 'Case 7' },
        details: { hold_id: 'h1', name: 'Case 7', reason: 'Court', namespace_id: 'g', from: '2026-01-01T00:00:00.000Z' },
        message: `Legal hold ${step}`,
      },
    ]),
  ),
  ai_tool_decision_refused: {
    data: { reason: 'QUESTION_INVALID', route: 'AUTHZEN', fields: ['subject.id'], leftOut: 2 },
    target: entity,
    details: { reason: 'QUESTION_INVALID', route: 'AUTHZEN', fields: ['subject.id'], left_out: 2 },
    message: 'Tool decision refused',
  },
  ai_content_revealed: {
    data: { eventIds: ['e1'], reason: 'Incident' },
    target: entity,
    details: { event_ids: ['e1'], reason: 'Incident' },
    message: 'Content revealed',
  },
  ai_recording_mode_changed: {
    data: { namespaceId: 'g', mode: 'METADATA_ONLY', previousMode: 'FULL' },
    target: entity,
    details: { namespace_id: 'g', mode: 'METADATA_ONLY', previous_mode: 'FULL' },
    message: 'Recording mode changed',
  },
  ai_agent_session_report_finished: {
    data: { producer: '/s', batchId: 'b', totalEventsSent: 7 },
    target: session(),
    details: { producer: '/s', batch_id: 'b', total_events_sent: 7 },
    message: 'Agent session report finished',
  },
};

const types = [...CATALOGUE.keys()];
const ofType = (type: string, more: JsonObject = {}) =>
  shown({ type, ...cases[type]?.event, data: { ...cases[type]?.data, ip_address: '192.0.2.7', ...more } });

/** The details that every event of `place` has. */
const common = {
  ...{ author_name: 'gid://gitlab/User/42', author_class: 'User', author_global_id: 'gid://gitlab/User/42' },
  ...{ human_author_id: 42, human_author_name: 'gid://gitlab/User/42', human_author_global_id: 'gid://gitlab/User/42' },
  ...{ entity_path: 'acme/payments/api', entity_global_id: 'gid://gitlab/Project/29', ip_address: '192.0.2.7' },
  ...{ session_id: 'gid://gitlab/Ai::DuoWorkflows::Workflow/5', source: '/tests', position: 7, seal: 'abcd' },
};

describe('the classic envelope', () => {
  it('is decided for every type of the catalogue', () => {
    expect(Object.keys(cases).sort()).toEqual([...types].sort());
  });

  it.each(types)('of %s names its target and shows of its data what is no content', (type) => {
    const { target, details, message } = cases[type] ?? { target: {}, details: {}, message: '' };
    const envelope = ofType(type);

    expect(envelope).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ...{ author_id: 42, author_name: 'gid://gitlab/User/42', ip_address: '192.0.2.7' },
      ...{ entity_id: 29, entity_path: 'acme/payments/api', entity_type: 'Project' },
      ...target,
      event_type: type,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      details: {
        ...common,
        ...target,
        ...{ event_name: type, custom_message: message, target_global_id: expect.any(String), cloud_event_id: expect.any(String) },
        ...details,
      },
    });
  });

  it.each([...types, 'ai_claude_response_received'])('of %s holds no content and nothing that is not foreseen', (type) => {
    const hidden = { goal: 'no!', content: 'no!', prompt_content: 'no!', response_content: 'no!', messages: ['no!'], note: 'no!' };

    expect(JSON.stringify(ofType(type, hidden))).not.toContain('no!');
  });

  it.each(types)('of %s lets no member of the data pass for what the envelope says', (type) => {
    const forged = { entity_path: 'forged', author_class: 'forged', event_name: 'forged', seal: 'forged', target_id: 'forged' };

    expect(JSON.stringify(ofType(type, forged))).not.toContain('forged');
  });

  it('of a type that is not known has the session as target, and its name as message', () => {
    const envelope = shown({
      type: 'com.example.other',
      data: ['anything'],
      tool: 'grep',
      outcome: 'FAILED',
      callId: 'c1',
      agentId: 'coder',
    });

    expect(envelope).toMatchObject({ ...session(), event_type: 'com.example.other', ip_address: '' });
    expect(envelope.details).toMatchObject({
      ...{ custom_message: 'com.example.other: grep', tool_name: 'grep', outcome: 'FAILED', call_id: 'c1', agent_id: 'coder' },
      ip_address: '',
    });
  });

  it('leaves out of the details what the event does not say', () => {
    const { details } = classicEnvelope({ event: anEvent({ tool: null }), seal: Buffer.alloc(1), position: null }, { entityPath: 'acme' });

    expect(
      Object.keys(details).filter((key) => /session|position|agent|call|verdict|outcome|human|sequence|author_global/.test(key)),
    ).toEqual([]);
    expect(Object.values(details)).not.toContain(null);
  });
});

describe('the author', () => {
  it('of what nobody did is GitLab’s pseudo-author', () => {
    const envelope = shown({ userId: null });

    expect(envelope).toMatchObject({ author_id: -1, author_name: '(System)' });
    expect(envelope.details).toMatchObject({ author_name: '(System)', author_class: 'Gitlab::Audit::UnauthenticatedAuthor' });
  });

  it('has the human behind a service account beside it', () => {
    const event = { ...anEvent(place), humanId: 'gid://gitlab/User/9' };

    expect(envelopeOf(event)).toMatchObject({
      author_id: 42,
      details: { human_author_id: 9, human_author_name: 'gid://gitlab/User/9', human_author_global_id: 'gid://gitlab/User/9' },
    });
  });
});

describe('the entity', () => {
  it.each<[string, Partial<NewEvent>, object]>([
    ['project', {}, { entity_id: 29, entity_type: 'Project' }],
    ['group', { projectId: null, namespaceId: 'gid://gitlab/Group/3' }, { entity_id: 3, entity_type: 'Group' }],
    ['organization', { projectId: null, namespaceId: null }, { entity_id: classicId('acme'), entity_type: 'Group' }],
  ])('is the %s', (_what, change, wanted) => {
    expect(shown(change)).toMatchObject({ ...wanted, entity_path: 'acme/payments/api' });
  });

  it('is the target where the event names no other', () => {
    expect(shown({ sessionId: null })).toMatchObject({ target_type: 'Project', target_id: 29, target_details: 'acme/payments/api' });
  });

  it('that the directory does not know any more has its id as path', () => {
    expect(shown({}, null)).toMatchObject({ entity_path: 'gid://gitlab/Project/29', details: { entity_path: 'gid://gitlab/Project/29' } });
  });

  it('is looked for by the id that the envelope shows', () => {
    const event = anEvent(place);

    expect(entityOf(event)).toBe(envelopeOf(event).details['entity_global_id']);
  });
});

describe('an id', () => {
  it.each([
    ['gid://gitlab/User/42', 42],
    ['gid://platform/Ai::DuoWorkflows::Workflow/4711', 4711],
    ['42', 42],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s has a number', (id, number) => {
    expect(classicId(id)).toBe(number);
  });

  it.each([
    'ada',
    '',
    '0',
    '-3',
    '007',
    '4.2',
    '9007199254740993',
    '99999999999999999999',
    'gid://gitlab/User/',
    'acme/files/7',
    'gid://a/b/c/7',
  ])('%j has none, and gets one of its own below those that GitLab uses', (id) => {
    const number = classicId(id);

    expect(Number.isSafeInteger(number)).toBe(true);
    expect(number).toBeLessThanOrEqual(-1_000);
    expect(classicId(id)).toBe(number);
    expect(classicId(`${id}x`)).not.toBe(number);
  });
});

describe('the address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8::1', '2001:db8::1'],
    ['999.0.0.1', ''],
    ['somewhere', ''],
    [7, ''],
    [null, ''],
  ])('%j is shown as %j', (sent, wanted) => {
    const envelope = shown({ data: { tool_name: 't', ip_address: sent } });

    expect([envelope.ip_address, envelope.details['ip_address']]).toEqual([wanted, wanted]);
  });
});

describe('beside GitLab’s own examples', () => {
  const file = 'gitlab-audit/audit-event-examples-CC-BY-SA-4.0.json';
  const typeOf = (value: Json | undefined): string => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value);
  const typesOf = (object: JsonObject) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, typeOf(value)]));

  itWithData(file, 'every type has the fields of a streamed event, with their JSON types', async (path) => {
    const streamed = await streamedExample(path);

    for (const type of types) expect(typesOf({ ...ofType(type) })).toEqual(typesOf(streamed));
  });

  itWithData(file, 'the details of every type have the fields of a streamed event’s details, with their JSON types', async (path) => {
    const { custom_message: _, ...wanted } = typesOf(Object((await streamedExample(path))['details']));

    // The message is an object in the one example and a sentence in the others.
    for (const type of types) expect(typesOf(ofType(type).details)).toMatchObject({ ...wanted, custom_message: 'string' });
  });

  itWithData(file, 'every type fits GitLab’s JSON schema', async (path) => {
    const schema = (await examplesIn(path)).find((example) => 'properties' in example)?.['properties'];
    const wanted = Object.entries(Object(schema)).map(([key, rule]) => [key, Object(rule).type]);

    expect(wanted).toHaveLength(12);
    for (const type of types) {
      const envelope: JsonObject = { ...ofType(type) };
      for (const [key, wantedType] of wanted) {
        const value = envelope[String(key)];
        if (wantedType === 'integer') expect(Number.isSafeInteger(value)).toBe(true);
        else expect(typeOf(value)).toBe(wantedType ?? 'object');
      }
    }
  });

  async function examplesIn(path: string): Promise<readonly JsonObject[]> {
    const pages: readonly { readonly example: JsonObject | readonly JsonObject[] }[] = JSON.parse(await readFile(path, 'utf8'));
    return pages.flatMap(({ example }) => example);
  }

  async function streamedExample(path: string): Promise<JsonObject> {
    const found = (await examplesIn(path)).find((example) => example['event_type'] === 'repository_git_operation');
    if (found === undefined) throw new Error('The examples hold no streamed event.');
    return found;
  }
});
