import { describe, expect, it } from '@jest/globals';
import { rememberPlaces, type RecordingPlace, type RecordingPlaces } from '../../src/audit/index.js';
import { organizationId, type OrganizationId } from '../../src/kernel/index.js';
import { acme } from './events.js';

/** Places of which every reading waits until the test lets it through; the readings so far, as lists of ids. */
function givenPlaces(names: readonly string[] = ['a', 'b', 'c']) {
  let now = 0;
  const readings: (readonly string[])[] = [];
  const held: ((error?: Error) => void)[] = [];
  let mode: RecordingPlace['mode'] = 'FULL';
  const source: RecordingPlaces = {
    places: (organization, projectIds) => {
      readings.push([organization, ...projectIds].slice(1));
      const ids = [organization, ...projectIds.filter((id) => names.includes(id))];
      const read = new Map(ids.map((id): [string, RecordingPlace] => [id, { ancestors: [organization, id], mode }]));
      return new Promise((resolve, reject) => held.push((error) => (error === undefined ? resolve(read) : reject(error))));
    },
  };
  const places = rememberPlaces(source, () => new Date(now));
  return {
    readings,
    ask: (ids: readonly string[], organization: OrganizationId = acme) => places.places(organization, ids),
    forget: () => places.forget(acme),
    letThrough: (error?: Error) => held.splice(0).forEach((release) => release(error)),
    pass: (milliseconds: number) => (now += milliseconds),
    set: (to: RecordingPlace['mode']) => (mode = to),
  };
}

const idsOf = async (answer: Promise<ReadonlyMap<string, RecordingPlace>>) => [...(await answer).keys()].sort();

describe('remembered places', () => {
  it('are read once, however many ask at the same time', async () => {
    const { ask, readings, letThrough } = givenPlaces();

    const answers = [ask(['a']), ask(['a']), ask(['a', 'b']), ask(['b'])];
    letThrough();

    expect(await Promise.all(answers.map(idsOf))).toEqual(
      [
        ['a', acme],
        ['a', acme],
        ['a', acme, 'b'],
        [acme, 'b'],
      ].map((ids) => [...ids].sort()),
    );
    expect(readings).toEqual([['a'], ['b']]);
  });

  it('are read again half a second later, all together that are in use, and the others not at all', async () => {
    const { ask, readings, letThrough, pass, set } = givenPlaces();
    const first = ask(['a', 'b', 'c']);
    letThrough();
    await first;
    pass(499);
    await ask(['c']);
    pass(1);
    set('METADATA_ONLY');

    const second = ask(['a']);
    letThrough();

    expect((await second).get('a')?.mode).toBe('METADATA_ONLY');
    expect(readings).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
    pass(30_000);
    const third = ask(['a']);
    letThrough();
    await third;
    expect(readings.at(-1)).toEqual(['a']);
  });

  it('do not hold what is not there: it is asked for each time', async () => {
    const { ask, readings, letThrough } = givenPlaces();
    const first = ask(['x', 'a']);
    letThrough();
    expect(await idsOf(first)).toEqual(['a', acme].sort());

    const second = ask(['x', 'a']);
    letThrough();

    expect(await idsOf(second)).toEqual(['a', acme].sort());
    expect(readings).toEqual([['x', 'a'], ['x']]);
  });

  it('forget a reading that failed', async () => {
    const { ask, readings, letThrough } = givenPlaces();
    const failed = ask(['a']);
    letThrough(new Error('away'));
    await expect(failed).rejects.toThrow('away');

    const second = ask(['a']);
    letThrough();

    expect(await idsOf(second)).toEqual(['a', acme].sort());
    expect(readings).toEqual([['a'], ['a']]);
  });

  it('give nobody what was read before a change that they were told of', async () => {
    const { ask, letThrough, forget, set } = givenPlaces();
    const before = ask(['a']);
    forget();
    set('METADATA_ONLY');
    const after = ask(['a']);
    letThrough();

    expect((await before).get('a')?.mode).toBe('FULL');
    expect((await after).get('a')?.mode).toBe('METADATA_ONLY');
    expect((await ask(['a'])).get('a')?.mode).toBe('METADATA_ONLY');
  });

  it('keep organizations apart', async () => {
    const { ask, readings, letThrough } = givenPlaces();
    const other = organizationId('other');

    const answers = [ask(['a']), ask(['a'], other)];
    letThrough();

    expect((await Promise.all(answers)).map((places) => places.get('a')?.ancestors[0])).toEqual([acme, other]);
    expect(readings).toEqual([['a'], ['a']]);
  });
});
