import { OWN_SOURCE, type AuditEvent } from '../../src/audit/event.js';
import { isJsonObject } from '../../src/kernel/index.js';

/** What a projection must come to, worked out one event after the other. */
export interface Projected {
  readonly sessions: readonly object[];
  readonly sources: readonly object[];
  readonly openCalls: readonly string[];
  readonly rollups: ReadonlyMap<string, number>;
}

interface Told {
  readonly from: string;
  readonly value: string;
}

interface ModelSession {
  readonly user: string | null;
  readonly recorder: string | null;
  project: string | null;
  readonly events: AuditEvent[];
  strays: number;
}

/** Projects the events of one organization in the order of its log. The plainest way to say what a session is; slow. */
export function projected(events: readonly AuditEvent[]): Projected {
  const sessions = new Map<string, ModelSession>();
  const open = new Map<string, AuditEvent>();
  const rollups = new Map<string, number>();
  for (const event of events) {
    if (event.sessionId !== null) putInSession(sessions, event.sessionId, event);
    putOpen(open, event);
    countEvent(rollups, event);
  }
  return {
    sessions: [...sessions].sort(byName).map(([id, session]) => sessionOf(id, session)),
    sources: [...sessions].sort(byName).flatMap(([id, session]) => sourcesOf(id, session)),
    openCalls: [...open.keys()].sort(),
    rollups,
  };
}

const byName = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number => (left < right ? -1 : 1);

function putInSession(sessions: Map<string, ModelSession>, id: string, event: AuditEvent): void {
  const session = sessions.get(id) ?? { user: event.userId, recorder: event.recordedBy, project: null, events: [], strays: 0 };
  sessions.set(id, session);
  const isOfSameHands = event.userId === session.user || (event.recordedBy !== null && event.recordedBy === session.recorder);
  if (session.project === null && isOfSameHands) session.project = event.projectId;
  if (event.projectId === null ? isOfSameHands : event.projectId === session.project) session.events.push(event);
  else session.strays += 1;
}

/** The value that the earliest event tells which tells any. */
const earliest = (events: readonly AuditEvent[], tell: (event: AuditEvent) => string | null): string | null =>
  events
    .flatMap((event): Told[] => {
      const value = tell(event);
      return value === null ? [] : [{ from: event.id, value }];
    })
    .sort((left, right) => (left.from < right.from ? -1 : 1))[0]?.value ?? null;

/** What is told best of the human behind the session's user, and of that the earliest. */
function humanIn(events: readonly AuditEvent[], user: string | null): Pick<AuditEvent, 'humanId' | 'humanSource'> {
  const telling = events.filter(({ userId, humanId, humanSource }) => userId === user && (humanId !== userId || humanSource !== null));
  const best = [null, 'SESSION', 'DIRECTORY', 'UNKNOWN'].flatMap(
    (source) => telling.find(({ humanSource }) => humanSource === source) ?? [],
  )[0];
  return best === undefined ? { humanId: user, humanSource: null } : { humanId: best.humanId, humanSource: best.humanSource };
}

const dataOf = (event: AuditEvent, member: string): unknown => (isJsonObject(event.data) ? event.data[member] : undefined);

const ENDS: Readonly<Record<string, string>> = {
  duo_session_finished: 'SUCCEEDED',
  duo_session_failed: 'FAILED',
  duo_session_stopped: 'STOPPED',
};
const WORDS: Readonly<Record<string, string>> = { success: 'SUCCEEDED', failure: 'FAILED', stopped: 'STOPPED', aborted: 'ABORTED' };

function statusIn(event: AuditEvent): string | null {
  if (event.type === 'duo_session_resumed') return 'RUNNING';
  if (event.type === 'ai_agent_session_ended') return WORDS[String(dataOf(event, 'status'))] ?? 'ENDED';
  return ENDS[event.type] ?? null;
}

