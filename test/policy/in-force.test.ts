import { describe, expect, it } from '@jest/globals';
import { inForceAt, withShadows, type PolicyInForce } from '../../src/policy/index.js';
import { withStatements } from './a-call.js';

const day = (number: number): Date => new Date(Date.UTC(2026, 11, number));

/** `2 ENFORCE 3-5`: revision 2, from the third until the fifth of December. */
function revision(written: string, id = 'p'): PolicyInForce {
  const [, number, mode, from, until] = /^(\d+) (ENFORCE|SHADOW) (\d*)-(\d*)$/.exec(written) ?? [];
  if (mode !== 'ENFORCE' && mode !== 'SHADOW') throw new Error(`No revision: ${written}`);
  const moment = (text = ''): Date | null => (text === '' ? null : day(Number(text)));
  return { ...withStatements([]), id, revision: Number(number), mode, effectiveFrom: moment(from), effectiveUntil: moment(until) };
}

const numbersAt = (now: Date, ...written: readonly string[]) => {
  const { enforced, shadows, until } = inForceAt(
    written.map((each) => revision(each)),
    now,
  );
  return { enforced: enforced.map((each) => each.revision), shadows: shadows.map((each) => each.revision), until };
};

describe('what is in force', () => {
  it.each<[string, number, readonly string[], readonly number[], readonly number[], number | null]>([
    ['a revision without times', 1, ['1 ENFORCE -'], [1], [], null],
    ['nothing before a start', 2, ['1 ENFORCE 3-'], [], [], 3],
    ['a revision at the moment of its start', 3, ['1 ENFORCE 3-'], [1], [], null],
    ['a revision until its end', 4, ['1 ENFORCE 3-5'], [1], [], 5],
    ['nothing at the moment of its end', 5, ['1 ENFORCE 3-5'], [], [], null],
    ['the revision before, until the start of the next', 2, ['1 ENFORCE -', '2 ENFORCE 3-'], [1], [], 3],
    ['the next, from its start on', 3, ['1 ENFORCE -', '2 ENFORCE 3-'], [2], [], null],
    ['no earlier revision after an end', 6, ['1 ENFORCE -', '2 ENFORCE 3-5'], [], [], null],
    ['the latest of two that have started, whichever started first', 9, ['1 ENFORCE 8-', '2 ENFORCE 7-'], [2], [], null],
    ['what was published later in place of what was still to start', 9, ['1 ENFORCE 8-', '2 ENFORCE -'], [2], [], null],
    ['what is watched beside what it would change', 1, ['1 ENFORCE -', '2 SHADOW -'], [1], [2], null],
    ['the latest shadow', 1, ['1 ENFORCE -', '2 SHADOW -', '3 SHADOW -'], [1], [3], null],
    ['no shadow of before the latest publish', 1, ['1 SHADOW -', '2 ENFORCE -'], [2], [], null],
    ['a shadow from its start on', 4, ['1 ENFORCE -', '2 SHADOW 4-6'], [1], [2], 6],
    ['a shadow that has ended leaves what is enforced', 6, ['1 ENFORCE -', '2 SHADOW 4-6'], [1], [], null],
  ])('is %s', (_what, now, written, enforced, shadows, until) => {
    expect(numbersAt(day(now), ...written)).toEqual({ enforced, shadows, until: until === null ? null : day(until) });
  });

  it('is judged for each policy by itself', () => {
    const { enforced } = inForceAt([revision('1 ENFORCE -', 'a'), revision('2 ENFORCE -', 'b')], day(1));

    expect(enforced.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('would be, with shadows enforced, each shadow in the place of its policy', () => {
    const all = [revision('1 ENFORCE -', 'a'), revision('2 SHADOW -', 'a'), revision('1 ENFORCE -', 'b'), revision('1 SHADOW -', 'c')];

    const as = withShadows(inForceAt(all, day(1))).map(({ id, revision: number }) => `${id} ${number}`);

    expect(as.sort()).toEqual(['a 2', 'b 1', 'c 1']);
  });
});
