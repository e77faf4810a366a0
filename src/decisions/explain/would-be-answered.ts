import { authorOf, humansBehind } from '../../audit/index.js';
import type { Viewer } from '../../kernel/index.js';
import { evaluate, type Evaluation } from '../../policy/index.js';
import type { Deciding } from '../decide.js';
import { callOf, gather, type Asked } from '../gather.js';
import { identify, unasked } from '../identity.js';

/** What a decision on the call would say to the viewer now, recorded nowhere; null where the project does not exist for them. */
export async function wouldBeAnswered(
  { snapshots, sessions, humans, clock }: Pick<Deciding, 'snapshots' | 'sessions' | 'humans' | 'clock'>,
  viewer: Viewer,
  asked: Asked,
): Promise<Evaluation | null> {
  const { organizationId, userId } = viewer;
  const session = asked.sessionId === null ? null : await sessions.identity(organizationId, asked.sessionId);
  const { question, isSomebodyElse } = identify(viewer, { ...asked, requestId: null, callId: null }, session);
  const humanIds = await humansBehind(humans, organizationId, await authorOf(humans, viewer, asked.sessionId));
  const gathered = await snapshots.read(organizationId, (facts) => gather(facts, userId, question, humanIds));
  if (gathered === null) return null;
  if (isSomebodyElse) return unasked('IDENTITY_CONTRADICTED');
  const now = clock();
  const call = callOf(userId, question, gathered, now);
  return call.user.level === 0 ? unasked('HUMAN_NO_MEMBER') : evaluate(gathered.facts.policySet(gathered.project, now), call);
}
