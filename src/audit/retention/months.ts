/** How many months are made ahead of the current one. */
export const MONTHS_AHEAD = 3;
/** With fewer there is cause for alarm: what happens in a month without a partition cannot be stored. */
export const ENOUGH_MONTHS_AHEAD = 2;

/** The first day, as `2026-11-01`, of the month that lies `ahead` months after that of `moment` (UTC). */
export const monthOf = (moment: Date, ahead = 0): string =>
  new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + ahead, 1)).toISOString().slice(0, 10);

/** When a month ends, given by its first day. */
export const endOf = (firstDay: string): Date => new Date(monthOf(new Date(firstDay), 1));

/** How many months after the current one are there without a gap; -1 when the current one is missing. */
export function monthsAhead(months: readonly string[], now: Date): number {
  let ahead = 0;
  while (months.includes(monthOf(now, ahead))) ahead += 1;
  return ahead - 1;
}
