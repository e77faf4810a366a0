import { othersFirst } from '../../kernel/index.js';
import type { Evaluation } from '../evaluate.js';
import type { PolicyInForce } from '../policy.js';
import type { Reference, ReferenceQuestion } from '../self-check/ports.js';
import { restingThread } from './resting-thread.js';

/** How long the thread stays for the next call. */
const IDLE_MILLISECONDS = 300_000;
/** How many policies are handed over at a time: copying them keeps others waiting. */
const POLICIES_A_MESSAGE = 25;
/** How many sets the thread keeps ready. */
const KEPT_SETS = 4;
/** How many policies it keeps; with more it begins anew. */
const KEPT_POLICIES = 50_000;
/** How long one call may take, its policies included: ten thousand take some seconds. */
const ANSWER_MILLISECONDS = 60_000;

/** Evaluates as Cedar does, in a thread of its own, one call after the other. */
export function threadReference(script = new URL('../wasm/reference-thread.js', import.meta.url)): Reference {
  const known = new Set<string>();
  let sets = new Map<readonly PolicyInForce[], number>();
  let lastSet = 0;
  const thread = restingThread<ReferenceQuestion, Evaluation | null>(script, IDLE_MILLISECONDS, () => {
    known.clear();
    sets = new Map();
  });
  const handOver = async (policies: readonly PolicyInForce[]): Promise<number> => {
    const before = sets.get(policies);
    if (before !== undefined) return before;
    const set = (lastSet += 1);
    for (let first = 0; first < policies.length; first += POLICIES_A_MESSAGE) {
      await othersFirst();
      const some = policies.slice(first, first + POLICIES_A_MESSAGE).map((policy) => {
        const name = `${policy.id}/${policy.revision}`;
        const isKnown = known.has(name);
        known.add(name);
        return [name, isKnown ? null : policy] as const;
      });
      await thread.ask({ set, policies: some });
    }
    sets.set(policies, set);
    const [oldest] = sets;
    if (sets.size > KEPT_SETS && oldest !== undefined) {
      sets.delete(oldest[0]);
      await thread.ask({ drop: oldest[1] });
    }
    return set;
  };
  return {
    async evaluate(policies, call) {
      const late = setTimeout(() => void thread.close(), ANSWER_MILLISECONDS).unref();
      try {
        if (known.size > KEPT_POLICIES) await thread.close();
        // A thread that has ended knows nothing any more: that is found out before anything is handed over.
        thread.wake();
        const answer = await thread.ask({ set: await handOver(policies), call });
        if (answer === null) throw new Error('The thread did not answer.');
        return answer;
      } finally {
        clearTimeout(late);
      }
    },
    close: thread.close,
  };
}
