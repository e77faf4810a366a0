/** A moment as a clock on the wall shows it. */
export interface LocalTime {
  /** Year, month and day: `2026-11-22`. */
  readonly date: string;
  /** From 1, Monday, to 7, Sunday, as ISO 8601 counts. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

const MINUTE = 60_000;
const DAY = 86_400_000;
/** Clocks are changed months apart: a span that has the same offset at both ends has it throughout. */
const SPAN = DAY / 4;

/** A clock, and a span of time in which its zone is so many milliseconds ahead of UTC. There are some six hundred time zones. */
interface WallClock {
  readonly format: Intl.DateTimeFormat;
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}
const clocks = new Map<string, WallClock>();

/**
 * The time at `moment` in a time zone of the IANA database, daylight saving included.
 *
 * @throws RangeError when there is no such time zone.
 */
export function localTime(moment: Date, timeZone: string): LocalTime {
  const at = moment.getTime();
  const known = clocks.get(timeZone);
  if (known !== undefined && at >= known.from && at < known.to) return shownAt(at + known.offset);
  // To ask the database takes as long as three evaluations.
  const clock = clockAround(known?.format ?? formatFor(timeZone), at);
  clocks.set(timeZone, clock);
  return shownAt(at + clock.offset);
}

function clockAround(format: Intl.DateTimeFormat, at: number): WallClock {
  const from = Math.floor(at / SPAN) * SPAN;
  const offset = offsetAt(format, from);
  if (offset === offsetAt(format, from + SPAN)) return { format, from, to: from + SPAN, offset };
  const minute = Math.floor(at / MINUTE) * MINUTE;
  return { format, from: minute, to: minute + MINUTE, offset: offsetAt(format, minute) };
}

/** At a full minute: offsets are of whole minutes, in every time zone of our days. */
function offsetAt(format: Intl.DateTimeFormat, minute: number): number {
  const parts = new Map(format.formatToParts(minute).map(({ type, value }) => [type, Number(value)]));
  const of = (part: Intl.DateTimeFormatPartTypes): number => parts.get(part) ?? 0;
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute')) - minute;
}

/** What a clock shows that is ahead of UTC by what was added. */
function shownAt(milliseconds: number): LocalTime {
  const shown = new Date(milliseconds);
  return {
    date: shown.toISOString().slice(0, 10),
    weekday: ((shown.getUTCDay() + 6) % 7) + 1,
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
  };
}

const formatFor = (timeZone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-US', {
    timeZone,
    ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  });
