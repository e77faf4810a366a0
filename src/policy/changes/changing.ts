import type { Humans } from '../../audit/index.js';
import { maintainedNamespace, type Directory, type Namespace } from '../../directory/index.js';
import type { Clock, OrganizationId, Viewer } from '../../kernel/index.js';
import { confinementProblems } from '../confine.js';
import type { CasesProblem } from '../cases/case.js';
import { readCases } from '../cases/read-cases.js';
import type { Draft, Enforcement, Policy, PolicyProblem, Statement, Written } from '../policy.js';
import type { PolicyEngine, PolicyParser, PolicyReader, PolicyTransaction } from '../ports.js';
import { readText } from '../read-text.js';
import type { SelfChecking } from '../self-check/check-revisions.js';
import { lineOf, tryOut, type BeginTrying, type Trial } from '../try-out.js';
import type { PolicyWarning } from '../warnings/warnings-of.js';

export interface PolicyChanging extends SelfChecking {
  readonly directory: Directory;
  readonly policies: PolicyReader;
  readonly humans: Humans;
  readonly parser: PolicyParser;
  readonly engine: PolicyEngine;
  readonly clock: Clock;
  /** Runs `work` in one transaction: all of it happens, or nothing. It ends after ten seconds, or the time that is given. */
  atomically<Result>(
    organizationId: OrganizationId,
    work: (tx: PolicyTransaction) => Promise<Result>,
    options?: { readonly timeoutMilliseconds: number },
  ): Promise<Result>;
  /** Tells decision processes and the sequencer that the organization's policies have changed. */
  announce(organizationId: OrganizationId): void;
}

export type Done = { readonly kind: 'done'; readonly policy: Policy };
/** With what can be told of the text before it decides anything. */
export type Tried = Done & { readonly trial: Trial };
export type NotFound = { readonly kind: 'notFound'; readonly field: string };
/** The text is at fault. */
export type Invalid = { readonly kind: 'invalid'; readonly problems: readonly PolicyProblem[] };
/** The cases are. */
export type CasesInvalid = { readonly kind: 'casesInvalid'; readonly problems: readonly CasesProblem[] };
/** Cases fail that must pass. */
export type CasesFailed = { readonly kind: 'casesFailed'; readonly run: Trial['run'] };
/** There is something about the text that its author may not have meant, and has not confirmed. */
export type NotConfirmed = { readonly kind: 'warned'; readonly warnings: readonly PolicyWarning[] };
/** Something else of the input is. */
export type Unacceptable = {
  readonly kind: 'unacceptable';
  readonly problems: readonly { readonly path: string; readonly message: string }[];
};
/** Somebody published or retired since the revision that the caller worked from. `text` and `cases`: what the caller sent, stored nowhere. */
export type Conflict = {
  readonly kind: 'conflict';
  readonly policyId: string;
  readonly basedOn: number;
  readonly latest: number;
  readonly text: string | null;
  readonly cases: string | null;
};
/** Somebody saved the draft since the version that the caller worked from. `text` and `cases`: what the caller sent, stored nowhere. */
export type DraftConflict = {
  readonly kind: 'draftConflict';
  readonly policyId: string;
  /** Null: the caller named the text by its digest. */
  readonly basedOn: number | null;
  readonly latest: Draft;
  readonly text: string | null;
  readonly cases: string | null;
};
/** A second person must review this first. */
export type ReviewNeeded = {
  readonly kind: 'reviewNeeded';
  readonly what: 'PUBLISH' | 'RETIRE' | 'ROLLBACK' | 'RULES' | 'BUNDLE';
  /** The namespaces for which that is set. */
  readonly demandedBy: readonly string[];
};
/** The text follows from rules about tools. */
export type Generated = { readonly kind: 'generated'; readonly policyId: string };
/** The text is that of a folder, and changes by applying that. */
export type AsCode = { readonly kind: 'asCode'; readonly policyId: string; readonly name: string; readonly repository: string | null };
/** Nobody changes it by hand. */
export type NotByHand = Generated | AsCode;

/** Why a policy is not changed by hand; null when it is. */
export function notByHand({ id, name, origin, applied }: Policy): NotByHand | null {
  if (origin === 'TOOL_RULES') return { kind: 'generated', policyId: id };
  if (origin === 'AS_CODE') return { kind: 'asCode', policyId: id, name, repository: applied?.repository ?? null };
  return null;
}

/** The policy with its namespace, for somebody who changes what is governed there; null when it does not exist for the viewer. */
export async function maintainedPolicy(
  deps: PolicyChanging,
  viewer: Viewer,
  policyId: string,
): Promise<{ readonly policy: Policy; readonly namespace: Namespace } | null> {
  const [policy] = await deps.policies.byIds(viewer.organizationId, [policyId]);
  if (policy === undefined) return null;
  const namespace = await maintainedNamespace(deps.directory, viewer, policy.namespaceId);
  return namespace === null ? null : { policy, namespace };
}

