import type { JsonEntity, JsonUid } from './oracle.js';

// Values that have told implementations of Cedar apart, or could: in Cedar's JSON format, integers beyond 2^53 as BigInts.

const call = (fn: string, ...args: readonly unknown[]): unknown => ({ __extn: args.length === 1 ? { fn, arg: args[0] } : { fn, args } });
const entity = (type: string, id: string): unknown => ({ __entity: { type, id } });
const momentOf = (milliseconds: number | bigint): unknown =>
  call('offset', call('datetime', '1970-01-01'), call('duration', `${milliseconds}ms`));

const LONGS = [
  ...[0, 1, -1, 2, -3, 255, 256, 2 ** 31, -(2 ** 31) - 1, 3_037_000_500, 2 ** 53 - 1, -(2 ** 53) + 1, 999_999_999_999_999],
  ...[2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n), 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 63n) + 1n],
];

const ENTITIES = [
  entity('User', 'ada'),
  entity('Group', 'ada'),
  entity('User', 'bob'),
  entity('Group', 'staff'),
  entity('Group', 'all'),
  entity('User', 'nobody'),
  entity('Na::Me', 'a"b\\c::"d"'),
  entity('User', ''),
];

const TEXTS = [
  '',
  'a',
  'b',
  'path',
  'ab',
  'a*b',
  'aab',
  'Ab',
  'é',
  'e\u0301',
  '😀',
  '\u0000',
  '\u0000a',
  '\\',
  '"',
  '__proto__',
  'constructor',
  '\u0000entity "User::\\"ada\\""',
];

const SETS = [
  [],
  [1],
  [1, 2],
  [2, 1, 1],
  ['a'],
  ['\u0000a', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', true, 1, entity('User', 'ada'), [1], { a: 1 }],
  [entity('User', 'ada')],
  [entity('Group', 'all'), entity('User', 'nobody')],
  [entity('Group', 'all'), 1],
  [[1], [1, 1]],
  [{ a: 1 }, call('ip', '127.0.0.1')],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 2n ** 63n - 1n],
  [2n ** 63n - 1n, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1],
];

const RECORDS = [{}, { a: 1 }, { a: 1, b: { c: 'x' } }, { b: { c: 'x' }, a: 1 }, { a: 2 }, JSON.parse('{"__proto__":1,"a":"*"}')];

const DECIMALS = ['0.0', '0.0001', '-0.0001', '-0.0', '1.5', '1.5000', '-1.5', '922337203685477.5807', '-922337203685477.5808'].map(
  (text) => call('decimal', text),
);

const ADDRESSES = [
  ...['127.0.0.1', '127.0.0.1/32', '127.0.0.0/8', '126.0.0.0/7', '10.1.2.3/8', '10.0.0.0/8', '0.0.0.0/0', '224.0.0.1', '224.0.0.0/3'],
  ...['::1', '::1/127', '::', '::/0', 'ff00::/8', 'ff02::1/7', 'fe80::1/64', '0:0:0:0:0:0:0:1', '::7f00:1', '255.255.255.255/31'],
].map((text) => call('ip', text));

const MOMENTS = [
  call('datetime', '1970-01-01'),
  momentOf(1),
  call('datetime', '1969-12-31T23:59:59.999Z'),
  call('datetime', '2026-11-22T09:30:00.123+0130'),
  momentOf(-86_400_000),
  momentOf(-(2n ** 63n)),
  momentOf(2n ** 63n - 1n),
  momentOf(2n ** 53n + 1n),
];

const DURATIONS = [
  '0ms',
  '1ms',
  '-1ms',
  '86400s',
  '1d',
  '-1d2h3m4s5ms',
  '90061001ms',
  '-86399999ms',
  '9007199254739999ms',
  '-9007199254740993ms',
]
  .concat(['9223372036854775807ms', '-9223372036854775808ms'])
  .map((text) => call('duration', text));

const KINDS: readonly (readonly unknown[])[] = [
  [true, false],
  LONGS,
  TEXTS,
  ENTITIES,
  SETS,
  RECORDS,
  DECIMALS,
  ADDRESSES,
  MOMENTS,
  DURATIONS,
];

/** Values of every type. */
export const VALUES: readonly unknown[] = KINDS.flat();

const isEverythingAsked = process.env['CEDAR_ALL'] === '1';

/**
 * Values to stand beside this one: all of its own type, and of every other the second and the third, which are near
 * each other where they are written as numbers; beside a set, all. With CEDAR_ALL=1, all beside all.
 */
export function partnersOf(value: unknown): readonly unknown[] {
  if (isEverythingAsked || SETS.some((set) => set === value)) return VALUES;
  return KINDS.flatMap((kind) => (kind.includes(value) ? kind : kind.slice(1, 3)));
}

