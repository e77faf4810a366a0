import { endOf, ENOUGH_MONTHS_AHEAD, monthOf, MONTHS_AHEAD, monthsAhead } from './months.js';
import type { RetentionSeat, SweepKind } from './ports.js';
import { cutoffOf, DAYS_RULES } from './rules.js';
import { runRetention, type Running } from './run-retention.js';

export interface Cycling extends Running {
  /** Something needs an operator now. */
  readonly alarm: (message: string, details: Readonly<Record<string, unknown>>) => void;
  /** Something will be tried again. */
  readonly warn: (message: string, details: Readonly<Record<string, unknown>>) => void;
  /** Whether the process is ending. */
  readonly isStopping: () => boolean;
}

/**
 * What the leader does each time: makes the months ahead, drops what is due in whole months, then in every organization, and removes
 * months that are empty. What fails in one organization holds up no other.
 *
 * @throws Error when the seat is lost; whoever has it next goes on.
 */
export async function runCycle(deps: Cycling, seat: RetentionSeat): Promise<void> {
  await makeMonths(deps, seat);
  await dropMonths(deps, seat);
  for (const organizationId of await seat.organizations()) {
    if (deps.isStopping()) return;
    try {
      const run = { id: seat.runId, asOf: seat.asOf, startedBy: null, isDryRun: false };
      await runRetention(deps, seat, organizationId, run, { isWhole: false, mustStop: deps.isStopping });
    } catch (error) {
      await seat.requireHeld();
      deps.alarm('retention failed in an organization; it is tried again next time', { organizationId, error });
    }
  }
  for (const month of await seat.months()) {
    if (deps.isStopping()) return;
    if (endOf(month) <= cutoffOf(seat.asOf, DAYS_RULES.METADATA.floorDays)) await seat.removeMonth(month);
  }
  if (!deps.isStopping()) await seat.finish();
}

async function makeMonths(deps: Cycling, seat: RetentionSeat): Promise<void> {
  const there = await seat.months();
  const failures: unknown[] = [];
  for (let ahead = 0; ahead <= MONTHS_AHEAD; ahead += 1) {
    const month = monthOf(seat.asOf, ahead);
    if (there.includes(month)) continue;
    try {
      await seat.makeMonth(month);
    } catch (error) {
      await seat.requireHeld();
      failures.push(error);
    }
  }
  const [error] = failures;
  if (error === undefined) return;
  const ahead = monthsAhead(await seat.months(), seat.asOf);
  if (ahead >= ENOUGH_MONTHS_AHEAD)
    deps.warn('a month ahead could not be made; it is tried again next time', { monthsAhead: ahead, error });
  else
    deps.alarm('the log has no room for the months ahead: what happens in a month without a partition cannot be stored', {
      monthsAhead: ahead,
      error,
    });
}

/** How often a month is tried that somebody keeps busy. What is left goes row by row. */
const MONTH_TRIES = 3;

async function dropMonths(deps: Cycling, seat: RetentionSeat): Promise<void> {
  for (const month of await seat.months()) {
    for (const kind of kindsPastFloor(month, seat.asOf)) {
      for (let tries = 0; tries < MONTH_TRIES; tries += 1) {
        if (deps.isStopping()) return;
        const outcome = await seat.dropMonth(month, kind);
        if (outcome !== 'BUSY' && outcome !== 'CHANGED') break;
      }
    }
  }
}

function kindsPastFloor(month: string, asOf: Date): readonly SweepKind[] {
  const isPast = (days: number): boolean => endOf(month) <= cutoffOf(asOf, days);
  return [
    ...(isPast(DAYS_RULES.CONTENT.floorDays) ? ['CONTENT' as const] : []),
    ...(isPast(DAYS_RULES.METADATA.floorDays) ? ['EVENTS' as const] : []),
  ];
}
