import { describe, expect, it } from '@jest/globals';
import { forbiddenBreaks, permission } from '../../scripts/schema/compatibility.js';
import { currentSchema, decisionRecords, releasedSchema } from '../../scripts/schema/files.js';

describe('schema.graphql', () => {
  it('breaks no caller of the released schema, unless a decision record allows it', () => {
    const released = releasedSchema();
    expect(released).toBeDefined();

    const breaks = forbiddenBreaks(released ?? '', currentSchema(), decisionRecords());

    expect(breaks.map(permission)).toEqual([]);
  });
});

describe('the comparison', () => {
  const released = `
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
    type Query { tool(id: ID!): Tool }
    type Tool @key(fields: "id") @key(fields: "server name") { id: ID! server: String! name: String! risk: Int! }
    enum Verdict { ALLOW DENY }
    input Call { tool: ID! }
  `;

  it.each([
    ['a field removed', [' risk: Int!', ''], 'FIELD_REMOVED Tool.risk was removed.'],
    ['a field that may become null', ['risk: Int!', 'risk: Int'], 'FIELD_CHANGED_KIND Tool.risk changed type from Int! to Int.'],
    ['an enum value removed', ['ALLOW DENY', 'ALLOW'], 'VALUE_REMOVED_FROM_ENUM DENY was removed from enum type Verdict.'],
    [
      'an input field that became required',
      ['tool: ID!', 'tool: ID! reason: String!'],
      'REQUIRED_INPUT_FIELD_ADDED A required field reason on input type Call was added.',
    ],
    [
      'an argument that became required',
      ['(id: ID!)', '(id: ID!, at: Int!)'],
      'REQUIRED_ARG_ADDED A required arg at on Query.tool was added.',
    ],
    ['an entity key removed', [' @key(fields: "server name")', ''], 'KEY_REMOVED Tool lost its key "server name".'],
  ] as const)('finds %s', (_what, [before, after], found) => {
    const current = released.replace(before, after);

    expect(forbiddenBreaks(released, current, []).map(permission)).toEqual([`Allows breaking change: ${found}`]);
  });

  it('lets additions pass', () => {
    const current = released.replace('risk: Int!', 'risk: Int! title: String').replace('tool: ID!', 'tool: ID! reason: String');

    expect(forbiddenBreaks(released, current, [])).toEqual([]);
  });

  it('lets pass what a decision record allows, and only that', () => {
    const current = released.replace(' risk: Int!', '').replace('ALLOW DENY', 'ALLOW');
    const record = '# 7. Risk moves\n\n    Allows breaking change: FIELD_REMOVED Tool.risk was removed.\n';

    expect(forbiddenBreaks(released, current, ['# 1. Unrelated', record]).map(({ type }) => type)).toEqual(['VALUE_REMOVED_FROM_ENUM']);
  });
});
