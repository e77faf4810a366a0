import { othersFirst, type OrganizationId } from '../kernel/index.js';
import {
  differenceBetween,
  evaluationWords,
  type Evaluation,
  type PolicyInForce,
  type PolicySet,
  type Reference,
  type ToolCall,
} from '../policy/index.js';
import type { Trust } from './trust.js';

/** A decision that was made and is recorded. */
export interface MadeDecision {
  readonly organizationId: OrganizationId;
  readonly eventId: string;
  readonly set: PolicySet;
  readonly call: ToolCall;
  readonly evaluation: Evaluation;
}

export interface SelfChecked {
  /** Decisions that Cedar was asked about as well. */
  readonly checked: number;
  /** Those that it would have made otherwise. */
  readonly different: number;
  /** Those that were to be checked while too many waited for it already. */
  readonly dropped: number;
  /** Those of which Cedar could not say anything. */
  readonly failed: number;
}

/** Replays some of the decisions with Cedar itself. */
export interface SelfCheck {
  /** Takes note of a decision that is about to be answered. Costs next to nothing and never throws; looks at it only after the answer. */
  offer(decision: MadeDecision): void;
  /** Since this process started. */
  counts(): SelfChecked;
  /** Settles when nothing waits to be checked. */
  idle(): Promise<void>;
}

export interface SelfCheckOptions {
  /** One of so many decisions is checked; 0: none is. */
  readonly rate: number;
  readonly reference: Reference;
  /** Decisions that something else than its usual evaluator made are not checked. */
  readonly trust: Trust;
  readonly alarm: (message: string, details: Readonly<Record<string, unknown>>) => void;
  /** A number from 0 on and below 1, another one every time. */
  readonly draw?: () => number;
}

/** How many decisions wait to be checked, at most. Each holds on to the policies that it was made with. */
const MAX_WAITING = 8;

/**
 * Asks Cedar about one of `rate` decisions, one after the other, beside everything else. Where it would have decided otherwise, that is
 * told, and from then on Cedar itself decides with those policies: what is compiled must not go on giving answers that are known to be
 * wrong, and a wrong answer that allows is worse than a slow one.
 */
export function keepSelfCheck({ rate, reference, trust, alarm, draw = Math.random }: SelfCheckOptions): SelfCheck {
  const counts = { checked: 0, different: 0, dropped: 0, failed: 0 };
  const waiting: MadeDecision[] = [];
  let running: Promise<void> | null = null;
  const check = async (decision: MadeDecision): Promise<void> => {
    const { organizationId, eventId, set, call, evaluation } = decision;
    try {
      const expected = await reference.evaluate(set.policies, call);
      counts.checked += 1;
      const differing = differenceBetween(evaluation, expected);
      if (differing === null) return;
      counts.different += 1;
      const policies = policiesBehind(set, differing);
      trust.distrust(organizationId, policies);
      alarm('the compiled policies and Cedar do not agree on a decision: from now on Cedar decides with these policies', {
        ...{ organizationId, eventId, policies: policies.map(({ id, name, revision }) => ({ id, name, revision })) },
        ...{ compiled: evaluationWords(evaluation), cedar: evaluationWords(expected), differences: counts.different },
      });
    } catch (error) {
      counts.failed += 1;
      alarm('a decision could not be checked with Cedar', { organizationId, eventId, error });
    }
  };
  const run = async (): Promise<void> => {
    for (;;) {
      await othersFirst();
      const next = waiting.shift();
      if (next === undefined) break;
      await check(next);
    }
    running = null;
  };
  return {
    offer(decision) {
      if (rate === 0 || draw() * rate >= 1) return;
      if (decision.set.engine !== trust.usual) return;
      if (waiting.length >= MAX_WAITING) {
        counts.dropped += 1;
        return;
      }
      waiting.push(decision);
      running ??= run();
    },
    counts: () => ({ ...counts }),
    idle: () => running ?? Promise.resolve(),
  };
}

/** The policies that statements belong to; when that is not known, all of them. */
function policiesBehind({ policies, owners }: PolicySet, statements: readonly string[]): readonly PolicyInForce[] {
  const found = new Set(statements.flatMap((id) => owners.get(id)?.policy ?? []));
  return found.size > 0 ? [...found] : policies;
}
