import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { answeredByCedar, differenceIn } from './cases.js';
import { aCase } from './random-cases.js';

jest.setTimeout(240_000);

// A fresh seed on every run finds something new one day; to have it again, CEDAR_SEED names the seed of the failure.
const seed = Number(process.env['CEDAR_SEED'] ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env['CEDAR_RUNS'] ?? 500);

describe('random policies that are new on every run', () => {
  it(`answer random requests as in Cedar (seed ${seed})`, () => {
    fc.assert(
      fc.property(aCase, (given) => {
        expect(differenceIn(answeredByCedar(given))).toBeNull();
      }),
      { seed, numRuns },
    );
  });
});
