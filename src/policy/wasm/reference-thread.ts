import { serveThread } from '../../platform/worker-thread.js';
import { evaluate, preparePolicySet, type Evaluation, type PolicySet } from '../evaluate.js';
import type { PolicyInForce } from '../policy.js';
import type { ReferenceQuestion } from '../self-check/ports.js';
import { wasmEngine } from './engines.js';

// What runs in the thread that evaluates calls as Cedar does: policies come once, sets of them by their names, then calls.
const policies = new Map<string, PolicyInForce>();
const sets = new Map<number, { readonly names: string[]; ready: PolicySet | null }>();

serveThread((question: ReferenceQuestion): Evaluation | null => {
  if ('drop' in question) {
    sets.delete(question.drop);
    return null;
  }
  const set = sets.get(question.set) ?? { names: [], ready: null };
  sets.set(question.set, set);
  if ('call' in question) {
    set.ready ??= preparePolicySet(
      wasmEngine,
      set.names.flatMap((name) => policies.get(name) ?? []),
    );
    return evaluate(set.ready, question.call);
  }
  for (const [name, policy] of question.policies) {
    if (policy !== null) policies.set(name, policy);
    set.names.push(name);
  }
  return null;
});
