import { describe, expect, it } from '@jest/globals';
import { entitiesNamed, scopeOf } from '../../src/policy/statement-scope.js';
import { anUncheckedPolicy } from './a-call.js';

const est = (text: string) => anUncheckedPolicy(text).statements[0]?.est ?? null;
const ANY = { kind: 'ANY' };

describe('scopeOf', () => {
  it.each([
    ['permit (principal, action, resource);', { principal: ANY, action: ANY, resource: ANY }],
    [
      'permit (principal == Agent::"a", action == Action::"invokeTool", resource in Group::"g");',
      {
        principal: { kind: 'IS', entity: { type: 'Agent', id: 'a' } },
        action: { kind: 'IS', entity: { type: 'Action', id: 'invokeTool' } },
        resource: { kind: 'IN', entities: [{ type: 'Group', id: 'g' }] },
      },
    ],
    [
      'forbid (principal is Agent, action in [Action::"a", Action::"b"], resource is ToolUse in Project::"p");',
      {
        principal: ANY,
        action: {
          kind: 'IN',
          entities: [
            { type: 'Action', id: 'a' },
            { type: 'Action', id: 'b' },
          ],
        },
        resource: { kind: 'IN', entities: [{ type: 'Project', id: 'p' }] },
      },
    ],
  ])('%s', (text, scope) => {
    expect(scopeOf(est(text))).toEqual(scope);
  });
});

describe('what the resource names', () => {
  it.each([
    ['permit (principal, action, resource);', []],
    ['permit (principal, action, resource in Project::"p");', ['Project p']],
    ['permit (principal, action, resource in Group::"a\\"b");', ['Group a"b']],
    ['permit (principal, action, resource is ToolUse in Organization::"o");', ['Organization o']],
    ['permit (principal, action, resource in Tool::"server/tool");', ['Tool server/tool']],
    ['permit (principal, action, resource) when { resource in Project::"p" };', []],
  ])('%s', (text, named) => {
    expect(entitiesNamed(scopeOf(est(text)).resource).map(({ type, id }) => `${type} ${id}`)).toEqual(named);
  });
});
