import type { StoredEvent, Verdict } from '../audit/index.js';
import { isJsonObject, type JsonObject } from '../kernel/index.js';
import { DECISION_EVENT, type Approval, type Evaluation, type Reason } from '../policy/index.js';
import type { ActionType } from '../tools/index.js';
import type { Contradiction } from './identity.js';
import type { ShadowVerdict } from './shadow.js';

/** The answer to one tool call, as it was recorded. */
export interface Decision {
  /** That of its audit event. */
  readonly id: string;
  readonly verdict: Verdict;
  readonly basis: Evaluation['basis'];
  readonly explanation: string;
  /** What to do instead; may be shown to a model. */
  readonly advice: readonly string[];
  readonly reasons: readonly Reason[];
  readonly obligations: readonly string[];
  /** Of ASK alone. */
  readonly approvalNeeded: Approval | null;
  /** What the policies that are only watched would have changed; null when nothing. */
  readonly shadow: ShadowVerdict | null;
  readonly epoch: number;
  readonly requestId: string | null;
  readonly toolName: string;
  /** The call, as its other events name it: as the caller did or, when it named none, the decision's own id. */
  readonly callId: string;
  /** Canonical id; null for an unknown tool. */
  readonly toolId: string | null;
  readonly toolDefinitionDigest: string | null;
  readonly actionType: ActionType;
  readonly decidedAt: string;
  /** Everything else that was known of the call; see `factsOf`. Null in records from before it was kept. */
  readonly facts: JsonObject | null;
}

/** Sentences that may be shown to a model: they say what is so, and nothing of how the policies are made. */
export const EXPLANATIONS: Readonly<Record<Evaluation['basis'], string>> = {
  PERMITTED: 'The call is allowed.',
  FORBIDDEN: 'A policy of the organization forbids this call. Do not try it in another way.',
  APPROVAL_NEEDED: 'A human must approve this call before it may be made.',
  OBLIGATION_NEEDED: 'The call is denied, because the service that asked does not promise what a policy of the organization demands.',
  NO_MATCH: 'No policy of the organization permits this call.',
  ARGUMENTS_UNREADABLE: 'The call is denied, because it has too many arguments, or two of one name, for the policies that read them.',
  POLICY_ERROR: 'The call could not be checked against a policy that may forbid it, so it is denied.',
  IDENTITY_CONTRADICTED: 'The call is denied, because the token, or the session that it names, is of another agent or user than it says.',
  HUMAN_NO_MEMBER: 'The call is denied, because the human on whose behalf it would be made is no member of the project.',
};

/** What of a decision stands in its event's data; the rest is in the event's own fields. */
export type DecisionData = Omit<Decision, 'id' | 'verdict' | 'toolName' | 'callId' | 'decidedAt'> & {
  readonly arguments: JsonObject;
  /** Policies that could not be evaluated. */
  readonly failed: readonly Reason[];
  /** What the caller said that the token or the session says otherwise. */
  readonly contradictions: readonly Contradiction[];
};

/** Records from before there were approvals and obligations say nothing of them. */
type StoredData = Omit<DecisionData, Later> & Partial<Pick<DecisionData, Later>>;
type Later = 'advice' | 'obligations' | 'approvalNeeded' | 'facts';

/** The decision in its event; null when the event is none. */
export function decisionIn({ event }: StoredEvent): Decision | null {
  if (event.type !== DECISION_EVENT || event.verdict === null || !isJsonObject(event.data)) return null;
  const data: StoredData = JSON.parse(JSON.stringify(event.data));
  const { basis, explanation, advice = [], reasons, shadow = null, obligations = [], approvalNeeded = null, facts = null } = data;
  const { epoch, requestId, toolId, toolDefinitionDigest, actionType } = data;
  return {
    id: event.id,
    verdict: event.verdict,
    basis,
    explanation,
    advice,
    reasons,
    obligations,
    approvalNeeded,
    shadow,
    epoch,
    requestId,
    toolName: event.tool ?? '',
    callId: event.callId ?? event.id,
    toolId,
    toolDefinitionDigest,
    actionType,
    decidedAt: event.occurredAt,
    facts,
  };
}
