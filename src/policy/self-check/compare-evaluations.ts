import type { Evaluation } from '../evaluate.js';

/**
 * Where two evaluations of one call differ: the ids of the statements that only one of them names, which may be none; null when they say the
 * same. What follows from the statements' words alone is not looked at.
 */
export function differenceBetween(left: Evaluation, right: Evaluation): readonly string[] | null {
  if (wordsOf(left) === wordsOf(right)) return null;
  return onlyInOne(left.determining, right.determining);
}

/** What an evaluation says, in one order: the order of statements has no meaning. */
export const wordsOf = ({ verdict, basis, determining, failed, obligations, approval, advice }: Evaluation): string =>
  JSON.stringify({ verdict, basis, determining: [...determining].sort(), obligations, approval, advice, failed });

/** Those of two lists that are not in both, each once. */
export function onlyInOne(left: readonly string[], right: readonly string[]): readonly string[] {
  const [inLeft, inRight] = [new Set(left), new Set(right)];
  return [...new Set([...left.filter((one) => !inRight.has(one)), ...right.filter((one) => !inLeft.has(one))])];
}
