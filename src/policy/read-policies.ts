import { memberNamespaces, readableNamespaces, type Directory } from '../directory/index.js';
import { pageOf, type Clock, type Page, type PageRequest, type Viewer } from '../kernel/index.js';
import type { BacktestDemand } from './backtest/backtest.js';
import type { Backtests } from './backtest/ports.js';
import { lineDiff, type DiffLine } from './line-diff.js';
import type { Policy, Revision } from './policy.js';
import type { EffectivePolicy, PolicyReader } from './ports.js';
import { statementDiff, type StatementChange } from './statement-diff.js';
import type { StoredRule } from './tool-rules.js';

export interface PolicyReading {
  readonly directory: Directory;
  readonly policies: PolicyReader;
  readonly backtests: Pick<Backtests, 'demands'>;
  readonly clock: Clock;
}

/** A page of the policies attached to a namespace, by name; null when the viewer may not read them. */
export async function listPolicies(
  deps: PolicyReading,
  viewer: Viewer,
  namespaceId: string,
  page: PageRequest,
): Promise<Page<Policy> | null> {
  if (!(await isReadable(deps, viewer, namespaceId))) return null;
  return pageOf(await deps.policies.listAttached(viewer.organizationId, namespaceId, page), page);
}

/** A page of the policies of a namespace that a bundle with these names minds, by name; null when the viewer may not read them. */
export async function listBundle(
  deps: PolicyReading,
  viewer: Viewer,
  { namespaceId, names }: { readonly namespaceId: string; readonly names: readonly string[] },
  page: PageRequest,
): Promise<Page<Policy> | null> {
  if (!(await isReadable(deps, viewer, namespaceId))) return null;
  return pageOf(await deps.policies.pageBundle(viewer.organizationId, namespaceId, names, page), page);
}

const isReadable = async ({ directory }: PolicyReading, viewer: Viewer, namespaceId: string): Promise<boolean> =>
  (await readableNamespaces(directory, viewer, [namespaceId])).has(namespaceId);

/** The policies that decide calls in each of many projects; null for one that does not exist for the viewer. */
export async function listPoliciesInForce(
  deps: PolicyReading,
  viewer: Viewer,
  projectIds: readonly string[],
  page: PageRequest,
): Promise<readonly (Page<Policy> | null)[]> {
  const at = { memberOf: await memberNamespaces(deps.directory, viewer), now: deps.clock() };
  const lists = await deps.policies.listInForce(viewer.organizationId, at, projectIds, page);
  return lists.map((rows) => (rows === null ? null : pageOf(rows, page)));
}

/** What holds in each of many projects, from which level and in which mode; null for one that does not exist for the viewer. */
export async function listEffectivePolicies(
  deps: PolicyReading,
  viewer: Viewer,
  projectIds: readonly string[],
  page: PageRequest,
): Promise<readonly (Page<EffectivePolicy> | null)[]> {
  const at = { memberOf: await memberNamespaces(deps.directory, viewer), now: deps.clock() };
  const lists = await deps.policies.listEffective(viewer.organizationId, at, projectIds, page);
  return lists.map((rows) => (rows === null ? null : pageOf(rows, page)));
}

/** The policies with these ids, in their order; null for one that does not exist for the viewer. */
export async function policiesById(
  deps: Pick<PolicyReading, 'directory' | 'policies'>,
  viewer: Viewer,
  ids: readonly string[],
): Promise<readonly (Policy | null)[]> {
  const found = await deps.policies.byIds(viewer.organizationId, ids);
  const readable = await readableNamespaces(
    deps.directory,
    viewer,
    found.map((policy) => policy.namespaceId),
  );
  const byId = new Map(found.filter((policy) => readable.has(policy.namespaceId)).map((policy) => [policy.id, policy]));
  return ids.map((id) => byId.get(id) ?? null);
}

/** What of a policy's revisions is in force at a moment, or will be. */
export interface CurrentRevisions {
  /** Decides calls; null when none does. */
  readonly enforced: Revision | null;
  /** Is evaluated beside what decides; null when none is. */
  readonly shadow: Revision | null;
  /** Still to start, oldest first. */
  readonly scheduled: readonly Revision[];
}

