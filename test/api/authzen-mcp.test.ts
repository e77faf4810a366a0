import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import type { Role } from '../../src/directory/index.js';
import { aResource, authzen, type Evaluated } from '../support/authzen.js';
import { aPublishedPolicy, registerTool } from '../support/governing.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { itWithData } from '../support/shared-data.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
let company: TestOrganization;

/** The people of the working group's interoperability scenario, in the order in which it names them, with the role that stands for theirs. */
const PEOPLE: readonly (readonly [email: string, role: Role])[] = [
  ['rick@the-citadel.com', 'OWNER'],
  ['morty@the-citadel.com', 'DEVELOPER'],
  ['summer@the-smiths.com', 'DEVELOPER'],
  ['beth@the-smiths.com', 'REPORTER'],
  ['jerry@the-smiths.com', 'REPORTER'],
];
const TOOLS = ['can_read_user', 'can_read_todos', 'can_create_todo', 'can_update_todo', 'can_delete_todo'];
const clients = new Map<string, Client>();

const ofTool = (name: string) => `permit (principal, action, resource in Tool::"io.example/todo/${name}")`;
/** Who reads, creates, and changes what is whose: an editor their own, the admin everybody's. */
const POLICY = [
  `${ofTool('can_read_user')};`,
  `${ofTool('can_read_todos')};`,
  `${ofTool('can_create_todo')} when { context.role >= 30 };`,
  ...['can_update_todo', 'can_delete_todo'].flatMap((name) => [
    `${ofTool(name)} when { context.role >= 50 };`,
    ...PEOPLE.filter(([, role]) => role === 'DEVELOPER').map(
      ([email]) =>
        `${ofTool(name)} when { context.user == User::"${email}" && resource.hasTag("ownerID") && resource.getTag("ownerID") == "${email}" };`,
    ),
  ]),
].join('\n');

beforeAll(async () => {
  subgraph = await aSubgraph();
  company = await anOrganization(subgraph);
  await pushed(company.platform, { memberships: PEOPLE.map(([userId, role]) => ({ namespaceId: company.id, userId, role })) });
  const scopes = ['decision:request', 'audit:read', 'tool:write', 'policy:write'];
  for (const [userId] of PEOPLE) clients.set(userId, await subgraph.as({ userId, organizationId: company.id, scopes }));
  const owner = client('rick@the-citadel.com');
  await Promise.all(
    TOOLS.map((name) => registerTool(owner, { id: `io.example/todo/${name}`, actionType: 'WRITE', actionTypeReason: 'so' })),
  );
  await aPublishedPolicy(owner, company.id, POLICY, 'todos');
});
afterAll(() => subgraph.close());

function client(email: string): Client {
  const found = clients.get(email);
  if (found === undefined) throw new Error(`There is nobody called ${email}.`);
  return found;
}

const morty = 'morty@the-citadel.com';

/** What a gateway sends for `tools/call`, with the mapping that docs/agent-platform.md gives. */
const aToolCall = (email: string, name: string, more: object = {}): object => ({
  subject: { type: 'identity', id: email },
  action: { name: 'tools/call', properties: { arguments: {} } },
  resource: aResource(name, company.api),
  context: { agent: company.coder },
  ...more,
});

const evaluate = (email: string, request: object) => authzen(client(email), 'evaluation', request);

