import type { Namespace } from '../directory/index.js';
import {
  forEachLine,
  inForceAt,
  preparePolicySet,
  withShadows,
  type InForce,
  type PolicyEngine,
  type PolicyInForce,
  type PolicySet,
} from '../policy/index.js';

/** The policies of every project of an organization, made ready when a project first asks. */
export interface PolicySets {
  /** What decides calls in the project at `now`. */
  at(project: Namespace, now: Date): PolicySet;
  /** What would, if the policies that are only watched were enforced; null where none is watched. */
  shadowsAt(project: Namespace, now: Date): Shadows | null;
  /** What is in force for the project at any moment, not made ready: asked for seldom, it must not cost those who decide what they have. */
  inForceAt(project: Namespace, at: Date): InForce;
}

export interface Shadows {
  /** Made ready when first asked for. */
  readonly set: () => PolicySet;
  /** What has been told of them already. */
  readonly told: Set<string>;
}

/**
 * Chooses by the clock what of `revisions` is in force. Nobody has to publish, or to look, at the moment when something starts or ends:
 * the first call after it finds it so, in every process.
 */
export function keepPolicySets(engine: PolicyEngine, revisions: readonly PolicyInForce[]): PolicySets {
  let period = periodFrom(engine, revisions, new Date(0));
  const periodOf = (now: Date): Period => {
    if (now < period.from || (period.until !== null && now >= period.until)) period = periodFrom(engine, revisions, now);
    return period;
  };
  return {
    at: (project, now) => periodOf(now).sets(project),
    shadowsAt: (project, now) => periodOf(now).shadows(project),
    inForceAt: ({ ancestors }, at) =>
      inForceAt(
        revisions.filter(({ namespaceId }) => ancestors.includes(namespaceId)),
        at,
      ),
  };
}

/** A time in which nothing starts and nothing ends. */
interface Period {
  readonly from: Date;
  readonly until: Date | null;
  readonly sets: (project: Namespace) => PolicySet;
  readonly shadows: (project: Namespace) => Shadows | null;
}

function periodFrom(engine: PolicyEngine, revisions: readonly PolicyInForce[], now: Date): Period {
  const inForce = inForceAt(revisions, now);
  const watched = new Set(inForce.shadows.map(({ namespaceId }) => namespaceId));
  return {
    from: now,
    until: inForce.until,
    sets: ofProject(forEachLine(inForce.enforced, (policies) => preparePolicySet(engine, policies))),
    shadows: ofProject(
      forEachLine(withShadows(inForce), (policies, holders): Shadows | null => {
        if (!holders.some((id) => watched.has(id))) return null;
        let set: PolicySet | null = null;
        return { set: () => (set ??= preparePolicySet(engine, policies)), told: new Set() };
      }),
    ),
  };
}

const ofProject =
  <Made>(ofLine: (line: readonly string[]) => Made) =>
  ({ ancestors }: Namespace): Made =>
    ofLine(ancestors);