/** The cases of a request, where null means those that were there before, and an empty text that there are none. */
export const casesAfter = (given: string | null, before: string | null): string | null => (given ?? before) || null;

/**
 * What is to be stored of a policy, read and tried; or everything that is wrong with its text or its cases.
 *
 * @param begin told as soon as the text has been read and it is known what it is tried beside
 */
export async function readAndTry(
  deps: Pick<PolicyChanging, 'directory' | 'policies' | 'parser' | 'engine' | 'clock'>,
  viewer: Viewer,
  namespace: Namespace,
  policy: Written & { readonly id: string | null; readonly name: string },
  begin: BeginTrying = () => undefined,
): Promise<{ readonly statements: readonly Statement[]; readonly trial: Trial } | Invalid | CasesInvalid> {
  const read = await readFor(deps, viewer, namespace, policy.text);
  if ('problems' in read) return read;
  const line = await lineOf(deps, viewer.organizationId, namespace);
  const document = readCases(policy.cases, line);
  if ('problems' in document) return { kind: 'casesInvalid', ...document };
  const tried = { ...read, id: policy.id, name: policy.name, text: policy.text, namespaceId: namespace.id };
  return { ...read, trial: await tryOut(deps, viewer.organizationId, line, { policy: tried, cases: document.cases, begin }) };
}

/** Why what was tried does not come in force: cases that fail, or warnings that nobody has confirmed; null when it may. */
export function trialProblem({ run, warnings }: Trial, confirmed: readonly string[]): CasesFailed | NotConfirmed | null {
  if (run.failed > 0) return { kind: 'casesFailed', run };
  const open = warnings.filter(({ name }) => !confirmed.includes(name));
  return open.length === 0 ? null : { kind: 'warned', warnings: open };
}

/** What a record says of a trial. */
export const trialRecord = ({ run, warnings }: Trial) => ({
  casesPassed: run.passed,
  casesFailed: run.failed,
  warnings: warnings.map(({ name }) => name),
});

/** What a text says, if it can be attached to the namespace; or everything that is wrong with it. */
export async function readFor(
  deps: Pick<PolicyChanging, 'directory' | 'parser'>,
  viewer: Viewer,
  namespace: Namespace,
  text: string,
): Promise<{ readonly statements: readonly Statement[] } | Invalid> {
  const read = await readText(deps.parser, text);
  if ('problems' in read) return { kind: 'invalid', problems: read.problems };
  const problems = await confinementProblems(deps.directory, viewer.organizationId, namespace, { text, ...read });
  return problems.length > 0 ? { kind: 'invalid', problems } : read;
}

/** What is wrong with when something is to be in force; null when nothing is. */
export function scheduleProblem({ effectiveFrom, effectiveUntil }: Enforcement, now: Date): Unacceptable | null {
  if (effectiveFrom !== null && effectiveFrom <= now)
    return unacceptable('effectiveFrom', `must lie in the future, after ${now.toISOString()}; leave it out to start at once`);
  if (effectiveUntil !== null && effectiveUntil <= (effectiveFrom ?? now))
    return unacceptable('effectiveUntil', 'must lie after the start, or there would be no moment at which it is in force');
  return null;
}

export const unacceptable = (path: string, message: string): Unacceptable => ({ kind: 'unacceptable', problems: [{ path, message }] });

/** Changes a policy that is as the caller has last seen it, and raises the epoch; but not one that is as it is to be. */
export async function changeFrom<Refusal extends { readonly kind: string }>(
  deps: PolicyChanging,
  viewer: Viewer,
  request: { readonly policyId: string; readonly basedOn: number; readonly text?: string | null; readonly cases?: string | null },
  change: (tx: PolicyTransaction, locked: Policy) => Promise<Done | Refusal>,
  isDone: (locked: Policy) => boolean = () => false,
): Promise<Done | Refusal | Conflict | NotByHand | NotFound> {
  const { policyId, basedOn, text = null, cases = null } = request;
  const outcome = await deps.atomically(viewer.organizationId, async (tx): Promise<Done | Refusal | Conflict | NotByHand | NotFound> => {
    const locked = await tx.policies.lock(viewer.organizationId, policyId);
    if (locked === null) return { kind: 'notFound', field: 'policyId' };
    const made = notByHand(locked);
    if (made !== null) return made;
    if (isDone(locked)) return { kind: 'done', policy: locked };
    if (locked.latestRevision !== basedOn) return { kind: 'conflict', policyId, basedOn, latest: locked.latestRevision, text, cases };
    const changed = await change(tx, locked);
    if (changed.kind === 'done') await tx.epoch.raise(viewer.organizationId);
    return changed;
  });
  if (outcome.kind === 'done') deps.announce(viewer.organizationId);
  return outcome;
}
