import { z } from 'zod';
import type { MutationResolvers, QueryResolvers } from '../../generated/graphql.js';
import {
  connectionOf,
  cursorOf,
  isPlain,
  isPlainText,
  isUuid,
  isWellFormed,
  pageRequest,
  type Page,
  type Viewer,
} from '../../kernel/index.js';
import { inputInvalid, inputProblems, notFound, type InputProblem } from '../../platform/graphql-input.js';
import { setRetention, type RetentionChanging } from '../retention/change-retention.js';
import type { LegalHold } from '../retention/hold.js';
import { liftHold, placeHold } from '../retention/legal-hold.js';
import type { Drop, RetentionRun, RetentionSetting } from '../retention/ports.js';
import { listHolds, retentionStatus, type RetentionReading, type RetentionStatus } from '../retention/read-retention.js';
import { runByHand, type RunningByHand } from '../retention/run-by-hand.js';

/** Retention for one GraphQL request. */
export interface RetentionForRequest {
  readonly viewer: () => Viewer;
  readonly deps: RetentionReading & RetentionChanging & RunningByHand;
}

export interface RetentionContext {
  readonly retention: RetentionForRequest;
}

const CURSOR = 'hold';

export const Query: Pick<QueryResolvers<RetentionContext>, 'agentRetentionStatus' | 'agentLegalHolds'> = {
  async agentRetentionStatus(_root, { namespaceId }, { retention }) {
    const status = await retentionStatus(retention.deps, retention.viewer(), namespaceId ?? null);
    return status === null ? null : presentStatus(status);
  },
  async agentLegalHolds(_root, { isInForce, ...args }, { retention }) {
    const page = await listHolds(retention.deps, retention.viewer(), isInForce ?? null, pageRequest(CURSOR, args, isUuid));
    return page === null ? null : presentPage(page);
  },
};

const presentPage = (page: Page<LegalHold>) => connectionOf(page, ({ id }) => cursorOf(CURSOR, id), presentHold);

const text = (longest: number, isFit: (text: string) => boolean) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(longest, `must have at most ${longest} characters`)
    .refine(isFit, 'must not hold control characters')
    .refine(isWellFormed, 'must be well-formed Unicode');
const id = (longest: number) =>
  text(longest, isPlain)
    .nullish()
    .transform((value) => value ?? null);
const moment = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time with seconds and a zone, for example 2026-11-22T09:30:00.000Z' })
  .transform((value) => new Date(value))
  .refine((date) => date.getTime() >= 0, 'must not lie before 1970')
  .nullish()
  .transform((value) => value ?? null);
const reason = text(1_000, isPlainText);

const SetInput = z.object({
  namespaceId: text(300, isPlain),
  class: z.enum(['CONTENT', 'METADATA', 'DECISIONS']),
  days: z
    .number()
    .nullish()
    .transform((value) => value ?? null),
});
const PlaceInput = z.object({
  name: text(100, isPlain),
  reason,
  namespaceId: id(300),
  sessionId: id(200),
  userId: id(300),
  agentId: id(300),
  from: moment,
  to: moment,
});
const LiftInput = z.object({ holdId: z.string(), reason });

export const Mutation: Pick<
  MutationResolvers<RetentionContext>,
  'agentRetentionSet' | 'agentLegalHoldPlace' | 'agentLegalHoldLift' | 'agentRetentionRun'
> = {
  async agentRetentionSet(_root, { input }, { retention }) {
    const viewer = retention.viewer();
    const parsed = SetInput.safeParse(input);
    if (!parsed.success) return { setting: null, errors: [invalid(parsed.error)] };
    const outcome = await setRetention(retention.deps, viewer, parsed.data);
    if (outcome.kind !== 'done') return { setting: null, errors: [refusalOf(outcome)] };
    return { setting: outcome.setting === null ? null : presentSetting(outcome.setting), errors: [] };
  },
  async agentLegalHoldPlace(_root, { input }, { retention }) {
    const viewer = retention.viewer();
    const parsed = PlaceInput.safeParse(input);
    if (!parsed.success) return { hold: null, errors: [invalid(parsed.error)] };
    return presentHoldOutcome(await placeHold(retention.deps, viewer, parsed.data));
  },
  async agentLegalHoldLift(_root, { input }, { retention }) {
    const viewer = retention.viewer();
    const parsed = LiftInput.safeParse(input);
    if (!parsed.success) return { hold: null, errors: [invalid(parsed.error)] };
    if (!isUuid(parsed.data.holdId)) return { hold: null, errors: [notFound('holdId')] };
    return presentHoldOutcome(await liftHold(retention.deps, viewer, parsed.data));
  },
  async agentRetentionRun(_root, { input }, { retention }) {
    const outcome = await runByHand(retention.deps, retention.viewer(), input.isDryRun ?? true);
    if (outcome.kind === 'done') return { run: presentRun(outcome.run), errors: [] };
    const message = 'Another run by hand is under way in your organization. Wait until it has ended.';
    return { run: null, errors: [{ __typename: 'AgentRetentionRunning' as const, message }] };
  },
};

const invalid = (error: z.ZodError) => inputInvalid(inputProblems(error));

type Refusal =
  { readonly kind: 'notFound'; readonly field: string } | { readonly kind: 'invalid'; readonly problems: readonly InputProblem[] };

const refusalOf = (refusal: Refusal) => (refusal.kind === 'notFound' ? notFound(refusal.field) : inputInvalid(refusal.problems));

const presentHoldOutcome = (outcome: { readonly kind: 'done'; readonly hold: LegalHold } | Refusal) =>
  outcome.kind === 'done' ? { hold: presentHold(outcome.hold), errors: [] } : { hold: null, errors: [refusalOf(outcome)] };

const stub = (id: string | null): { readonly id: string } | null => (id === null ? null : { id });
const timeOf = (date: Date | null): string | null => date?.toISOString() ?? null;

function presentHold({ lift, userId, agentId, from, to, placedAt, placedBy, ...hold }: LegalHold) {
  return {
    ...hold,
    user: stub(userId),
    agent: stub(agentId),
    from: timeOf(from),
    to: timeOf(to),
    isInForce: lift === null,
    placedAt: placedAt.toISOString(),
    placedBy: stub(placedBy),
    liftedAt: timeOf(lift?.at ?? null),
    liftedBy: stub(lift?.by ?? null),
    liftReason: lift?.reason ?? null,
  };
}

const presentSetting = ({ setAt, setBy, ...setting }: RetentionSetting) => ({
  ...setting,
  setAt: setAt.toISOString(),
  setBy: stub(setBy),
});

const presentDrop = (drop: Drop) => ({ ...drop, from: drop.from.toISOString(), to: drop.to.toISOString() });

const presentRun = ({ startedAt, startedBy, finishedAt, drops, ...run }: RetentionRun) => ({
  ...run,
  startedAt: startedAt.toISOString(),
  startedBy: stub(startedBy),
  finishedAt: timeOf(finishedAt),
  drops: drops.map(presentDrop),
});

const presentStatus = (status: RetentionStatus) => ({
  classes: status.classes.map(({ settings, ...rest }) => ({
    ...rest,
    settings: settings.map(presentSetting),
  })),
  oldestEventAt: timeOf(status.oldestEventAt),
  oldestContentAt: timeOf(status.oldestContentAt),
  recentRuns: status.recentRuns.map(presentRun),
  nextRunAt: status.nextRunAt.toISOString(),
  leader: status.leader,
  partitions: { months: [...status.months], monthsAhead: status.monthsAhead, isEnough: status.isEnough },
});
