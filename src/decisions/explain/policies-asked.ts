import type { Namespace } from '../../directory/index.js';
import type { Clock, OrganizationId } from '../../kernel/index.js';
import {
  compiledEngine,
  inForceAt,
  preparePolicySet,
  withShadows,
  type InForce,
  type PolicyInForce,
  type PolicyReader,
  type PolicySet,
} from '../../policy/index.js';
import type { Facts } from '../snapshot.js';

/** The policies that a call is asked about. */
export interface PoliciesAsked {
  /** The moment whose policies they are. */
  readonly asOf: Date;
  readonly set: PolicySet;
  readonly watched: readonly PolicyInForce[];
  /** As if those that are only watched were enforced; null where none is. */
  readonly asIfEnforced: (() => PolicySet) | null;
}

export interface PoliciesAsking {
  readonly policies: Pick<PolicyReader, 'inForceThen'>;
  readonly clock: Clock;
}

/** Where and when policies are asked. */
export interface PlaceAndMoment {
  readonly organizationId: OrganizationId;
  readonly project: Namespace;
  /** Ids of the namespaces whose policies count, from the organization down. */
  readonly line: readonly string[];
  /** Null: now. */
  readonly at: Date | null;
}

/**
 * Policies of now are those that decisions have ready; those of a time that is over are read, as they were published then, and those of a
 * time to come are told by what is published. Both are made ready for this one question.
 *
 * @param draft takes the place of what is in force of its policy
 */
export async function policiesAsked(
  deps: PoliciesAsking,
  facts: Facts,
  place: PlaceAndMoment,
  draft: PolicyInForce | null,
): Promise<PoliciesAsked> {
  const now = deps.clock();
  const { project, at } = place;
  if (at === null && draft === null) {
    const shadows = facts.shadows(project, now);
    const watched = facts.inForce(project, now).shadows;
    return { asOf: now, set: facts.policySet(project, now), watched, asIfEnforced: shadows === null ? null : shadows.set };
  }
  const isOver = at !== null && at < now;
  return madeReady(at ?? now, isOver ? await inForceThen(deps, place, at) : facts.inForce(project, at ?? now), draft);
}

const inForceThen = async ({ policies }: PoliciesAsking, { organizationId, line }: PlaceAndMoment, then: Date): Promise<InForce> =>
  inForceAt(await policies.inForceThen(organizationId, line, then), then);

function madeReady(asOf: Date, inForce: InForce, draft: PolicyInForce | null): PoliciesAsked {
  const isOther = ({ id }: PolicyInForce): boolean => id !== draft?.id;
  const enforced = [...inForce.enforced.filter(isOther), ...(draft === null ? [] : [draft])];
  const watched = inForce.shadows.filter(isOther);
  const prepare = (policies: readonly PolicyInForce[]) => preparePolicySet(compiledEngine, policies);
  return {
    ...{ asOf, watched, set: prepare(enforced) },
    asIfEnforced: watched.length === 0 ? null : () => prepare(withShadows({ enforced, shadows: watched })),
  };
}