function sessionOf(id: string, { user, project, events, strays }: ModelSession): object {
  const inTime = [...events].sort((left, right) => (left.id < right.id ? -1 : 1));
  const count = (fits: (event: AuditEvent) => boolean): number => events.filter(fits).length;
  const starts = inTime.filter(({ type }) => type === 'ai_agent_session_started' || type === 'duo_session_started');
  const last = inTime.findLast((event) => statusIn(event) !== null);
  const status = last === undefined ? 'RUNNING' : statusIn(last);
  return {
    id,
    projectId: project,
    userId: user,
    ...humanIn(inTime, user),
    agentId: earliest(inTime, (event) => event.agentId),
    surface: earliest(inTime, (event) => event.surface),
    executionMode: earliest(inTime, (event) => event.executionMode),
    parentSessionId: earliest(inTime, (event) => event.parentSessionId),
    workflowType: earliest(inTime, (event) => {
      const type = /^(ai_agent|duo)_session_/.test(event.type) ? dataOf(event, 'workflow_type') : null;
      return typeof type === 'string' ? type : null;
    }),
    startedAt: new Date((starts[0] ?? inTime[0])?.occurredAt ?? ''),
    endedAt: last === undefined || status === 'RUNNING' ? null : new Date(last.occurredAt),
    lastEventAt: new Date(inTime.at(-1)?.occurredAt ?? ''),
    status,
    events: events.length,
    allowed: count(({ verdict }) => verdict === 'ALLOW'),
    asked: count(({ verdict }) => verdict === 'ASK'),
    denied: count(({ verdict }) => verdict === 'DENY'),
    succeeded: count(({ outcome }) => outcome === 'SUCCEEDED'),
    failed: count(({ outcome }) => outcome === 'FAILED'),
    strayEvents: strays,
  };
}

const isReport = ({ type, source }: AuditEvent): boolean => type === 'ai_agent_session_report_finished' && source === OWN_SOURCE;

function sourcesOf(id: string, { events }: ModelSession): readonly object[] {
  const nameOf = (event: AuditEvent): string => (isReport(event) ? String(dataOf(event, 'producer')) : event.source);
  const names = [...new Set(events.filter((event) => isReport(event) || event.source !== OWN_SOURCE).map(nameOf))].sort();
  return names.map((source) => {
    const own = events.filter((event) => nameOf(event) === source);
    const numbers = own.flatMap(({ sequence }) => (sequence === null ? [] : [sequence]));
    const totals = own.flatMap((event) => (isReport(event) ? [Number(dataOf(event, 'totalEventsSent') ?? -1)] : []));
    const total = Math.max(-1, ...totals);
    return {
      session: id,
      source,
      ranges: rangesOf(numbers),
      lastSequence: numbers.length === 0 ? null : Math.max(...numbers),
      numbered: numbers.length,
      unnumbered: own.filter((event) => event.sequence === null && !isReport(event)).length,
      isFinal: own.some(isReport),
      totalEventsSent: total === -1 ? null : total,
    };
  });
}

function rangesOf(numbers: readonly number[]): readonly { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (const number of [...new Set(numbers)].sort((left, right) => left - right)) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to === number - 1) last.to = number;
    else ranges.push({ from: number, to: number });
  }
  return ranges;
}

function putOpen(open: Map<string, AuditEvent>, event: AuditEvent): void {
  if (event.verdict === 'ALLOW' && event.source === OWN_SOURCE) open.set(event.id, event);
  if (event.outcome === null || event.callId === null) return;
  for (const [id, call] of open) {
    const isSame = (call.callId ?? call.id) === event.callId && call.sessionId === event.sessionId;
    const isThere = event.projectId === null ? [event.userId, event.recordedBy].includes(call.userId) : event.projectId === call.projectId;
    if (isSame && isThere) open.delete(id);
  }
}

function countEvent(rollups: Map<string, number>, event: AuditEvent): void {
  const values = { TYPE: event.type, VERDICT: event.verdict, TOOL: event.tool, AGENT: event.agentId };
  const hour = `${event.occurredAt.slice(0, 13)}:00:00.000Z`;
  const day = `${event.occurredAt.slice(0, 10)}T00:00:00.000Z`;
  for (const [dimension, value] of Object.entries(values)) {
    if (value === null) continue;
    const rows = [['', 'HOUR', hour], ['', 'DAY', day], ...(event.namespaceId === null ? [] : [[event.namespaceId, 'HOUR', hour]])];
    for (const row of rows) {
      const name = [...row, dimension, value].join('|');
      rollups.set(name, (rollups.get(name) ?? 0) + 1);
    }
  }
}
