import { othersFirst } from '../kernel/index.js';
import type { BundledPolicy } from './bundle.js';
import type { LineSeat } from './cases/case-call.js';
import type { PolicyCase } from './cases/case.js';
import { runCases } from './cases/run-cases.js';
import { preparePolicySet } from './evaluate.js';
import { AT_ONCE, type PolicyInForce, type Statement } from './policy.js';
import type { Trial, Trying } from './try-out.js';
import { warningsAmong } from './warnings/warnings-of.js';

/** A policy of a folder, read. */
export interface ReadPolicy extends BundledPolicy {
  /** That of the policy of its name; null: there is none. */
  readonly policyId: string | null;
  /** The number of the revision that it is, or would be. */
  readonly revision: number;
  readonly statements: readonly Statement[];
  readonly read: readonly PolicyCase[];
  /** Whether anything of it would change. */
  readonly isChanged: boolean;
}

/** A folder, read, and where it is applied. */
export interface ReadBundle {
  readonly namespaceId: string;
  /** From the organization down to the namespace. */
  readonly line: readonly LineSeat[];
  readonly policies: readonly ReadPolicy[];
  /** The ids of policies that would be taken out of force. */
  readonly retired: readonly string[];
  /** What is enforced now at the place and above. */
  readonly enforced: readonly PolicyInForce[];
}

export interface BundledTrial {
  readonly name: string;
  readonly trial: Trial;
}

/**
 * Runs the cases of a folder's policies, each beside what would be enforced if all of the folder were applied, and looks for what the
 * authors of those that change may not have meant. Changes nothing. By name: the policies that have cases, or change.
 */
export async function tryBundle({ engine }: Pick<Trying, 'engine'>, bundle: ReadBundle): Promise<readonly BundledTrial[]> {
  const { line, policies } = bundle;
  const tried = policies.filter(({ read, isChanged }) => isChanged || read.length > 0);
  if (tried.length === 0) return [];
  const enforced = enforcedAfter(bundle);
  const together = preparePolicySet(engine, enforced);
  const count = tried.reduce((sum, { statements, isChanged }) => sum + (isChanged ? statements.length : 0), 0);
  const warn = warningsAmong({ enforced, line }, count);
  const trials: BundledTrial[] = [];
  for (const policy of tried) {
    await othersFirst();
    const { id, ...own } = inForce(bundle, policy);
    // What is only watched is tried as if it were enforced, in the place of what is.
    const surroundings =
      policy.mode === 'ENFORCE'
        ? { enforced: enforced.filter((other) => other.id !== id), together }
        : { enforced: enforced.filter((other) => other.id !== policy.policyId) };
    const run = await runCases({ engine, line, ...surroundings }, { ...own, id, text: policy.text }, policy.read);
    trials.push({ name: policy.name, trial: { run, warnings: policy.isChanged ? await warn(policy, idAside(policy)) : [] } });
  }
  return trials;
}

/** What would be enforced at the place and above. What is watched from then on leaves what is enforced of the same policy as it is. */
function enforcedAfter(bundle: ReadBundle): readonly PolicyInForce[] {
  const coming = bundle.policies.filter(({ mode }) => mode === 'ENFORCE');
  const going = new Set([...bundle.retired, ...coming.map(({ policyId }) => policyId)]);
  return [...bundle.enforced.filter(({ id }) => !going.has(id)), ...coming.map((policy) => inForce(bundle, policy))];
}

/** What of the folder would come in force, and what else would be. */
export function changedIn(bundle: ReadBundle): { readonly own: readonly PolicyInForce[]; readonly beside: readonly PolicyInForce[] } {
  const own = bundle.policies.filter(({ isChanged }) => isChanged).map((policy) => inForce(bundle, policy));
  const ids = new Set(own.map(({ id }) => id));
  return { own, beside: enforcedAfter(bundle).filter(({ id }) => !ids.has(id)) };
}

const inForce = ({ namespaceId }: ReadBundle, policy: ReadPolicy): PolicyInForce => ({
  ...AT_ONCE,
  ...{ id: idOf(policy), name: policy.name, namespaceId, revision: policy.revision, statements: policy.statements },
});

/** By its name: a warning that names it keeps its name when the policy is created. */
const idOf = ({ name }: BundledPolicy): string => `folder/${name}`;

/** As what the policy itself is among what is enforced. */
const idAside = (policy: ReadPolicy): string | null => (policy.mode === 'ENFORCE' ? idOf(policy) : policy.policyId);
