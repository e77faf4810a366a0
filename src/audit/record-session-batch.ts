import { canonicalJson, Failure, hashOf, isJsonObject, type Viewer } from '../kernel/index.js';
import { eventOf, OWN_SOURCE, type AuditEvent } from './event.js';
import { authorOf, whoDid } from './humans.js';
import { NO_FILTER, type Append, type EventReader, type Receipt } from './ports.js';
import { MAX_EVENTS, recordEvents, type EventReceipt, type Recording } from './record-events.js';
import { seal } from './seal.js';
import type { SessionBatch } from './session-batch.js';

export interface BatchRecording extends Recording {
  readonly events: Pick<EventReader, 'list'>;
}

/** What became of the statement that everything was sent. */
export type ReportReceipt =
  | { readonly status: 'stored' | 'duplicate'; readonly eventId: string; readonly seal: Buffer }
  | { readonly status: 'rejected'; readonly path: string; readonly reason: string };

export interface BatchReceipt {
  /** One for each event, in the order sent. */
  readonly receipts: readonly EventReceipt[];
  /** Null unless the batch is final. */
  readonly report: ReportReceipt | null;
}

/** Whose the report of a batch without any event is when nothing else tells: the platform's agent service sends such. */
const DEFAULT_SOURCE = '/duo_workflow_service';

const REPORT_TYPE = 'ai_agent_session_report_finished';

/**
 * Records a batch of one session's events, like `recordEvents`, and, when it is the last, that it is: as an event of its own, in the
 * same commit. The same last batch again changes nothing.
 *
 * An event that names no session belongs to the batch's; one that names another is rejected.
 *
 * @throws Failure as `recordEvents` does, and BAD_USER_INPUT when nobody can tell of which source a final batch is.
 */
export async function recordSessionBatch(deps: BatchRecording, viewer: Viewer, batch: SessionBatch): Promise<BatchReceipt> {
  if (batch.events.length > MAX_EVENTS)
    throw new Failure('BAD_USER_INPUT', `events: must hold at most ${MAX_EVENTS} events; got ${batch.events.length}.`);
  const placed = batch.events.map((event) => inSession(event, batch.sessionId));
  let report: ReportReceipt | null = null;
  const stored = await recordEvents(
    {
      ...deps,
      log: {
        async append(organizationId, appends) {
          if (!batch.isFinal) return deps.log.append(organizationId, appends);
          const last = await reportOf(deps, viewer, batch, appends);
          const receipts = await deps.log.append(organizationId, [...appends, last]);
          report = presentReport(last, receipts.at(-1));
          return receipts.slice(0, -1);
        },
      },
    },
    viewer,
    placed.flatMap((event) => (isElsewhere(event) ? [] : [event.event])),
  );
  const receipts = stored.values();
  return {
    receipts: placed.map((event) => (isElsewhere(event) ? event : (receipts.next().value ?? unanswered()))),
    report,
  };
}

type Placed = Extract<EventReceipt, { readonly status: 'rejected' }> | { readonly event: unknown };

const isElsewhere = (placed: Placed): placed is Extract<EventReceipt, { readonly status: 'rejected' }> => 'status' in placed;

function inSession(event: unknown, sessionId: string): Placed {
  if (!isJsonObject(event)) return { event };
  const { id, subject } = event;
  if (subject == null) return { event: { ...event, subject: sessionId } };
  if (subject === sessionId) return { event };
  const reason = 'must be the session that the batch is of, or be left out';
  return { status: 'rejected', sourceId: typeof id === 'string' ? id : null, path: 'subject', reason };
}

function unanswered(): never {
  throw new Error('There are fewer receipts than events.');
}

/** The statement that everything was sent. Where it belongs is where the reporter's last event of the session does. */
async function reportOf(deps: BatchRecording, viewer: Viewer, batch: SessionBatch, appends: readonly Append[]): Promise<Append> {
  const { sessionId, batchId, totalEventsSent } = batch;
  const inBatch = appends.map(({ sealed }) => sealed.event);
  const source = batch.source ?? onlySourceOf(inBatch);
  const sibling =
    inBatch.findLast((event) => source === null || event.source === source) ?? (await lastReported(deps, viewer, sessionId, source));
  const named = source ?? sibling?.source ?? DEFAULT_SOURCE;
  const now = deps.clock();
  // With an id of the batch, the batch is known by it. Without one, the same total is the same statement.
  const key = hashOf(REPORT_TYPE, viewer.userId, sessionId, named, batchId, batchId === null ? totalEventsSent : null);
  const event = eventOf(viewer.organizationId, now, {
    type: REPORT_TYPE,
    source: OWN_SOURCE,
    sourceId: key.toString('hex'),
    occurredAt: now.toISOString(),
    projectId: sibling?.projectId ?? null,
    ...whoDid(sibling ?? (await authorOf(deps.humans, viewer, sessionId))),
    recordedBy: viewer.userId,
    agentId: sibling?.agentId ?? null,
    sessionId,
    callId: null,
    tool: null,
    verdict: null,
    outcome: null,
    data: { producer: named, batchId, totalEventsSent },
  });
  refuseSecret(deps, batch);
  return { sealed: seal(event), key };
}

/** @throws Failure BAD_USER_INPUT when they are of several: nobody can tell of which one this is the last batch. */
function onlySourceOf(events: readonly AuditEvent[]): string | null {
  const [source, ...others] = new Set(events.map((event) => event.source));
  if (others.length > 0)
    throw new Failure('BAD_USER_INPUT', 'source: must say of which source the batch is the last; its events are of several.');
  return source ?? null;
}

/** What the viewer itself reported last in the session, of `source` or, when that is null, of any. */
async function lastReported(deps: BatchRecording, viewer: Viewer, sessionId: string, source: string | null): Promise<AuditEvent | null> {
  // Everything may be looked through, since only what the viewer itself has reported counts.
  const everything = { userId: viewer.userId, isWhole: true, namespaceIds: [], memberOf: [] };
  const filter = { ...NO_FILTER, sessionIds: [sessionId] };
  const page = await deps.events.list(viewer.organizationId, everything, filter, { first: 100, after: null, order: 'NEWEST_FIRST' });
  const own = page.items.map(({ event }) => event).filter((event) => event.recordedBy === viewer.userId && event.source !== OWN_SOURCE);
  return own.find((event) => source === null || event.source === source) ?? null;
}

/** What names a batch is stored as it is, like what names an event. */
function refuseSecret({ redactor }: BatchRecording, { batchId, source }: SessionBatch): void {
  for (const [field, text] of [
    ['batch_id', batchId],
    ['source', source],
  ] as const) {
    const rule = text === null ? null : redactor.secretIn(text);
    if (rule !== null) throw new Failure('BAD_USER_INPUT', `${field}: must not hold a secret (${rule}).`);
  }
}

function presentReport({ sealed }: Append, receipt: Receipt | undefined): ReportReceipt {
  if (receipt === undefined) throw new Error('The log answered for fewer events than it was given.');
  const { status, stored } = receipt;
  if (canonicalJson(stored.event.data) !== canonicalJson(sealed.event.data))
    return {
      status: 'rejected',
      path: 'batch_id',
      reason: 'is that of another final batch of this session, which said another total; use another id',
    };
  return { status, eventId: stored.event.id, seal: stored.seal };
}
