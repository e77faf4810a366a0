import { Failure } from '../../kernel/index.js';
import type { EngineComparison, EngineDifference, EngineQuestion } from '../self-check/ports.js';
import { restingThread } from './resting-thread.js';

/** How long the thread stays for the next publish. */
const IDLE_MILLISECONDS = 60_000;

/** How long one question may take; after that the thread is ended, whatever it is doing. */
const ANSWER_MILLISECONDS = 20_000;

/** Compares in a thread of its own, so that decisions beside it do not wait. */
export function threadComparison(script = new URL('../wasm/check-thread.js', import.meta.url)): EngineComparison {
  const thread = restingThread<EngineQuestion, EngineDifference | null>(script, IDLE_MILLISECONDS);
  return {
    expect: thread.wake,
    async compare(question) {
      const late = setTimeout(() => void thread.close(), ANSWER_MILLISECONDS);
      try {
        return await thread.ask(question);
      } catch (cause) {
        throw new Failure('UNAVAILABLE', 'Whether the policy is evaluated as Cedar does could not be checked. Try again.', { cause });
      } finally {
        clearTimeout(late);
      }
    },
    close: thread.close,
  };
}
