import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { anEvaluation, authzen } from '../support/authzen.js';
import { aPublishedPolicy } from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { itWithData } from '../support/shared-data.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';
import { readRuns, tell } from '../../src/cli/recorded-run.js';

let subgraph: TestSubgraph;
let company: TestOrganization;
let developer: Client;
beforeAll(async () => {
  subgraph = await aSubgraph();
  company = await anOrganization(subgraph);
  developer = await company.member('DEVELOPER', company.api);
  await aPublishedPolicy(
    await company.member('OWNER', company.id),
    company.id,
    'permit (principal, action, resource in Tool::"read");',
    'reading',
  );
});
afterAll(() => subgraph.close());

const aRequest = (more: object = {}): object => anEvaluation(company, more);
const evaluation = (request: unknown, headers: Readonly<Record<string, string>> = {}) => authzen(developer, 'evaluation', request, headers);

describe('POST /access/v1/evaluation', () => {
  it('answers with the decision and what determined it', async () => {
    const { status, type, body } = await evaluation(aRequest());

    expect({ status, type }).toEqual({ status: 200, type: expect.stringMatching(/^application\/json/) });
    expect(body).toEqual({
      decision: true,
      context: {
        id: expect.any(String),
        callId: 'call 1',
        verdict: 'ALLOW',
        basis: 'PERMITTED',
        explanation: 'The call is allowed.',
        advice: [],
        obligations: [],
        approvalNeeded: null,
        epoch: expect.any(Number),
        toolId: null,
        toolDefinitionDigest: null,
        actionType: 'DESTROY',
        decidedAt: expect.any(String),
        isRepeated: false,
        reasons: [{ policyId: expect.any(String), policyName: 'reading', namespaceId: company.id, revision: 1, effect: 'PERMIT' }],
      },
    });
  });

  it('denies with 200, as the specification asks', async () => {
    expect(await evaluation(aRequest({ resource: { type: 'tool', id: 'write', properties: { project: company.api } } }))).toMatchObject({
      status: 200,
      body: { decision: false, context: { verdict: 'DENY', basis: 'NO_MATCH' } },
    });
  });

  it('denies in a project that does not exist for the caller, without an id: nothing was recorded', async () => {
    for (const project of [company.shop, 'nowhere']) {
      expect(await evaluation(aRequest({ resource: { type: 'tool', id: 'read', properties: { project } } }))).toMatchObject({
        status: 200,
        body: { decision: false, context: { verdict: 'DENY', explanation: 'There is no such project, or you may not see it.' } },
      });
    }
  });

  it('ignores fields that it does not know, at every level', async () => {
    const request = {
      subject: { type: 'agent', id: company.coder, more: 1, properties: { department: 'Sales' } },
      action: { name: 'invokeTool', more: [], properties: { method: 'GET' } },
      resource: { type: 'tool', id: 'read', more: null, properties: { project: company.api, color: 'red' } },
      context: { time: '1985-10-26T01:22-07:00' },
      options: { evaluations_semantic: 'execute_all' },
    };

    expect(await evaluation(request)).toMatchObject({ status: 200, body: { decision: true } });
  });

  it.each<[string, () => object]>([
    ['subject:', () => aRequest({ subject: undefined })],
    ['action:', () => aRequest({ action: undefined })],
    ['resource:', () => aRequest({ resource: null })],
    ['subject.id:', () => aRequest({ subject: { type: 'agent' } })],
    ['subject.id: must not be empty.', () => aRequest({ subject: { type: 'agent', id: '' } })],
    ['subject.type: must be "agent" or "identity"; got "user".', () => aRequest({ subject: { type: 'user', id: 'ada' } })],
    ['action.name: must be "invokeTool" or "tools/call"; got "can_read".', () => aRequest({ action: { name: 'can_read' } })],
    [
      'resource.type: must be "tool"; got "todo".',
      () => aRequest({ resource: { type: 'todo', id: '1', properties: { project: company.api } } }),
    ],
    ['resource.id: must not be empty.', () => aRequest({ resource: { type: 'tool', id: '', properties: { project: company.api } } })],
    ['resource.properties.project:', () => aRequest({ resource: { type: 'tool', id: 'read' } })],
    [
      'resource.properties.project: must be a string.',
      () => aRequest({ resource: { type: 'tool', id: 'read', properties: { project: 7 } } }),
    ],
    [
      'action.properties.arguments: must be a JSON object.',
      () => aRequest({ action: { name: 'invokeTool', properties: { arguments: [] } } }),
    ],
    ['context.session: must be a string.', () => aRequest({ context: { session: 1 } })],
    ['context.call: must be a string.', () => aRequest({ context: { call: {} } })],
    ['context:', () => aRequest({ context: [] })],
  ])('answers 400 and names the field: %s', async (message, request) => {
    expect(await evaluation(request())).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_USER_INPUT', message: expect.stringContaining(message) } },
    });
  });

  it('says everything that is wrong at once', async () => {
    const { body } = await evaluation({});

    expect(body.error).toMatchObject({ message: expect.stringMatching(/^subject: .*action: .*resource: /) });
  });

  it('echoes the X-Request-ID, of a refusal too, and takes it for the question’s id', async () => {
    const first = await evaluation(aRequest(), { 'x-request-id': 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716' });
    const again = await evaluation(aRequest(), { 'x-request-id': 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716' });
    const refused = await evaluation({}, { 'x-request-id': 'other' });
    const tooLong = await evaluation(aRequest(), { 'x-request-id': 'x'.repeat(201) });

    expect([first.requestId, again.requestId, refused.requestId]).toEqual([
      'bfe9eb29-ab87-4ca3-be83-a1d5d8305716',
      'bfe9eb29-ab87-4ca3-be83-a1d5d8305716',
      'other',
    ]);
    expect(again.body).toEqual({ ...first.body, context: { ...first.body.context, isRepeated: true } });
    expect(tooLong).toMatchObject({ status: 400, body: { error: { message: 'X-Request-ID: must have at most 200 characters.' } } });
  });

  it('sends no X-Request-ID that was not asked for', async () => {
    expect((await evaluation(aRequest())).requestId).toBeNull();
  });
});

describe('the schemas of the AuthZEN working group', () => {
  const validator = async (path: string) => new Ajv2020({ strict: false }).compile(JSON.parse(await readFile(path, 'utf8')));

  itWithData('authzen/evaluation-response.schema.json', 'describe what is answered', async (path) => {
    const isResponse = await validator(path);

    for (const id of ['read', 'write'])
      expect(isResponse((await evaluation(aRequest({ resource: { type: 'tool', id, properties: { project: company.api } } }))).body)).toBe(
        true,
      );
    expect(
      isResponse((await evaluation(aRequest({ resource: { type: 'tool', id: 'read', properties: { project: 'nowhere' } } }))).body),
    ).toBe(true);
  });

  itWithData('authzen/evaluation-request.schema.json', 'describe what is taken and what the replay sends', async (path) => {
    const isRequest = await validator(path);
    const [run] = await readRuns(lines({ traceId: 't', model: 'm', step: 0, tool: 'read', args: { a: 1 } }));
    if (run === undefined) throw new Error('There is no run.');

    const sent = tell(run, { projectId: company.api, agentPrefix: '', userId: 'ada', startedAt: new Date() }).steps.map(
      (step) => step.request,
    );

    expect(isRequest(aRequest())).toBe(true);
    expect(sent.map((request) => isRequest(request))).toEqual([true]);
    expect(await evaluation(sent[0])).toMatchObject({ status: 200, body: { decision: true } });
  });

  itWithData('authzen/todo-decisions.json', 'hold for requests about anything else, which are refused and never allowed', async (path) => {
    const { evaluation: cases }: { readonly evaluation: readonly { readonly request: object }[] } = JSON.parse(
      await readFile(path, 'utf8'),
    );

    const answers = await Promise.all(cases.map(({ request }) => evaluation(request)));

    expect(cases.length).toBeGreaterThan(0);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]));
  });
});

async function* lines(...rows: readonly object[]): AsyncGenerator<string> {
  for (const row of rows) yield JSON.stringify(row);
}
