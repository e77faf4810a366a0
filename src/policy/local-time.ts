/** A moment as a clock on the wall shows it. */
export interface LocalTime {
  /** Year, month and day: `2026-11-22`. */
  readonly date: string;
  /** From 1, Monday, to 7, Sunday, as ISO 8601 counts. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** A clock and what it showed last. Making one takes as long as a hundred uses; there are some six hundred time zones. */
interface WallClock {
  readonly format: Intl.DateTimeFormat;
  /** Whole minutes since 1970. Offsets are of whole minutes, in every time zone of our days. */
  readonly minute: number;
  readonly shows: LocalTime;
}
const clocks = new Map<string, WallClock>();

/**
 * The time at `moment` in a time zone of the IANA database, daylight saving included.
 *
 * @throws RangeError when there is no such time zone.
 */
export function localTime(moment: Date, timeZone: string): LocalTime {
  const minute = Math.floor(moment.getTime() / 60_000);
  const known = clocks.get(timeZone);
  if (known?.minute === minute) return known.shows;
  const format = known?.format ?? formatFor(timeZone);
  const shows = read(format, moment);
  // Decisions come many to a minute, and reading the clock costs as much as all else that is known of a call.
  clocks.set(timeZone, { format, minute, shows });
  return shows;
}

function read(format: Intl.DateTimeFormat, moment: Date): LocalTime {
  const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, value]));
  const of = (part: Intl.DateTimeFormatPartTypes): string => parts.get(part) ?? '';
  return {
    date: `${of('year').padStart(4, '0')}-${of('month')}-${of('day')}`,
    weekday: WEEKDAYS.indexOf(of('weekday')) + 1,
    hour: Number(of('hour')),
    minute: Number(of('minute')),
  };
}

const formatFor = (timeZone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-US', {
    timeZone,
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', weekday: 'short' },
    ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  });
