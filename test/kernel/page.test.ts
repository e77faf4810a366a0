import { describe, expect, it } from '@jest/globals';
import { connectionOf, cursorOf, Failure, keyIn, pageOf, pageRequest } from '../../src/kernel/index.js';

const anyKey = (): boolean => true;
const digits = (key: string): boolean => /^\d+$/.test(key);

describe('a cursor', () => {
  it.each(['7', '', 'a:b', 'with "quotes" and €', '😀'])('gives back its key: %j', (key) => {
    expect(keyIn('event', cursorOf('event', key), anyKey)).toBe(key);
  });

  it.each([
    ['of another list', cursorOf('feed', '7')],
    ['of a list whose name begins the same', cursorOf('events', '7')],
    ['with a key of another form', cursorOf('event', 'seven')],
    ['that is empty', ''],
    ['that is not base64', 'event:7'],
    ['with something behind it', `${cursorOf('event', '7')} `],
    ['in padded base64', Buffer.from('event:7').toString('base64')],
    ['with a letter changed', cursorOf('event', '7').replace(/^./, 'A')],
    ['with bytes that are no UTF-8', Buffer.from([...Buffer.from('event:'), 0xff]).toString('base64url')],
    ['a megabyte long', 'A'.repeat(1_000_000)],
  ])('%s is refused', (_what, cursor) => {
    expect(() => keyIn('event', cursor, digits)).toThrow(
      new Failure('BAD_USER_INPUT', 'after: not a cursor of this list. Take endCursor or an edge’s cursor as it came.'),
    );
  });
});

describe('pageRequest', () => {
  it.each([
    [{}, { first: 20, after: null }],
    [
      { first: null, after: null },
      { first: 20, after: null },
    ],
    [{ first: 1 }, { first: 1, after: null }],
    [
      { first: 100, after: cursorOf('event', '7') },
      { first: 100, after: '7' },
    ],
  ])('reads %j', (args, request) => {
    expect(pageRequest('event', args, digits)).toEqual(request);
  });

  it.each([0, -1, 101, 2_147_483_647])('refuses %i items', (first) => {
    expect(() => pageRequest('event', { first }, digits)).toThrow(
      new Failure('BAD_USER_INPUT', `first: must be from 1 to 100; got ${first}.`),
    );
  });
});

describe('a page', () => {
  it.each([
    ['empty', [], { first: 2, after: null }, { items: [], hasNextPage: false, hasPreviousPage: false }],
    ['just full', [1, 2], { first: 2, after: null }, { items: [1, 2], hasNextPage: false, hasPreviousPage: false }],
    ['with more behind it', [1, 2, 3], { first: 2, after: '9' }, { items: [1, 2], hasNextPage: true, hasPreviousPage: true }],
  ])('is cut: %s', (_what, rows, request, page) => {
    expect(pageOf<number>(rows, request)).toEqual(page);
  });

  it('becomes a connection with cursors', () => {
    const page = pageOf([1, 2, 3], { first: 2, after: null });

    expect(
      connectionOf(
        page,
        (item) => `c${item}`,
        (item) => ({ item }),
      ),
    ).toEqual({
      edges: [
        { cursor: 'c1', node: { item: 1 } },
        { cursor: 'c2', node: { item: 2 } },
      ],
      nodes: [{ item: 1 }, { item: 2 }],
      pageInfo: { hasNextPage: true, hasPreviousPage: false, startCursor: 'c1', endCursor: 'c2' },
    });
  });

  it('without items has no cursors', () => {
    expect(connectionOf(pageOf([], { first: 2, after: null }), String, String).pageInfo).toEqual({
      hasNextPage: false,
      hasPreviousPage: false,
      startCursor: null,
      endCursor: null,
    });
  });
});
