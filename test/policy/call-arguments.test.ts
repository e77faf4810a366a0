import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/kernel/index.js';
import {
  MAX_ARGUMENT_DEPTH,
  MAX_ARGUMENT_NAME_CHARACTERS,
  MAX_ARGUMENT_NAMES,
  MAX_LIST_VALUES,
  readArguments,
} from '../../src/policy/call-arguments.js';

/** Everything that policies see, as plain values; what is empty is left out. */
function seen(given: JsonObject): Readonly<Record<string, unknown>> {
  const { texts, numbers, flags, lists, names, rounded, isComplete } = readArguments(given);
  const all = {
    texts: Object.fromEntries(texts),
    numbers: Object.fromEntries(numbers),
    flags: Object.fromEntries(flags),
    lists: Object.fromEntries([...lists].map(([name, values]) => [name, [...values]])),
    names: [...names],
    rounded: [...rounded],
  };
  return { ...Object.fromEntries(Object.entries(all).filter(([, value]) => Object.keys(value).length > 0)), isComplete };
}

describe('arguments as policies see them', () => {
  it.each<[string, JsonObject, object]>([
    ['nothing', {}, {}],
    ['a text', { a: 'x' }, { texts: { a: 'x' }, lists: { a: ['x'] }, names: ['a'] }],
    ['a whole number', { a: -12 }, { texts: { a: '-12' }, numbers: { a: -12 }, lists: { a: ['-12'] }, names: ['a'] }],
    ['a flag', { a: false }, { texts: { a: 'false' }, flags: { a: false }, lists: { a: ['false'] }, names: ['a'] }],
    ['null and an empty object', { a: null, b: {} }, { names: ['a', 'b'] }],
    ['a list', { a: ['x', 2, true, null, 'x'] }, { lists: { a: ['x', '2', 'true'] }, names: ['a'] }],
    ['an empty list', { a: [] }, { lists: { a: [] }, names: ['a'] }],
    ['a list of lists', { a: [['x'], [['y']], []] }, { lists: { a: ['x', 'y'] }, names: ['a'] }],
    ['members', { a: { b: { c: 1 } } }, { texts: { 'a.b.c': '1' }, numbers: { 'a.b.c': 1 }, lists: { 'a.b.c': ['1'] }, names: ['a.b.c'] }],
    [
      'members in a list',
      { a: [{ b: 1 }, { b: 'x', c: { d: true } }] },
      { lists: { a: [], 'a.b': ['1', 'x'], 'a.c.d': ['true'] }, names: ['a', 'a.b', 'a.c.d'] },
    ],
    ['an empty name', { '': { '': 'x' } }, { texts: { '.': 'x' }, lists: { '.': ['x'] }, names: ['.'] }],
  ])('%s', (_what, given, expected) => {
    expect(seen(given)).toEqual({ ...expected, isComplete: true });
  });

  it.each([
    [0.1, 1],
    [12.5, 13],
    [-12.5, -13],
    [1e300, Number.MAX_SAFE_INTEGER],
    [-1e300, -Number.MAX_SAFE_INTEGER],
    [2 ** 53, Number.MAX_SAFE_INTEGER],
    [Number.MIN_VALUE, 1],
  ])('a number that is not exact is rounded away from zero, within bounds: %d to %d', (given, whole) => {
    expect(seen({ a: given })).toMatchObject({ numbers: { a: whole }, rounded: ['a'], texts: { a: String(given) } });
  });

  it.each([0, 1, -1, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER])('a whole number is as it is: %d', (given) => {
    const { numbers, rounded } = readArguments({ a: given });

    expect([numbers.get('a'), [...rounded]]).toEqual([given, []]);
  });

  it('take no name for anything else', () => {
    const given: JsonObject = JSON.parse(
      '{"__proto__": "a", "constructor": {"__proto__": 1}, "toString": ["b"], "__entity": {"type": "User", "id": "root"}}',
    );
    const { texts, lists } = readArguments(given);

    expect([...texts]).toEqual([
      ['__proto__', 'a'],
      ['constructor.__proto__', '1'],
      ['__entity.type', 'User'],
      ['__entity.id', 'root'],
    ]);
    expect([...(lists.get('toString') ?? [])]).toEqual(['b']);
  });
});

describe('arguments of which not all can be shown', () => {
  const nested = (levels: number): JsonObject => (levels === 1 ? { a: 'x' } : { a: nested(levels - 1) });
  const names = (count: number): JsonObject => Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, n]));
  const values = (count: number): JsonObject => ({ a: Array.from({ length: count }, (_, n) => n) });

  it.each<[string, (most: number) => JsonObject, number]>([
    ['names', names, MAX_ARGUMENT_NAMES],
    ['values in lists', values, MAX_LIST_VALUES],
    ['levels', nested, MAX_ARGUMENT_DEPTH],
    ['characters in a name', (length) => ({ ['x'.repeat(length)]: 1 }), MAX_ARGUMENT_NAME_CHARACTERS],
  ])('have one too many %s', (_what, made, most) => {
    expect([readArguments(made(most)).isComplete, readArguments(made(most + 1)).isComplete]).toEqual([true, false]);
  });

  it.each<[string, JsonObject]>([
    ['a name with a dot and a member', { 'a.b': '/tmp', a: { b: '/etc/passwd' } }],
    ['the same the other way round', { a: { b: '/etc/passwd' }, 'a.b': '/tmp' }],
    ['dots in two places', { 'a.b': { c: 1 }, a: { 'b.c': 2 } }],
    ['nothing and something', { 'a.b': null, a: { b: 1 } }],
    ['a list and a text', { 'a.b': ['x'], a: { b: 'y' } }],
  ])('have one name for two of them: %s', (_what, given) => {
    expect(readArguments(given).isComplete).toBe(false);
  });

  it('are looked through in no time, however large', () => {
    let deep: JsonObject = { x: 1 };
    for (let level = 0; level < 60; level += 1) deep = { ['k'.repeat(1_000)]: deep, ['l'.repeat(1_000)]: [1, 2, 3] };
    const startedAt = performance.now();

    expect(readArguments({ deep, wide: Array.from({ length: 50_000 }, (_, n) => ({ [`n${n}`]: n })) }).isComplete).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
