import { runCycle, type Cycling } from './cycle.js';
import type { RetentionSeat, RetentionSeats } from './ports.js';

export interface ScheduleOptions extends Omit<Cycling, 'isStopping'> {
  readonly seats: RetentionSeats;
  readonly intervalMinutes: number;
  /** The name of this process, for people. */
  readonly leader: string;
}

export interface RetentionSchedule {
  /** Ends after the step that is under way, at the latest after 5 s; another process goes on. */
  stop(): Promise<void>;
}

/** How often a process asks whether retention is due. */
const ASK_MILLISECONDS = 30_000;
/** How long ending waits for the step under way. */
const STOP_MILLISECONDS = 5_000;

/**
 * Runs retention on its schedule in this process, whenever it is due and no other process has the seat. Lives through lost
 * connections; what it had begun is gone on with.
 */
export function startRetention(options: ScheduleOptions): RetentionSchedule {
  let isStopped = false;
  let seat: RetentionSeat | null = null;
  let wake: () => void = () => undefined;
  const isStopping = (): boolean => isStopped;

  const runOnce = async (): Promise<void> => {
    try {
      seat = await options.seats.takeIfDue(options.intervalMinutes, options.leader);
      if (seat !== null) await runCycle({ ...options, isStopping }, seat);
    } catch (error) {
      if (!isStopped) options.alarm('retention was interrupted; it goes on in half a minute', { error });
    } finally {
      await seat?.leave();
      seat = null;
    }
  };
  const run = async (): Promise<void> => {
    while (!isStopped) {
      await runOnce();
      if (!isStopped)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ASK_MILLISECONDS);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
    }
  };
  const running = run();
  return {
    async stop() {
      isStopped = true;
      wake();
      // A whole month may take longer to look through than anybody waits: it goes with its connection.
      const impatience = setTimeout(() => void seat?.leave(), STOP_MILLISECONDS);
      await running;
      clearTimeout(impatience);
    },
  };
}
