import { authorOf } from '../../audit/index.js';
import { ownedNamespace } from '../../directory/index.js';
import { requireScope, type Viewer } from '../../kernel/index.js';
import type { BacktestDemand } from '../backtest/backtest.js';
import type { NotFound, PolicyChanging } from './changing.js';
import { recordIn } from './record.js';

export interface SettingsRequest {
  readonly namespaceId: string;
  /** Undefined: as it is. */
  readonly isReviewRequired: boolean | undefined;
  /** Null: none is demanded; undefined: as it is. */
  readonly backtest: BacktestDemand | null | undefined;
}

export type SettingsOutcome = { readonly kind: 'done'; readonly namespaceId: string } | NotFound;

/**
 * Sets that in a namespace and below nothing is published that a second person has not reviewed, or that no backtest precedes; or takes
 * that back for the namespace itself: what is set above it stays in force. Setting what is set changes and records nothing.
 *
 * Needs the scope `policy:write` and the role OWNER in the namespace or above.
 */
export async function setPolicySettings(deps: PolicyChanging, viewer: Viewer, request: SettingsRequest): Promise<SettingsOutcome> {
  requireScope(viewer, 'policy:write');
  const namespace = await ownedNamespace(deps.directory, viewer, request.namespaceId);
  if (namespace === null) return { kind: 'notFound', field: 'namespaceId' };
  const { isReviewRequired, backtest } = request;
  const { organizationId } = viewer;
  const author = await authorOf(deps.humans, viewer);
  const by = { at: deps.clock(), userId: viewer.userId };
  await deps.atomically(organizationId, async ({ policies, backtests, auditLog }) => {
    // In the order in which a publish asks for them, so that none waits for the other.
    const isReviewSet =
      isReviewRequired !== undefined && (await policies.demandReview(organizationId, namespace.id, isReviewRequired ? by : null));
    const isBacktestSet = backtest !== undefined && (await backtests.demand(organizationId, namespace.id, backtest, by));
    if (!isReviewSet && !isBacktestSet) return;
    const isRequired = (await policies.demandingReview(organizationId, [namespace.id])).length > 0;
    const demand = (await backtests.demands(organizationId, [namespace.id])).get(namespace.id);
    const data = {
      ...{ namespaceId: namespace.id, isReviewRequired: isRequired, wasReviewRequired: isReviewSet ? !isRequired : isRequired },
      ...{ backtestDays: demand?.days ?? null, maxNewlyDenied: demand?.maxNewlyDenied ?? null },
      ...{ maxNewlyAsked: demand?.maxNewlyAsked ?? null, maxNewlyAllowed: demand?.maxNewlyAllowed ?? null },
    };
    await auditLog.append(organizationId, [recordIn(deps, author, namespace, { type: 'ai_policy_settings_changed', data })]);
  });
  deps.announce(organizationId);
  return { kind: 'done', namespaceId: namespace.id };
}
