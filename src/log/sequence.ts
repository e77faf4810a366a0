import type { LogHints, Sequenced, SequencerSeat, Sequencing } from './ports.js';

export interface SequencerOptions {
  readonly sequencing: Sequencing;
  readonly hints: LogHints;
  /** Told of every failure; the sequencer goes on. */
  readonly report: (message: string, error: unknown) => void;
}

export interface Sequencer {
  /** Whether this process gives the positions now, as far as it knows. */
  isLeading(): boolean;
  /** Gives up the seat when this process has it, and ends. */
  stop(): Promise<void>;
}

/** How many events one transaction takes. */
const STEP_EVENTS = 5_000;
/** How long to wait for a hint before looking all the same: a hint may be lost, or its transaction not be the oldest yet. */
const IDLE_MILLISECONDS = 50;
/** A step that found nothing right after a hint looks again this soon: an older transaction was still running. */
const RETRY_MILLISECONDS = 5;
/** How long to wait before asking for a seat that another process has, or that was lost with its connection. */
const CANDIDATE_MILLISECONDS = 500;

/**
 * Runs the sequencer in this process: a candidate until it has the seat, then the one that gives every stored event its
 * position. Lives through lost connections.
 */
export function startSequencer(options: SequencerOptions): Sequencer {
  const alarm = alarmClock();
  let isStopped = false;
  let isLeading = false;
  let wasHinted = false;
  const unsubscribe = options.hints.onStored(() => {
    wasHinted = true;
    // A candidate is not woken: it would ask for the seat at every commit of every process.
    if (isLeading) alarm.ring();
  });

  const lead = async (seat: SequencerSeat): Promise<void> => {
    while (!isStopped) {
      const hinted = wasHinted;
      wasHinted = false;
      const done = await seat.step(STEP_EVENTS);
      announce(options.hints, done);
      if (done.events === STEP_EVENTS || wasHinted) continue;
      await alarm.sleep(done.events === 0 && hinted ? RETRY_MILLISECONDS : IDLE_MILLISECONDS);
    }
  };

  const run = async (): Promise<void> => {
    while (!isStopped) {
      let seat: SequencerSeat | null = null;
      try {
        seat = await options.sequencing.take();
        isLeading = seat !== null;
        if (seat !== null) await lead(seat);
      } catch (error) {
        if (!isStopped) options.report('The sequencer lost its connection; events are stored but wait for their positions.', error);
      } finally {
        isLeading = false;
        await seat?.leave();
      }
      if (!isStopped) await alarm.sleep(CANDIDATE_MILLISECONDS);
    }
  };

  const running = run();
  return {
    isLeading: () => isLeading,
    async stop() {
      isStopped = true;
      unsubscribe();
      alarm.ring();
      await running;
    },
  };
}

function announce(hints: LogHints, { heads }: Sequenced): void {
  for (const { organizationId, size } of heads) hints.announceGrowth(organizationId, size);
}

/** Sleeps that can be cut short. */
function alarmClock(): { sleep(milliseconds: number): Promise<void>; ring(): void } {
  let wake: () => void = () => undefined;
  return {
    sleep: (milliseconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    ring: () => wake(),
  };
}
