import { describe, expect, it } from '@jest/globals';
import { EVENT_TYPES, RETENTION_CLASSES, type RetentionClass } from '../../src/audit/catalogue.js';
import { selectorProblems, type HoldSelectors } from '../../src/audit/retention/hold.js';
import { endOf, monthOf, monthsAhead } from '../../src/audit/retention/months.js';
import {
  DAYS_RULES,
  daysProblem,
  DECISION_TYPES,
  effectiveDays,
  rangesToSweep,
  retentionProblem,
  rulesDigest,
  type DaysInForce,
} from '../../src/audit/retention/rules.js';
import { organizationId } from '../../src/kernel/index.js';
import { aRandom } from '../support/random.js';
import { DAY, daysBefore } from './retention.js';

const setting = (namespaceId: string, of: RetentionClass, days: number): DaysInForce => ({ namespaceId, class: of, days });
const line = ['acme', 'group', 'project'];

describe('the days that can be set', () => {
  it.each<[RetentionClass, number, boolean]>([
    ['CONTENT', 0, false],
    ['CONTENT', 1, true],
    ['CONTENT', 3_653, true],
    ['CONTENT', 3_654, false],
    ['METADATA', 183, false],
    ['METADATA', 184, true],
    ['METADATA', 3_653, true],
    ['METADATA', 3_654, false],
    ['DECISIONS', 183, false],
    ['DECISIONS', 184, true],
    ['DECISIONS', 184.5, false],
    ['DECISIONS', Number.NaN, false],
    ['CONTENT', -1, false],
  ])('%s: %d is right: %s', (of, days, isRight) => {
    const problem = daysProblem(of, days);

    expect(problem === null).toBe(isRight);
    if (!isRight) expect(problem).toContain(`from ${DAYS_RULES[of].floorDays} to 3653`);
  });

  it('have defaults between floor and ceiling, and six months are never less than the longest six', () => {
    for (const each of RETENTION_CLASSES) expect(daysProblem(each, DAYS_RULES[each].defaultDays)).toBeNull();
    for (let month = 0; month < 48; month += 1) {
      const sixMonths = (Date.UTC(2024, month + 6, 1) - Date.UTC(2024, month, 1)) / DAY;
      expect(DAYS_RULES.METADATA.floorDays).toBeGreaterThanOrEqual(sixMonths);
      expect(DAYS_RULES.DECISIONS.floorDays).toBeGreaterThanOrEqual(sixMonths);
    }
  });
});

describe('the days that hold', () => {
  it.each<[string, readonly DaysInForce[], Partial<Record<RetentionClass, number>>]>([
    ['nothing is set', [], { CONTENT: 184, METADATA: 400, DECISIONS: 730 }],
    ['the organization has a setting', [setting('acme', 'METADATA', 1_000)], { METADATA: 1_000, DECISIONS: 730 }],
    ['a nearer one has another', [setting('group', 'METADATA', 200), setting('acme', 'METADATA', 1_000)], { METADATA: 200 }],
    ['the nearest has its own', [setting('project', 'DECISIONS', 184), setting('group', 'DECISIONS', 900)], { DECISIONS: 184 }],
    ['another place has a setting', [setting('other', 'CONTENT', 1)], { CONTENT: 184 }],
    ['content would outlive the metadata', [setting('acme', 'CONTENT', 900)], { CONTENT: 400, METADATA: 400 }],
    ['metadata is kept longer', [setting('acme', 'CONTENT', 900), setting('acme', 'METADATA', 1_000)], { CONTENT: 900 }],
  ])('when %s', (_when, settings, expected) => {
    expect(effectiveDays(settings, line)).toMatchObject(expected);
  });
});

describe('an event that is reported late', () => {
  const now = new Date('2026-11-24T12:00:00.000Z');
  const days = { CONTENT: 1, METADATA: 184, DECISIONS: 730 };

  it.each([
    ['ai_tool_invoked', daysBefore(now, 184).getTime(), true],
    ['ai_tool_invoked', daysBefore(now, 184).getTime() - 1, false],
    ['of a type that nobody knows', daysBefore(now, 184).getTime() - 1, false],
    ['ai_tool_decision_made', daysBefore(now, 730).getTime(), true],
    ['ai_tool_decision_made', daysBefore(now, 730).getTime() - 1, false],
    ['ai_tool_approval_granted', daysBefore(now, 500).getTime(), true],
  ])('%s of %d is taken: %s', (type, occurredAt, isTaken) => {
    expect(retentionProblem(type, occurredAt, now, days) === null).toBe(isTaken);
  });

  it('is refused with the window', () => {
    expect(retentionProblem('ai_tool_invoked', 0, now, days)).toBe(
      'must not be older than the 184 days that events of this type are kept there: from 2026-05-24T12:00:00.000Z on now',
    );
  });
});

describe('the types of decisions', () => {
  it('are those of the catalogue', () => {
    expect([...DECISION_TYPES].sort()).toEqual([
      'ai_tool_approval_expired',
      'ai_tool_approval_granted',
      'ai_tool_approval_rejected',
      'ai_tool_approval_requested',
      'ai_tool_decision_made',
    ]);
    expect(EVENT_TYPES.length).toBeGreaterThan(DECISION_TYPES.length);
  });
});

