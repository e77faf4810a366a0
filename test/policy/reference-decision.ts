import type { Random } from '../support/random.js';

/**
 * What policies decide, worked out slowly and without Cedar: by trying every approval there is and every set of promises. The texts
 * that go with it say the same in Cedar.
 */
export interface ReferencePolicy {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  /** What its `when` comes to. */
  readonly condition: 'true' | 'false' | 'error';
  readonly approval: { readonly level: number; readonly count: number } | null;
  readonly obligations: readonly string[];
}

export const OBLIGATIONS = ['redact:pii', 'redact:keys', 'log:full'] as const;
const ROLES = { reporter: 20, developer: 30, maintainer: 40, owner: 50 } as const;
type RoleName = keyof typeof ROLES;
const ROLE_NAMES: readonly RoleName[] = ['reporter', 'developer', 'maintainer', 'owner'];

export function aReferencePolicy(random: Random, id: string): ReferencePolicy {
  const effect = random.pick(['permit', 'forbid', 'forbid'] as const);
  const condition = random.pick(['true', 'true', 'true', 'false', 'false', 'false', 'error'] as const);
  if (effect === 'permit') return { id, effect, condition, approval: null, obligations: [] };
  const isAsking = random.below(3) > 0;
  return {
    id,
    effect,
    condition: condition === 'error' && random.below(4) > 0 ? 'false' : condition,
    approval: isAsking ? { level: ROLES[random.pick(ROLE_NAMES)], count: 1 + random.below(3) } : null,
    obligations: random.below(3) === 0 ? random.shuffled(OBLIGATIONS).slice(0, 1 + random.below(2)) : [],
  };
}

/** The policy in Cedar. */
export function textOf({ id, effect, condition, approval, obligations }: ReferencePolicy): string {
  const when = { true: 'context.role == 30', false: 'context.role > 99', error: 'resource.risk + 9007199254740991 * 9007199254740991 > 0' }[
    condition
  ];
  const role = ROLE_NAMES.find((name) => ROLES[name] === approval?.level);
  const wanted = [
    ...(approval === null
      ? []
      : [`context has approval && context.approval.level >= ${approval.level} && context.approval.count >= ${approval.count}`]),
    ...obligations.map((name) => `context.promises.contains("${name}")`),
  ];
  return [
    `@id("${id}")`,
    ...(approval === null ? [] : [`@approval("${role}:${approval.count}")`]),
    ...(obligations.length === 0 ? [] : [`@oblige("${obligations.join(', ')}")`]),
    `${effect} (principal, action, resource) when { ${when} }`,
    ...(wanted.length === 0 ? [] : [`unless { ${wanted.join(' && ')} }`]),
    ';',
  ].join(' ');
}

interface Supposed {
  readonly approval: { readonly level: number; readonly count: number } | null;
  readonly promises: readonly string[];
}

function isAllowed(policies: readonly ReferencePolicy[], { approval, promises }: Supposed): boolean {
  const isLifted = (policy: ReferencePolicy): boolean =>
    (policy.approval !== null || policy.obligations.length > 0) &&
    (policy.approval === null ||
      (approval !== null && approval.level >= policy.approval.level && approval.count >= policy.approval.count)) &&
    policy.obligations.every((name) => promises.includes(name));
  const forbids = policies.filter(({ effect }) => effect === 'forbid');
  if (forbids.some(({ condition }) => condition === 'error')) return false;
  if (forbids.some((policy) => policy.condition === 'true' && !isLifted(policy))) return false;
  return policies.some(({ effect, condition }) => effect === 'permit' && condition === 'true');
}

const subsets = <Item>(items: readonly Item[]): readonly (readonly Item[])[] =>
  items.reduce<readonly (readonly Item[])[]>((sets, item) => [...sets, ...sets.map((set) => [...set, item])], [[]]);

/** The verdict, and the least with which it comes out. */
export interface ReferenceDecision {
  readonly verdict: 'ALLOW' | 'ASK' | 'DENY';
  readonly obligations: readonly string[];
  readonly approval: { readonly level: number; readonly count: number } | null;
}

export function referenceDecision(policies: readonly ReferencePolicy[], promises: readonly string[]): ReferenceDecision {
  // Smallest sets first, and the lowest approvals: the first that suffices is the least.
  const promised = OBLIGATIONS.filter((name) => promises.includes(name) || promises.includes(name.slice(0, name.indexOf(':'))));
  const kept = [...subsets(promised)].sort((left, right) => left.length - right.length);
  const allowing = kept.find((set) => isAllowed(policies, { approval: null, promises: set }));
  if (allowing !== undefined) return { verdict: 'ALLOW', obligations: [...allowing].sort(), approval: null };
  const approvals = [20, 30, 40, 50].flatMap((level) => [1, 2, 3].map((count) => ({ level, count })));
  for (const approval of approvals) {
    const set = kept.find((one) => isAllowed(policies, { approval, promises: one }));
    if (set !== undefined) return { verdict: 'ASK', obligations: [...set].sort(), approval };
  }
  return { verdict: 'DENY', obligations: [], approval: null };
}
