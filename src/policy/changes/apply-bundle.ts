import { authorOf, type Author } from '../../audit/index.js';
import { maintainedNamespace, type Namespace } from '../../directory/index.js';
import { Failure, requireScope, type Viewer } from '../../kernel/index.js';
import type { BacktestNeeded } from '../backtest/demand.js';
import {
  digestOfBundle,
  movedSince,
  planBundle,
  type BundledPolicy,
  type BundleDrift,
  type MovedPolicy,
  type SeenPolicy,
} from '../bundle.js';
import type { PolicyTransaction, PolicyWithLatest } from '../ports.js';
import { expectCheck, type SelfCheckFailed } from '../self-check/check-revisions.js';
import { changedIn, tryBundle, type BundledTrial, type ReadBundle } from '../try-bundle.js';
import { backtestsBehind } from './bundle-backtests.js';
import type { NotFound, PolicyChanging, ReviewNeeded, Unacceptable } from './changing.js';
import { readBundle, repeatedName, type BundleInvalid } from './read-bundle.js';
import { NameTaken, writeBundle, type BundleResult, type Change, type Standing } from './write-bundle.js';

export interface ApplyRequest {
  readonly namespaceId: string;
  /** Everything that the folder holds. */
  readonly policies: readonly BundledPolicy[];
  /** What the caller has seen of the namespace: its policies that are applied as code, and those with a namesake in the folder. */
  readonly basedOn: readonly SeenPolicy[];
  /** Names of policies that are to be taken over though they are not as the last apply has left them. */
  readonly adopt: readonly string[];
  /** Where the folder is; null: it is not said. */
  readonly repository: string | null;
  readonly message: string | null;
  /** The names of warnings that the authors have read and mean. */
  readonly confirm: readonly string[];
}

/** Cases fail that must pass, of these policies. */
export type BundleCasesFailed = { readonly kind: 'bundleCasesFailed'; readonly trials: readonly BundledTrial[] };
/** There is something about these policies that their authors may not have meant, and have not confirmed. */
export type BundleWarned = { readonly kind: 'bundleWarned'; readonly trials: readonly BundledTrial[] };
/** Policies are not as the caller has seen them. */
export type BundleConflict = { readonly kind: 'bundleConflict'; readonly moved: readonly MovedPolicy[] };
/** Policies are not as the last apply has left them, and the caller does not adopt them. */
export type BundleDrifted = { readonly kind: 'bundleDrifted'; readonly drifted: readonly DriftedPolicy[] };

export interface DriftedPolicy {
  readonly name: string;
  readonly drift: BundleDrift;
  readonly policyId: string;
  /** The latest; 0 before the first publish. */
  readonly revision: number;
  readonly repository: string | null;
}

export type ApplyOutcome =
  | { readonly kind: 'done'; /** By name. */ readonly results: readonly BundleResult[] }
  | BundleInvalid
  | BundleCasesFailed
  | BundleWarned
  | BundleConflict
  | BundleDrifted
  | ReviewNeeded
  | BacktestNeeded
  | SelfCheckFailed
  | Unacceptable
  | NotFound;

/**
 * Makes the policies of a namespace those of a folder, all of it or nothing: publishes what is new or another, and takes out of force what
 * was applied from the folder before and is not in it any more. Refused when something is not as the caller has seen it, or is not as the
 * last apply has left it and not adopted by name; when a case of any policy of the folder fails beside all the others; or when there is a
 * warning of one that changes, and the request does not confirm it; or when what decides does not evaluate one of them as Cedar does. A folder that is in force already changes and records nothing, whatever was seen.
 *
 * Where a second person must review what is published, it is refused unless each namespace that demands so trusts the viewer: what
 * comes from a repository has many authors, none of whom is known here, so whether a second person has looked at it is for the repository
 * to see to. Whom that is true of, an owner says: who could apply anything by hand would need no second person any more.
 *
 * Needs the scope `policy:write` and the role MAINTAINER or OWNER in the namespace or above.
 *
 * @throws Failure UNAVAILABLE when somebody creates policies of the same names all the time.
 */
export async function applyBundle(deps: PolicyChanging, viewer: Viewer, request: ApplyRequest): Promise<ApplyOutcome> {
  requireScope(viewer, 'policy:write');
  const namespace = await maintainedNamespace(deps.directory, viewer, request.namespaceId);
  if (namespace === null) return { kind: 'notFound', field: 'namespaceId' };
  const repeated = repeatedName(request.policies);
  if (repeated !== null) return repeated;
  for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
    const outcome = await applyOnce(deps, viewer, namespace, request);
    if (outcome !== null) return outcome;
  }
  throw new Failure('UNAVAILABLE', 'Somebody else creates policies of these names all the time. Try again.');
}

const MAX_TRIES = 3;
/** A thousand policies take some seconds. */
const LONG = { timeoutMilliseconds: 60_000 };

