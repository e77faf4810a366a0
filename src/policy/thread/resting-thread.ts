import { startThread, type Thread } from '../../platform/worker-thread.js';

/** A thread that is started when it is needed, and ends when it was not for a while. */
export interface RestingThread<Question, Answer> {
  /** Starts it, unless it runs. */
  wake(): void;
  /** @throws Error when it ends before it has answered, or could not answer */
  ask(question: Question): Promise<Answer>;
  close(): Promise<void>;
}

/**
 * @param script as of `startThread`
 * @param idleMilliseconds how long it stays when it has nothing to do
 * @param started told of each start: what an earlier thread knew is gone
 */
export function restingThread<Question, Answer>(
  script: URL,
  idleMilliseconds: number,
  started: () => void = () => undefined,
): RestingThread<Question, Answer> {
  let thread: Thread<Question, Answer> | null = null;
  let asked = 0;
  let timer: NodeJS.Timeout | null = null;
  const end = async (): Promise<void> => {
    const ending = thread;
    thread = null;
    await ending?.end();
  };
  const linger = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = asked > 0 ? null : setTimeout(() => void end(), idleMilliseconds).unref();
  };
  const awake = (): Thread<Question, Answer> => {
    linger();
    if (thread === null || thread.hasEnded()) {
      thread = startThread(script);
      started();
    }
    return thread;
  };
  return {
    wake: () => void awake(),
    async ask(question) {
      asked += 1;
      try {
        return await awake().ask(question);
      } finally {
        asked -= 1;
        linger();
      }
    },
    async close() {
      if (timer !== null) clearTimeout(timer);
      await end();
    },
  };
}
