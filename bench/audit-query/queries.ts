import { cursorOf } from '../../src/kernel/index.js';
import type { Combination, Target, Targets } from './targets.js';

/** One GraphQL request. */
export interface Question {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** A list that people look at, with what makes one page of it. */
export interface PageQuery {
  readonly name: string;
  /** A page of 50 behind a random event. */
  ask(targets: Targets): Question;
}

const EVENT = `
  id position seal type source sourceId occurredAt recordedAt recordedBy { id } project { id } namespaceId user { id } agent { id }
  sessionId sequence callId toolName verdict outcome extensions
  payload {
    __typename
    ... on AgentSessionPayload { workflowType goal status durationSeconds errorMessage }
    ... on AgentMessagePayload { messageType content contentLength }
    ... on AgentModelCallPayload {
      modelName promptContent toolsBound responseContent promptTokenCount completionTokenCount finishReason latencyMilliseconds errorType errorMessage
    }
    ... on AgentToolCallPayload {
      toolName arguments responseContent responseLength errorType errorMessage attemptNumber maxAttempts previousError
    }
    ... on AgentDecisionPayload {
      arguments
      decision { id verdict basis explanation epoch requestId toolName toolDefinitionDigest actionType decidedAt reasons { policyId policyName revision effect } }
    }
  }`;

const CONNECTION = `edges { cursor node { ${EVENT} } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`;

const ONE = `query Event($id: ID!) { found: agentAuditEvent(id: $id) { ${EVENT} } }`;
/** How many events a full page has. */
export const PAGE_EVENTS = 50;
const PAGE = `query Page($filter: AgentAuditEventFilter, $after: String) {
  found: agentAuditEvents(first: ${PAGE_EVENTS}, filter: $filter, after: $after) { ${CONNECTION} } }`;

/** The reference: one event by its primary key, with the fields of a page. */
export const lookUp = (targets: Targets): Question => ({ query: ONE, variables: { id: targets.event().id } });

const page = (filter: Readonly<Record<string, readonly string[]>> | null, eventId: string): Question => ({
  query: PAGE,
  variables: { filter, after: cursorOf('event', eventId) },
});

export const PAGE_QUERIES: readonly PageQuery[] = [
  { name: 'organization', ask: (targets) => page(null, targets.event().id) },
  { name: 'project', ask: (targets) => near(targets, ({ projectId }) => ({ projectIds: [projectId] })) },
  { name: 'agent', ask: (targets) => near(targets, ({ agentId }) => ({ agentIds: [agentId] })) },
  { name: 'session', ask: (targets) => near(targets, ({ sessionId }) => ({ sessionIds: [sessionId] })) },
  { name: 'projectToolVerdict', ask: (targets) => decisionsLike(targets.combination(), targets) },
  { name: 'projectToolVerdictRare', ask: (targets) => decisionsLike(targets.anyCombination(), targets) },
];

/** A page of what a random event belongs to, behind that event. */
function near(targets: Targets, filter: (target: Target) => Readonly<Record<string, readonly string[]>>): Question {
  const target = targets.event();
  return page(filter(target), target.id);
}

const decisionsLike = ({ projectId, tool, verdict }: Combination, targets: Targets): Question =>
  page({ projectIds: [projectId], toolNames: [tool], verdicts: [verdict] }, targets.event().id);
