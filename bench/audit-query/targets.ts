import type { AuditEvent, Verdict } from '../../src/audit/index.js';
import { TOOLS, theCompany } from '../support/company.js';
import { evenly, pick, seededRandom, type Random } from '../support/random.js';

/** An event of the log to ask for, or to begin a page behind. */
export interface Target {
  readonly id: string;
  readonly projectId: string;
  readonly agentId: string;
  readonly sessionId: string;
}

/** A decision to ask for others like it. */
export interface Combination {
  readonly projectId: string;
  readonly tool: string;
  readonly verdict: Verdict;
}

/** Chooses what to ask for among everything that was filled in. */
export interface Targets {
  /** Told of every event. */
  see(event: AuditEvent): void;
  /** An event, each as likely as every other. */
  event(): Target;
  /** Project, tool and verdict of a decision, each decision as likely as every other: mostly common ones. */
  combination(): Combination;
  /** Any project with any tool and any verdict: mostly rare ones, or such as are not there at all. */
  anyCombination(): Combination;
}

const KEPT = 4_000;

export function chooseTargets(seed: number): Targets {
  const random = seededRandom(seed);
  const events = reservoir<Target>(random);
  const decisions = reservoir<Combination>(random);
  return {
    see({ id, projectId, agentId, sessionId, tool, verdict }) {
      if (projectId === null || agentId === null || sessionId === null) return;
      events.offer({ id, projectId, agentId, sessionId });
      if (tool !== null && verdict !== null) decisions.offer({ projectId, tool, verdict });
    },
    event: () => pick(events.kept, random),
    combination: () => pick(decisions.kept, random),
    anyCombination: () => ({
      projectId: pick(theCompany.projects, random),
      tool: pick(TOOLS, random),
      verdict: pick(['ALLOW', 'ASK', 'DENY'], random),
    }),
  };
}

/** Keeps a sample of a stream of unknown length in which every item is as likely (Vitter's algorithm R). */
function reservoir<Item>(random: Random): { readonly kept: readonly Item[]; offer(item: Item): void } {
  const kept: Item[] = [];
  let seen = 0;
  return {
    kept,
    offer(item) {
      seen += 1;
      const place = seen <= KEPT ? seen - 1 : evenly(random, seen);
      if (place < KEPT) kept[place] = item;
    },
  };
}