/** Texts are read before the transaction, not inside it. Null when a name was taken meanwhile. */
async function applyOnce(deps: PolicyChanging, viewer: Viewer, namespace: Namespace, request: ApplyRequest): Promise<ApplyOutcome | null> {
  const names = request.policies.map(({ name }) => name);
  const planned = judge(request, await deps.policies.listBundle(viewer.organizationId, namespace.id, names));
  if (!('changes' in planned)) return planned;
  const expected = expectCheck(deps, viewer, namespace);
  const bundle = await readBundle(deps, viewer, namespace, planned.changes);
  if ('problems' in bundle) return bundle;
  const trials = await tryBundle(deps, bundle);
  const refusal = trialsProblem(trials, request.confirm);
  if (refusal !== null) return refusal;
  const fault = await expected.check({ ...changedIn(bundle), line: bundle.line });
  if (fault !== null) return fault;

  const by = await authorOf(deps.humans, viewer);
  const outcome = await deps
    .atomically(viewer.organizationId, (tx) => applyWithin(deps, by, tx, namespace, { request, names, bundle, trials }), LONG)
    .catch((error: unknown) => {
      if (error instanceof NameTaken) return null;
      throw error;
    });
  if (outcome?.kind === 'done') deps.announce(viewer.organizationId);
  return outcome;
}

/** Why what was tried does not come in force; null when it may. */
function trialsProblem(trials: readonly BundledTrial[], confirmed: readonly string[]): BundleCasesFailed | BundleWarned | null {
  const failed = trials.filter(({ trial }) => trial.run.failed > 0);
  if (failed.length > 0) return { kind: 'bundleCasesFailed', trials: failed };
  const open = trials.flatMap(({ name, trial }) => {
    const warnings = trial.warnings.filter((warning) => !confirmed.includes(warning.name));
    return warnings.length === 0 ? [] : [{ name, trial: { ...trial, warnings } }];
  });
  return open.length === 0 ? null : { kind: 'bundleWarned', trials: open };
}

interface Applying {
  readonly request: ApplyRequest;
  readonly names: readonly string[];
  readonly bundle: ReadBundle;
  readonly trials: readonly BundledTrial[];
}

async function applyWithin(
  deps: PolicyChanging,
  by: Author,
  tx: PolicyTransaction,
  namespace: Namespace,
  { request, names, bundle, trials }: Applying,
): Promise<ApplyOutcome> {
  const planned = judge(request, await tx.policies.lockBundle(by.organizationId, namespace.id, names));
  if (!('changes' in planned)) return planned;
  const trusting = await tx.policies.trustedAppliers(by.organizationId, namespace.ancestors);
  const demandedBy = namespace.ancestors.filter((id) => trusting.get(id)?.includes(by.userId) === false);
  if (demandedBy.length > 0) return { kind: 'reviewNeeded', what: 'BUNDLE', demandedBy };
  const backtests = await backtestsBehind(deps, tx, by, { namespace, changes: planned.changes });
  if ('kind' in backtests) return backtests;
  const { repository, message, policies } = request;
  const results = await writeBundle(deps, by, tx, namespace, {
    ...{ changes: planned.changes, read: bundle.policies, trials, backtests, repository, message, bundle: digestOfBundle(policies) },
  });
  if (planned.changes.some(({ action }) => action !== 'KEEP' && action !== 'ADOPT')) await tx.epoch.raise(by.organizationId);
  return { kind: 'done', results };
}

/** What is to be done, when there is something; or the outcome. */
function judge(request: ApplyRequest, found: readonly PolicyWithLatest[]): { readonly changes: readonly Change[] } | ApplyOutcome {
  const standing = found.map(toStanding);
  const changes = planBundle(request.policies, standing, request.repository);
  if (changes.every(({ action }) => action === 'KEEP')) return { kind: 'done', results: changes.flatMap(kept) };
  const moved = movedSince(request.basedOn, standing);
  if (moved.length > 0) return { kind: 'bundleConflict', moved };
  const adopted = new Set(request.adopt);
  const drifted = changes.flatMap(({ name, drift, before }) =>
    drift === null || before === null || (drift !== 'TOOL_RULES' && adopted.has(name))
      ? []
      : [{ name, drift, policyId: before.policyId, revision: before.latest?.revision ?? 0, repository: before.repository }],
  );
  return drifted.length > 0 ? { kind: 'bundleDrifted', drifted } : { changes };
}

const kept = ({ name, action, before }: Change): readonly BundleResult[] =>
  before === null ? [] : [{ name, action, policyId: before.policyId, revision: before.latest?.revision ?? 0 }];

export const toStanding = ({ policy, latest }: PolicyWithLatest): Standing => ({
  policyId: policy.id,
  ...{ name: policy.name, description: policy.description, origin: policy.origin },
  ...{ wasApplied: policy.applied !== null, repository: policy.applied?.repository ?? null },
  latest:
    latest === null
      ? null
      : {
          ...{ revision: latest.revision, status: latest.status, text: latest.text, cases: latest.cases, mode: latest.mode },
          hasSchedule: latest.effectiveFrom !== null || latest.effectiveUntil !== null,
        },
  ...{ policy, latestAuthor: latest?.author ?? null },
});
