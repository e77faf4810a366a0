import fc, { type Arbitrary } from 'fast-check';
import type { Case } from './cases.js';
import type { JsonEntity, JsonRequest, JsonUid } from './oracle.js';

// Random policies over a small world, so that they often speak of the same things, and mostly of things that are there.

type Json = unknown;

const uids: readonly JsonUid[] = ['ada', 'bob', 'cleo']
  .map((id): JsonUid => ({ type: 'User', id }))
  .concat(['staff', 'all', 'a"b', 'ada'].map((id) => ({ type: 'Group', id })))
  .concat(['d1', 'd2'].map((id) => ({ type: 'Ns::Doc', id })))
  .concat(['read', 'write', 'any'].map((id) => ({ type: 'Action', id })));
const anyUid = fc.constantFrom(...uids);
const uidOf = (type: string): Arbitrary<JsonUid> => fc.constantFrom(...uids.filter((uid) => uid.type === type));
const types = fc.constantFrom('User', 'Group', 'Ns::Doc', 'Action');
const names = fc.constantFrom('n', 's', 'f', 'set', 'r', 'u', 'd', 'ip', 't', 'p', 'gone', '__proto__');

const call = (fn: string) => (arg: string) => ({ __extn: { fn, arg } });
const longs = fc.constantFrom<number | bigint>(0, 1, 2, -1, 7, 2 ** 53 - 1, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n));
const texts = fc.constantFrom('', 'a', 'ab', 'aXb', 'path', 's', 'n', '\u0000', 'é😀');
const addresses = fc.constantFrom('10.0.0.1', '10.0.0.0/8', '127.0.0.1', '::1', 'ff00::/8', '10.0.0');
const decimals = fc.constantFrom('1.0', '1.0000', '-2.5', '0.0001', '1.00001');
const moments = fc.constantFrom('2026-11-22', '2026-11-22T00:00:00Z', '1969-12-31T23:59:59.001Z', '2026-02-30');
const durations = fc.constantFrom('1d', '24h', '-1ms', '0s', '1w');

/** Values for requests and entities, by the name under which they mostly stand. */
const values: Readonly<Record<string, Arbitrary<Json>>> = {
  n: longs,
  s: texts,
  f: fc.boolean(),
  set: fc.oneof(
    fc.array(longs, { maxLength: 3 }),
    fc.array(texts, { maxLength: 12 }),
    fc.array(
      anyUid.map((uid) => ({ __entity: uid })),
      { maxLength: 3 },
    ),
  ),
  r: fc.record({ n: longs, s: texts, r: fc.constant({ n: 1 }) }, { requiredKeys: [] }),
  u: anyUid.map((uid) => ({ __entity: uid })),
  d: decimals.filter((text) => text !== '1.00001').map(call('decimal')),
  ip: addresses.filter((text) => text !== '10.0.0').map(call('ip')),
  t: moments.filter((text) => text !== '2026-02-30').map(call('datetime')),
  p: durations.filter((text) => text !== '1w').map(call('duration')),
};

/** What stands under a name is missing now and then, and now and then something else. */
const fields = fc
  .record(values, { requiredKeys: [] })
  .chain((given) =>
    fc.oneof({ weight: 9, arbitrary: fc.constant(given) }, { weight: 1, arbitrary: longs.map((n) => ({ ...given, s: n })) }),
  );
const tags = fc.dictionary(fc.constantFrom('path', 'a', 's', '__proto__'), texts, { maxKeys: 3 });

const value = (json: Json): Json => ({ Value: json });
const functionOf = (fn: string) => (text: string) => ({ [fn]: [value(text)] });
const two = (operator: string, left: Arbitrary<Json>, right: Arbitrary<Json>): Arbitrary<Json> =>
  fc.record({ left, right }).map((operands) => ({ [operator]: operands }));
const method = (name: string, ...operands: readonly Arbitrary<Json>[]): Arbitrary<Json> =>
  fc.tuple(...operands).map((list) => ({ [name]: list }));
const oneOf = <Item>(operators: readonly string[], make: (operator: string) => Arbitrary<Item>): Arbitrary<Item> =>
  fc.constantFrom(...operators).chain(make);

