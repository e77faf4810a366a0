import { describe, expect, it } from '@jest/globals';
import {
  compilePolicies,
  datetime,
  entityUid,
  fieldsOf,
  readerOf,
  recordOf,
  setOf,
  type CompiledPolicies,
  type EntityNode,
  type EntityReader,
  type EntityUid,
  type Request,
  type Value,
} from '../../src/cedar/index.js';
import { estOf } from './oracle.js';

const ada = entityUid('User', 'ada');
const read = entityUid('Action', 'read');
const document = entityUid('Doc', 'd');
const nobody = readerOf(new Map());

const compiled = (policies: Readonly<Record<string, string>>): CompiledPolicies =>
  compilePolicies(new Map(Object.entries(policies).map(([id, text]) => [id, estOf(text)])));

const when = (condition: string, effect = 'permit'): string => `${effect} (principal, action, resource) when { ${condition} };`;

const asks = (context: Readonly<Record<string, Value>> = {}, more: Partial<Request> = {}): Request => ({
  ...{ principal: ada, action: read, resource: document, context: recordOf(fieldsOf(Object.entries(context))) },
  ...more,
});

function reader(...entities: readonly (readonly [EntityUid, Partial<EntityNode>])[]): EntityReader {
  const none = new Map();
  return readerOf(new Map(entities.map(([{ key }, node]) => [key, { attributes: none, tags: none, parents: [], ...node }])));
}

describe('a decision', () => {
  it('is a denial when nothing applies', () => {
    const policies = compiled({ never: when('false') });

    expect(policies.decide(asks(), nobody)).toEqual({ isAllowed: false, hasFailedForbid: false });
    expect(policies.authorize(asks(), nobody)).toEqual({ isAllowed: false, reasons: [], errors: [] });
    expect(compilePolicies(new Map()).decide(asks(), nobody).isAllowed).toBe(false);
  });

  it('tells of a forbid that could not be evaluated, which Cedar skips', () => {
    const policies = compiled({ all: when('true'), broken: when('context.secret like "*"', 'forbid') });

    expect(policies.decide(asks({ secret: 7 }), nobody)).toEqual({ isAllowed: true, hasFailedForbid: true });
    expect(policies.authorize(asks({ secret: 7 }), nobody)).toEqual({
      isAllowed: true,
      reasons: ['all'],
      errors: [{ policyId: 'broken', code: 'TYPE' }],
    });
    expect(policies.decide(asks({ secret: 'x' }), nobody)).toEqual({ isAllowed: false, hasFailedForbid: false });
  });
});

describe('policies of several sets', () => {
  it('are compiled once, however many sets hold them', () => {
    let reads = 0;
    const est = Object.defineProperty({ ...Object(estOf(when('true'))) }, 'effect', {
      enumerable: true,
      get: () => ((reads += 1), 'permit'),
    });

    for (let set = 0; set < 3; set += 1)
      expect(compilePolicies(new Map([[`in set ${set}`, est]])).decide(asks(), nobody).isAllowed).toBe(true);
    expect(reads).toBe(1);
  });

  it('do not remember what they came to for each other', () => {
    const one = compiled({ one: when('context.n == 1') });
    const other = compiled({ other: when('context.n == 1', 'forbid'), all: when('true') });

    for (const n of [1, 2, 1, 1, 2]) {
      expect(one.decide(asks({ n }), nobody).isAllowed).toBe(n === 1);
      expect(other.decide(asks({ n }), nobody).isAllowed).toBe(n !== 1);
    }
  });

  it('may be asked while another is being evaluated', () => {
    const shared = 'principal has age && context.n == 1';
    const inner = compiled({ inner: when(shared) });
    const outer = compiled({ outer: when(`context.n == 1 && principal.age > 30 && context.n == 1`), other: when(shared) });
    const people = reader([ada, { attributes: fieldsOf([['age', 36]]) }]);
    const asking: EntityReader = (uid) => {
      expect(inner.decide(asks({ n: 2 }), people).isAllowed).toBe(false);
      return people(uid);
    };

    expect([...outer.authorize(asks({ n: 1 }), asking).reasons].sort()).toEqual(['other', 'outer']);
  });

  it('that are written alike share what they come to, and those that are not do not', () => {
    const policies = compiled({
      text: when('context.x == "1"'),
      number: when('context.x == 1'),
      truth: when('context.x == true'),
      entity: when('context.x == User::"ada"'),
      spelled: when('context.x == "User::\\"ada\\""'),
    });
    const applying = (x: Value): readonly string[] => policies.authorize(asks({ x }), nobody).reasons;

    expect(applying('1')).toEqual(['text']);
    expect(applying(1)).toEqual(['number']);
    expect(applying(true)).toEqual(['truth']);
    expect(applying(entityUid('User', 'ada'))).toEqual(['entity']);
    expect(applying('User::"ada"')).toEqual(['spelled']);
  });
});