const readAsAddresses =
  '1.2.3.4|1.2.3.4/|1.2.3.4/32|1.2.3.4/33|1.2.3.4/100|1.2.3.4/032|1.2.3.4/+5|1.2.3.4/0|1.2.3.4/8/8|1.2.3.4/٣|01.2.3.4|0.0.0.00|1.2.3|/| 1.2.3.4|' +
  '256.1.1.1|１.2.3.4|::|::1/128|::1/129|::1/064|::1/0000|1::2::3|1:2:3:4:5:6:7:8|1:2:3:4:5:6:7::|::2:3:4:5:6:7:8|1:2:3:4:5:6:7:8::|:::|::g|' +
  '1:2:3:4::5:6:7:8|1:2:3:4:5:6:7:8:9|::ffff:1.2.3.4|1:2:3:4:5:6:1.2.3.4|::1.2|ABCD::ef|abcd::EF|12345::|0001::|00001::|1::|::1%eth0|[::1]|:1|1:';
const readAsDecimals =
  '1.0|-1.0|+1.0|1.|.5|1.00000|1.1234|-0.0|0.0|-0.5|0.5|922337203685477.5807|922337203685477.5808|-922337203685477.5808|-922337203685477.5809|' +
  '00.1|0.10|1.2\n|١.٢|1e1.0|--1.0|-.5|99999999999999999999.0';
const readAsMoments =
  '2026-11-22|9999-12-31|0000-01-01|0000-02-29|0099-03-01|1900-02-29|2000-02-29|2023-02-29|2024-13-01|2024-00-10|2024-01-00|2024-01-32|2024-1-1|' +
  '2024-01-01T24:00:00Z|2024-01-01T23:59:59.999Z|2024-01-01T23:59:60Z|2024-01-01T23:60:00Z|2024-01-01T23:59:59.9Z|2024-01-01T00:00:00Z|2024-01-01\n|' +
  '2024-01-01T00:00:00+2359|2024-01-01T00:00:00-2359|2024-01-01T00:00:00+2400|2024-01-01T00:00:00+0060|2024-01-01T00:00:00-0000|２024-01-01|' +
  '2024-01-01T00:00:00+00:00|2024-01-01T00:00Z|2024-01-01 00:00:00Z|2024-01-01t00:00:00z|2024-01-01T00:00:00.000|9999-12-31T23:59:59.999-2359|' +
  '0000-01-01T00:00:00.000+2359|2024-01-01T00:00:00.000Z';
const readAsDurations =
  '|-|1d|-1d|24h|1440m|86400s|1h1d|1d1h1m1s1ms|1d 1h|1D|9223372036854775807ms|9223372036854775808ms|-9223372036854775808ms|0d|-0ms|0001ms|1|d|' +
  '-9223372036854775809ms|18446744073709551616ms|106751991167d7h12m55s807ms|106751991167d7h12m55s808ms|-106751991167d7h12m55s808ms|--1d|+1d|' +
  '1d-1h|1m1ms|1ms1s|1s\n|999999999999d';

const FAMILIES = [readAsAddresses, readAsDecimals, readAsMoments, readAsDurations].map((texts) => texts.split('|'));

/** Texts that functions take, or nearly. */
export const WRITTEN: readonly string[] = FAMILIES.flat();

/** Texts to stand beside this one: all that are written for the same function. */
export const relativesOf = (text: string): readonly string[] =>
  isEverythingAsked ? WRITTEN : (FAMILIES.find((family) => family.includes(text)) ?? []);

/** The patterns of `like`. */
export const PATTERNS: readonly (readonly ('*' | string)[])[] = [
  ...[
    [],
    ['*'],
    ['*', '*'],
    ['a'],
    ['a', '*'],
    ['*', 'b'],
    ['a', '*', 'b'],
    ['*', 'a', '*'],
    ['a', '*', 'a', '*', 'b'],
    ['*', 'ab', '*', 'b'],
  ],
  ...[['ab', '*', 'b'], ['😀'], ['*', '😀', '*'], ['\u0000', '*'], ['*', '\\', '*'], ['a', '*', '*', 'b'], ['*', 'a', 'a', '*', 'b']],
];

const uid = (type: string, id: string): JsonUid => ({ type, id });

/** ada is of the staff, which is part of all; an action that is part of another. */
export const PEOPLE: readonly JsonEntity[] = [
  { uid: uid('User', 'ada'), attrs: { a: 1, b: { c: 'x' }, self: entity('User', 'ada') }, parents: [uid('Group', 'staff')], tags: { path: '/etc', a: 'b' } }, // prettier-ignore
  { uid: uid('User', 'bob'), attrs: {}, parents: [uid('Group', 'ghosts')], tags: {} },
  { uid: uid('Group', 'staff'), attrs: { a: 'staff' }, parents: [uid('Group', 'all')] },
  { uid: uid('Group', 'all'), attrs: {}, parents: [], tags: JSON.parse('{"__proto__":"p"}') },
  { uid: uid('Na::Me', 'a"b\\c::"d"'), attrs: JSON.parse('{"__proto__":{"c":1}}'), parents: [uid('User', 'ada'), uid('Group', 'all')] },
  { uid: uid('Action', 'read'), attrs: {}, parents: [uid('Action', 'any')] },
];
