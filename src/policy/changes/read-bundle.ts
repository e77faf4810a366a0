import type { Namespace } from '../../directory/index.js';
import type { Viewer } from '../../kernel/index.js';
import type { BundleChange, BundledPolicy, StandingPolicy } from '../bundle.js';
import { readCases, type ReadCases } from '../cases/read-cases.js';
import { confinementProblemsOfAll } from '../confine.js';
import type { PolicyInForce, PolicyProblem, Statement } from '../policy.js';
import { readTexts } from '../read-text.js';
import type { ReadBundle, ReadPolicy } from '../try-bundle.js';
import { lineOf } from '../try-out.js';
import { unacceptable, type PolicyChanging, type Unacceptable } from './changing.js';

/** The most cases of one bundle. */
const MAX_BUNDLE_CASES = 20_000;

/** Texts or cases are at fault. */
export type BundleInvalid = { readonly kind: 'bundleInvalid'; readonly problems: readonly BundleProblem[] };

export interface BundleProblem extends PolicyProblem {
  /** Of the policy. */
  readonly name: string;
  /** Whether it is with the policy's cases, and not with its text. */
  readonly isInCases: boolean;
}

/** A folder whose policies are to be applied, or tested. */
export type Change = BundleChange<BundledPolicy, StandingPolicy>;

/** Why a folder is none: a policy has the name of an earlier one. Null when none has. */
export function repeatedName(policies: readonly BundledPolicy[]): Unacceptable | null {
  const first = new Set<string>();
  for (const [index, { name }] of policies.entries()) {
    if (first.has(name))
      return unacceptable(`policies.${index}.name`, 'is the name of an earlier policy of the input too; names are unique');
    first.add(name);
  }
  return null;
}

/** What the texts and the cases of a folder say; or everything that is wrong with any of them. */
export async function readBundle(
  deps: PolicyChanging,
  viewer: Viewer,
  namespace: Namespace,
  changes: readonly Change[],
): Promise<ReadBundle | BundleInvalid | Unacceptable> {
  const line = await lineOf(deps, viewer.organizationId, namespace);
  const enforced = await deps.policies.enforcedAlong(viewer.organizationId, namespace.ancestors, deps.clock());
  const wanted = changes.flatMap(({ action, before, after }): Wanted[] =>
    after === null ? [] : [{ ...after, before, isChanged: action === 'CREATE' || action === 'PUBLISH' }],
  );
  const statements = await statementsOf(deps, viewer, namespace, { wanted, enforced });
  const cases = new Map(wanted.map((policy) => [policy.name, readCases(policy.cases, line)]));
  const problems = wanted.flatMap(({ name }) => problemsOf(name, statements.get(name), cases.get(name)));
  if (problems.length > 0) return { kind: 'bundleInvalid', problems };
  const policies = wanted.map((policy) => readPolicy(policy, statements.get(policy.name), cases.get(policy.name)));
  const count = policies.reduce((sum, { read }) => sum + read.length, 0);
  if (count > MAX_BUNDLE_CASES)
    return unacceptable(
      'policies',
      `have ${count} cases together; at most ${MAX_BUNDLE_CASES} are allowed. Make several folders of it, for namespaces below`,
    );
  const retired = changes.flatMap(({ action, before }) => (action === 'RETIRE' && before !== null ? [before.policyId] : []));
  return { namespaceId: namespace.id, line, policies, retired, enforced };
}

interface Wanted extends BundledPolicy {
  readonly before: StandingPolicy | null;
  readonly isChanged: boolean;
}

type Said = { readonly statements: readonly Statement[] } | { readonly problems: readonly PolicyProblem[] };

/** By name, what the texts say: those that change, and those that nobody knows by what is enforced. */
async function statementsOf(
  deps: PolicyChanging,
  viewer: Viewer,
  namespace: Namespace,
  { wanted, enforced }: { readonly wanted: readonly Wanted[]; readonly enforced: readonly PolicyInForce[] },
): Promise<ReadonlyMap<string, Said>> {
  const known = new Map(enforced.map(({ id, statements }) => [id, { statements }]));
  const ofStanding = ({ before, isChanged, mode }: Wanted): Said | undefined =>
    isChanged || before === null || mode === 'SHADOW' ? undefined : known.get(before.policyId);
  const open = wanted.filter((policy) => ofStanding(policy) === undefined && (policy.isChanged || isTried(policy)));
  const read = await readTexts(
    deps.parser,
    open.map(({ text }) => text),
  );
  const legible = [...read].flatMap(([text, said]) => ('statements' in said ? [{ text, statements: said.statements }] : []));
  const confined = await confinementProblemsOfAll(deps.directory, viewer.organizationId, namespace, legible);
  const outside = new Map(legible.map(({ text }, index) => [text, confined[index] ?? []]));
  const saidBy = (policy: Wanted): Said => {
    const problems = outside.get(policy.text) ?? [];
    return ofStanding(policy) ?? (problems.length > 0 ? { problems } : (read.get(policy.text) ?? { statements: [] }));
  };
  return new Map(wanted.map((policy) => [policy.name, saidBy(policy)]));
}

const isTried = ({ mode, cases }: Wanted): boolean => mode === 'ENFORCE' || cases !== null;

function problemsOf(name: string, said: Said | undefined, cases: ReadCases | undefined): readonly BundleProblem[] {
  const inText = said !== undefined && 'problems' in said ? said.problems : [];
  const inCases = cases !== undefined && 'problems' in cases ? cases.problems : [];
  return [
    ...inText.map((problem) => ({ ...problem, name, isInCases: false })),
    ...inCases.map(({ path: _path, ...problem }) => ({ ...problem, name, isInCases: true })),
  ];
}

const readPolicy = ({ before, ...policy }: Wanted, said: Said | undefined, cases: ReadCases | undefined): ReadPolicy => ({
  ...policy,
  policyId: before?.policyId ?? null,
  revision: (before?.latest?.revision ?? 0) + (policy.isChanged ? 1 : 0),
  statements: said !== undefined && 'statements' in said ? said.statements : [],
  read: cases !== undefined && 'cases' in cases ? cases.cases : [],
});