/** For each of `policyIds`, in their order, what of it is in force or will be. */
export async function currentRevisions(
  { policies, clock }: PolicyReading,
  viewer: Viewer,
  policyIds: readonly string[],
): Promise<readonly CurrentRevisions[]> {
  const now = clock();
  const lists = await policies.currentRevisions(viewer.organizationId, policyIds, now);
  return lists.map((revisions) => {
    const started = revisions.filter(({ effectiveFrom }) => effectiveFrom === null || effectiveFrom <= now);
    return {
      enforced: started.find(({ mode }) => mode === 'ENFORCE') ?? null,
      shadow: started.find(({ mode }) => mode === 'SHADOW') ?? null,
      scheduled: revisions.filter((revision) => !started.includes(revision)),
    };
  });
}

/** Two texts of a policy, and what changes from the first to the second. */
export interface PolicyDiff {
  /** Null: nothing, as before the first publish. */
  readonly from: Revision | null;
  /** Null: the draft. */
  readonly to: Revision | null;
  readonly lines: readonly DiffLine[];
  readonly statements: readonly StatementChange[];
  /** Of the cases. */
  readonly caseLines: readonly DiffLine[];
}

/**
 * What changes in a policy from one revision to another, or to the draft; null when it, or one of the two, does not exist for the viewer.
 *
 * @param from the number of a revision; 0: nothing
 * @param to the number of a revision; null: the draft
 */
export async function diffPolicy(
  deps: PolicyReading,
  viewer: Viewer,
  policyId: string,
  { from, to }: { readonly from: number; readonly to: number | null },
): Promise<PolicyDiff | null> {
  const [policy] = await policiesById(deps, viewer, [policyId]);
  if (policy == null) return null;
  const numbers = [from, ...(to === null ? [] : [to])].filter((number) => number !== 0);
  const revisions = await deps.policies.revisionsByNumber(
    viewer.organizationId,
    numbers.map((revision) => ({ policyId, revision })),
  );
  const revision = (number: number): Revision | undefined => revisions.find((each) => each.revision === number);
  if (numbers.some((number) => revision(number) === undefined)) return null;
  const [before, after] = [revision(from) ?? null, to === null ? null : (revision(to) ?? null)];
  const second = to === null ? policy.draft : after;
  const [earlier, later] = [before?.text ?? '', second?.text ?? ''];
  return {
    ...{ from: before, to: after, lines: lineDiff(earlier, later), statements: statementDiff(earlier, later) },
    caseLines: lineDiff(before?.cases ?? '', second?.cases ?? ''),
  };
}

/** What is set for the policies of a namespace. */
export interface PolicySettings {
  readonly namespaceId: string;
  /** The namespaces, itself included, for which it is set that a second person reviews what is published. */
  readonly reviewDemandedBy: readonly string[];
  /** Users whom all of them trust with what they apply as code. */
  readonly trustedAppliers: readonly string[];
  /** What they demand of a backtest before a publish. */
  readonly backtestDemands: ReadonlyMap<string, BacktestDemand>;
}

/** What is set for the policies of a namespace, there or above; null when the viewer may not read them. */
export async function readPolicySettings(deps: PolicyReading, viewer: Viewer, namespaceId: string): Promise<PolicySettings | null> {
  if (!(await isReadable(deps, viewer, namespaceId))) return null;
  const [namespace] = await deps.directory.namespaces(viewer.organizationId, [namespaceId]);
  const line = namespace?.ancestors ?? [namespaceId];
  const demanding = await deps.policies.demandingReview(viewer.organizationId, line);
  const [first = [], ...others] = (await deps.policies.trustedAppliers(viewer.organizationId, line)).values();
  const backtestDemands = await deps.backtests.demands(viewer.organizationId, line);
  return {
    namespaceId,
    reviewDemandedBy: line.filter((id) => demanding.includes(id)),
    trustedAppliers: first.filter((id) => others.every((trusted) => trusted.includes(id))),
    backtestDemands,
  };
}

/** A page of a namespace's rules about tools, by tool and class; null when the viewer may not read them. */
export async function listToolRules(
  deps: PolicyReading,
  viewer: Viewer,
  namespaceId: string,
  page: PageRequest,
): Promise<Page<StoredRule> | null> {
  if (!(await isReadable(deps, viewer, namespaceId))) return null;
  return pageOf(await deps.policies.listToolRules(viewer.organizationId, namespaceId, page), page);
}
