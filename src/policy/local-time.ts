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

/** Making one takes as long as a hundred uses; there are some six hundred time zones. */
const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * The time at `moment` in a time zone of the IANA database, daylight saving included.
 *
 * @throws RangeError when there is no such time zone.
 */
export function localTime(moment: Date, timeZone: string): LocalTime {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(moment)
      .map(({ type, value }) => [type, value]),
  );
  const of = (part: Intl.DateTimeFormatPartTypes): string => parts.get(part) ?? '';
  return {
    date: `${of('year').padStart(4, '0')}-${of('month')}-${of('day')}`,
    weekday: WEEKDAYS.indexOf(of('weekday')) + 1,
    hour: Number(of('hour')),
    minute: Number(of('minute')),
  };
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', weekday: 'short' },
    ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  });
  formats.set(timeZone, format);
  return format;
}