describe('a tools/call of the Model Context Protocol', () => {
  it('is decided for its user, agent and tool as in the words of this service', async () => {
    const asked = { action: { name: 'tools/call', properties: { arguments: { id: '1' } } } };
    const { status, body } = await evaluate(morty, aToolCall(morty, 'can_create_todo', asked));

    expect({ status, body }).toMatchObject({
      status: 200,
      body: { decision: true, context: { verdict: 'ALLOW', toolId: 'io.example/todo/can_create_todo' } },
    });
    const query =
      'query ($id: ID!) { agentAuditEvent(id: $id) { user { id } agent { id } payload { ... on AgentDecisionPayload { arguments } } } }';
    const { data } = await client('rick@the-citadel.com').graphql(query, { id: body.context?.['id'] });
    expect(data?.['agentAuditEvent']).toMatchObject({
      user: { id: morty },
      agent: { id: company.coder },
      payload: { arguments: { id: '1' } },
    });
  });

  it('may be put in the words of either', async () => {
    const agent = { type: 'agent', id: company.coder };

    for (const more of [{ subject: agent }, { action: { name: 'invokeTool' } }, { subject: agent, action: { name: 'invokeTool' } }])
      expect(await evaluate(morty, aToolCall(morty, 'can_create_todo', more))).toMatchObject({ status: 200, body: { decision: true } });
  });

  it.each<[string, object]>([
    [
      'subject.id: must be the user whose token asks, where the type is "identity".',
      { subject: { type: 'identity', id: 'rick@the-citadel.com' } },
    ],
    ['context.agent: must be a string.', { context: {} }],
    ['context.agent: must be a string.', { context: undefined }],
    [
      'action.properties.arguments: must be the arguments of the call, {} where it has none: policies read them.',
      { action: { name: 'tools/call' } },
    ],
    ['resource.properties.project: must be a string.', { resource: { type: 'tool', id: 'can_create_todo' } }],
    ['action.name: must be "invokeTool" or "tools/call"; got "tools/list".', { action: { name: 'tools/list' } }],
    ['resource.type: must be "tool"; got "mcp_server".', { resource: { type: 'mcp_server', id: 'https://mcp.example' } }],
  ])('is refused, and so not made, where it says too little: %s', async (message, more) => {
    expect(await evaluate(morty, aToolCall(morty, 'can_create_todo', more))).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_USER_INPUT', message } },
    });
  });

  it('can be searched for in the same words', async () => {
    const { action: _action, ...ofAction } = { action: 0, ...aToolCall(morty, 'can_create_todo') };
    const search = (kind: string, request: object) => authzen(client(morty), `search/${kind}`, request);
    const ofProject = { resource: { type: 'tool', properties: { project: company.api } } };

    expect((await search('action', ofAction)).body).toEqual({ results: [{ name: 'invokeTool' }], page: { next_token: '', count: 1 } });
    expect((await search('resource', aToolCall(morty, '', ofProject))).body).toMatchObject({
      results: ['can_create_todo', 'can_read_todos', 'can_read_user'].map((name) => ({ id: `io.example/todo/${name}` })),
    });
    for (const subject of [{ type: 'identity', id: 'beth@the-smiths.com' }])
      expect((await search('resource', aToolCall(morty, '', { ...ofProject, subject }))).body).toMatchObject({ results: [] });
    expect((await search('subject', aToolCall(morty, 'can_create_todo'))).body).toMatchObject({ results: [] });
    expect(await search('resource', aToolCall(morty, '', { ...ofProject, action: { name: 'tools/call' } }))).toMatchObject({ status: 400 });
  });
});

interface Todo {
  readonly subject: { readonly id: string };
  readonly action: { readonly name: string };
  readonly resource: { readonly id: string; readonly properties?: object };
}
interface Todos extends Pick<Todo, 'subject' | 'action'> {
  readonly evaluations: readonly Pick<Todo, 'resource'>[];
}
interface Scenario {
  readonly evaluation: readonly { readonly request: Todo; readonly expected: boolean }[];
  readonly evaluations: readonly { readonly request: Todos; readonly expected: readonly { readonly decision: boolean }[] }[];
}

describe('the interoperability scenario of AuthZEN, as calls of the tools of a server of todos', () => {
  const read = async (path: string) => {
    const scenario: Scenario = JSON.parse(await readFile(path, 'utf8'));
    const ids = [...new Set(scenario.evaluation.map(({ request }) => request.subject.id))];
    return { ...scenario, emailOf: ({ subject }: Pick<Todo, 'subject'>): string => PEOPLE[ids.indexOf(subject.id)]?.[0] ?? '' };
  };
  const argumentsOf = ({ resource }: Pick<Todo, 'resource'>) => ({
    name: 'tools/call',
    properties: { arguments: { id: resource.id, ...resource.properties } },
  });

  itWithData('authzen/todo-decisions.json', 'comes out as published, one by one', async (path) => {
    const { evaluation, emailOf } = await read(path);

    const answers = await Promise.all(
      evaluation.map(({ request }) =>
        evaluate(emailOf(request), aToolCall(emailOf(request), request.action.name, { action: argumentsOf(request) })),
      ),
    );

    expect(answers.map(({ body }) => body.decision)).toEqual(evaluation.map(({ expected }) => expected));
    expect(answers).toHaveLength(40);
  });

  itWithData('authzen/todo-decisions.json', 'comes out as published, several at once', async (path) => {
    const { evaluations, emailOf } = await read(path);

    const answers = await Promise.all(
      evaluations.map(({ request }) =>
        authzen<{ readonly evaluations: readonly Evaluated[] }>(client(emailOf(request)), 'evaluations', {
          ...aToolCall(emailOf(request), request.action.name),
          evaluations: request.evaluations.map((todo) => ({ action: argumentsOf(todo) })),
        }),
      ),
    );

    expect(answers.map(({ body }) => body.evaluations.map(({ decision }) => ({ decision })))).toEqual(
      evaluations.map(({ expected }) => expected),
    );
    expect(answers.length).toBeGreaterThan(0);
  });
});
