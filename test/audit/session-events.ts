import { OWN_SOURCE, type NewEvent } from '../../src/audit/event.js';
import type { Json } from '../../src/kernel/index.js';
import type { Random } from '../support/random.js';

const START = Date.parse('2026-11-20T21:00:00.000Z');
const TYPES = [
  'ai_agent_session_started',
  'duo_session_started',
  'ai_agent_session_ended',
  'duo_session_finished',
  'duo_session_failed',
  'duo_session_stopped',
  'duo_session_resumed',
  'ai_llm_response_received',
  'com.example.session.other',
];

/**
 * Any event of a session: mostly of its project, user and reporter, now and then of others, or of none. No two are of the same
 * millisecond, so that organizations do not differ in their order.
 */
export function anySessionEvent(pick: Random, place: number, sessionId: string | null): Partial<NewEvent> {
  const occurredAt = new Date(START + pick.below(5_000) * 20_000 + place).toISOString();
  const userId = pick.pick(['ada', 'ada', 'ada', 'bob']);
  const common: Partial<NewEvent> = {
    sourceId: `event-${place}`,
    occurredAt,
    projectId: pick.pick(['p1', 'p1', 'p1', 'p2', null]),
    namespaceId: pick.pick(['p1', 'p2', 'g', null]),
    userId,
    ...pick.pick<Pick<NewEvent, 'humanId' | 'humanSource'>>([
      ...Array<object>(3).fill({ humanId: userId }),
      ...[{ humanId: 'hanna' }, { humanId: 'hugo' }],
      ...[
        { humanId: 'hugo', humanSource: 'SESSION' as const },
        { humanId: 'olga', humanSource: 'DIRECTORY' as const },
      ],
      { humanId: null, humanSource: 'UNKNOWN' },
    ]),
    recordedBy: pick.pick(['service', 'service', userId]),
    agentId: pick.pick(['coder', 'planner', null]),
    sessionId,
    tool: pick.pick(['read', 'write', null]),
    surface: pick.pick(['IDE', 'WEB', null, null] as const),
    executionMode: pick.pick(['INTERACTIVE', 'BACKGROUND', null] as const),
    parentSessionId: pick.pick(['s9', 's8', null, null]),
  };
  const callId = pick.pick(['c1', 'c2', 'c3', 'c4', null]);
  switch (pick.below(5)) {
    case 0:
      return {
        ...common,
        type: 'ai_tool_decision_made',
        source: OWN_SOURCE,
        callId,
        verdict: pick.pick(['ALLOW', 'ALLOW', 'ASK', 'DENY'] as const),
      };
    case 1:
      return {
        ...common,
        type: 'ai_tool_response_received',
        source: '/a',
        callId,
        outcome: pick.pick(['SUCCEEDED', 'FAILED'] as const),
        sequence: pick.below(40),
      };
    case 2:
      if (pick.below(4) > 0) break;
      return {
        ...common,
        type: 'ai_agent_session_report_finished',
        source: OWN_SOURCE,
        data: { producer: pick.pick(['/a', '/b']), batchId: null, totalEventsSent: pick.pick([null, 3, 30]) },
      };
    default:
  }
  return {
    ...common,
    type: pick.pick(TYPES),
    source: pick.pick(['/a', '/b']),
    sequence: pick.pick([null, pick.below(60)]),
    data: pick.pick<Json>([
      { workflow_type: pick.pick(['chat', 'flow']), status: pick.pick(['success', 'failure', 'stopped', 'aborted', 'unheard', null]) },
      null,
      'no object',
      ['none', { workflow_type: 'either' }],
      { workflow_type: null, text: 'nul \u0000 within' },
    ]),
  };
}
