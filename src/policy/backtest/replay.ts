import { eventFrom } from '../../audit/index.js';
import { forEachLine } from '../by-line.js';
import { evaluatePrepared, prepareCall, preparePolicySet, type Evaluation } from '../evaluate.js';
import type { PolicyEngine } from '../ports.js';
import { callIn } from '../recorded-call.js';
import type { Comparison } from './backtest.js';
import { NO_COUNTS, type ChangedCall, type Counts, type Dimension, type Tally } from './tally.js';

/**
 * Asks recorded decisions again. Pure: each is evaluated with the facts that were recorded with it, at the time that was then.
 *
 * @returns what becomes of decisions that stand in a text, one event a line
 */
export function replayer(engine: PolicyEngine, { before, after, baseline }: Comparison): (lines: string) => Tally {
  const [setBefore, setAfter] = [before, after].map((policies) => forEachLine(policies, (held) => preparePolicySet(engine, held)));
  if (setBefore === undefined || setAfter === undefined) throw new Error('There are two sets.');
  return (lines) => {
    const gathering = new Gathering();
    for (const line of lines === '' ? [] : lines.split('\n')) {
      const event = eventFrom(line);
      const recorded = callIn({ event });
      if (recorded === null || event.verdict === null) {
        gathering.skip();
        continue;
      }
      const { call, isWhole } = recorded;
      const place = call.projectLine.map(({ id }) => id);
      const prepared = prepareCall(call);
      const [now, then] = [evaluatePrepared(setBefore(place), prepared), evaluatePrepared(setAfter(place), prepared)];
      gathering.add({
        ...{ eventId: event.id, agentId: call.agent.id, tool: call.tool.id, projectId: place.at(-1) ?? '' },
        ...{ isWhole, isReproduced: now.verdict === event.verdict },
        ...{ before: baseline === 'RECORDED' ? event.verdict : now.verdict, after: then.verdict },
        policyIds: policiesBehind(now, then),
      });
    }
    return gathering.tally();
  };
}

/** The policies that decide as it would be; where nothing decides, those that did. */
function policiesBehind(now: Evaluation, then: Evaluation): readonly string[] {
  const reasons = then.reasons.length > 0 ? then.reasons : now.reasons;
  return [...new Set(reasons.map(({ policyId }) => policyId))];
}

interface Compared extends Omit<ChangedCall, 'change'> {
  readonly isWhole: boolean;
  readonly isReproduced: boolean;
}

const CHANGES = { DENY: 'NEWLY_DENIED', ASK: 'NEWLY_ASKED', ALLOW: 'NEWLY_ALLOWED' } as const;
const COUNTED = { NEWLY_DENIED: 'newlyDenied', NEWLY_ASKED: 'newlyAsked', NEWLY_ALLOWED: 'newlyAllowed' } as const;

/** Counts of one batch while it is looked at. */
class Gathering {
  readonly #totals: { -readonly [Name in keyof Counts]: number } = { ...NO_COUNTS };
  readonly #groups = new Map<Dimension, Map<string, { -readonly [Name in keyof Counts]: number }>>();
  readonly #changed: ChangedCall[] = [];
  #skipped = 0;
  #withoutArguments = 0;
  #notReproduced = 0;

  skip(): void {
    this.#skipped += 1;
  }

  add({ isWhole, isReproduced, ...compared }: Compared): void {
    if (!isWhole) this.#withoutArguments += 1;
    if (!isReproduced) this.#notReproduced += 1;
    const change = compared.before === compared.after ? null : CHANGES[compared.after];
    const groups = [
      this.#group('AGENT', compared.agentId),
      this.#group('TOOL', compared.tool),
      this.#group('PROJECT', compared.projectId),
      ...compared.policyIds.map((id) => this.#group('POLICY', id)),
    ];
    for (const counts of [this.#totals, ...groups]) {
      counts.decisions += 1;
      if (change !== null) counts[COUNTED[change]] += 1;
    }
    if (change !== null) this.#changed.push({ ...compared, change });
  }

  #group(dimension: Dimension, key: string): { -readonly [Name in keyof Counts]: number } {
    const groups = this.#groups.get(dimension) ?? new Map<string, { -readonly [Name in keyof Counts]: number }>();
    this.#groups.set(dimension, groups);
    const counts = groups.get(key) ?? { ...NO_COUNTS };
    groups.set(key, counts);
    return counts;
  }

  tally(): Tally {
    const groups = [...this.#groups].flatMap(([dimension, keys]) => [...keys].map(([key, counts]) => ({ dimension, key, ...counts })));
    return {
      totals: this.#totals,
      skipped: this.#skipped,
      withoutArguments: this.#withoutArguments,
      notReproduced: this.#notReproduced,
      groups,
      changed: this.#changed,
    };
  }
}
