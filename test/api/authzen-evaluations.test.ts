import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { anEvaluation, aResource, authzen, type Evaluated } from '../support/authzen.js';
import { aPublishedPolicy } from '../support/governing.js';
import { openAsOwner } from '../support/database.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { itWithData } from '../support/shared-data.js';
import { statementsDuring } from '../support/statements.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';
import type { Database } from '../../src/platform/postgres.js';

let subgraph: TestSubgraph;
let database: Database;
let company: TestOrganization;
let developer: Client;
beforeAll(async () => {
  subgraph = await aSubgraph();
  database = openAsOwner(subgraph.databaseUrl);
  company = await anOrganization(subgraph);
  developer = await company.member('DEVELOPER', company.api);
  const owner = await company.member('OWNER', company.id);
  await aPublishedPolicy(owner, company.id, 'permit (principal, action, resource in Tool::"read");', 'reading');
});
afterAll(async () => {
  await database.close();
  await subgraph.close();
});

interface Answered extends Evaluated {
  readonly evaluations?: readonly Evaluated[];
}

const evaluations = (request: unknown, headers: Readonly<Record<string, string>> = {}) =>
  authzen<Answered>(developer, 'evaluations', request, headers);

const tool = (id: string) => ({ resource: aResource(id, company.api) });
const shared = () => ({ subject: { type: 'agent', id: company.coder }, action: { name: 'invokeTool' } });
const decisions = ({ body }: { readonly body: Answered }) => body.evaluations?.map(({ decision }) => decision);

describe('POST /access/v1/evaluations', () => {
  it('answers every evaluation as the route for one would, in the order sent', async () => {
    const asked = [anEvaluation(company), anEvaluation(company, tool('write')), anEvaluation(company, { context: {} })];

    const { status, body } = await evaluations({ evaluations: asked });

    const alone = await Promise.all(asked.map((request) => authzen(developer, 'evaluation', request)));
    const own = { id: expect.any(String), callId: expect.any(String), decidedAt: expect.any(String) };
    expect({ status, body }).toEqual({
      status: 200,
      body: { evaluations: alone.map(({ body: one }) => ({ ...one, context: { ...one.context, ...own } })) },
    });
  });

  it('takes what an evaluation does not say from the top level', async () => {
    const context = { session: 'shared', environment: 'staging' };

    const { body } = await evaluations({
      ...shared(),
      context,
      evaluations: [tool('read'), { ...tool('read'), subject: { type: 'agent', id: 'other' } }, { ...tool('read'), context: {} }],
    });

    const ids = (body.evaluations ?? []).map(({ context: answered }) => String(answered?.['id']));
    expect(await Promise.all(ids.map(recorded))).toMatchObject([
      { agent: { id: company.coder }, sessionId: 'shared' },
      { agent: { id: 'other' }, sessionId: 'shared' },
      { agent: { id: company.coder }, sessionId: null },
    ]);
  });

  it('replaces an entity as a whole, but takes a required member that it lacks from the top level', async () => {
    const { body } = await evaluations({
      ...shared(),
      resource: aResource('read', company.api),
      evaluations: [{}, { resource: { id: 'write', properties: { project: company.api } } }, { resource: { type: 'tool', id: 'read' } }],
    });

    expect(body.evaluations).toMatchObject([
      { decision: true },
      { decision: false, context: { basis: 'NO_MATCH' } },
      { decision: false, context: { error: { status: 400, message: 'resource.properties.project: must be a string.' } } },
    ]);
  });

  it('says of an ill-formed one what is wrong, and decides the others', async () => {
    const ofNobody = { ...tool('read'), subject: { type: 'user', id: 'ada' } };

    const { status, body } = await evaluations({
      ...shared(),
      evaluations: [tool('read'), {}, 'read', null, { resource: null }, ofNobody, tool('nothing')],
    });

    const ill = (message: string) => ({
      decision: false,
      context: { error: { status: 400, message: expect.stringContaining(message) } },
    });
    expect({ status, evaluations: body.evaluations }).toMatchObject({
      status: 200,
      evaluations: [
        { decision: true },
        ...[ill('resource:'), ill('body:'), ill('body:'), ill('resource:'), ill('subject.type: must be "agent"')],
        { decision: false, context: { basis: 'NO_MATCH' } },
      ],
    });
  });

  it('behaves as the route for one where there are none, or an empty list', async () => {
    for (const more of [{}, { evaluations: [] }, { evaluations: null }])
      expect(await evaluations({ ...anEvaluation(company), ...more })).toMatchObject({
        status: 200,
        body: { decision: true, context: { basis: 'PERMITTED' } },
      });
    expect(await evaluations({ ...shared(), evaluations: [] })).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_USER_INPUT', message: expect.stringContaining('resource:') } },
    });
  });

  it.each<[string, object]>([
    ['evaluations: must hold at most 50.', { evaluations: Array.from({ length: 51 }, () => ({})) }],
    ['evaluations: must be a list.', { evaluations: {} }],
    [
      'options.evaluations_semantic: must be one of execute_all, deny_on_first_deny, permit_on_first_permit.',
      { evaluations: [{}], options: { evaluations_semantic: 'first' } },
    ],
    ['options: must be a JSON object.', { evaluations: [{}], options: 'execute_all' }],
  ])('refuses the whole: %s', async (message, more) => {
    expect(await evaluations({ ...anEvaluation(company), ...more })).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_USER_INPUT', message } },
    });
  });

  it('needs a token with the scope decision:request, whatever is asked', async () => {
    const reader = await company.member('DEVELOPER', company.api, { scopes: ['audit:read'] });

    expect(await authzen(subgraph.anonymous(), 'evaluations', { evaluations: [{}] })).toMatchObject({ status: 401 });
    expect(await authzen(reader, 'evaluations', { evaluations: [{}] })).toMatchObject({
      status: 403,
      body: { error: { code: 'FORBIDDEN', message: 'This needs a token with the scope decision:request.' } },
    });
  });
});