interface Expressions {
  readonly bool: Json;
  readonly long: Json;
  readonly text: Json;
  readonly entity: Json;
  readonly set: Json;
  readonly record: Json;
  readonly decimal: Json;
  readonly ip: Json;
  readonly moment: Json;
  readonly duration: Json;
  readonly any: Json;
}

/** Expressions by the type that they mostly have. */
const { bool } = fc.letrec<Expressions>((tie) => {
  /** An operand of this type, or of another one now and then. */
  const of = (type: keyof Expressions): Arbitrary<Json> =>
    fc.oneof({ weight: 14, arbitrary: tie(type) }, { weight: 1, arbitrary: tie('any') });
  const field = (name: string): Arbitrary<Json> =>
    fc
      .oneof(
        { weight: 3, arbitrary: fc.constant<Json>({ Var: 'context' }) },
        { weight: 2, arbitrary: tie('entity') },
        { weight: 1, arbitrary: tie('record') },
      )
      .map((left) => ({ '.': { left, attr: name } }));
  const typed = (leaves: readonly Arbitrary<Json>[], type: keyof Expressions, ...others: readonly Arbitrary<Json>[]): Arbitrary<Json> =>
    fc.oneof(
      { maxDepth: 5, depthSize: 'small', depthIdentifier: 'expression', withCrossShrink: true },
      ...leaves,
      ...others,
      fc.record({ if: of('bool'), then: of(type), else: of(type) }).map((branches) => ({ 'if-then-else': branches })),
    );
  return {
    bool: typed(
      [fc.boolean().map(value), field('f')],
      'bool',
      oneOf(['&&', '||'], (operator) => two(operator, of('bool'), of('bool'))),
      fc.record({ arg: of('bool') }).map((operand) => ({ '!': operand })),
      oneOf(['==', '!='], (operator) =>
        fc
          .constantFrom<keyof Expressions>('long', 'text', 'entity', 'set', 'record', 'decimal', 'ip', 'moment', 'duration', 'any')
          .chain((type) => two(operator, of(type), of(type))),
      ),
      oneOf(['<', '<=', '>', '>='], (operator) =>
        fc.constantFrom<keyof Expressions>('long', 'moment', 'duration').chain((type) => two(operator, of(type), of(type))),
      ),
      fc.oneof(two('in', of('entity'), of('entity')), two('in', of('entity'), of('set'))),
      two('contains', of('set'), of('any')),
      oneOf(['containsAll', 'containsAny'], (operator) => two(operator, of('set'), of('set'))),
      two('hasTag', of('entity'), of('text')),
      fc.record({ arg: of('set') }).map((operand) => ({ isEmpty: operand })),
      fc.record({ left: fc.oneof(of('entity'), of('record'), fc.constant({ Var: 'context' })), attr: fc.oneof(names, fc.array(names, { minLength: 1, maxLength: 3 })) }).map((has) => ({ has })), // prettier-ignore
      fc.record({ left: of('text'), pattern: fc.array(fc.oneof(fc.constant<Json>('Wildcard'), texts.map((Literal) => ({ Literal }))), { maxLength: 4 }) }).map((like) => ({ like })), // prettier-ignore
      fc.record({ left: of('entity'), entity_type: types, in: fc.oneof(of('entity'), of('set')) }, { requiredKeys: ['left', 'entity_type'] }).map((is) => ({ is })), // prettier-ignore
      oneOf(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'], (name) => method(name, of('ip'))),
      method('isInRange', of('ip'), of('ip')),
      oneOf(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'], (name) => method(name, of('decimal'), of('decimal'))),
    ),
    long: typed(
      [longs.map(value), field('n')],
      'long',
      oneOf(['+', '-', '*'], (operator) => two(operator, of('long'), of('long'))),
      fc.record({ arg: of('long') }).map((operand) => ({ neg: operand })),
      oneOf(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'], (name) => method(name, of('duration'))),
    ),
    text: typed([texts.map(value), field('s')], 'text', two('getTag', of('entity'), of('text'))),
    entity: typed(
      [
        anyUid.map((uid) => value({ __entity: uid })),
        fc.constantFrom<Json>({ Var: 'principal' }, { Var: 'action' }, { Var: 'resource' }),
        fc.constantFrom<Json>({ Var: 'principal' }, { Var: 'resource' }),
      ],
      'entity',
      field('u'),
    ),
    set: typed([values['set']?.map(value) ?? fc.constant(value([])), field('set')], 'set', fc.array(of('any'), { maxLength: 4 }).map((Set) => ({ Set }))), // prettier-ignore
    record: typed([fc.constant<Json>({ Var: 'context' }), field('r')], 'record', fc.dictionary(names, of('any'), { maxKeys: 3 }).map((Record) => ({ Record }))), // prettier-ignore
    decimal: typed([decimals.map(functionOf('decimal')), field('d')], 'decimal'),
    ip: typed([addresses.map(functionOf('ip')), field('ip')], 'ip', method('ip', of('text'))),
    moment: typed(
      [moments.map(functionOf('datetime')), field('t')],
      'moment',
      method('offset', of('moment'), of('duration')),
      method('toDate', of('moment')),
    ),
    duration: typed(
      [durations.map(functionOf('duration')), field('p')],
      'duration',
      method('durationSince', of('moment'), of('moment')),
      method('toTime', of('moment')),
    ),
    any: fc
      .constantFrom<keyof Expressions>('bool', 'long', 'text', 'entity', 'set', 'record', 'decimal', 'ip', 'moment', 'duration')
      .chain((type) => tie(type)),
  };
});

const party = (type: string): Arbitrary<Json> =>
  fc.oneof(
    { weight: 9, arbitrary: fc.constant<Json>({ op: 'All' }) },
    { weight: 1, arbitrary: uidOf(type).map((entity) => ({ op: '==', entity })) },
    { weight: 2, arbitrary: anyUid.map((entity) => ({ op: 'in', entity })) },
    { weight: 1, arbitrary: types.map((entity_type) => ({ op: 'is', entity_type })) },
    { weight: 1, arbitrary: fc.tuple(types, anyUid).map(([entity_type, entity]) => ({ op: 'is', entity_type, in: { entity } })) },
  );

const action = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Json>({ op: 'All' }) },
  { weight: 1, arbitrary: uidOf('Action').map((entity) => ({ op: '==', entity })) },
  { weight: 1, arbitrary: uidOf('Action').map((entity) => ({ op: 'in', entity })) },
  { weight: 1, arbitrary: fc.array(uidOf('Action'), { maxLength: 3 }).map((entities) => ({ op: 'in', entities })) },
);

/** Policies whose clauses come from a few conditions, so that they share them. */
const policies: Arbitrary<Readonly<Record<string, Json>>> = fc
  .array(bool, { minLength: 1, maxLength: 5 })
  .chain((bodies) => {
    const clause = fc.record({ kind: fc.constantFrom('when', 'when', 'unless'), body: fc.constantFrom(...bodies) });
    const policy = fc.record({
      effect: fc.constantFrom('permit', 'permit', 'permit', 'forbid'),
      principal: party('User'),
      action,
      resource: party('Ns::Doc'),
      conditions: fc.array(clause, { maxLength: 3 }),
    });
    return fc.array(policy, { minLength: 1, maxLength: 8 });
  })
  .map((list) => Object.fromEntries(list.map((policy, index) => [`p${index}`, policy])));

/** Some of the world's entities; each lies in some that come after it in the list, so that none lies in itself. */
const entities: Arbitrary<readonly JsonEntity[]> = fc
  .tuple(...uids.map((uid, index) => someEntity(uid, uids.slice(index + 1))))
  .map((list) => list.filter((entity) => entity !== null));

function someEntity(uid: JsonUid, above: readonly JsonUid[]): Arbitrary<JsonEntity | null> {
  const parents = fc.subarray([...above], { maxLength: Math.min(3, above.length) });
  return fc.option(fc.record({ uid: fc.constant(uid), attrs: fields, parents, tags }), { freq: 6 });
}

const request: Arbitrary<JsonRequest> = fc.record({
  principal: fc.oneof({ weight: 5, arbitrary: uidOf('User') }, { weight: 1, arbitrary: anyUid }),
  action: uidOf('Action'),
  resource: fc.oneof({ weight: 5, arbitrary: uidOf('Ns::Doc') }, { weight: 1, arbitrary: anyUid }),
  context: fields,
});

/** A few policies over a few entities, and at least two requests, so that what is remembered of the first would show in the second. */
export const aCase: Arbitrary<Case> = fc.record({ policies, entities, requests: fc.array(request, { minLength: 2, maxLength: 4 }) });
