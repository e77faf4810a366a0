import { describe, expect, it } from '@jest/globals';
import {
  digestOfBundle,
  digestOfSeen,
  movedSince,
  planBundle,
  seenOf,
  type BundledPolicy,
  type SeenPolicy,
  type StandingPolicy,
} from '../../src/policy/bundle.js';

const aWanted = (policy: Partial<BundledPolicy> = {}): BundledPolicy => ({
  ...{ name: 'a', text: 'permit', cases: null, description: null, mode: 'ENFORCE' },
  ...policy,
});

type Latest = NonNullable<StandingPolicy['latest']>;
const aLatest = (latest: Partial<Latest> = {}): Latest => ({
  ...{ revision: 3, status: 'PUBLISHED', text: 'permit', cases: null, mode: 'ENFORCE', hasSchedule: false },
  ...latest,
});
const aStanding = (policy: Partial<StandingPolicy> = {}): StandingPolicy => ({
  ...{ policyId: 'id-a', name: 'a', description: null, origin: 'AS_CODE', wasApplied: true, repository: 'here', latest: aLatest() },
  ...policy,
});

describe('what a folder changes', () => {
  it.each<[string, BundledPolicy[], StandingPolicy[], string | null, string[]]>([
    ['nothing, of nothing', [], [], null, []],
    ['nothing where it is as it was applied', [aWanted()], [aStanding()], 'here', ['a KEEP null']],
    ['nothing where its place is not said', [aWanted()], [aStanding()], null, ['a KEEP null']],
    ['what is new', [aWanted()], [], 'here', ['a CREATE null']],
    ['the text', [aWanted({ text: 'forbid' })], [aStanding()], 'here', ['a PUBLISH null']],
    ['a line end', [aWanted({ text: 'permit\r\n' })], [aStanding({ latest: aLatest({ text: 'permit\n' }) })], 'here', ['a PUBLISH null']],
    ['the cases', [aWanted({ cases: '{}' })], [aStanding()], 'here', ['a PUBLISH null']],
    ['that there are cases', [aWanted()], [aStanding({ latest: aLatest({ cases: '{}' }) })], 'here', ['a PUBLISH null']],
    ['the mode', [aWanted({ mode: 'SHADOW' })], [aStanding()], 'here', ['a PUBLISH null']],
    ['the description', [aWanted({ description: 'Why' })], [aStanding()], 'here', ['a PUBLISH null']],
    ['what was retired before', [aWanted()], [aStanding({ latest: aLatest({ status: 'RETIRED' }) })], 'here', ['a PUBLISH null']],
    ['what is in force between times', [aWanted()], [aStanding({ latest: aLatest({ hasSchedule: true }) })], 'here', ['a PUBLISH null']],
    ['what is not there any more', [], [aStanding()], 'here', ['a RETIRE null']],
    ['nothing that is retired already', [], [aStanding({ latest: aLatest({ status: 'RETIRED' }) })], 'here', []],
    ['nothing that was released and is not there any more', [], [aStanding({ origin: 'AUTHORED' })], 'here', []],
    ['the place, once it is said', [aWanted()], [aStanding({ repository: null })], 'here', ['a ADOPT null']],
    ['a released policy, which has drifted', [aWanted()], [aStanding({ origin: 'AUTHORED' })], 'here', ['a ADOPT RELEASED']],
    [
      'a released policy that was changed by hand',
      [aWanted({ text: 'forbid' })],
      [aStanding({ origin: 'AUTHORED', latest: aLatest({ revision: 4 }) })],
      'here',
      ['a PUBLISH RELEASED'],
    ],
    [
      'a policy that was always written by hand',
      [aWanted()],
      [aStanding({ origin: 'AUTHORED', wasApplied: false, repository: null })],
      'here',
      ['a ADOPT HAND_WRITTEN'],
    ],
    [
      'a draft of the name',
      [aWanted()],
      [aStanding({ origin: 'AUTHORED', wasApplied: false, repository: null, latest: null })],
      'here',
      ['a PUBLISH HAND_WRITTEN'],
    ],
    ['what is as it was applied from elsewhere', [aWanted()], [aStanding()], 'there', ['a ADOPT OTHER_REPOSITORY']],
    ['what was applied from elsewhere', [aWanted({ text: 'forbid' })], [aStanding()], 'there', ['a PUBLISH OTHER_REPOSITORY']],
    ['what is not there any more, from elsewhere', [], [aStanding()], 'there', ['a RETIRE OTHER_REPOSITORY']],
    ['rules about tools of the name', [aWanted()], [aStanding({ origin: 'TOOL_RULES' })], 'here', ['a ADOPT TOOL_RULES']],
  ])('%s', (_what, wanted, standing, repository, expected) => {
    expect(planBundle(wanted, standing, repository).map(({ name, action, drift }) => `${name} ${action} ${String(drift)}`)).toEqual(
      expected,
    );
  });

  it('is told by name', () => {
    const wanted = ['c', 'a'].map((name) => aWanted({ name }));

    expect(planBundle(wanted, [aStanding({ name: 'b' })], null).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });
});

describe('what has moved since it was seen', () => {
  const seen: SeenPolicy = { policyId: 'id-a', name: 'a', revision: 3, origin: 'AS_CODE' };

  it.each<[string, SeenPolicy[], StandingPolicy[], [SeenPolicy | null, SeenPolicy | null][]]>([
    ['nothing', [seen], [aStanding()], []],
    ['a revision', [{ ...seen, revision: 2 }], [aStanding()], [[{ ...seen, revision: 2 }, seen]]],
    ['who writes it', [{ ...seen, origin: 'AUTHORED' }], [aStanding()], [[{ ...seen, origin: 'AUTHORED' }, seen]]],
    ['one that was not seen', [], [aStanding()], [[null, seen]]],
    ['one that is minded no more', [seen], [], [[seen, null]]],
    [
      'one that is another of the same name',
      [{ ...seen, policyId: 'id-0' }],
      [aStanding()],
      [
        [{ ...seen, policyId: 'id-0' }, null],
        [null, seen],
      ],
    ],
  ])('%s', (_what, before, standing, expected) => {
    expect(movedSince(before, standing).map((moved) => [moved.seen, moved.now])).toEqual(expected);
  });

  it('is nothing of what was seen just now', () => {
    const standing = [aStanding(), aStanding({ policyId: 'id-b', name: 'b', latest: null })];

    expect(movedSince(standing.map(seenOf), standing)).toEqual([]);
  });
});

describe('a digest', () => {
  it('does not depend on the order', () => {
    const [one, other] = [aWanted(), aWanted({ name: 'b' })];

    expect(digestOfBundle([one, other])).toBe(digestOfBundle([other, one]));
    expect(digestOfSeen([seenOf(aStanding()), seenOf(aStanding({ policyId: 'b' }))])).toBe(
      digestOfSeen([seenOf(aStanding({ policyId: 'b' })), seenOf(aStanding())]),
    );
  });

  it.each<Partial<BundledPolicy>>([{ name: 'b' }, { text: 'permit ' }, { cases: '' }, { description: '' }, { mode: 'SHADOW' }])(
    'is another for %j',
    (change) => {
      expect(digestOfBundle([aWanted(change)])).not.toBe(digestOfBundle([aWanted()]));
    },
  );
});
