import { authorOf, type Author } from '../../audit/index.js';
import { maintainedNamespace, type Namespace } from '../../directory/index.js';
import { Failure, requireScope, type Viewer } from '../../kernel/index.js';
import {
  digestOfBundle,
  movedSince,
  planBundle,
  type BundledPolicy,
  type BundleDrift,
  type MovedPolicy,
  type SeenPolicy,
} from '../bundle.js';
import { readCases } from '../cases/read-cases.js';
import { confinementProblemsOfAll } from '../confine.js';
import type { PolicyProblem, Statement } from '../policy.js';
import type { PolicyTransaction, PolicyWithLatest } from '../ports.js';
import { readTexts } from '../read-text.js';
import { unacceptable, type NotFound, type PolicyChanging, type ReviewNeeded, type Unacceptable } from './changing.js';
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
}

/** Texts or cases are at fault. */
export type BundleInvalid = { readonly kind: 'bundleInvalid'; readonly problems: readonly BundleProblem[] };

export interface BundleProblem extends PolicyProblem {
  /** Of the policy. */
  readonly name: string;
  /** Whether it is with the policy's cases, and not with its text. */
  readonly isInCases: boolean;
}
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
  | BundleConflict
  | BundleDrifted
  | ReviewNeeded
  | Unacceptable
  | NotFound;

/**
 * Makes the policies of a namespace those of a folder, all of it or nothing: publishes what is new or another, and takes out of force what
 * was applied from the folder before and is not in it any more. Refused when something is not as the caller has seen it, or is not as the
 * last apply has left it and not adopted by name. A folder that is in force already changes and records nothing, whatever was seen.
 *
 * Where a second person must review what is published, it is refused unless each namespace that demands so accepts what is applied as
 * code: what comes from a repository has many authors, none of whom is known here, so whether a second person has looked at it is for the
 * repository to see to.
 *
 * Needs the scope `policy:write` and the role MAINTAINER or OWNER in the namespace or above.
 *
 * @throws Failure UNAVAILABLE when somebody creates policies of the same names all the time.
 */
export async function applyBundle(deps: PolicyChanging, viewer: Viewer, request: ApplyRequest): Promise<ApplyOutcome> {
  requireScope(viewer, 'policy:write');
  const namespace = await maintainedNamespace(deps.directory, viewer, request.namespaceId);
  if (namespace === null) return { kind: 'notFound', field: 'namespaceId' };
  const twice = nameTwice(request.policies);
  if (twice !== null) return unacceptable(`policies.${twice}.name`, 'is the name of an earlier policy of the input too; names are unique');
  for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
    const outcome = await applyOnce(deps, viewer, namespace, request);
    if (outcome !== null) return outcome;
  }
  throw new Failure('UNAVAILABLE', 'Somebody else creates policies of these names all the time. Try again.');
}

const MAX_TRIES = 3;

/** The place of a policy whose name is that of an earlier one; null when there is none. */
function nameTwice(policies: readonly BundledPolicy[]): number | null {
  const first = new Set<string>();
  for (const [index, { name }] of policies.entries()) {
    if (first.has(name)) return index;
    first.add(name);
  }
  return null;
}

/** Texts are read before the transaction, not inside it. Null when a name was taken meanwhile. */
async function applyOnce(deps: PolicyChanging, viewer: Viewer, namespace: Namespace, request: ApplyRequest): Promise<ApplyOutcome | null> {
  const names = request.policies.map(({ name }) => name);
  const planned = judge(request, await deps.policies.listBundle(viewer.organizationId, namespace.id, names));
  if (!('changes' in planned)) return planned;
  const read = await readAll(deps, viewer, namespace, planned.changes);
  if ('problems' in read) return read;

  const by = await authorOf(deps.humans, viewer);
  const outcome = await deps
    .atomically(viewer.organizationId, (tx) => applyWithin(deps, by, tx, namespace, { request, names, read }))
    .catch((error: unknown) => {
      if (error instanceof NameTaken) return null;
      throw error;
    });
  if (outcome?.kind === 'done') deps.announce(viewer.organizationId);
  return outcome;
}

type Read = ReadonlyMap<string, readonly Statement[]>;

interface Applying {
  readonly request: ApplyRequest;
  readonly names: readonly string[];
  /** By text. */
  readonly read: Read;
}

async function applyWithin(
  deps: PolicyChanging,
  by: Author,
  tx: PolicyTransaction,
  namespace: Namespace,
  { request, names, read }: Applying,
): Promise<ApplyOutcome> {
  const planned = judge(request, await tx.policies.lockBundle(by.organizationId, namespace.id, names));
  if (!('changes' in planned)) return planned;
  const demandedBy = await tx.policies.demandingReviewOfCode(by.organizationId, namespace.ancestors);
  if (demandedBy.length > 0) return { kind: 'reviewNeeded', what: 'BUNDLE', demandedBy };
  const { repository, message, policies } = request;
  const results = await writeBundle(deps, by, tx, namespace, {
    ...{ changes: planned.changes, read, repository, message, bundle: digestOfBundle(policies) },
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

/** What the texts say that are to be published; or everything that is wrong with any of them. */
async function readAll(
  deps: PolicyChanging,
  viewer: Viewer,
  namespace: Namespace,
  changes: readonly Change[],
): Promise<Read | BundleInvalid> {
  const wanted = changes.flatMap(({ action, after }) => (after !== null && (action === 'CREATE' || action === 'PUBLISH') ? [after] : []));
  const read = await readTexts(
    deps.parser,
    wanted.map(({ text }) => text),
  );
  const legible = [...read].flatMap(([text, said]) => ('statements' in said ? [{ text, statements: said.statements }] : []));
  const confined = await confinementProblemsOfAll(deps.directory, viewer.organizationId, namespace, legible);
  const outside = new Map(legible.map(({ text }, index) => [text, confined[index] ?? []]));
  const problems = wanted.flatMap(({ name, text, cases }) => {
    const said = read.get(text);
    const own = said !== undefined && 'problems' in said ? said.problems : (outside.get(text) ?? []);
    const inCases = readCases(cases);
    return [
      ...own.map((problem) => ({ name, isInCases: false, ...problem })),
      ...('problems' in inCases ? inCases.problems.map(({ path: _path, ...problem }) => ({ name, isInCases: true, ...problem })) : []),
    ];
  });
  if (problems.length > 0) return { kind: 'bundleInvalid', problems };
  return new Map(legible.map(({ text, statements }) => [text, statements]));
}
