import type { CompiledPolicy } from './compile-policy.js';
import type { Condition } from './condition.js';
import type { Rows } from './memory.js';
import { HOLDS } from './outcome.js';

/** Writes policies down as rows of numbers, and tells what the numbers of their conditions mean. */
export function rowWriter(policies: readonly CompiledPolicy[]): {
  readonly rowsOf: (places: readonly number[]) => Rows;
  /** Every condition of the policies, by its number. */
  readonly conditions: readonly Condition[];
} {
  const numbers = new Map<Condition, number>();
  const written = policies.map(({ requirements }) =>
    requirements.map(({ condition, wanted }) => {
      const number = numbers.get(condition) ?? numbers.size;
      if (number === numbers.size) numbers.set(condition, number);
      return number * 2 + (wanted === HOLDS ? 1 : 0);
    }),
  );
  return {
    rowsOf: (places) =>
      Int32Array.from(
        places.flatMap((place) => {
          const requirements = written[place] ?? [];
          return [place, requirements.length, ...requirements];
        }),
      ),
    conditions: [...numbers.keys()],
  };
}
