import { describe, expect, it } from '@jest/globals';
import { localTime } from '../../src/policy/local-time.js';

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

  it('knows no zone that there is not', () => expect(() => localTime(new Date(), 'Mars/Olympus')).toThrow(RangeError));
});
