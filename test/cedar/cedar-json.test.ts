import { describe, expect, it } from '@jest/globals';
import { entitiesFromJson, entityUid, requestFromJson, Unsupported, valueFromJson, valueToJson } from '../../src/cedar/index.js';

const uid = (id: string): unknown => ({ type: 'User', id });

describe('values in the JSON format of Cedar', () => {
  it('are read with their escapes', () => {
    expect(valueFromJson({ __entity: { type: 'User', id: 'ada' } })).toEqual(entityUid('User', 'ada'));
    expect(valueFromJson({ __extn: { fn: 'decimal', arg: '1.5' } })).toEqual({ kind: 'decimal', amount: 15_000 });
    expect(valueFromJson({ __extn: { fn: 'isIpv4', args: [{ __extn: { fn: 'ip', arg: '::' } }] } })).toBe(false);
    expect(valueFromJson(2n ** 63n - 1n)).toBe(2n ** 63n - 1n);
    expect(valueFromJson(5n)).toBe(5);
  });

  it.each([
    ['null', null],
    ['a fraction', 0.5],
    ['an address that is none', { __extn: { fn: 'ip', arg: '1.2.3' } }],
    ['a call of nothing', { __extn: { fn: 'ip' } }],
    ['a call with both', { __extn: { fn: 'ip', arg: '::', args: ['::'] } }],
    ['an unknown', { __extn: { fn: 'unknown', arg: 'x' } }],
  ])('are refused: %s', (_what, json) => {
    expect(() => valueFromJson({ list: [json] })).toThrow(Unsupported);
  });

  const extension = (fn: string, arg: string): unknown => ({ __extn: { fn, arg } });

  it.each([
    ...[true, 5, 2n ** 63n - 1n, 'text', [1, 'two', []], { a: { b: false } }, { __entity: { type: 'User', id: '"' } }],
    ...['0.0', '-0.0001', '12.5', '-922337203685477.5808'].map((arg) => extension('decimal', arg)),
    ...['10.0.0.1', '10.0.0.0/8', '255.255.255.255', '::', 'fe80::1:0:9/64'].map((arg) => extension('ip', arg)),
    ...['0000-01-01', '1970-01-01', '2026-11-22T09:30:00.123Z', '9999-12-31'].map((arg) => extension('datetime', arg)),
    ...['0ms', '-1d2h3m4s5ms', '9223372036854775807ms'].map((arg) => extension('duration', arg)),
  ])('are written as they are read: %j', (json) => {
    const value = valueFromJson(json);

    expect(valueFromJson(valueToJson(value))).toEqual(value);
  });

  it('are requests with four parts', () => {
    const request = { principal: uid('ada'), action: { __entity: { type: 'Action', id: 'read' } }, resource: uid('bob'), context: {} };

    expect(requestFromJson(request)).toMatchObject({ action: entityUid('Action', 'read') });
    expect(() => requestFromJson({ ...request, context: [] })).toThrow(Unsupported);
    expect(() => requestFromJson({ ...request, schema: {} })).toThrow(Unsupported);
  });
});

describe('entities in the JSON format of Cedar', () => {
  it('are found by their names', () => {
    const read = entitiesFromJson([{ uid: uid('ada'), attrs: { age: 36 }, parents: [uid('bob')], tags: { path: '/' } }]);

    expect(read(entityUid('User', 'ada'))).toEqual({
      attributes: new Map([['age', 36]]),
      tags: new Map([['path', '/']]),
      parents: [entityUid('User', 'bob')],
    });
    expect(read(entityUid('User', 'bob'))).toBeUndefined();
  });

  const plain = (id: string, ...parents: readonly string[]): unknown => ({ uid: uid(id), attrs: {}, parents: parents.map(uid) });

  it.each([
    ['twice', [plain('ada'), plain('ada')]],
    ['in itself', [plain('ada', 'ada')]],
    ['in one that is in it', [plain('ada', 'bob'), plain('bob', 'cleo'), plain('cleo', 'ada')]],
    ['without parents', [{ uid: uid('ada'), attrs: {} }]],
  ])('are refused when one stands %s', (_what, json) => {
    expect(() => entitiesFromJson(json)).toThrow(Unsupported);
  });
});
