import { startThread, type Thread } from '../../platform/worker-thread.js';
import type { Comparison } from '../backtest/backtest.js';
import type { Replaying } from '../backtest/ports.js';
import type { Tally } from '../backtest/tally.js';

/** What a thread is asked: to make two sets of policies ready, or what they make of recorded decisions, each the JSON of its event. */
export type ReplayQuestion = { readonly comparison: Comparison } | { readonly events: readonly string[] };

type ReplayThread = Thread<ReplayQuestion, Tally>;

/** How many threads a backtest has at most: those that read the log and that decide want some of the machine. */
const MAX_THREADS = 2;
/** How long a thread that has nothing to do stays for the next backtest. */
const IDLE_MILLISECONDS = 30_000;

/** Backtests in threads of their own, so that decisions beside them do not wait. */
export function threadReplaying(cores: number): Replaying {
  const idle = new Map<ReplayThread, NodeJS.Timeout>();
  const open = (): ReplayThread => {
    for (const [rested, end] of idle) {
      clearTimeout(end);
      idle.delete(rested);
      if (!rested.hasEnded()) return rested;
    }
    return startThread(new URL('./replay-thread.js', import.meta.url));
  };
  const rest = (thread: ReplayThread): void => {
    const end = setTimeout(() => {
      idle.delete(thread);
      void thread.end();
    }, IDLE_MILLISECONDS);
    idle.set(thread, end.unref());
  };
  return {
    start(comparison) {
      const threads = Array.from({ length: Math.max(1, Math.min(MAX_THREADS, cores)) }, open);
      const busy = new Map(threads.map((thread) => [thread, 0]));
      const ask = async (thread: ReplayThread, question: ReplayQuestion): Promise<Tally> => {
        busy.set(thread, (busy.get(thread) ?? 0) + 1);
        const tally = await thread.ask(question);
        // One that has failed stays busy, and is not used again.
        busy.set(thread, (busy.get(thread) ?? 1) - 1);
        return tally;
      };
      const ready = new Map(threads.map((thread) => [thread, ask(thread, { comparison })]));
      // That one could not be made ready is told to whoever asks it first.
      for (const making of ready.values()) making.catch(() => undefined);
      return {
        width: threads.length,
        async tally(events) {
          const thread = [...busy].reduce((least, next) => (next[1] < least[1] ? next : least))[0];
          const answer = ask(thread, { events });
          // When it cannot be made ready, that is what is told; the answer that never comes is heard by nobody.
          answer.catch(() => undefined);
          await ready.get(thread);
          return answer;
        },
        async end() {
          await Promise.all([...busy].map(async ([thread, asked]) => (asked === 0 ? rest(thread) : thread.end())));
        },
      };
    },
    async close() {
      for (const timer of idle.values()) clearTimeout(timer);
      await Promise.all([...idle.keys()].map((thread) => thread.end()));
    },
  };
}
