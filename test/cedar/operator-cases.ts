import { constantOf } from '../../src/cedar/compile.js';
import { isFailed } from '../../src/cedar/outcome.js';
import { readExpression } from '../../src/cedar/read-expression.js';
import { START } from '../../src/cedar/refusal.js';
import type { Value } from '../../src/cedar/index.js';
import type { Case } from './cases.js';
import type { JsonRequest } from './oracle.js';
import { partnersOf, PATTERNS, PEOPLE, relativesOf, VALUES, WRITTEN } from './pool.js';

/** An expression in Cedar's JSON form. */
type Json = unknown;
type Make = (left: Json, right: Json) => Json;

const plain = (operator: string): [string, Make] => [operator, (left, right) => ({ [operator]: { left, right } })];
const call = (name: string): [string, Make] => [name, (left, right) => ({ [name]: [left, right] })];
const one = (name: string): [string, Make] => [name, (left) => ({ [name]: [left] })];
const has = (attr: string | readonly string[]): [string, Make] => [`has ${JSON.stringify(attr)}`, (left) => ({ has: { left, attr } })];
const like = (pattern: readonly string[]): [string, Make] => [
  `like ${JSON.stringify(pattern)}`,
  (left) => ({ like: { left, pattern: pattern.map((piece) => (piece === '*' ? 'Wildcard' : { Literal: piece })) } }),
];

/** Operators whose value is a boolean, whatever else they are given. */
const CONDITIONS: ReadonlyMap<string, Make> = new Map([
  ...['==', '!=', 'in', '<', '<=', '>', '>=', '&&', '||', 'contains', 'containsAll', 'containsAny', 'hasTag'].map(plain),
  ...['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual', 'isInRange'].map(call),
  ...['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'].map(one),
  ...['a', '__proto__', 'toString', ['a', 'b'], ['b', 'c'], ['self', 'self', 'b', 'c'], ['__proto__', 'c']].map(has),
  ...PATTERNS.map(like),
  ['!', (arg): Json => ({ '!': { arg } })],
  ['itself', (left): Json => left],
  ['isEmpty', (arg): Json => ({ isEmpty: { arg } })],
  ['is', (left): Json => ({ is: { left, entity_type: 'User' } })],
  ['is in', (left, right): Json => ({ is: { left, entity_type: 'User', in: right } })],
  ['in a set', (left, right): Json => ({ in: { left, right: { Set: [right, { Var: 'principal' }] } } })],
  ['if', (left, right): Json => ({ 'if-then-else': { if: left, then: right, else: { Value: true } } })],
  ['if not', (left, right): Json => ({ 'if-then-else': { if: left, then: { Value: 7 }, else: right } })],
  ['no arguments', (): Json => ({ ip: [] })],
  ['too many', (left, right): Json => ({ '||': { left: { isIpv4: [left, right] }, right: { Value: true } } })],
]);

/** Operators that have other values: what ours say is given to Cedar to compare. */
const CALCULATIONS: ReadonlyMap<string, Make> = new Map([
  ...['+', '-', '*'].map(plain),
  ...['offset', 'durationSince'].map(call),
  ...['toDate', 'toTime', 'toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'].map(one),
  ['neg', (arg): Json => ({ neg: { arg } })],
  ['Set', (left, right): Json => ({ Set: [left, right, left] })],
  ['Record', (left, right): Json => ({ Record: { b: right, a: left } })],
  ['if value', (left, right): Json => ({ 'if-then-else': { if: { '==': { left, right } }, then: right, else: left } })],
]);

/** What functions make of texts. */
const READINGS: ReadonlyMap<string, Make> = new Map([
  ['same ip', (left, right): Json => ({ '==': { left: { ip: [left] }, right: { ip: [right] } } })],
  ['in range', (left, right): Json => ({ isInRange: [{ ip: [left] }, { ip: [right] }] })],
  ['same decimal', (left, right): Json => ({ '==': { left: { decimal: [left] }, right: { decimal: [right] } } })],
  ['smaller decimal', (left, right): Json => ({ lessThan: [{ decimal: [left] }, { decimal: [right] }] })],
  ['earlier', (left, right): Json => ({ '<': { left: { datetime: [left] }, right: { datetime: [right] } } })],
  ['same moment', (left, right): Json => ({ '==': { left: { datetime: [left] }, right: { datetime: [right] } } })],
  ['shorter', (left, right): Json => ({ '<': { left: { duration: [left] }, right: { duration: [right] } } })],
  ['as long', (left, right): Json => ({ '==': { left: { duration: [left] }, right: { duration: [right] } } })],
]);

/** What functions make of one text, in a form whose value can be compared. */
const MEASURES: ReadonlyMap<string, Make> = new Map([
  ['moment', (left): Json => ({ durationSince: [{ datetime: [left] }, { datetime: [{ Value: '1970-01-01' }] }] })],
  ['length', (left): Json => ({ toMilliseconds: [{ duration: [left] }] })],
]);

