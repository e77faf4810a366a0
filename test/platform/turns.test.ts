import { describe, expect, it } from '@jest/globals';
import { Turns } from '../../src/platform/turns.js';

/** Work that ends when it is told to, and what has begun of it. */
function someWork(turns: Turns) {
  const ends = new Map<string, () => void>();
  const begin = (name: string, isLetIn = false): Promise<void> =>
    turns.take(() => new Promise<void>((resolve) => ends.set(name, resolve)), isLetIn);
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begin, end, begun: () => [...ends.keys()] };
}

describe('turns', () => {
  it('are had by so many at once, and by those who wait in the order in which they came', async () => {
    const { begin, end, begun } = someWork(new Turns(2, 10, 'Later.'));
    const all = ['a', 'b', 'c', 'd'].map((name) => begin(name));

    expect(begun()).toEqual(['a', 'b']);
    await end('b');
    expect(begun()).toEqual(['a', 'b', 'c']);
    await end('a');
    expect(begun()).toEqual(['a', 'b', 'c', 'd']);
    await end('c');
    await end('d');
    await Promise.all(all);
  });

  it('are refused to those who come when too many wait, but not to those who were let in before', async () => {
    const { begin, end, begun } = someWork(new Turns(1, 1, 'Later.'));
    const [first, second] = [begin('a'), begin('b')];

    await expect(begin('c')).rejects.toMatchObject({ code: 'OVERLOADED', message: 'Later.' });
    const third = begin('d', true);
    for (const name of ['a', 'b', 'd']) await end(name);
    await Promise.all([first, second, third]);
    expect(begun()).toEqual(['a', 'b', 'd']);
  });

  it('are had again after work that failed', async () => {
    const turns = new Turns(1, 1, 'Later.');

    await expect(turns.take(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await turns.take(async () => 'done')).toBe('done');
  });
});
