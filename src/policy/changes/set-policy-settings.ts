import { authorOf } from '../../audit/index.js';
import { ownedNamespace } from '../../directory/index.js';
import { requireScope, type Viewer } from '../../kernel/index.js';
import type { BacktestDemand } from '../backtest/backtest.js';
import { unacceptable, type NotFound, type PolicyChanging, type Unacceptable } from './changing.js';
import { recordIn } from './record.js';

export interface SettingsRequest {
  readonly namespaceId: string;
  /** Undefined: as it is. */
  readonly isReviewRequired: boolean | undefined;
  /** Users whose applies as code need none there all the same, since their repository sees to that. Undefined: as it is. */
  readonly trustedAppliers: readonly string[] | undefined;
  /** Null: none is demanded; undefined: as it is. */
  readonly backtest: BacktestDemand | null | undefined;
}

export type SettingsOutcome = { readonly kind: 'done'; readonly namespaceId: string } | NotFound | Unacceptable;

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
  const { isReviewRequired, trustedAppliers, backtest } = request;
  const { organizationId } = viewer;
  const author = await authorOf(deps.humans, viewer);
  const by = { at: deps.clock(), userId: viewer.userId };
  const problem = await deps.atomically(organizationId, async ({ policies, backtests, auditLog }): Promise<Unacceptable | null> => {
    await policies.lockSettings(organizationId);
    const isDemanded = isReviewRequired ?? (await policies.demandingReview(organizationId, [namespace.id])).length > 0;
    if (trustedAppliers !== undefined && trustedAppliers.length > 0 && !isDemanded) return NOTHING_TO_TRUST;
    // What a publish asks for first is locked first, so that neither waits for the other.
    const isReviewSet =
      isReviewRequired !== undefined && (await policies.demandReview(organizationId, namespace.id, isReviewRequired ? by : null));
    const isBacktestSet = backtest !== undefined && (await backtests.demand(organizationId, namespace.id, backtest, by));
    const isTrustSet = trustedAppliers !== undefined && (await policies.trustAppliers(organizationId, namespace.id, trustedAppliers, by));
    if (!isReviewSet && !isTrustSet && !isBacktestSet) return null;
    const isRequired = (await policies.demandingReview(organizationId, [namespace.id])).length > 0;
    const trusted = (await policies.trustedAppliers(organizationId, [namespace.id])).get(namespace.id);
    const demand = (await backtests.demands(organizationId, [namespace.id])).get(namespace.id);
    const data = {
      ...{ namespaceId: namespace.id, isReviewRequired: isRequired, wasReviewRequired: isReviewSet ? !isRequired : isRequired },
      trustedAppliers: [...(trusted ?? [])],
      ...{ backtestDays: demand?.days ?? null, maxNewlyDenied: demand?.maxNewlyDenied ?? null },
      ...{ maxNewlyAsked: demand?.maxNewlyAsked ?? null, maxNewlyAllowed: demand?.maxNewlyAllowed ?? null },
    };
    await auditLog.append(organizationId, [recordIn(deps, author, namespace, { type: 'ai_policy_settings_changed', data })]);
    return null;
  });
  if (problem !== null) return problem;
  deps.announce(organizationId);
  return { kind: 'done', namespaceId: namespace.id };
}

const NOTHING_TO_TRUST = unacceptable(
  'trustedAppliers',
  'says who needs no review that the namespace demands itself; demand it with isReviewRequired, or leave this out',
);
