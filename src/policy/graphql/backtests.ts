import type {
  AgentPolicyBacktestCallResolvers,
  AgentPolicyBacktestGroupResolvers,
  AgentPolicyBacktestPayloadResolvers,
  AgentPolicyBacktestResolvers,
  MutationResolvers,
  QueryResolvers,
  SubscriptionResolvers,
} from '../../generated/graphql.js';
import { filterIn, presentEvent } from '../../audit/index.js';
import { connectionOf, cursorOf, Failure, isUuid, pageRequest, type Page } from '../../kernel/index.js';
import { inputInvalid, inputProblems, notFound } from '../../platform/graphql-input.js';
import type { Backtest, Report } from '../backtest/backtest.js';
import { cancelBacktest, followBacktest, listBacktests, listChangedCalls, readBacktest } from '../backtest/read-backtest.js';
import { startBacktest, type StartOutcome } from '../backtest/start-backtest.js';
import type { ChangedCall } from '../backtest/tally.js';
import type { PolicyContext } from './for-request.js';
import { BacktestInput } from './input.js';
import { presentById } from './present.js';
import { refusalOf } from './refusals.js';

const CALL_CURSOR = 'backtest-call';
const CURSOR = 'backtest';
const MAX_GROUPS = 1_000;

const presentBacktest = (backtest: Backtest) => {
  const { from, to, startedAt, finishedAt, startedBy, report, reportDigest, policyId, ...rest } = backtest;
  return {
    ...rest,
    policy: { id: policyId },
    from: from.toISOString(),
    to: to.toISOString(),
    startedAt: startedAt.toISOString(),
    startedBy: { id: startedBy },
    finishedAt: finishedAt?.toISOString() ?? null,
    report: report === null || reportDigest === null ? null : presentReport(report, reportDigest),
  };
};

const presentReport = ({ totals, groups: _, ...report }: Report, digest: string) => ({ digest, ...totals, ...report });

/** A page of a policy's backtests; null for those who may not start one. */
export async function presentBacktests(
  { policies }: PolicyContext,
  policyId: string,
  args: { readonly first: number; readonly after?: string | null },
) {
  const page: Page<Backtest> | null = await listBacktests(policies.deps, policies.viewer(), policyId, pageRequest(CURSOR, args, isUuid));
  return page === null ? null : connectionOf(page, ({ id }) => cursorOf(CURSOR, id), presentBacktest);
}

export const Query: Pick<QueryResolvers<PolicyContext>, 'agentPolicyBacktest'> = {
  async agentPolicyBacktest(_root, { id }, { policies }) {
    const backtest = await readBacktest(policies.deps, policies.viewer(), id);
    return backtest === null ? null : presentBacktest(backtest);
  },
};

export const Mutation: Pick<MutationResolvers<PolicyContext>, 'agentPolicyBacktest' | 'agentPolicyBacktestCancel'> = {
  async agentPolicyBacktest(_root, { input }, { policies }) {
    const viewer = policies.viewer();
    const parsed = BacktestInput.safeParse(input);
    if (!parsed.success) return refused(inputInvalid(inputProblems(parsed.error)));
    if (!isUuid(input.policyId)) return refused(notFound('policyId'));
    return presentStarted(await startBacktest(policies.deps, viewer, { ...parsed.data, filter: filterIn(input.filter) }));
  },
  async agentPolicyBacktestCancel(_root, { input }, { policies }) {
    const outcome = await cancelBacktest(policies.deps, policies.viewer(), input.backtestId);
    if (outcome.kind === 'notFound') return refused(notFound(outcome.field));
    return { backtest: presentBacktest(outcome.backtest), errors: [] };
  },
};

const refused = <Refusal>(refusal: Refusal) => ({ backtest: null, errors: [refusal] });

