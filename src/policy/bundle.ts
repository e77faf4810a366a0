import { canonicalJson, sha256Hex } from '../kernel/index.js';
import type { EnforcementMode, PolicyOrigin, Written } from './policy.js';

/** The most policies of one bundle. */
export const MAX_BUNDLE_POLICIES = 1_000;

/** A policy as a folder in a repository has it. In force at once, and for good. */
export interface BundledPolicy extends Written {
  /** Unique in the folder. */
  readonly name: string;
  readonly description: string | null;
  readonly mode: EnforcementMode;
}

/** A policy as it stands in the namespace. */
export interface StandingPolicy {
  readonly policyId: string;
  readonly name: string;
  readonly description: string | null;
  readonly origin: PolicyOrigin;
  /** Whether it was ever applied as code. */
  readonly wasApplied: boolean;
  /** Where the folder was that it was applied from last, as far as that was said. */
  readonly repository: string | null;
  /** Null before the first publish. */
  readonly latest:
    | (Written & {
        readonly revision: number;
        readonly status: 'PUBLISHED' | 'RETIRED';
        readonly mode: EnforcementMode;
        readonly hasSchedule: boolean;
      })
    | null;
}

/**
 * What applying does to a policy. ADOPT: nothing but that it is marked as code from then on, or as from another folder; it is as the folder
 * has it already.
 */
export type BundleAction = 'CREATE' | 'PUBLISH' | 'RETIRE' | 'ADOPT' | 'KEEP';

/**
 * Why a policy is not as the last apply has left it: it was released to be changed by hand; or was always written by hand; or it was
 * applied from another folder; or it follows from rules about tools, and cannot be taken over.
 */
export type BundleDrift = 'RELEASED' | 'HAND_WRITTEN' | 'OTHER_REPOSITORY' | 'TOOL_RULES';

/** What applying does to one policy. */
export interface BundleChange<Wanted extends BundledPolicy = BundledPolicy, Standing extends StandingPolicy = StandingPolicy> {
  readonly name: string;
  readonly action: BundleAction;
  readonly drift: BundleDrift | null;
  /** As it stands; null when it is new. */
  readonly before: Standing | null;
  /** As it is to be; null when it is taken out of force. */
  readonly after: Wanted | null;
}

/**
 * What makes a namespace's policies those of a folder, by name. Pure.
 *
 * A policy of the namespace that was not applied as code and has no namesake in the folder is nobody's business here.
 *
 * @param repository where the folder is; null: it is not said, and what was said before stays
 */
export function planBundle<Wanted extends BundledPolicy, Standing extends StandingPolicy>(
  wanted: readonly Wanted[],
  standing: readonly Standing[],
  repository: string | null,
): readonly BundleChange<Wanted, Standing>[] {
  const byName = new Map(standing.map((policy) => [policy.name, policy]));
  const names = new Set(wanted.map(({ name }) => name));
  const isLeft = ({ name, origin, latest }: Standing): boolean =>
    origin === 'AS_CODE' && latest?.status === 'PUBLISHED' && !names.has(name);
  const changes = [
    ...wanted.map((after) => changeOf(after, byName.get(after.name) ?? null, repository)),
    ...standing.filter(isLeft).map((before) => ({
      ...{ name: before.name, action: 'RETIRE' as const, drift: driftOf(before, repository), before, after: null },
    })),
  ];
  return changes.sort((left, right) => (left.name < right.name ? -1 : 1));
}

function changeOf<Wanted extends BundledPolicy, Standing extends StandingPolicy>(
  after: Wanted,
  before: Standing | null,
  repository: string | null,
): BundleChange<Wanted, Standing> {
  const { name } = after;
  if (before === null) return { name, action: 'CREATE', drift: null, before, after };
  const drift = driftOf(before, repository);
  if (!isAs(before, after)) return { name, action: 'PUBLISH', drift, before, after };
  const isMarked = before.origin === 'AS_CODE' && (repository === null || before.repository === repository);
  return { name, action: isMarked ? 'KEEP' : 'ADOPT', drift, before, after };
}

const isAs = ({ description, latest }: StandingPolicy, wanted: BundledPolicy): boolean =>
  latest?.status === 'PUBLISHED' &&
  latest.text === wanted.text &&
  latest.cases === wanted.cases &&
  latest.mode === wanted.mode &&
  !latest.hasSchedule &&
  description === wanted.description;

function driftOf({ origin, wasApplied, repository: known }: StandingPolicy, repository: string | null): BundleDrift | null {
  if (origin === 'TOOL_RULES') return 'TOOL_RULES';
  if (origin === 'AUTHORED') return wasApplied ? 'RELEASED' : 'HAND_WRITTEN';
  return repository !== null && known !== null && known !== repository ? 'OTHER_REPOSITORY' : null;
}

/** What whoever applies has seen of a policy: everything else of it cannot change without one of these. */
export interface SeenPolicy {
  readonly policyId: string;
  readonly name: string;
  /** The latest; 0 before the first publish. */
  readonly revision: number;
  readonly origin: PolicyOrigin;
}

export const seenOf = ({ policyId, name, origin, latest }: StandingPolicy): SeenPolicy => ({
  ...{ policyId, name, revision: latest?.revision ?? 0, origin },
});

/** A policy that is not as it was seen. */
export interface MovedPolicy {
  readonly name: string;
  readonly policyId: string;
  /** Null: there was none of the name. */
  readonly seen: SeenPolicy | null;
  /** Null: there is none that the bundle minds any more. */
  readonly now: SeenPolicy | null;
}

/** The policies that are not as they were seen, by name. Pure. */
export function movedSince(seen: readonly SeenPolicy[], standing: readonly StandingPolicy[]): readonly MovedPolicy[] {
  const before = new Map(seen.map((policy) => [policy.policyId, policy]));
  const after = new Map(standing.map((policy) => [policy.policyId, seenOf(policy)]));
  const moved = [...new Set([...before.keys(), ...after.keys()])].flatMap((policyId): MovedPolicy[] => {
    const [was, is] = [before.get(policyId) ?? null, after.get(policyId) ?? null];
    if (was?.revision === is?.revision && was?.origin === is?.origin) return [];
    return [{ name: is?.name ?? was?.name ?? '', policyId, seen: was, now: is }];
  });
  return moved.sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** SHA-256, in hexadecimal, of a state that was seen, whatever its order. */
export const digestOfSeen = (seen: readonly SeenPolicy[]): string =>
  sha256Hex(canonicalJson(sorted(seen.map(({ policyId, revision, origin }) => [policyId, revision, origin].join(' ')))));

/** SHA-256, in hexadecimal, of what a folder says, whatever its order. */
export const digestOfBundle = (policies: readonly BundledPolicy[]): string =>
  sha256Hex(
    canonicalJson(
      sorted(policies.map(({ name, text, cases, description, mode }) => canonicalJson({ name, text, cases, description, mode }))),
    ),
  );

const sorted = (texts: readonly string[]): string[] => [...texts].sort();
