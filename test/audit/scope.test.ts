import { describe, expect, it } from '@jest/globals';
import { eventScope, isVisible } from '../../src/audit/index.js';
import type { Role } from '../../src/directory/index.js';
import { userId } from '../../src/kernel/index.js';
import { acme, anEvent } from './events.js';

const line = ['acme', 'payments', 'api'];
const scopeWith = (namespaceId: string, role: Role) =>
  eventScope(acme, { userId: userId('ada'), memberships: [{ userId: 'ada', namespaceId, role }] });

describe('what somebody sees of the log', () => {
  it.each<[Role, boolean]>([
    ['GUEST', false],
    ['REPORTER', false],
    ['DEVELOPER', false],
    ['MAINTAINER', true],
    ['OWNER', true],
    ['AUDITOR', true],
  ])('as %s of a group: what others did below it: %s', (role, isSeen) => {
    expect(isVisible(scopeWith('payments', role), anEvent({ userId: 'bob', projectId: 'api' }), line)).toBe(isSeen);
  });

  it.each([
    ['their own actions in a group where they are a guest', 'GUEST', anEvent({ userId: 'ada', projectId: 'api' }), line, true],
    ['their own actions without a project', 'GUEST', anEvent({ userId: 'ada' }), [], true],
    [
      'nothing beside the group they maintain',
      'MAINTAINER',
      anEvent({ userId: 'bob', projectId: 'index' }),
      ['acme', 'search', 'index'],
      false,
    ],
    ['nothing of others without a project', 'OWNER', anEvent({ userId: 'bob' }), [], false],
    ['nothing of nobody', 'MAINTAINER', anEvent(), [], false],
  ] as const)('is %s', (_what, role, event, ancestors, isSeen) => {
    expect(isVisible(scopeWith('payments', role), event, ancestors)).toBe(isSeen);
  });

  it.each(['MAINTAINER', 'OWNER', 'AUDITOR'] as const)('is everything for %s of the organization, what has no project included', (role) => {
    expect(
      [anEvent({ userId: 'bob' }), anEvent({ userId: 'bob', projectId: 'deleted' })].map((event) =>
        isVisible(scopeWith('acme', role), event, []),
      ),
    ).toEqual([true, true]);
  });
});