describe('what comes from outside is data and nothing else', () => {
  it.each(['__entity', '__extn', '__expr', '__proto__', 'constructor', 'toString', 'hasOwnProperty', '', '\u0000', '"', '::'])(
    'as the name of a tag or an attribute: %j',
    (name) => {
      const literal = JSON.stringify(name).replace('\\u0000', '\\0');
      const tag = compiled({ tag: when(`resource.hasTag(${literal}) && resource.getTag(${literal}) == "x"`) });
      const attribute = compiled({ attribute: when(`context has ${literal} && context[${literal}] == "x"`) });
      const tagged = reader([document, { tags: fieldsOf([[name, 'x']]) }]);
      const untagged = reader([document, { tags: fieldsOf([['other', 'x']]) }]);

      expect([tag.decide(asks(), tagged).isAllowed, tag.decide(asks(), untagged).isAllowed]).toEqual([true, false]);
      const withField = asks({}, { context: recordOf(fieldsOf([[name, 'x']])) });
      expect([attribute.decide(withField, nobody).isAllowed, attribute.decide(asks(), nobody).isAllowed]).toEqual([true, false]);
    },
  );

  it('as what Cedar would read as an entity or a function', () => {
    const policies = compiled({ entity: when('context.x == User::"ada"'), record: when('context.x has "__entity"') });
    const x = recordOf(fieldsOf([['__entity', recordOf(fieldsOf([['type', 'User'], ['id', 'ada']]))]])); // prettier-ignore

    expect(policies.authorize(asks({ x }), nobody).reasons).toEqual(['record']);
  });

  it.each(['"', '\\', '::"', 'User::"ada"', '\u0000', '__proto__', '', '😀', '\ud800'])('as the id of an entity: %j', (id) => {
    const policies = compiled({ ada: 'permit (principal in User::"ada", action, resource in User::"ada");' });
    const principal = entityUid('User', id);

    expect(policies.decide(asks({}, { principal }), nobody).isAllowed).toBe(false);
    expect(policies.decide(asks({}, { principal }), reader([principal, { parents: [ada] }], [document, { parents: [ada] }])).isAllowed).toBe(true); // prettier-ignore
  });

  it('and no two names of entities are taken for each other', () => {
    expect(() => entityUid('User::"x', 'y')).toThrow(RangeError);
    expect(entityUid('User', 'a"b').key).not.toBe(entityUid('User', 'a').key);
  });
});

describe('a value', () => {
  it.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 2n ** 63n, 5n])(
    'is no number that Cedar has in another form, or not at all: %p',
    (number) => {
      expect(() => setOf([number])).toThrow(RangeError);
      expect(() => fieldsOf([['n', number]])).toThrow(RangeError);
      expect(() => datetime(number)).toThrow(RangeError);
    },
  );

  it('may lie in itself without harm to those who ask', () => {
    const group = entityUid('Group', 'g');
    const cyclic = reader([ada, { parents: [group] }], [group, { parents: [ada, group] }]);

    expect(compiled({ all: when('principal in Group::"g" && Group::"g" in principal') }).decide(asks(), cyclic).isAllowed).toBe(true);
  });
});
