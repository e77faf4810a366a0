import { seeded } from '../../src/kernel/index.js';

/** Random choices that are the same on every run: a failure names its seed and can be had again. */
export interface Random {
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** The items in another order. */
  shuffled<Item>(items: readonly Item[]): readonly Item[];
}

/** The product's own chooser of examples, for test cases. */
export function aRandom(seed: number): Random {
  const { below } = seeded(seed);
  return {
    below,
    pick(items) {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error('There is nothing to pick from.');
      return item;
    },
    shuffled: (items) =>
      items
        .map((item) => ({ item, place: below(2 ** 31) }))
        .sort((left, right) => left.place - right.place)
        .map(({ item }) => item),
  };
}
