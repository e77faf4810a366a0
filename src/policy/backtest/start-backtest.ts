import { randomUUID } from 'node:crypto';
import { authorOf, scopeOf, type Author, type EventFilter } from '../../audit/index.js';
import type { Namespace } from '../../directory/index.js';
import { Failure, requireScope, sha256Hex, type OrganizationId, type Viewer } from '../../kernel/index.js';
import {
  maintainedPolicy,
  readFor,
  unacceptable,
  type Invalid,
  type NotFound,
  type PolicyChanging,
  type Unacceptable,
} from '../changes/changing.js';
import { recordIn } from '../changes/record.js';
import { inForceAt } from '../in-force.js';
import type { Policy, PolicyInForce, ReviewSubject, Statement } from '../policy.js';
import { DECISION_EVENT } from '../recorded-call.js';
import type { Backtest, Baseline } from './backtest.js';
import type { Backtests } from './ports.js';
import { digestOf, reportDigest } from './report.js';
import { runBacktest, type RunningBacktests } from './run-backtest.js';

export interface Backtesting extends RunningBacktests, Omit<PolicyChanging, 'clock'> {
  readonly backtests: Backtests;
  /** What runs in this process, by id. */
  readonly running: Map<string, RunningBacktest>;
  /** Says of an error what may be shown. */
  readonly explain: (error: unknown) => string;
  /** Told of a backtest that failed. */
  readonly report: (message: string, error: unknown) => void;
}

export interface RunningBacktest {
  readonly organizationId: OrganizationId;
  readonly controller: AbortController;
  /** Settles when it has ended; never fails. */
  readonly ended: Promise<void>;
}

export interface BacktestRequest {
  readonly policyId: string;
  /** PUBLISH: as if a text were enforced in the place of what is enforced of the policy; RETIRE: as if nothing were. */
  readonly subject: ReviewSubject;
  /** Null: the draft's. */
  readonly text: string | null;
  readonly baseline: Baseline;
  /** Null: DEFAULT_DAYS before `to`. */
  readonly from: Date | null;
  /** Null: now. */
  readonly to: Date | null;
  readonly filter: EventFilter;
}

export type StartOutcome = { readonly kind: 'started'; readonly backtest: Backtest } | Invalid | Unacceptable | NotFound;

/** How many days of decisions are looked at when nothing is said. */
export const DEFAULT_DAYS = 30;
const DAY = 86_400_000;
/** The most that run in one process at the same time; of one organization it is one. */
const MAX_RUNNING = 2;
/** Storing the calls behind a report can take a while. */
const LONG = { timeoutMilliseconds: 60_000 };
/** How many of a policy are kept. */
const KEPT = 20;

/**
 * Starts to work out what a text of a policy would have made of the decisions that were recorded in its namespace and below. It goes on
 * beside everything else, and `Backtests.byIds` tells how far it is. Nothing that decides changes.
 *
 * Needs the scopes `policy:write` and `audit:read`, and the role MAINTAINER or OWNER in the namespace or above.
 *
 * @throws Failure OVERLOADED when this process runs as many as it can already.
 */
