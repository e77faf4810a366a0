/** Numbers that are the same on every run, so that two runs measure the same work. */
export type Random = () => number;

/** Numbers from 0 to below 1, equally likely: xorshift of 32 bits. */
export function seededRandom(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** A place from 0 to `count` - 1, all equally likely. */
export const evenly = (random: Random, count: number): number => Math.floor(random() * count);

/** A place from 0 to `count` - 1 by Zipf's law: the second is half as likely as the first, the tenth a tenth. */
export const skewed = (random: Random, count: number): number => Math.floor((count + 1) ** random()) - 1;

/** An item of a list that is not empty, by the chooser of places. */
export function pick<Item>(items: readonly Item[], random: Random, choose: typeof evenly = evenly): Item {
  const item = items[choose(random, items.length)];
  if (item === undefined) throw new Error('There is nothing to pick from.');
  return item;
}
