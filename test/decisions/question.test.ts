import { describe, expect, it } from '@jest/globals';
import { parseQuestion } from '../../src/decisions/parse-question.js';
import { MAX_ARGUMENTS_CHARACTERS, questionDigest, type Question } from '../../src/decisions/question.js';

const aQuestion = (more: Partial<Question> = {}): Question => ({
  requestId: 'r',
  agentId: 'a',
  projectId: 'p',
  tool: 't',
  arguments: { x: 1, y: { z: [1, 2] } },
  sessionId: null,
  callId: null,
  circumstances: { environment: null, branch: null, isBranchProtected: null, surface: null, executionMode: null },
  promises: [],
  ...more,
});

describe('what makes two questions the same one', () => {
  it('is everything but the request id and the order of keys', () => {
    expect(questionDigest(aQuestion({ requestId: null, arguments: { y: { z: [1, 2] }, x: 1 } }))).toBe(questionDigest(aQuestion()));
  });

  it.each<[string, Partial<Question>]>([
    ['agent', { agentId: 'b' }],
    ['project', { projectId: 'q' }],
    ['tool', { tool: 'u' }],
    ['arguments', { arguments: { x: '1', y: { z: [1, 2] } } }],
    ['order of a list', { arguments: { x: 1, y: { z: [2, 1] } } }],
    ['session', { sessionId: 's' }],
    ['call', { callId: 'c' }],
    ['environment', { circumstances: { ...aQuestion().circumstances, environment: 'staging' } }],
    ['promise', { promises: ['redact'] }],
  ])('is another question with another %s', (_what, more) => {
    expect(questionDigest(aQuestion(more))).not.toBe(questionDigest(aQuestion()));
  });
});

describe('parseQuestion', () => {
  it('leaves what is absent null, and the arguments empty', () => {
    expect(parseQuestion({ agentId: 'a', projectId: 'p', tool: 't' }).data).toEqual(aQuestion({ requestId: null, arguments: {} }));
  });

  it('takes arguments of exactly the most characters, and not one more', () => {
    const withJson = (characters: number) =>
      parseQuestion(aQuestion({ arguments: { a: 'x'.repeat(characters - '{"a":""}'.length) } })).success;

    expect([withJson(MAX_ARGUMENTS_CHARACTERS), withJson(MAX_ARGUMENTS_CHARACTERS + 1)]).toEqual([true, false]);
  });

  it('is done with arguments nested 100,000 deep before anybody else notices', () => {
    let deep: object = {};
    for (let level = 0; level < 100_000; level += 1) deep = { deep };
    const startedAt = performance.now();

    const parsed = parseQuestion({ ...aQuestion(), arguments: deep });

    expect(parsed.error?.issues).toEqual([
      expect.objectContaining({
        path: ['arguments'],
        message: expect.stringMatching(/^arguments\.[^ ]+ must not be nested deeper than 64 levels$/),
      }),
    ]);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
