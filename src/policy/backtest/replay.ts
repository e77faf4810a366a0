import { eventFrom } from '../../audit/index.js';
import { forEachLine } from '../by-line.js';
import { evaluatePrepared, prepareCall, preparePolicySet, type Evaluation, type PolicySet, type PreparedCall } from '../evaluate.js';
import type { PolicyInForce, Statement } from '../policy.js';
import type { LoadedStatements, PolicyEngine } from '../ports.js';
import { callIn } from '../recorded-call.js';
import type { Comparison } from './backtest.js';
import { DIMENSIONS, NO_COUNTS, type Change, type ChangedCall, type Counts, type Dimension, type Tally } from './tally.js';

/**
 * Asks recorded decisions again. Pure: each is evaluated with the facts that were recorded with it, at the time that was then.
 *
 * @returns what becomes of decisions, each the JSON of its event
 */
export function replayer(engine: PolicyEngine, { before, after, baseline }: Comparison): (events: readonly string[]) => Tally {
  const setBefore = forEachLine(before, (held) => preparePolicySet(engine, held));
  const setAfter = forEachLine(after, (held) => preparePolicySet(engine, held));
  const isAlike = likeness(engine);
  return (events) => {
    const gathering = new Gathering();
    for (const json of events) {
      const event = eventFrom(json);
      const recorded = callIn({ event });
      if (recorded === null || event.verdict === null) {
        gathering.skip();
        continue;
      }
      const { call, isWhole } = recorded;
      const place = call.projectLine.map(({ id }) => id);
      const prepared = prepareCall(call);
      const [policiesNow, policiesThen] = [setBefore(place), setAfter(place)];
      const now = evaluatePrepared(policiesNow, prepared);
      const then = isAlike(policiesNow, policiesThen, prepared) ? now : evaluatePrepared(policiesThen, prepared);
      gathering.add({
        eventId: event.id,
        agentId: call.agent.id,
        tool: call.tool.id,
        projectId: place.at(-1) ?? '',
        isWhole,
        isReproduced: now.verdict === event.verdict,
        before: baseline === 'RECORDED' ? event.verdict : now.verdict,
        after: then.verdict,
        policyIds: policiesBehind(now, then),
      });
    }
    return gathering.tally();
  };
}

/**
 * Tells of two sets and a call whether both come to the same, as far as that can be told without evaluating it: of what only one of them
 * holds, nothing can apply. Most calls are not what a change is about.
 */
function likeness(engine: PolicyEngine): (before: PolicySet, after: PolicySet, prepared: PreparedCall) => boolean {
  const differences = new Map<PolicySet, Map<PolicySet, LoadedStatements | null>>();
  const differenceOf = (before: PolicySet, after: PolicySet): LoadedStatements | null => {
    const ofBefore = differences.get(before) ?? new Map<PolicySet, LoadedStatements | null>();
    differences.set(before, ofBefore);
    const known = ofBefore.get(after);
    if (known !== undefined) return known;
    const made = hasSameObligations(before, after) ? engine.load(onlyInOne(before.policies, after.policies)) : null;
    ofBefore.set(after, made);
    return made;
  };
  return (before, after, prepared) => {
    const difference = differenceOf(before, after);
    if (difference === null) return false;
    return !difference.mayApply(prepared.request) && (prepared.unnamed === null || !difference.mayApply(prepared.unnamed.request));
  };
}

/** Every obligation of a set is promised on behalf of every call, whatever it is about. */
const hasSameObligations = (before: PolicySet, after: PolicySet): boolean =>
  before.obligations.length === after.obligations.length &&
  before.obligations.every((obligation) => after.obligations.includes(obligation));

function onlyInOne(before: readonly PolicyInForce[], after: readonly PolicyInForce[]): ReadonlyMap<string, Statement> {
  const isIn = (policies: readonly PolicyInForce[]): ((policy: PolicyInForce) => boolean) => {
    const all = new Set(policies);
    return (policy) => all.has(policy);
  };
  const [wasThere, isThere] = [isIn(before), isIn(after)];
  const differing = [...before.filter((policy) => !isThere(policy)), ...after.filter((policy) => !wasThere(policy))];
  return new Map(differing.flatMap(({ statements }) => statements).map((statement, index) => [String(index), statement]));
}

/** The policies that decide as it would be; where nothing decides, those that did. */
function policiesBehind(now: Evaluation, then: Evaluation): readonly string[] {
  const reasons = then.reasons.length > 0 ? then.reasons : now.reasons;
  const ids = reasons.map(({ policyId }) => policyId);
  return ids.length < 2 ? ids : [...new Set(ids)];
}

interface Compared extends Omit<ChangedCall, 'change'> {
  readonly isWhole: boolean;
  readonly isReproduced: boolean;
}

const CHANGES = { DENY: 'NEWLY_DENIED', ASK: 'NEWLY_ASKED', ALLOW: 'NEWLY_ALLOWED' } as const;
const COUNTED = { NEWLY_DENIED: 'newlyDenied', NEWLY_ASKED: 'newlyAsked', NEWLY_ALLOWED: 'newlyAllowed' } as const;

type Counting = { -readonly [Name in keyof Counts]: number };

/** Counts of one batch while it is looked at. */
class Gathering {
  readonly #totals: Counting = { ...NO_COUNTS };
  readonly #groups: Readonly<Record<Dimension, Map<string, Counting>>> = {
    AGENT: new Map(),
    TOOL: new Map(),
    PROJECT: new Map(),
    POLICY: new Map(),
  };
  readonly #changed: ChangedCall[] = [];
  #skipped = 0;
  #withoutArguments = 0;
  #notReproduced = 0;

  skip(): void {
    this.#skipped += 1;
  }

  add({ isWhole, isReproduced, eventId, agentId, tool, projectId, before, after, policyIds }: Compared): void {
    if (!isWhole) this.#withoutArguments += 1;
    if (!isReproduced) this.#notReproduced += 1;
    const change = before === after ? null : CHANGES[after];
    count(this.#totals, change);
    this.#count('AGENT', agentId, change);
    this.#count('TOOL', tool, change);
    this.#count('PROJECT', projectId, change);
    for (const id of policyIds) this.#count('POLICY', id, change);
    if (change !== null) this.#changed.push({ eventId, change, before, after, agentId, tool, projectId, policyIds });
  }

  #count(dimension: Dimension, key: string, change: Change | null): void {
    const group = this.#groups[dimension];
    const known = group.get(key);
    const counts = known ?? { ...NO_COUNTS };
    if (known === undefined) group.set(key, counts);
    count(counts, change);
  }

  tally(): Tally {
    const groups = DIMENSIONS.flatMap((dimension) => [...this.#groups[dimension]].map(([key, counts]) => ({ dimension, key, ...counts })));
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

function count(counts: Counting, change: Change | null): void {
  counts.decisions += 1;
  if (change !== null) counts[COUNTED[change]] += 1;
}
