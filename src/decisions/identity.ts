import type { SessionIdentity } from '../audit/index.js';
import type { Viewer } from '../kernel/index.js';
import type { Evaluation, UNASKED_BASES } from '../policy/index.js';
import type { Question } from './question.js';

/** Something that a caller says of its call and that the token, or the session, says otherwise. */
export interface Contradiction {
  readonly field: 'userId' | 'agentId' | 'surface' | 'executionMode';
  /** What the caller says. */
  readonly claimed: string;
  /** What is known. Null of a session that is somebody else's: of it nothing is told. */
  readonly known: string | null;
}

/** Who makes a call, and how, as far as that can be known without asking the caller. */
export interface Identified {
  /** The question as it is decided: where the token or the session says otherwise, that counts. */
  readonly question: Question;
  /** The session that started the one of the call. */
  readonly parentSessionId: string | null;
  readonly contradictions: readonly Contradiction[];
  /** Whether it contradicts who makes the call: then nothing is allowed. */
  readonly isSomebodyElse: boolean;
}

const NONE: readonly Contradiction[] = [];

/**
 * Holds what a caller says of its call against its token and against the session that it names. Pure.
 *
 * The agent is the one that the token names, if it names one. The session's surface and execution mode take the place of what the caller
 * says; where the session says nothing, and without a session that is known, the caller's word is taken.
 */
export function identify(viewer: Pick<Viewer, 'userId' | 'agentId'>, asked: Question, session: SessionIdentity | null): Identified {
  if (session === null && (viewer.agentId === null || viewer.agentId === asked.agentId))
    return { question: asked, parentSessionId: null, contradictions: NONE, isSomebodyElse: false };

  const contradictions: Contradiction[] = [];
  const agentId = viewer.agentId ?? asked.agentId;
  if (agentId !== asked.agentId) contradictions.push({ field: 'agentId', claimed: asked.agentId, known: agentId });
  const isOthers = session?.userId != null && session.userId !== viewer.userId;
  if (isOthers) contradictions.push({ field: 'userId', claimed: viewer.userId, known: null });
  else if (session?.agentId != null && session.agentId !== agentId)
    contradictions.push({ field: 'agentId', claimed: agentId, known: session.agentId });
  const isSomebodyElse = contradictions.length > 0;
  // Of a session of somebody else not even how it runs is taken over.
  if (session === null || isSomebodyElse)
    return { question: withKnown(asked, agentId, null), parentSessionId: null, contradictions, isSomebodyElse };

  const { surface, executionMode } = asked.circumstances;
  if (surface !== null && session.surface !== null && surface !== session.surface)
    contradictions.push({ field: 'surface', claimed: surface, known: session.surface });
  if (executionMode !== null && session.executionMode !== null && executionMode !== session.executionMode)
    contradictions.push({ field: 'executionMode', claimed: executionMode, known: session.executionMode });
  return { question: withKnown(asked, agentId, session), parentSessionId: session.parentSessionId, contradictions, isSomebodyElse };
}

/** Field by field: every call of a known session passes here. */
function withKnown(asked: Question, agentId: string, session: SessionIdentity | null): Question {
  const said = asked.circumstances;
  return {
    requestId: asked.requestId,
    agentId,
    projectId: asked.projectId,
    tool: asked.tool,
    arguments: asked.arguments,
    sessionId: asked.sessionId,
    callId: asked.callId,
    circumstances: {
      environment: said.environment,
      branch: said.branch,
      isBranchProtected: said.isBranchProtected,
      surface: session?.surface ?? said.surface,
      executionMode: session?.executionMode ?? said.executionMode,
    },
    promises: asked.promises,
  };
}

/** What is answered where no policy is asked: no. */
export const unasked = (basis: (typeof UNASKED_BASES)[number]): Evaluation => ({
  verdict: 'DENY',
  basis,
  reasons: [],
  determining: [],
  failed: [],
  obligations: [],
  approval: null,
  advice: [],
});