describe('options.evaluations_semantic', () => {
  const asking = (evaluations_semantic: string | undefined, ...ids: readonly string[]) =>
    evaluations({ ...shared(), options: { evaluations_semantic }, evaluations: ids.map(tool) });

  it.each<[string | undefined, readonly string[], readonly boolean[]]>([
    [undefined, ['read', 'write', 'read'], [true, false, true]],
    ['execute_all', ['write', 'read', 'write'], [false, true, false]],
    ['deny_on_first_deny', ['read', 'read', 'write', 'read'], [true, true, false]],
    ['deny_on_first_deny', ['read', 'read'], [true, true]],
    ['permit_on_first_permit', ['write', 'read', 'write'], [false, true]],
    ['permit_on_first_permit', ['write', 'write'], [false, false]],
  ])('%s: of %j it answers %j', async (semantic, ids, wanted) => {
    expect(decisions(await asking(semantic, ...ids))).toEqual(wanted);
  });

  it('counts an ill-formed evaluation as a denial', async () => {
    const ask = (evaluations_semantic: string) =>
      evaluations({ ...shared(), options: { evaluations_semantic }, evaluations: [{}, tool('read'), tool('read')] });

    expect(decisions(await ask('deny_on_first_deny'))).toEqual([false]);
    expect(decisions(await ask('permit_on_first_permit'))).toEqual([false, true]);
  });

  it('records nothing of what it did not get to', async () => {
    const before = await decisionsRecorded();

    await asking('deny_on_first_deny', 'write', 'read', 'read');

    expect((await decisionsRecorded()) - before).toBe(1);
  });
});

describe('several decisions', () => {
  it('are one record each, and share their commits', async () => {
    const before = await decisionsRecorded();
    const sent = await statementsDuring(async () => {
      expect(decisions(await evaluations({ ...shared(), evaluations: Array.from({ length: 50 }, () => tool('read')) }))).toHaveLength(50);
    });

    expect((await decisionsRecorded()) - before).toBe(50);
    expect(sent.filter((statement) => statement.includes('INSERT INTO audit_event')).length).toBeLessThanOrEqual(5);
  });

  it('are recognised one by one when they are asked for again with the same X-Request-ID, which is echoed', async () => {
    const ask = () => evaluations({ ...shared(), evaluations: [tool('read'), tool('write'), tool('read')] }, { 'x-request-id': 'batch-1' });

    const first = await ask();
    const before = await decisionsRecorded();
    const again = await ask();

    expect([first.requestId, again.requestId]).toEqual(['batch-1', 'batch-1']);
    expect(again.body.evaluations).toEqual(
      first.body.evaluations?.map(({ decision, context }) => ({ decision, context: { ...context, isRepeated: true } })),
    );
    expect(new Set(first.body.evaluations?.map(({ context }) => context?.['id'])).size).toBe(3);
    expect(await decisionsRecorded()).toBe(before);
  });

  it('need a shorter X-Request-ID, since each has its place added to it', async () => {
    const ask = (length: number) => evaluations({ ...shared(), evaluations: [tool('read')] }, { 'x-request-id': 'x'.repeat(length) });

    expect(await ask(197)).toMatchObject({ status: 200 });
    expect(await ask(198)).toMatchObject({
      status: 400,
      body: { error: { message: 'X-Request-ID: must have at most 197 characters with several evaluations.' } },
    });
  });
});

interface TodoCase {
  readonly request: { readonly evaluations: readonly object[] };
}

describe('what the AuthZEN working group published', () => {
  itWithData('authzen/evaluation-response.schema.json', 'describes each answer', async (path) => {
    const isResponse = new Ajv2020({ strict: false }).compile(JSON.parse(await readFile(path, 'utf8')));

    const { body } = await evaluations({ ...shared(), evaluations: [tool('read'), tool('write'), {}] });

    expect(body.evaluations?.map((one) => isResponse(one))).toEqual([true, true, true]);
  });

  itWithData('authzen/todo-decisions.json', 'is answered in shape, and denied, where it is about anything else', async (path) => {
    const { evaluations: cases }: { readonly evaluations: readonly TodoCase[] } = JSON.parse(await readFile(path, 'utf8'));

    const answers = await Promise.all(cases.map(({ request }) => evaluations(request)));

    expect(answers.map(decisions)).toEqual(cases.map(({ request }) => request.evaluations.map(() => false)));
  });
});

async function recorded(id: string): Promise<unknown> {
  const query = 'query ($id: ID!) { agentAuditEvent(id: $id) { agent { id } sessionId } }';
  const { data } = await developer.graphql(query, { id });
  return data?.['agentAuditEvent'];
}

async function decisionsRecorded(): Promise<number> {
  const [row] = await database.sql.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM audit_event WHERE organization_id = $1 AND type = 'ai_tool_decision_made'`,
    [company.id],
  );
  return row?.count ?? 0;
}
