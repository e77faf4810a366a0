import type {
  AgentAuditEventResolvers,
  AgentOrphanedCallResolvers,
  AgentResolvers,
  AgentSessionResolvers,
  ProjectResolvers,
  QueryResolvers,
  ResolversTypes,
  UserResolvers,
} from '../../generated/graphql.js';
import { connectionOf, cursorOf, Failure, isUuid, pageRequest, type Page, type PageRequest } from '../../kernel/index.js';
import { eventsOf, type AuditContext } from '../graphql.js';
import { knowledgeOf } from '../humans.js';
import { momentsIn, sessionFilterIn } from '../parse-session-filter.js';
import type { Histogram, OrphanRequest } from '../read-sessions.js';
import type { SessionOwner } from '../session-ports.js';
import { isSessionKey, sessionKey, type OpenCall, type Session } from '../session.js';
import type { SessionContext, SessionsForRequest } from './sessions-for-request.js';

const CURSOR = 'session';
const CALL_CURSOR = 'call';

type PageArgs = { readonly first?: number | null; readonly after?: string | null };

const pageIn = (args: PageArgs): PageRequest => pageRequest(CURSOR, args, isSessionKey);

function orphanRequestIn(args: PageArgs & { readonly olderThanSeconds?: number | null }): OrphanRequest {
  const seconds = args.olderThanSeconds ?? null;
  if (seconds !== null && seconds < 0) throw new Failure('BAD_USER_INPUT', `olderThanSeconds: must be 0 or more; got ${seconds}.`);
  return { olderThanSeconds: seconds, page: pageRequest(CALL_CURSOR, args, isUuid) };
}

type PresentedSession = Awaited<ResolversTypes['AgentSession']>;

const stub = (id: string | null): { readonly id: string } | null => (id === null ? null : { id });

function presentSession(session: Session): PresentedSession {
  const { id, surface, executionMode, parentSessionId, workflowType, status, strayEvents } = session;
  const { allowed, asked, denied, succeeded, failed } = session;
  return {
    ...{ id, surface, executionMode, parentSessionId, workflowType, status, strayEvents },
    agent: stub(session.agentId),
    user: stub(session.userId),
    human: stub(session.humanId),
    humanSource: knowledgeOf(session),
    project: stub(session.projectId),
    startedAt: session.startedAt.toISOString(),
    endedAt: session.endedAt?.toISOString() ?? null,
    lastEventAt: session.lastEventAt.toISOString(),
    eventCount: session.events,
    verdictCounts: { allowed, asked, denied },
    outcomeCounts: { succeeded, failed },
  };
}

const presentPage = (page: Page<Session>) => connectionOf(page, (session) => cursorOf(CURSOR, sessionKey(session)), presentSession);

const presentCalls = (page: Page<OpenCall>) =>
  connectionOf(
    page,
    ({ decisionId }) => cursorOf(CALL_CURSOR, decisionId),
    ({ decisionId, decidedAt, callId, sessionId, projectId, userId, agentId, tool }) => ({
      callId,
      toolName: tool,
      decidedAt: decidedAt.toISOString(),
      decision: { id: decisionId },
      session: stub(sessionId),
      agent: stub(agentId),
      user: stub(userId),
      project: stub(projectId),
    }),
  );

const presentHistogram = ({ from, to, buckets }: Histogram) => ({
  from: from.toISOString(),
  to: to.toISOString(),
  buckets: buckets.map(({ start, counts, events }) => ({ start: start.toISOString(), counts: [...counts], events })),
});

async function sessionOf(sessions: SessionsForRequest, id: string | null | undefined): Promise<PresentedSession | null> {
  const session = id == null ? null : await sessions.byId(id);
  return session === null ? null : presentSession(session);
}

async function sessionsOf(sessions: SessionsForRequest, owner: SessionOwner, id: string, args: PageArgs) {
  const page = await sessions.listOf(owner, id, pageIn(args));
  return page === null ? null : presentPage(page);
}

export const Query: Pick<
  QueryResolvers<SessionContext>,
  'agentSession' | 'agentSessions' | 'agentOrphanedCalls' | 'agentAuditEventHistogram'
> = {
  agentSession: (_root, { id }, { sessions }) => sessionOf(sessions, id),
  agentSessions: async (_root, args, { sessions }) => presentPage(await sessions.list(sessionFilterIn(args.filter), pageIn(args))),
  async agentOrphanedCalls(_root, args, { sessions }) {
    const page = await sessions.orphans({ ...orphanRequestIn(args), namespaceId: args.namespaceId ?? null });
    return page === null ? null : presentCalls(page);
  },
  async agentAuditEventHistogram(_root, { namespaceId, interval, by, from, to }, { sessions }) {
    const histogram = await sessions.histogram({ namespaceId: namespaceId ?? null, interval, by, ...momentsIn({ from, to }) });
    return histogram === null ? null : presentHistogram(histogram);
  },
};

export const Project: Pick<ProjectResolvers<SessionContext>, 'agentSessions'> = {
  agentSessions: ({ id }, args, { sessions }) => sessionsOf(sessions, 'project', id, args),
};

export const User: Pick<UserResolvers<SessionContext>, 'agentSessions'> = {
  agentSessions: ({ id }, args, { sessions }) => sessionsOf(sessions, 'user', id, args),
};

export const Agent: Pick<AgentResolvers<SessionContext>, 'sessions'> = {
  sessions: ({ id }, args, { sessions }) => sessionsOf(sessions, 'agent', id, args),
};

export const AgentAuditEvent: Pick<AgentAuditEventResolvers<SessionContext>, 'session'> = {
  session: ({ sessionId }, _args, { sessions }) => sessionOf(sessions, sessionId),
};

export const AgentOrphanedCall: Pick<AgentOrphanedCallResolvers<SessionContext>, 'session'> = {
  session: ({ session }, _args, { sessions }) => sessionOf(sessions, session?.id),
};

export const AgentSession: Pick<
  AgentSessionResolvers<SessionContext & AuditContext>,
  '__resolveReference' | 'parent' | 'children' | 'completeness' | 'orphans' | 'events'
> = {
  __resolveReference: ({ id }, { sessions }) => sessionOf(sessions, id),
  parent: ({ parentSessionId }, _args, { sessions }) => sessionOf(sessions, parentSessionId),
  children: ({ id }, args, { sessions }) => sessionsOf(sessions, 'parent', id, args),
  completeness: async ({ id }, _args, { sessions }) => {
    const { state, sources } = await sessions.completenessOf(id);
    return { state, sources: sources.map((source) => ({ ...source, missing: [...source.missing] })) };
  },
  orphans: async ({ id }, args, { sessions }) => presentCalls(await sessions.orphansOf(id, orphanRequestIn(args))),
  events: ({ id }, args, { audit }) => eventsOf(audit, 'session', id, args),
};
