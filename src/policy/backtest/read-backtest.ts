import { isUuid, pageOf, requireScope, type Page, type PageRequest, type Viewer } from '../../kernel/index.js';
import { maintainedPolicy, type NotFound } from '../changes/changing.js';
import { asOf, type Backtest } from './backtest.js';
import type { CallFilter } from './ports.js';
import type { Backtesting } from './start-backtest.js';
import type { ChangedCall } from './tally.js';

/** The backtest; null when it does not exist for the viewer: it does for those who may start one. */
export async function readBacktest(deps: Backtesting, viewer: Viewer, id: string): Promise<Backtest | null> {
  requireScope(viewer, 'audit:read');
  const [backtest] = isUuid(id) ? await deps.backtests.byIds(viewer.organizationId, [id]) : [];
  if (backtest === undefined || (await maintainedPolicy(deps, viewer, backtest.policyId)) === null) return null;
  return asOf(backtest, deps.clock());
}

/** A page of the backtests of a policy, newest first; null when the viewer may not read them. */
export async function listBacktests(
  deps: Backtesting,
  viewer: Viewer,
  policyId: string,
  page: PageRequest,
): Promise<Page<Backtest> | null> {
  requireScope(viewer, 'audit:read');
  if ((await maintainedPolicy(deps, viewer, policyId)) === null) return null;
  const [rows = []] = await deps.backtests.list(viewer.organizationId, [policyId], page);
  const now = deps.clock();
  return pageOf(
    rows.map((backtest) => asOf(backtest, now)),
    page,
  );
}

/** A page of the calls behind the numbers of a backtest; null when it does not exist for the viewer, or is not done. */
export async function listChangedCalls(
  deps: Backtesting,
  viewer: Viewer,
  backtestId: string,
  { filter, page }: { readonly filter: CallFilter; readonly page: PageRequest },
): Promise<Page<ChangedCall> | null> {
  const backtest = await readBacktest(deps, viewer, backtestId);
  if (backtest?.status !== 'DONE') return null;
  return pageOf(await deps.backtests.calls(viewer.organizationId, backtestId, filter, page), page);
}

export type CancelOutcome = { readonly kind: 'done'; readonly backtest: Backtest } | NotFound;

/** Ends a backtest that is running; one that has ended stays as it is. Needs what starting one needs. */
export async function cancelBacktest(deps: Backtesting, viewer: Viewer, id: string): Promise<CancelOutcome> {
  requireScope(viewer, 'policy:write');
  if ((await readBacktest(deps, viewer, id)) === null) return { kind: 'notFound', field: 'backtestId' };
  const cancelled = { status: 'CANCELLED', at: deps.clock(), problem: null, report: null, reportDigest: null } as const;
  await deps.atomically(viewer.organizationId, ({ backtests }) => backtests.finish(viewer.organizationId, id, cancelled));
  deps.running.get(id)?.controller.abort();
  const backtest = await readBacktest(deps, viewer, id);
  return backtest === null ? { kind: 'notFound', field: 'backtestId' } : { kind: 'done', backtest };
}

/** How often a backtest is looked at for whoever follows it. */
const FOLLOW_MILLISECONDS = 500;

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** The backtest as it is now and whenever something of it has changed, until it has ended. Empty when it does not exist for the viewer. */
export async function* followBacktest(deps: Backtesting, viewer: Viewer, id: string): AsyncIterableIterator<Backtest> {
  let last: string | null = null;
  for (;;) {
    const backtest = await readBacktest(deps, viewer, id);
    if (backtest === null) return;
    const now = JSON.stringify([backtest.status, backtest.examined, backtest.progress]);
    if (now !== last) yield backtest;
    last = now;
    if (backtest.status !== 'RUNNING') return;
    await pause(FOLLOW_MILLISECONDS);
  }
}