const policy = (body: Json): Json => ({
  effect: 'permit',
  principal: { op: 'All' },
  action: { op: 'All' },
  resource: { op: 'All' },
  conditions: [{ kind: 'when', body }],
});

const policiesOf = (operators: ReadonlyMap<string, Make>, left: Json, right: Json): Readonly<Record<string, Json>> =>
  Object.fromEntries([...operators].map(([name, make]) => [name, policy(make(left, right))]));

const context = (name: string): Json => ({ '.': { left: { Var: 'context' }, attr: name } });
const value = (json: unknown): Json => ({ Value: json });

const requestWith = (values: Readonly<Record<string, unknown>>): JsonRequest => ({
  principal: { type: 'User', id: 'ada' },
  action: { type: 'Action', id: 'read' },
  resource: { type: 'Group', id: 'staff' },
  context: values,
});

type Pair = Readonly<Record<'l' | 'r', unknown>>;

const PAIRS: readonly Pair[] = VALUES.flatMap((l) => partnersOf(l).map((r) => ({ l, r })));

/** Every operator on two values, both from the request. */
export const operatorsOnRequests = (): Case => ({
  policies: policiesOf(CONDITIONS, context('l'), context('r')),
  entities: PEOPLE,
  requests: PAIRS.map(requestWith),
});

/** Every operator with each value as a literal of the policy, on the right or, in turns, on the left of others. */
export function* operatorsOnLiterals(): Generator<Case> {
  const operators = new Map([...CONDITIONS, ...[...CALCULATIONS].map(compared)]);
  for (const [index, literal] of VALUES.entries()) {
    const [left, right] = index % 2 === 0 ? [context('l'), value(literal)] : [value(literal), context('l')];
    const requests = partnersOf(literal).map((l) => requestWith({ l, expected: {} }));
    yield { policies: policiesOf(operators, left, right), entities: PEOPLE, requests };
  }
}

const compared = ([name, make]: [string, Make]): [string, Make] => [
  name,
  (left, right) => ({ '==': { left: make(left, right), right: { '.': { left: context('expected'), attr: name } } } }),
];

/** Every function that reads a text, on every two that are written for it. */
export const functionsOnTexts = (): Case => ({
  policies: policiesOf(READINGS, context('l'), context('r')),
  entities: [],
  requests: WRITTEN.flatMap((l) => relativesOf(l).map((r) => requestWith({ l, r }))),
});

/** Every operator that calculates, on two values; what ours comes to is expected, so that Cedar says whether it is right. */
export const calculations = (): readonly Case[] => [
  calculation(CALCULATIONS, PAIRS),
  calculation(
    MEASURES,
    WRITTEN.map((l) => ({ l, r: '' })),
  ),
];

const calculation = (operators: ReadonlyMap<string, Make>, given: readonly Pair[]): Case => ({
  policies: policiesOf(new Map([...operators].map(compared)), context('l'), context('r')),
  entities: [],
  requests: given.map(({ l, r }) => {
    const values = [...operators].map(([name, make]) => [name, expected(make(value(l), value(r)))]);
    return requestWith({ l, r, expected: Object.fromEntries(values) });
  }),
});

/** What ours comes to; something that nothing comes to when that is an error. */
function expected(expression: Json): unknown {
  const outcome = constantOf(readExpression(expression, START));
  if (outcome === null) throw new Error('The expression depends on the request.');
  return isFailed(outcome) ? 'an error' : jsonOf(outcome);
}

function jsonOf(given: Value): unknown {
  if (typeof given !== 'object') return given;
  switch (given.kind) {
    case 'entity':
      return { __entity: { type: given.type, id: given.id } };
    case 'set':
      return given.members.map(jsonOf);
    case 'record':
      return Object.fromEntries([...given.fields].map(([name, field]) => [name, jsonOf(field)]));
    case 'duration':
      return { __extn: { fn: 'duration', arg: `${given.amount}ms` } };
    case 'datetime':
      return {
        __extn: {
          fn: 'offset',
          args: [{ __extn: { fn: 'datetime', arg: '1970-01-01' } }, jsonOf({ kind: 'duration', amount: given.amount })],
        },
      };
    case 'decimal':
      return { __extn: { fn: 'decimal', arg: decimalText(BigInt(given.amount)) } };
    case 'ip':
      return { __extn: { fn: 'ip', arg: addressText(given) } };
  }
}

function decimalText(amount: bigint): string {
  const digits = String(amount < 0n ? -amount : amount).padStart(5, '0');
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`;
}

function addressText({ version, address, prefix }: Extract<Value, { kind: 'ip' }>): string {
  const bits = version === 4 ? 8n : 16n;
  const parts = Array.from(
    { length: version === 4 ? 4 : 8 },
    (_, index) => (BigInt(address) >> (bits * BigInt(index))) & (2n ** bits - 1n),
  );
  const text = parts.reverse().map((part) => part.toString(version === 4 ? 10 : 16));
  return `${text.join(version === 4 ? '.' : ':')}/${prefix}`;
}
