import { beforeAll, describe, expect, it } from '@jest/globals';
import { parse, type GraphQLSchema } from 'graphql';
import { buildSchema } from '../../src/app.js';
import { costProblem, MAX_ENTITIES, MAX_ITEMS } from '../../src/platform/graphql-cost.js';

let schema: GraphQLSchema;
beforeAll(() => {
  schema = buildSchema();
});

const problem = (query: string, variables: Readonly<Record<string, unknown>> = {}, operationName: string | null = null) =>
  costProblem(schema, parse(query), operationName, variables)?.message ?? null;
const representations = (count: number) => Array.from({ length: count }, (_item, index) => ({ __typename: 'Project', id: String(index) }));
const ENTITIES =
  'query ($r: [_Any!]!, $first: Int) { _entities(representations: $r) { ... on Project { agentAuditEvents(first: $first) { nodes { id } } } } }';

describe('an operation', () => {
  it.each([
    ['a full page', '{ agentAuditEvents(first: 100) { nodes { id } } }', {}],
    [
      'a full page of projects, each with a page of events',
      '{ agentAuditEvents(first: 100) { nodes { project { agentAuditEvents(first: 100) { nodes { id } } } } } }',
      {},
    ],
    ['a full page of events for each of a hundred entities', ENTITIES, { r: representations(100), first: 100 }],
    ['as many entities as are allowed', ENTITIES, { r: representations(MAX_ENTITIES), first: 10 }],
    ['no list at all', '{ agentPolicySchema { version } }', {}],
    ['the fields of a type that is not there, which validation refuses', '{ nothing { first } }', {}],
  ])('may ask for %s', (_what, query, variables) => {
    expect(problem(query, variables)).toBeNull();
  });

  it.each([
    [
      'lists in lists in lists',
      '{ agentAuditEvents(first: 100) { nodes { project { agentAuditEvents(first: 100) { nodes { project { agentTools(first: 2) { nodes { id } } } } } } } } }',
      {},
      '20,000',
    ],
    [
      'the same by variables',
      'query ($n: Int) { agentAuditEvents(first: $n) { nodes { project { agentAuditEvents(first: $n) { nodes { project { agentTools(first: 2) { nodes { id } } } } } } } } }',
      { n: 100 },
      '20,000',
    ],
    [
      'the same by pages of usual size',
      '{ agentAuditEvents { nodes { project { agentAuditEvents { nodes { project { agentAuditEvents { nodes { project { agentTools { nodes { id } } } } } } } } } } } }',
      {},
      '160,000',
    ],
    [
      'the same by a fragment',
      '{ agentAuditEvents(first: 100) { nodes { ...Inner } } } fragment Inner on AgentAuditEvent { project { agentAuditEvents(first: 100) { nodes { user { agentAuditEvents(first: 2) { nodes { id } } } } } } }',
      {},
      '20,000',
    ],
    [
      'the same under many aliases',
      `{ ${Array.from({ length: 2 }, (_item, index) => `a${index}: agentAuditEvents(first: 100) { nodes { project { agentAuditEvents(first: 100) { nodes { id } } } } }`).join(' ')} }`,
      {},
      '20,000',
    ],
    [
      'the same by the default of a variable',
      'query ($n: Int = 100) { agentAuditEvents(first: $n) { nodes { project { agentAuditEvents(first: $n) { nodes { project { agentTools(first: 2) { nodes { id } } } } } } } } }',
      {},
      '20,000',
    ],
    [
      'the same beside a page of less than nothing',
      '{ few: agentAuditEvents(first: -1000000) { nodes { id } } agentAuditEvents(first: 100) { nodes { project { agentAuditEvents(first: 100) { nodes { project { agentTools(first: 2) { nodes { id } } } } } } } } }',
      {},
      '20,001',
    ],
  ])('may not ask for %s', (_what, query, variables, items) => {
    expect(problem(query, variables)).toBe(
      `The operation asks for up to ${items} list items; at most ${MAX_ITEMS.toLocaleString('en')} are allowed. Ask for smaller pages (first), or in several operations.`,
    );
  });

  it.each([
    ['', ENTITIES],
    [', in a fragment', 'query ($r: [_Any!]!) { ...All } fragment All on Query { _entities(representations: $r) { __typename } }'],
    [', in a part of a query', 'query ($r: [_Any!]!) { ... on Query { _entities(representations: $r) { __typename } } }'],
    [
      ', under two names',
      'query ($r: [_Any!]!) { a: _entities(representations: $r) { __typename } ... { _entities(representations: []) { __typename } } }',
    ],
  ])('may not ask for more entities than can be had at once%s', (_how, query) => {
    expect(problem(query, { r: representations(MAX_ENTITIES + 1), first: 1 })).toMatch(
      /^The operation asks for 1001 entities at once; at most 1000 are allowed/,
    );
  });

  it('is judged alone among those of its document', () => {
    const document = `query Small { agentPolicySchema { version } } query Large { agentAuditEvents(first: 100) { nodes { project { agentAuditEvents(first: 100) { nodes { project { agentTools(first: 2) { nodes { id } } } } } } } } }`;
    expect([problem(document, {}, 'Small'), problem(document, {}, 'Large')]).toEqual([null, expect.stringContaining('20,000')]);
  });
});
