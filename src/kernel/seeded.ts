/** Choices that are the same every time for the same seed. */
export interface Seeded {
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number;
  /** One of them. */
  pick<Item>(first: Item, ...others: readonly Item[]): Item;
}

/** Mulberry32: small, fast, and good enough to choose examples by; nothing secret must depend on it. */
export function seeded(seed: number): Seeded {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  return {
    below,
    pick: (first, ...others) => {
      const place = below(others.length + 1);
      return place === 0 ? first : (others[place - 1] ?? first);
    },
  };
}
