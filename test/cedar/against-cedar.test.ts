import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { answeredByCedar, differenceIn, ours, type AnsweredCase, type Case, type Evaluator } from './cases.js';
import { mutantOf } from './mutant.js';
import { MUTANTS } from './mutants.js';
import { calculations, functionsOnTexts, operatorsOnLiterals, operatorsOnRequests } from './operator-cases.js';
import { aCase } from './random-cases.js';
import { writtenCases } from './written-cases.js';

jest.setTimeout(240_000);

const SEED = 20_261_122;

/** What is asked of Cedar, by what it is about. */
const questions: ReadonlyMap<string, () => Iterable<Case>> = new Map<string, () => Iterable<Case>>([
  ['cases that somebody thought of', writtenCases],
  ['every function that reads a text', () => [functionsOnTexts()]],
  ['every operator that calculates', calculations],
  ['every operator on values of the request', () => [operatorsOnRequests()]],
  ['every operator on a literal and a value of the request', operatorsOnLiterals],
  [`random policies (seed ${SEED})`, () => fc.sample(aCase, { seed: SEED, numRuns: 500 })],
]);

let answered: ReadonlyMap<string, readonly AnsweredCase[]>;
beforeAll(() => {
  answered = new Map([...questions].map(([about, cases]) => [about, [...cases()].map(answeredByCedar)]));
});

const firstDifference = (cases: readonly AnsweredCase[], evaluator: Evaluator): string | null => {
  for (const each of cases) {
    const found = differenceIn(each, evaluator);
    if (found !== null) return found;
  }
  return null;
};

describe('the evaluator answers as cedar-wasm', () => {
  it.each([...questions.keys()])('%s', (about) => {
    expect(firstDifference(answered.get(about) ?? [], ours)).toBeNull();
  });
});

describe('the comparison finds the bug when', () => {
  it.each(MUTANTS)('%s', (_what, file, text, replacement) => {
    const mutant = mutantOf(file, text, replacement);

    expect(isFound(mutant)).toBe(true);
  });
});

/** Whether any answer differs. Most bugs show in a tenth of the questions, so those are put first. */
function isFound(mutant: Evaluator): boolean {
  const all = [...answered.values()].flat();
  return firstDifference(thinned(all), mutant) !== null || firstDifference(all, mutant) !== null;
}

const thinned = (cases: readonly AnsweredCase[]): readonly AnsweredCase[] =>
  cases
    .filter(({ requests }, index) => requests.length > 10 || index % 10 === 0)
    .map(({ requests, answers, ...rest }) => ({ ...rest, requests: tenthOf(requests), answers: tenthOf(answers) }));

const tenthOf = <Item>(items: readonly Item[]): readonly Item[] => items.filter((_, index) => index % 10 === 0);