export async function startBacktest(deps: Backtesting, viewer: Viewer, request: BacktestRequest): Promise<StartOutcome> {
  requireScope(viewer, 'policy:write');
  const scope = await scopeOf(deps, viewer);
  const found = await maintainedPolicy(deps, viewer, request.policyId);
  if (found === null) return { kind: 'notFound', field: 'policyId' };
  const now = deps.clock();
  const to = request.to ?? now;
  const from = request.from ?? new Date(to.getTime() - DEFAULT_DAYS * DAY);
  const problem = requestProblem(request, from, to, now);
  if (problem !== null) return problem;
  const text = request.text ?? found.policy.draft.text;
  const read = request.subject === 'RETIRE' ? { statements: [] } : await readFor(deps, viewer, found.namespace, text);
  if ('problems' in read) return read;
  const own = [...deps.running.values()].some(({ organizationId }) => organizationId === viewer.organizationId);
  if (own)
    throw new Failure('OVERLOADED', 'A backtest of the organization is running here already. Try again when it has ended, or cancel it.');
  if (deps.running.size >= MAX_RUNNING) throw new Failure('OVERLOADED', `${MAX_RUNNING} backtests are running already. Try again later.`);

  const backtest: Backtest = {
    ...{ id: randomUUID(), policyId: found.policy.id, namespaceId: found.namespace.id, subject: request.subject },
    ...{ digest: sha256Hex(await textConcerned(deps, viewer, found.policy, request, text)), baseline: request.baseline, from, to },
    ...{ isFiltered: isFilter(request.filter), status: 'RUNNING', problem: null, startedAt: now, startedBy: viewer.userId },
    ...{ progressAt: now, progress: 0, examined: 0, finishedAt: null, report: null, reportDigest: null },
  };
  const { enforced } = inForceAt(await deps.policies.inForce(viewer.organizationId, now), now);
  const comparison = { before: enforced, after: withText(enforced, found.policy, read.statements), baseline: request.baseline };
  const inForceDigest = digestOf(await enforcedBeside(deps, viewer, found, enforced));
  const filter = await decisionsBelow(deps, viewer, found.namespace, { ...request.filter, time: { from, to } });
  const by = await authorOf(deps.humans, viewer);
  if (deps.running.size >= MAX_RUNNING) throw new Failure('OVERLOADED', `${MAX_RUNNING} backtests are running already. Try again later.`);
  const controller = new AbortController();
  const run = {
    ...{ organizationId: viewer.organizationId, backtest, comparison, inForceDigest, scope, filter },
    signal: controller.signal,
  };
  const stored = deps.atomically(viewer.organizationId, ({ backtests }) => backtests.insert(viewer.organizationId, backtest, KEPT));
  const ended = stored
    .then(() => finishWith(deps, by, found, backtest, () => runBacktest(deps, run)))
    .catch(() => undefined)
    .finally(() => deps.running.delete(backtest.id));
  deps.running.set(backtest.id, { organizationId: viewer.organizationId, controller, ended });
  await stored;
  return { kind: 'started', backtest };
}

/** Ends what runs in this process, and waits for it. */
export async function stopBacktests({ running, replaying }: Pick<Backtesting, 'running' | 'replaying'>): Promise<void> {
  const all = [...running.values()];
  for (const { controller } of all) controller.abort();
  await Promise.all(all.map(({ ended }) => ended));
  await replaying.close();
}

function requestProblem({ subject, text, filter }: BacktestRequest, from: Date, to: Date, now: Date): Unacceptable | null {
  if (subject === 'RETIRE' && text !== null) return unacceptable('text', 'a retirement has none: leave it out');
  if (to > now) return unacceptable('to', `must not lie in the future, after ${now.toISOString()}`);
  if (from >= to) return unacceptable('from', `must lie before the end, ${to.toISOString()}`);
  if (filter.types !== null) return unacceptable('filter.types', 'a backtest looks at decisions alone: leave it out');
  if (filter.time !== null) return unacceptable('filter.occurredFrom', 'say from and to beside the filter instead');
  return null;
}

const isFilter = (filter: EventFilter): boolean => Object.values(filter).some((value) => value !== null);

/** The text whose digest the backtest is known by: of a retirement, that of the revision which is retired. */
async function textConcerned(
  { policies }: Backtesting,
  viewer: Viewer,
  policy: Policy,
  { subject }: BacktestRequest,
  text: string,
): Promise<string> {
  if (subject === 'PUBLISH' || policy.latestRevision === 0) return text;
  const [latest] = await policies.revisionsByNumber(viewer.organizationId, [{ policyId: policy.id, revision: policy.latestRevision }]);
  return latest?.text ?? text;
}

/** What would be enforced with these statements in the place of what is enforced of the policy. */
export function withText(enforced: readonly PolicyInForce[], policy: Policy, statements: readonly Statement[]): readonly PolicyInForce[] {
  const others = enforced.filter(({ id }) => id !== policy.id);
  if (statements.length === 0) return others;
  const { id, name, namespaceId, latestRevision } = policy;
  const revision = latestRevision + 1;
  return [...others, { ...{ id, name, namespaceId, revision, statements }, mode: 'ENFORCE', effectiveFrom: null, effectiveUntil: null }];
}