describe('where to look for what is due', () => {
  const asOf = new Date('2026-11-24T12:00:00.000Z');

  it('is everything old enough when nothing is known', () => {
    expect(rangesToSweep([400, 184, 730], asOf, null)).toEqual([{ since: null, until: daysBefore(asOf, 184) }]);
  });

  it('is what has come of age since the last sweep, and two hours before', () => {
    const swept = new Date('2026-11-24T11:00:00.000Z');

    expect(rangesToSweep([184, 400, 184], asOf, swept)).toEqual([
      { since: daysBefore(new Date('2026-11-24T09:00:00.000Z'), 400), until: daysBefore(asOf, 400) },
      { since: daysBefore(new Date('2026-11-24T09:00:00.000Z'), 184), until: daysBefore(asOf, 184) },
    ]);
  });

  it.each([1, 2, 3])('holds everything that comes of age, once (seed %i)', (seed) => {
    const random = aRandom(seed);
    for (let round = 0; round < 200; round += 1) {
      const days = Array.from({ length: 1 + random.below(6) }, () => 1 + random.below(30));
      const swept = new Date(asOf.getTime() - random.below(10 * DAY));
      const ranges = rangesToSweep(days, asOf, swept);

      for (const [index, { since }] of ranges.entries()) expect(since?.getTime()).toBeGreaterThan(ranges[index - 1]?.until.getTime() ?? 0);
      for (const each of days) {
        const moment = swept.getTime() - each * DAY + random.below(asOf.getTime() - swept.getTime());
        expect(ranges.filter(({ since, until }) => (since?.getTime() ?? 0) <= moment && moment < until.getTime())).toHaveLength(1);
      }
    }
  });
});

describe('the digest of the rules', () => {
  const acme = organizationId('acme');
  const rules = { settings: [setting('acme', 'METADATA', 200)], holdIds: [], epoch: 3 };
  const inTree = { ...rules, settings: [setting('group', 'METADATA', 200), setting('acme', 'METADATA', 300)] };
  const digest = (of: typeof rules | { readonly holdIds: readonly string[] }) => rulesDigest(acme, { ...rules, ...of });

  it('is that of the same rules in another order', () => {
    expect(digest({ ...inTree, settings: inTree.settings.toReversed() })).toBe(digest(inTree));
    expect(digest({ holdIds: ['a', 'b'] })).toBe(digest({ holdIds: ['b', 'a'] }));
  });

  it('is another for other days, another hold, or a changed tree where something depends on it', () => {
    const all = [
      digest(rules),
      digest({ ...rules, settings: [] }),
      digest({ holdIds: ['a'] }),
      digest(inTree),
      digest({ ...inTree, epoch: 4 }),
    ];

    expect(new Set(all).size).toBe(all.length);
    expect(digest({ ...rules, epoch: 4 })).toBe(digest(rules));
  });
});

describe('the selectors of a hold', () => {
  const none: HoldSelectors = { namespaceId: null, sessionId: null, userId: null, agentId: null, from: null, to: null };

  it.each<[string, Partial<HoldSelectors>, readonly string[]]>([
    ['none', {}, ['namespaceId']],
    ['a namespace', { namespaceId: 'acme' }, []],
    ['a session', { sessionId: 's' }, []],
    ['a user', { userId: 'u' }, []],
    ['an agent', { agentId: 'a' }, []],
    ['a beginning', { from: new Date() }, []],
    ['an end', { to: new Date() }, []],
    ['an end at the beginning', { from: new Date(5), to: new Date(5) }, ['to']],
    ['an end after the beginning', { from: new Date(5), to: new Date(6) }, []],
  ])('%s', (_name, selectors, paths) => {
    expect(selectorProblems({ ...none, ...selectors }).map(({ path }) => path)).toEqual(paths);
  });
});

describe('months', () => {
  it.each([
    ['2026-11-24T12:00:00.000Z', 0, '2026-11-01'],
    ['2026-11-30T23:59:59.999Z', 2, '2027-01-01'],
    ['2027-01-31T00:00:00.000Z', 1, '2027-02-01'],
  ])('of %s, %d ahead', (moment, ahead, month) => {
    expect(monthOf(new Date(moment), ahead)).toBe(month);
  });

  it('end where the next one begins', () => {
    expect(endOf('2026-12-01')).toEqual(new Date('2027-01-01T00:00:00.000Z'));
  });

  it.each<[readonly string[], number]>([
    [[], -1],
    [['2026-10-01', '2026-12-01'], -1],
    [['2026-11-01'], 0],
    [['2026-11-01', '2026-12-01', '2027-02-01'], 1],
    [['2026-09-01', '2026-11-01', '2026-12-01', '2027-01-01', '2027-02-01'], 3],
  ])('%j are there: %d ahead without a gap', (months, ahead) => {
    expect(monthsAhead(months, new Date('2026-11-24T12:00:00.000Z'))).toBe(ahead);
  });
});
