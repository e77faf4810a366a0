import type { Projection } from './session-ports.js';

export interface ProjectorOptions {
  readonly projection: Projection;
  /** Whether this process gives events their positions: then it projects them too. */
  readonly isLeading: () => boolean;
  /** Told of every failure; the projector goes on. */
  readonly report: (message: string, error: unknown) => void;
}

export interface Projector {
  /** Ends after the step that is under way. */
  stop(): Promise<void>;
}

/** How many events one transaction takes. The sequencer waits for a transaction that has begun to write: more would hold it up longer. */
const STEP_EVENTS = 5_000;
/**
 * How long to wait between looks. Whoever reads brings things up to date first, so nobody waits for this; and the more there is to do at
 * once the less each event costs, since most rows are raised by several.
 */
const IDLE_MILLISECONDS = 500;
/** How long the projector rests between steps when there is more to do: long enough for the sequencer to step in. */
const BETWEEN_STEPS_MILLISECONDS = 5;
/** How many steps a reader waits for. Further behind, as after an upgrade, it is shown what there is. */
const MAX_STEPS_OF_READER = 4;

/** Projects events in the background, in the process that gives them their positions. Lives through lost connections. */
export function startProjector({ projection, isLeading, report }: ProjectorOptions): Projector {
  let isStopped = false;
  let wake = (): void => undefined;
  const sleep = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const step = async (): Promise<boolean> => {
    if (!isLeading() || !(await projection.isBehind())) return false;
    return (await projection.step(STEP_EVENTS)) === STEP_EVENTS;
  };

  const run = async (): Promise<void> => {
    while (!isStopped) {
      let hasMore = false;
      try {
        hasMore = await step();
      } catch (error) {
        if (!isStopped) report('Events could not be projected; sessions and counts stand still.', error);
      }
      if (!isStopped) await sleep(hasMore ? BETWEEN_STEPS_MILLISECONDS : IDLE_MILLISECONDS);
    }
  };

  const running = run();
  return {
    async stop() {
      isStopped = true;
      wake();
      await running;
    },
  };
}

/**
 * Brings the projection up to date before something is read from it: who has seen an event with a position then finds it counted.
 * Bounded: as much as 20,000 events behind, it gives up and lets what there is be read.
 *
 * All callers in a process share one run at a time, so that readers never take more than one connection for it. Who comes while one is
 * under way waits for the next: the one may have looked too early.
 */
export function catchUpWith(projection: Projection): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  const run = async (): Promise<void> => {
    if (!(await projection.isBehind())) return;
    for (let steps = 0; steps < MAX_STEPS_OF_READER; steps += 1) if ((await projection.step(STEP_EVENTS)) < STEP_EVENTS) return;
  };
  const begin = (): Promise<void> => {
    const own = run().finally(() => {
      if (running === own) running = null;
    });
    running = own;
    return own;
  };
  const afterwards = (): Promise<void> => {
    next = null;
    return begin();
  };
  return () => {
    if (running === null) return begin();
    // It failed for those who waited for it; who comes later tries again.
    next ??= running.then(afterwards, afterwards);
    return next;
  };
}
