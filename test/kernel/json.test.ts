import { describe, expect, it } from '@jest/globals';
import { createRequire } from 'node:module';
import { canonicalJson, isExactInteger, jsonProblem, parseJson } from '../../src/kernel/index.js';
import { aRandom } from '../support/random.js';
import { aRandomJson } from './random-json.js';

/** Another implementation of RFC 8785, which has nothing of ours in it. */
const oracle = createRequire(import.meta.url)('canonicalize') as (value: unknown) => string;

describe('canonicalJson', () => {
  // RFC 8785, appendix B: IEEE 754 doubles by their bits, and the text that they must have.
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
  ])('writes the double %s as %s', (bits, text) => {
    expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE(0))).toBe(text);
  });

  it('sorts members by UTF-16 code units, as in RFC 8785, section 3.2.3', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\u{1f600}': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };

    expect(canonicalJson(value)).toBe(
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    );
  });

  it('escapes as in RFC 8785, section 3.2.2.2, and keeps what it may', () => {
    expect(canonicalJson('\u20ac$\u000f\nA\'B"\\\\"/\u007f\u2028')).toBe('"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/\u007f\u2028"');
  });

  it('keeps a member called __proto__, at its place', () => {
    expect(canonicalJson(JSON.parse('{"b":1,"__proto__":{"a":2}}'))).toBe('{"__proto__":{"a":2},"b":1}');
  });

  it('leaves out members that are undefined', () => {
    expect(canonicalJson({ b: undefined, a: null })).toBe('{"a":null}');
  });

  it.each([...Array(40).keys()])('agrees with another implementation on random values (seed %i)', (seed) => {
    const random = aRandom(seed);
    const values = Array.from({ length: 50 }, () => aRandomJson(random, 5));

    expect(values.map(canonicalJson)).toEqual(values.map(oracle));
    expect(values.map((value) => JSON.parse(canonicalJson(value)))).toEqual(values.map((value) => JSON.parse(JSON.stringify(value))));
  });

  it.each([
    ['a lone high surrogate', '\ud800'],
    ['a lone low surrogate', 'x\udc00'],
    ['surrogates the wrong way round', '\udc00\ud800'],
    ['such a member name', { '\udfff': 1 }],
    ['NaN', [NaN]],
    ['Infinity', { a: Infinity }],
  ])('has no form for %s', (_what, value) => {
    expect(() => canonicalJson(value)).toThrow(RangeError);
  });
});

describe('jsonProblem', () => {
  const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

  it.each([
    ['as deep as allowed', { data: nested(3) }, null],
    ['one level too deep', { data: nested(5) }, { path: 'event.data.0', reason: 'must not be nested deeper than 4 levels' }],
    [
      'one level too deep behind something else',
      { data: { a: { b: { c: { d: {} } } }, e: 1 } },
      { path: 'event.data.a', reason: 'must not be nested deeper than 4 levels' },
    ],
    ['nested a million levels deep', nested(1_000_000), { path: 'event.0.0', reason: 'must not be nested deeper than 4 levels' }],
    [
      'something wrong under a very long name',
      { ['x'.repeat(1_000_000)]: '\ud800' },
      { path: `event.${'x'.repeat(293)}…`, reason: 'must be well-formed Unicode, without half of a surrogate pair' },
    ],
    [
      'a lone surrogate',
      { data: { tool_args: ['fine', 'not \ud83d fine'] } },
      { path: 'event.data.tool_args.1', reason: 'must be well-formed Unicode, without half of a surrogate pair' },
    ],
    ['a pair of surrogates', { data: '😀' }, null],
    [
      'a member name with a lone surrogate',
      { data: { '\udc00': 1 } },
      { path: 'event.data', reason: 'must have member names that are well-formed Unicode' },
    ],
    [
      'a lone surrogate under __proto__',
      JSON.parse('{"__proto__":{"x":"\\ud800"}}'),
      { path: 'event.__proto__.x', reason: 'must be well-formed Unicode, without half of a surrogate pair' },
    ],
    [
      'a number beyond all doubles',
      JSON.parse('{"data":{"n":[1e400]}}'),
      { path: 'event.data.n.0', reason: 'must be a number that a double can hold' },
    ],
    ['the largest double', { data: Number.MAX_VALUE }, null],
  ])('finds what is wrong with %s', (_what, value, problem) => {
    expect(jsonProblem(value, 'event', 4)).toEqual(problem);
  });

  it.each([...Array(20).keys()])('passes exactly what has a canonical form (seed %i)', (seed) => {
    const random = aRandom(seed);
    const bad = [Infinity, '\ud800', { '\udc00': null }];
    const values = Array.from({ length: 20 }, () => ({
      data: [aRandomJson(random, 4), ...(random.below(2) === 0 ? [random.pick(bad)] : [])],
    }));

    const hasForm = (value: unknown): boolean => {
      try {
        return canonicalJson(value) !== '';
      } catch (error) {
        if (error instanceof RangeError) return false;
        throw error;
      }
    };
    expect(values.map((value) => jsonProblem(value, 'event', 64) === null)).toEqual(values.map(hasForm));
  });
});

describe('parseJson', () => {
  const INEXACT = 'must be a whole number that a double can hold exactly, or be sent as a string';

  it.each([
    '{"a":[1,-2.5e3,"x",true,null],"b":{"c":""}}',
    '[9007199254740991,-9007199254740991,9007199254740992,1000000000000000000,12345678901234567000]',
    '{"id":"12345678901234567890","text":"a 1234567890123456789 b","\\u0022":"\\"12345678901234567891"}',
    '[1.2345678901234567890123,1234567890123456.5,1e400,12345678901234567e3]',
    '"\\\\12345678901234567890"',
    '{"12345678901234567891":1}',
  ])('is JSON.parse where nothing is lost: %s', (text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text));
    expect(jsonProblem(parseJson(text.replace('1e400', '1')), 'it', 10)).toBeNull();
  });

  it.each([
    ['[1,{"account":9007199254740993}]', 'it.1.account'],
    ['{"a":"12345678901234567891","b":-12345678901234567891}', 'it.b'],
    ['12345678901234567891', 'it'],
    [`[${'9'.repeat(400)}]`, 'it.0'],
    [`{"a":${'1'.repeat(200_000)}}`, 'it.a'],
  ])('lets nobody take a number for another one: %s', (text, path) => {
    expect(jsonProblem(parseJson(text), 'it', 10)).toEqual({ path, reason: INEXACT });
  });

  it.each(['{', '[1,]', '"12345678901234567891', '{"a":012345678901234567891x}', ''])('throws where JSON.parse does: %s', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });

  it.each([
    ['0', true],
    ['-9007199254740992', true],
    ['9007199254740993', false],
    ['1000000000000000000000', true],
    ['1000000000000000000001', false],
    ['9'.repeat(309), false],
  ])('knows what a double holds: %s', (digits, isExact) => {
    expect(isExactInteger(digits)).toBe(isExact);
  });
});
