import type { Json } from '../../src/kernel/index.js';
import type { Random } from '../support/random.js';

const characters = [
  'a',
  'B',
  '0',
  ' ',
  '"',
  '\\',
  '/',
  '\n',
  '\u0000',
  '\u001f',
  '\u007f',
  'é',
  '€',
  'ö',
  '\u2028',
  '\ufb33',
  '😀',
  '\u{10ffff}',
  '1',
  '_',
];

/** Any well-formed JSON value, at most `depth` levels deep. */
export function aRandomJson(random: Random, depth: number): Json {
  const kind = random.below(depth > 0 ? 7 : 5);
  if (kind === 0) return null;
  if (kind === 1) return random.below(2) === 1;
  if (kind === 2) return aRandomNumber(random);
  if (kind <= 4) return aRandomText(random);
  if (kind === 5) return some(random, () => aRandomJson(random, depth - 1));
  return Object.fromEntries(
    some(random, () => [random.below(8) === 0 ? '__proto__' : aRandomText(random), aRandomJson(random, depth - 1)]),
  );
}

const some = <Item>(random: Random, make: () => Item): Item[] => Array.from({ length: random.below(6) }, make);

const aRandomText = (random: Random): string => some(random, () => random.pick(characters)).join('');

/** Any finite double: its 64 bits are chosen, not its value. */
function aRandomNumber(random: Random): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setUint32(0, random.below(2 ** 32));
  bits.setUint32(4, random.below(2 ** 32));
  const value = bits.getFloat64(0);
  return Number.isFinite(value) ? value : random.below(1_000);
}
