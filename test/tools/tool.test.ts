import { describe, expect, it } from '@jest/globals';
import { partsOf, RISKS, UNKNOWN_RISK } from '../../src/tools/index.js';
import { annotatedActionType, digestOf, type Definition } from '../../src/tools/tool.js';

describe('what a tool can do, by its annotations', () => {
  it.each([
    // readOnlyHint, destructiveHint
    [true, true, 'DESTROY'],
    [true, false, 'READ'],
    [true, null, 'READ'],
    [false, true, 'DESTROY'],
    [false, false, 'WRITE'],
    [false, null, 'WRITE'],
    [null, true, 'DESTROY'],
    [null, false, 'WRITE'],
    [null, null, 'DESTROY'],
  ] as const)('read-only %s, destructive %s: %s', (readOnlyHint, destructiveHint, actionType) => {
    for (const rest of [true, false, null]) {
      expect(annotatedActionType({ readOnlyHint, destructiveHint, idempotentHint: rest, openWorldHint: rest })).toBe(actionType);
    }
  });

  it('is more dangerous the less is known', () => {
    expect([RISKS.READ, RISKS.WRITE, RISKS.DESTROY, UNKNOWN_RISK]).toEqual([1, 2, 3, 4]);
  });
});

describe('a canonical id', () => {
  it.each([
    ['com.example/read', 'com.example', 'read'],
    ['io.github.acme/files/read_file', 'io.github.acme/files', 'read_file'],
    ['@scope/server/tool.v2', '@scope/server', 'tool.v2'],
  ])('%s is of the server %s and the name %s', (id, server, name) => {
    expect(partsOf(id)).toEqual({ server, name });
  });
});

describe('the digest of a definition', () => {
  const definition: Definition = {
    name: 'read',
    description: 'Reads.',
    inputSchema: { type: 'object', properties: { path: { type: 'string', maxLength: 100 }, deep: { a: [1, 2] } } },
    outputSchema: null,
  };

  it('is SHA-256 of the canonical JSON, the same on every machine', () => {
    expect(digestOf({ name: 'n', description: null, inputSchema: { b: 1, a: [true] }, outputSchema: null })).toBe(
      '83b53be280e4a561f9f49936e350f47297386915d8988262e61e92b171601a52',
    );
  });

  it('does not change with the order of keys', () => {
    expect(
      digestOf({
        ...definition,
        inputSchema: { properties: { deep: { a: [1, 2] }, path: { maxLength: 100, type: 'string' } }, type: 'object' },
      }),
    ).toBe(digestOf(definition));
  });

  it.each<[string, Partial<Definition>]>([
    ['name', { name: 'reads' }],
    ['description', { description: 'Reads!' }],
    ['description to none', { description: null }],
    ['input schema', { inputSchema: { type: 'object' } }],
    [
      'order of a list in the input schema',
      { inputSchema: { type: 'object', properties: { path: { type: 'string', maxLength: 100 }, deep: { a: [2, 1] } } } },
    ],
    ['output schema', { outputSchema: {} }],
  ])('changes with the %s', (_what, change) => {
    expect(digestOf({ ...definition, ...change })).not.toBe(digestOf(definition));
  });
});
