import { describe, expect, it } from '@jest/globals';
import { keepPolicySets } from '../../src/decisions/policy-sets.js';
import type { Namespace } from '../../src/directory/index.js';
import { compiledEngine, evaluate, type PolicyInForce } from '../../src/policy/index.js';
import { aCall, anUncheckedPolicy } from '../policy/a-call.js';
import { aReferencePolicy, OBLIGATIONS, referenceDecision, textOf, type ReferencePolicy } from '../policy/reference-decision.js';
import { aRandom, type Random } from '../support/random.js';

// Five levels of namespaces with policies on each. What decides in a project, and how, is worked out a second time here, slowly and
// knowing nothing of the code: by walking up from the project and looking at every revision there is.

interface Place {
  readonly id: string;
  readonly parent: Place | null;
}

interface Attached {
  readonly policy: ReferencePolicy;
  readonly place: Place;
  readonly revision: PolicyInForce;
}

const at = (hour: number): Date => new Date(Date.UTC(2026, 10, 22, hour));

/** An organization, three levels of groups, and projects: two below each. */
function aTree(): readonly (readonly Place[])[] {
  const levels: Place[][] = [[{ id: 'company', parent: null }]];
  for (const level of [1, 2, 3, 4])
    levels.push((levels[level - 1] ?? []).flatMap((parent) => [0, 1].map((child) => ({ id: `${parent.id}/${child}`, parent }))));
  return levels;
}

/** Revisions of a policy, each with or without a start and an end, enforced or only watched. */
function aHistory(random: Random, place: Place, name: string): readonly Attached[] {
  return Array.from({ length: 1 + random.below(3) }, (_, index) => {
    const policy = aReferencePolicy(random, name);
    const [from, until] = [random.pick([null, null, 4, 8]), random.pick([null, null, 12, 16])];
    const revision = anUncheckedPolicy(textOf(policy), {
      ...{ id: name, name, namespaceId: place.id, revision: index + 1, mode: random.pick(['ENFORCE', 'ENFORCE', 'ENFORCE', 'SHADOW']) },
      ...{ effectiveFrom: from === null ? null : at(from), effectiveUntil: until === null ? null : at(until) },
    });
    return { policy, place, revision };
  });
}

function isAbove(place: Place, above: Place): boolean {
  for (let next: Place | null = place; next !== null; next = next.parent) if (next === above) return true;
  return false;
}

/** What decides in a project at an hour, by walking through everything. */
function decidingThere(all: readonly Attached[], project: Place, hour: number): readonly Attached[] {
  const now = at(hour);
  return all.filter(({ place, revision }) => {
    if (!isAbove(project, place) || revision.mode === 'SHADOW') return false;
    const hasStarted = revision.effectiveFrom === null || revision.effectiveFrom.getTime() <= now.getTime();
    const hasEnded = revision.effectiveUntil !== null && revision.effectiveUntil.getTime() <= now.getTime();
    const isReplaced = all.some(
      (later) =>
        later.revision.id === revision.id &&
        later.revision.revision > revision.revision &&
        later.revision.mode === 'ENFORCE' &&
        (later.revision.effectiveFrom === null || later.revision.effectiveFrom.getTime() <= now.getTime()),
    );
    return hasStarted && !hasEnded && !isReplaced;
  });
}

const lineOf = (project: Place): readonly string[] => (project.parent === null ? [project.id] : [...lineOf(project.parent), project.id]);
const namespaceOf = (project: Place): Namespace => ({ ancestors: lineOf(project) }) as Namespace;

describe('five levels with policies on each', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('decide in every project as a slow reference says (seed %i)', (seed) => {
    const random = aRandom(seed);
    const levels = aTree();
    const all = levels.flatMap((places, level) =>
      places.flatMap((place) =>
        Array.from({ length: random.below(3) }, (_, number) => aHistory(random, place, `${place.id} at ${level}: ${number}`)).flat(),
      ),
    );
    const sets = keepPolicySets(
      compiledEngine,
      all.map(({ revision }) => revision),
    );

    for (const hour of [2, 6, 10, 14, 18])
      for (const project of levels.at(-1) ?? []) {
        const deciding = decidingThere(all, project, hour);
        const set = sets.at(namespaceOf(project), at(hour));
        const promises = random.shuffled(OBLIGATIONS).slice(0, random.below(4));

        const found = [...set.owners.values()].map(({ policy }) => `${policy.id} ${policy.revision}`).sort();
        expect(found).toEqual(deciding.map(({ revision }) => `${revision.id} ${revision.revision}`).sort());
        const { verdict, obligations, approval } = evaluate(set, aCall({ promises }));
        const wanted = referenceDecision(
          deciding.map(({ policy }) => policy),
          promises,
        );
        expect({ verdict, ...(verdict !== 'DENY' && { obligations, approval }) }).toEqual({
          verdict: wanted.verdict,
          ...(wanted.verdict !== 'DENY' && { obligations: wanted.obligations, approval: wanted.approval }),
        });
      }
  });
});