function presentStarted(outcome: StartOutcome) {
  switch (outcome.kind) {
    case 'started':
      return { backtest: presentBacktest(outcome.backtest), errors: [] };
    case 'invalid':
      return refused(refusalOf.invalid(outcome));
    case 'unacceptable':
      return refused(refusalOf.unacceptable(outcome));
    case 'notFound':
      return refused(refusalOf.notFound(outcome));
  }
}

export const Subscription: Pick<SubscriptionResolvers<PolicyContext>, 'agentPolicyBacktestAdvanced'> = {
  agentPolicyBacktestAdvanced: {
    subscribe: (_root, { id }, { policies }) => followBacktest(policies.deps, policies.viewer(), id),
    resolve: (backtest: Backtest) => presentBacktest(backtest),
  },
};

type OfBacktest = '__resolveReference' | 'policy' | 'groups' | 'calls';

export const AgentPolicyBacktest: Pick<AgentPolicyBacktestResolvers<PolicyContext>, OfBacktest> = {
  async __resolveReference({ id }, { policies }) {
    const backtest = await readBacktest(policies.deps, policies.viewer(), id);
    return backtest === null ? null : presentBacktest(backtest);
  },
  policy: ({ policy }, _args, { policies }) => presentById(policies, idOf(policy) ?? ''),
  async groups({ id }, { by, first }, { policies }) {
    if (first < 1 || first > MAX_GROUPS) throw new Failure('BAD_USER_INPUT', `first: must be 1 to ${MAX_GROUPS}.`);
    const report = (await readBacktest(policies.deps, policies.viewer(), id))?.report ?? null;
    if (report === null) return null;
    const groups = report.groups.filter(({ dimension }) => dimension === by).slice(0, first);
    return groups.map(({ dimension, ...group }) => ({ by: dimension, ...group }));
  },
  async calls({ id }, { change, agentId, tool, projectId, policyId, ...args }, { policies }) {
    if (policyId != null && !isUuid(policyId)) throw new Failure('BAD_USER_INPUT', 'policyId: must be the id of a policy.');
    const filter = {
      ...{ change: change ?? null, agentId: agentId ?? null, tool: tool ?? null, projectId: projectId ?? null },
      policyId: policyId ?? null,
    };
    const page = await listChangedCalls(policies.deps, policies.viewer(), id, { filter, page: pageRequest(CALL_CURSOR, args, isUuid) });
    return page === null ? null : connectionOf(page, ({ eventId }) => cursorOf(CALL_CURSOR, eventId), presentCall);
  },
};

const presentCall = ({ eventId, agentId, projectId, ...call }: ChangedCall) => ({
  ...call,
  decisionId: eventId,
  agent: { id: agentId },
  project: { id: projectId },
});

export const AgentPolicyBacktestPayload: Pick<AgentPolicyBacktestPayloadResolvers<PolicyContext>, 'policy'> = {
  policy: (payload, _args, { policies }) => presentById(policies, idOf(payload.policy) ?? ''),
};

const idOf = (stub: unknown): string | null =>
  typeof stub === 'object' && stub !== null && 'id' in stub && typeof stub.id === 'string' ? stub.id : null;

export const AgentPolicyBacktestGroup: Pick<AgentPolicyBacktestGroupResolvers<PolicyContext>, 'agent' | 'project' | 'policy'> = {
  agent: ({ by, key }) => (by === 'AGENT' ? { id: key } : null),
  project: ({ by, key }) => (by === 'PROJECT' ? { id: key } : null),
  policy: ({ by, key }, _args, { policies }) => (by === 'POLICY' ? presentById(policies, key) : null),
};

export const AgentPolicyBacktestCall: Pick<AgentPolicyBacktestCallResolvers<PolicyContext>, 'event' | 'policies'> = {
  async event({ decisionId }, _args, { eventById }) {
    const stored = await eventById(decisionId);
    return stored === null ? null : presentEvent(stored);
  },
  async policies({ policyIds }, _args, { policies }) {
    const found = await Promise.all(policyIds.map((id) => presentById(policies, id)));
    return found.flatMap((policy) => policy ?? []);
  },
};
