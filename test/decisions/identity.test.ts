import { describe, expect, it } from '@jest/globals';
import type { SessionIdentity } from '../../src/audit/index.js';
import { identify } from '../../src/decisions/identity.js';
import type { Question } from '../../src/decisions/question.js';
import { organizationId, userId } from '../../src/kernel/index.js';

const question = (surface: 'IDE' | null = null): Question => ({
  ...{ requestId: 'r', agentId: 'coder', projectId: 'api', tool: 'deploy', arguments: { a: 1 }, sessionId: 'run', callId: 'c' },
  circumstances: { environment: 'staging', branch: 'b', isBranchProtected: false, surface, executionMode: null },
  promises: ['redact'],
});
const viewer = (agentId: string | null = null) => ({
  ...{ userId: userId('ada'), organizationId: organizationId('acme'), agentId, scopes: new Set<string>(), expiresAt: new Date(0) },
});
const session = (changes: Partial<SessionIdentity> = {}): SessionIdentity => ({
  ...{ userId: 'ada', agentId: 'coder', surface: null, executionMode: null, parentSessionId: null, ...changes },
});

describe('who makes a call', () => {
  it('is who says so, where neither token nor session say anything', () => {
    const asked = question('IDE');

    expect(identify(viewer(), asked, null)).toEqual({ question: asked, parentSessionId: null, contradictions: [], isSomebodyElse: false });
    expect(identify(viewer(), asked, session({ userId: null, agentId: null })).question).toEqual(asked);
  });

  it('is in all else as asked, where the session says how it runs', () => {
    expect(identify(viewer(), question(), session({ surface: 'CI', executionMode: 'BACKGROUND', parentSessionId: 'p' }))).toEqual({
      question: { ...question(), circumstances: { ...question().circumstances, surface: 'CI', executionMode: 'BACKGROUND' } },
      parentSessionId: 'p',
      contradictions: [],
      isSomebodyElse: false,
    });
  });

  const byToken = { field: 'agentId', claimed: 'coder', known: 'robot' };
  it.each([
    ['the token', 'robot', null, [byToken]],
    ['the token and the session, which agree', 'robot', session({ agentId: 'robot', surface: 'CI' }), [byToken]],
    ['both, each otherwise', 'robot', session(), [byToken, { field: 'agentId', claimed: 'robot', known: 'coder' }]],
    ['the session', null, session({ agentId: 'robot' }), [byToken]],
    [
      'a session of somebody else',
      null,
      session({ userId: 'bob', agentId: 'robot', surface: 'CI' }),
      [{ field: 'userId', claimed: 'ada', known: null }],
    ],
  ] as const)('is somebody else by %s, and of how that runs nothing is taken over', (_what, agentId, known, contradictions) => {
    expect(identify(viewer(agentId), question('IDE'), known)).toEqual({
      question: { ...question('IDE'), agentId: agentId ?? 'coder' },
      parentSessionId: null,
      contradictions,
      isSomebodyElse: true,
    });
  });
});