/** What else is enforced on the policy's line of namespaces and below; see BacktestWriter. */
async function enforcedBeside(
  { directory }: Backtesting,
  { organizationId }: Viewer,
  { policy, namespace }: { readonly policy: Policy; readonly namespace: Namespace },
  enforced: readonly PolicyInForce[],
): Promise<readonly string[]> {
  const found = await directory.namespaces(organizationId, [...new Set(enforced.map(({ namespaceId }) => namespaceId))]);
  const below = new Set(found.filter(({ ancestors }) => ancestors.includes(namespace.id)).map(({ id }) => id));
  return enforced
    .filter(({ id, namespaceId }) => id !== policy.id && (namespace.ancestors.includes(namespaceId) || below.has(namespaceId)))
    .map(({ id, revision }) => `${id}/${revision}`);
}

/** The filter for decisions alone, and of namespaces for those alone that lie in this one. */
async function decisionsBelow(
  { directory }: Backtesting,
  { organizationId }: Viewer,
  namespace: Namespace,
  filter: EventFilter,
): Promise<EventFilter> {
  const named = filter.namespaceIds === null ? [namespace] : await directory.namespaces(organizationId, filter.namespaceIds);
  const namespaceIds = named.flatMap(({ id, ancestors }) => {
    if (ancestors.includes(namespace.id)) return [id];
    return namespace.ancestors.includes(id) ? [namespace.id] : [];
  });
  const isWhole = namespaceIds.includes(organizationId);
  return { ...filter, types: [DECISION_EVENT], namespaceIds: isWhole ? null : [...new Set(namespaceIds)] };
}

/** Runs it to its end and records what came of it. Never throws: whoever waits for the outcome reads it. */
async function finishWith(
  deps: Backtesting,
  by: Author,
  { policy, namespace }: { readonly policy: Policy; readonly namespace: Namespace },
  backtest: Backtest,
  run: () => ReturnType<typeof runBacktest>,
): Promise<void> {
  const { organizationId } = by;
  try {
    const result = await run();
    if (result === null) return await end(deps, by, backtest, { status: 'CANCELLED', problem: null });
    const { report, changed } = result;
    const digest = reportDigest(backtest, report);
    await deps.atomically(
      organizationId,
      async ({ backtests, auditLog }) => {
        const done = { status: 'DONE', at: deps.clock(), problem: null, report, reportDigest: digest } as const;
        if (!(await backtests.finish(organizationId, backtest.id, done))) return;
        await backtests.addCalls(organizationId, backtest.id, changed);
        const { decisions, newlyDenied, newlyAsked, newlyAllowed } = report.totals;
        const data = {
          ...{ backtestId: backtest.id, policyId: policy.id, name: policy.name, namespaceId: namespace.id, subject: backtest.subject },
          ...{ digest: backtest.digest, baseline: backtest.baseline, from: backtest.from.toISOString(), to: backtest.to.toISOString() },
          ...{ isFiltered: backtest.isFiltered, decisions, newlyDenied, newlyAsked, newlyAllowed, reportDigest: digest },
          ...{ skipped: report.skipped, withoutArguments: report.withoutArguments, notReproduced: report.notReproduced },
          inForceDigest: report.inForceDigest,
        };
        await auditLog.append(organizationId, [recordIn(deps, by, namespace, { type: 'ai_policy_backtested', data })]);
      },
      LONG,
    );
    deps.announce(organizationId);
  } catch (error) {
    deps.report('a backtest failed', error);
    await end(deps, by, backtest, { status: 'FAILED', problem: deps.explain(error) }).catch((cause: unknown) =>
      deps.report('the end of a backtest could not be stored', cause),
    );
  }
}

const end = (
  { atomically, clock }: Backtesting,
  { organizationId }: Author,
  { id }: Backtest,
  { status, problem }: { readonly status: 'CANCELLED' | 'FAILED'; readonly problem: string | null },
): Promise<void> =>
  atomically(organizationId, async ({ backtests }) => {
    await backtests.finish(organizationId, id, { status, at: clock(), problem, report: null, reportDigest: null });
  });
