import { describe, expect, it } from '@jest/globals';
import { auditedNamespaces, isMember, levelIn, type Role } from '../../src/directory/index.js';
import { userId } from '../../src/kernel/index.js';

const api = { ancestors: ['acme', 'payments', 'api'] };
const standingWith = (...roles: readonly (readonly [string, Role])[]) => ({
  userId: userId('ada'),
  memberships: roles.map(([namespaceId, role]) => ({ userId: 'ada', namespaceId, role })),
});

describe('levelIn', () => {
  it.each<[string, readonly (readonly [string, Role])[], number]>([
    ['no role at all', [], 0],
    ['a role there', [['api', 'DEVELOPER']], 30],
    ['a role in the group above', [['payments', 'MAINTAINER']], 40],
    ['a role in the organization', [['acme', 'OWNER']], 50],
    ['a role beside it', [['search', 'OWNER']], 0],
    [
      'the highest of several',
      [
        ['acme', 'GUEST'],
        ['payments', 'REPORTER'],
        ['api', 'MAINTAINER'],
      ],
      40,
    ],
    [
      'a lower one nearer',
      [
        ['acme', 'OWNER'],
        ['api', 'GUEST'],
      ],
      50,
    ],
    ['an auditor, who changes nothing', [['acme', 'AUDITOR']], 10],
  ])('is that of the highest role there or above: %s', (_what, roles, level) => {
    expect(levelIn(standingWith(...roles), api)).toBe(level);
    expect(isMember(standingWith(...roles), api)).toBe(level > 0);
  });
});

it('auditedNamespaces are those that one maintains, owns or audits', () => {
  const standing = standingWith(
    ['a', 'GUEST'],
    ['b', 'REPORTER'],
    ['c', 'DEVELOPER'],
    ['d', 'MAINTAINER'],
    ['e', 'OWNER'],
    ['f', 'AUDITOR'],
  );

  expect(auditedNamespaces(standing)).toEqual(['d', 'e', 'f']);
});
