import { describe, expect, it } from '@jest/globals';
import { hashOf, isUuid, uuidV7 } from '../../src/kernel/index.js';

const ones = Buffer.alloc(32, 0xff);
const zeros = Buffer.alloc(32, 0);

describe('uuidV7', () => {
  it.each([
    ['the example of RFC 9562, A.6', 0x017f22e279b0, Buffer.from('0cc318c4dc0c0c07398f', 'hex'), '017f22e2-79b0-7cc3-98c4-dc0c0c07398f'],
    ['1970 and no bit', 0, zeros, '00000000-0000-7000-8000-000000000000'],
    ['the last moment and every bit', 2 ** 48 - 1, ones, 'ffffffff-ffff-7fff-bfff-ffffffffffff'],
  ])('holds the time, then version, variant and hash: %s', (_what, milliseconds, hash, id) => {
    expect(uuidV7(milliseconds, hash)).toBe(id);
    expect(isUuid(id)).toBe(true);
  });

  it('is the same for the same moment and hash, and another one for another of either', () => {
    const id = uuidV7(1_000, hashOf('acme', '/service', 'a'));

    expect(uuidV7(1_000, hashOf('acme', '/service', 'a'))).toBe(id);
    expect([uuidV7(1_001, hashOf('acme', '/service', 'a')), uuidV7(1_000, hashOf('acme', '/service', 'b'))]).not.toContain(id);
  });

  it('sorts as text by time', () => {
    const times = [0, 1, 255, 256, 65_536, 1_700_000_000_000, 1_700_000_000_001];

    const ids = times.map((time, index) => uuidV7(time, index % 2 === 0 ? ones : zeros));

    expect([...ids].sort()).toEqual(ids);
  });

  it.each([[-1], [2 ** 48]])('refuses a time that it cannot hold: %i', (milliseconds) => {
    expect(() => uuidV7(milliseconds, ones)).toThrow('out of range');
  });
});

describe('hashOf', () => {
  it.each([
    [
      ['ab', 'c'],
      ['a', 'bc'],
    ],
    [['a', ''], ['a']],
    [['1'], [1]],
    [['null'], [null]],
    [['a","b'], ['a', 'b']],
  ])('tells %j from %j', (left, right) => {
    expect(hashOf(...left)).not.toEqual(hashOf(...right));
  });
});

it.each([
  ['017F22E2-79B0-7CC3-98C4-DC0C0C07398F'],
  ['017f22e279b07cc398c4dc0c0c07398f'],
  ['{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}'],
  [''],
  ['017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n'],
  ['017f22e2-79b0-7cc3-98c4-dc0c0c07398g'],
])('isUuid refuses what is not written as ids are: %j', (text) => {
  expect(isUuid(text)).toBe(false);
});
