import { Failure, type Viewer } from '../kernel/index.js';
import { type HttpServer, jsonIn, limitBodiesUnderWay, viewerOfRequest } from '../platform/http-server.js';
import type { ClassicEnvelope } from './classic-envelope.js';
import { countsOf, type EventReceipt } from './record-events.js';
import type { BatchReceipt, ReportReceipt } from './record-session-batch.js';
import { sessionBatchIn, type SessionBatch } from './session-batch.js';

/** 500 events of ten kilobytes. */
const MAX_BODY_BYTES = 5 * 1024 * 1024;
/** The most bytes of requests that are read at a time; each costs a few times as much while it is worked on. */
const MAX_BYTES_UNDER_WAY = 64 * 1024 * 1024;

const STRUCTURED = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';

/** What the routes need of the room. */
export interface AuditOverRest {
  record(viewer: Viewer, events: readonly unknown[]): Promise<readonly EventReceipt[]>;
  recordBatch(viewer: Viewer, batch: SessionBatch): Promise<BatchReceipt>;
  /** Null for an event that the viewer may not see or that does not exist. */
  envelope(viewer: Viewer, id: string): Promise<ClassicEnvelope | null>;
}

/**
 * `POST /v1/audit-events`: CloudEvents 1.0 over HTTP, structured and batch mode. See docs/agent-platform.md.
 *
 * 200 when at least one event is stored, now or before, or none was sent; 400 when every one is rejected. Both have a receipt for each event.
 *
 * `POST /v1/sessions/{sessionId}/audit-events`: a batch of one session's events, in the shape that the platform's agent service sends. The
 * same, and 200 too when it was recorded that the batch was the last.
 *
 * `GET /v1/audit-events/{id}`: one event in the classic envelope. See docs/security-tools.md.
 */
export function auditRoutes(server: HttpServer, { record, recordBatch, envelope }: AuditOverRest): void {
  void server.register(async (scope) => {
    limitBodiesUnderWay(scope, { maxBytes: MAX_BYTES_UNDER_WAY, largest: MAX_BODY_BYTES });
    scope.removeAllContentTypeParsers();
    for (const mode of [STRUCTURED, BATCH]) {
      scope.addContentTypeParser(mode, { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, async (_request: unknown, body: Buffer) => ({
        isBatch: mode === BATCH,
        json: jsonIn(body),
      }));
    }
    scope.addContentTypeParser('*', (_request, _body, done) =>
      done(Object.assign(new Failure('BAD_USER_INPUT', `Content-Type: must be ${STRUCTURED} or ${BATCH}.`), { statusCode: 415 })),
    );
    scope.post('/v1/audit-events', { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
      const receipts = await record(viewerOfRequest(request), eventsOf(request.body));
      const counts = countsOf(receipts);
      return reply
        .status(receipts.length > 0 && counts.rejected === receipts.length ? 400 : 200)
        .send({ ...counts, results: receipts.map(presentReceipt) });
    });
  });
  server.post<{ Params: { readonly sessionId: string } }>(
    '/v1/sessions/:sessionId/audit-events',
    { bodyLimit: MAX_BODY_BYTES },
    async (request, reply) => {
      const batch = sessionBatchIn(request.params.sessionId, request.body);
      const { receipts, report } = await recordBatch(viewerOfRequest(request), batch);
      const statuses = [...receipts, ...(report === null ? [] : [report])].map(({ status }) => status);
      return reply
        .status(statuses.length > 0 && statuses.every((status) => status === 'rejected') ? 400 : 200)
        .send({ ...countsOf(receipts), results: receipts.map(presentReceipt), ...(report !== null && { report: presentReport(report) }) });
    },
  );
  server.get<{ Params: { readonly id: string } }>('/v1/audit-events/:id', async (request, reply) => {
    const found = await envelope(viewerOfRequest(request), request.params.id);
    if (found === null) throw new Failure('NOT_FOUND', 'There is no such event in your organization, or you may not see it.');
    return reply.header('X-Gitlab-Audit-Event-Type', inHeader(found.event_type)).send(found);
  });
}

/** A producer may name a type in any script; a header holds ASCII. */
const inHeader = (type: string): string => type.replace(/[^\x20-\x7e]+/gu, encodeURIComponent);

function eventsOf(body: unknown): readonly unknown[] {
  if (typeof body !== 'object' || body === null || !('isBatch' in body) || !('json' in body))
    throw new Failure('BAD_USER_INPUT', `Content-Type: must be ${STRUCTURED} or ${BATCH}, and a body must come with it.`);
  if (body.isBatch !== true) return [body.json];
  if (!Array.isArray(body.json)) throw new Failure('BAD_USER_INPUT', `body: must be a JSON array with ${BATCH}.`);
  return body.json;
}

const presentReceipt = (receipt: EventReceipt, index: number): object =>
  receipt.status === 'rejected'
    ? { index, id: receipt.sourceId, status: receipt.status, path: receipt.path, reason: receipt.reason }
    : {
        index,
        id: receipt.sourceId,
        status: receipt.status,
        eventId: receipt.eventId,
        seal: receipt.seal.toString('hex'),
        ...(receipt.isUnknownType && { unknownType: true }),
      };

const presentReport = (report: ReportReceipt): object =>
  report.status === 'rejected' ? report : { ...report, seal: report.seal.toString('hex') };
