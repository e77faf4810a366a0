import { describe, expect, it } from '@jest/globals';
import { localTime } from '../../src/policy/local-time.js';
import { aRandom } from '../support/random.js';

describe('localTime', () => {
  it.each([
    ['2026-11-22T09:30:00.000Z', 'UTC', { date: '2026-11-22', weekday: 7, hour: 9, minute: 30 }],
    ['2026-11-22T20:59:00.000Z', 'Asia/Kolkata', { date: '2026-11-23', weekday: 1, hour: 2, minute: 29 }],
    ['2027-01-01T04:00:00.000Z', 'America/New_York', { date: '2026-12-31', weekday: 4, hour: 23, minute: 0 }],
    ['2026-11-22T00:00:00.000Z', 'UTC', { date: '2026-11-22', weekday: 7, hour: 0, minute: 0 }],
    // The hour that daylight saving leaves out in spring, and the one that it repeats in autumn.
    ['2026-03-29T00:59:59.000Z', 'Europe/Berlin', { date: '2026-03-29', weekday: 7, hour: 1, minute: 59 }],
    ['2026-03-29T01:00:00.000Z', 'Europe/Berlin', { date: '2026-03-29', weekday: 7, hour: 3, minute: 0 }],
    ['2026-10-25T00:30:00.000Z', 'Europe/Berlin', { date: '2026-10-25', weekday: 7, hour: 2, minute: 30 }],
    ['2026-10-25T01:30:00.000Z', 'Europe/Berlin', { date: '2026-10-25', weekday: 7, hour: 2, minute: 30 }],
  ])('%s in %s', (moment, zone, local) => {
    expect(localTime(new Date(moment), zone)).toEqual(local);
  });

  it('is what the clocks of a zone show, whatever was asked before and however near clocks are changed', () => {
    const random = aRandom(3);
    for (const zone of Intl.supportedValuesOf('timeZone').filter(() => random.below(4) === 0)) {
      const format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, dateStyle: 'short', timeStyle: 'short', hourCycle: 'h23' });
      const around = Date.UTC(2000 + random.below(40), random.below(12), 1 + random.below(28));
      for (const hours of [0, 1, 25, 4_000, 4_001, 2, 8_000]) {
        const moment = new Date(around + hours * 3_600_000 + random.below(3_600_000));
        const { date, hour, minute } = localTime(moment, zone);
        const [year, month, day] = date.split('-');
        const shown = `${day}/${month}/${year}, ${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
        expect([zone, moment, shown]).toEqual([zone, moment, format.format(moment)]);
      }
    }
  });

  it.each(['Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Pacific/Apia'])(
    'changes in the minute in which clocks are changed in %s',
    (zone) => {
      const format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
      for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2027, 0, 1); at += 30 * 60_000) {
        const { hour, minute } = localTime(new Date(at), zone);
        expect([new Date(at), `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`]).toEqual([
          new Date(at),
          format.format(at),
        ]);
      }
    },
  );

  it('knows no zone that there is not', () => expect(() => localTime(new Date(), 'Mars/Olympus')).toThrow(RangeError));
});
