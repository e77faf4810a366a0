import type { Namespace } from '../directory/index.js';
import {
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
  const [enforced, watched] = [byNamespace(inForce.enforced), byNamespace(inForce.shadows)];
  const asIfEnforced = byNamespace(withShadows(inForce));
  return {
    from: now,
    until: inForce.until,
    sets: forEachLine(enforced, (policies) => preparePolicySet(engine, policies)),
    shadows: forEachLine(asIfEnforced, (policies, holders): Shadows | null => {
      if (!holders.some((id) => watched.has(id))) return null;
      let set: PolicySet | null = null;
      return { set: () => (set ??= preparePolicySet(engine, policies)), told: new Set() };
    }),
  };
}

/** Makes something of the policies of a project's line of namespaces. Projects with the same policies share it. */
function forEachLine<Made>(
  policies: ReadonlyMap<string, readonly PolicyInForce[]>,
  make: (policies: readonly PolicyInForce[], holders: readonly string[]) => Made,
): (project: Namespace) => Made {
  const made = new Map<string, { readonly value: Made }>();
  return ({ ancestors }) => {
    const holders = ancestors.filter((id) => policies.has(id));
    const name = JSON.stringify(holders);
    const known = made.get(name);
    if (known !== undefined) return known.value;
    const value = make(
      holders.flatMap((id) => policies.get(id) ?? []),
      holders,
    );
    made.set(name, { value });
    return value;
  };
}

function byNamespace(policies: readonly PolicyInForce[]): ReadonlyMap<string, readonly PolicyInForce[]> {
  const groups = new Map<string, PolicyInForce[]>();
  for (const policy of policies) {
    const group = groups.get(policy.namespaceId);
    if (group === undefined) groups.set(policy.namespaceId, [policy]);
    else group.push(policy);
  }
  return groups;
}
