import DataLoader from 'dataloader';
import { z } from 'zod';
import type {
  AgentAuditEventFilter,
  AgentAuditEventReceipt,
  AgentAuditEventResolvers,
  AgentResolvers,
  AgentSessionReportReceipt,
  MutationResolvers,
  ProjectResolvers,
  QueryResolvers,
  ResolversTypes,
  UserResolvers,
} from '../generated/graphql.js';
import { connectionOf, cursorOf, isPlainText, isUuid, isWellFormed, pageRequest, type Page, type Viewer } from '../kernel/index.js';
import { inputInvalid, inputProblems, notFound } from '../platform/graphql-input.js';
import { setRecordingMode, type RecordingModeChanging, type RecordingModeOutcome } from './change-recording-mode.js';
import { classicEnvelope, entityOf, type ClassicEnvelope } from './classic-envelope.js';
import { EVENT_TYPES, type EventType } from './catalogue.js';
import type { RecordingMode, StoredEvent } from './event.js';
import { filterIn } from './parse-filter.js';
import type { EventFilter, EventOrder, EventPage, EventScope, Owner } from './ports.js';
import { presentEventType } from './present-event-type.js';
import { eventBehind, presentEvent } from './present-event.js';
import { entityPaths, type EnvelopeReading } from './read-envelopes.js';
import { eventsById, listEvents, listEventsByOwner, scopeOf, type Reading } from './read-events.js';
import { MAX_REVEALED, revealContent, type Revealing, type RevealOutcome } from './reveal-content.js';
import { countsOf, recordEvents, type EventReceipt, type Recording } from './record-events.js';
import { recordSessionBatch, type BatchReceipt, type ReportReceipt } from './record-session-batch.js';
import { sessionBatchOf, type SessionBatch } from './session-batch.js';

/** The audit log for one GraphQL request: asked field by field, answered in batches. */
export interface AuditForRequest {
  list(filter: EventFilter, page: EventPage): Promise<Page<StoredEvent>>;
  listOf(owner: Owner, id: string, filter: EventFilter, page: EventPage): Promise<Page<StoredEvent> | null>;
  byId(id: string): Promise<StoredEvent | null>;
  envelopeOf(stored: StoredEvent): Promise<ClassicEnvelope>;
  record(events: readonly unknown[]): Promise<readonly EventReceipt[]>;
  recordBatch(batch: SessionBatch): Promise<BatchReceipt>;
  reveal(given: RevealInput): Promise<RevealOutcome>;
  setRecordingMode(given: { readonly namespaceId: string; readonly mode: RecordingMode }): Promise<RecordingModeOutcome>;
  /** The catalogue, for whoever is signed in. */
  eventTypes(): readonly EventType[];
}

export interface AuditContext {
  readonly audit: AuditForRequest;
}

/** @param viewer throws when nobody is signed in; called when the first field is asked */
export function auditForRequest(
  deps: Reading & Recording & Revealing & RecordingModeChanging & EnvelopeReading,
  viewer: () => Viewer,
): AuditForRequest {
  let scope: Promise<EventScope> | null = null;
  const scopeOnce = (): Promise<EventScope> => (scope ??= scopeOf(deps, viewer()));

  const byId = new DataLoader<string, StoredEvent | null>(async (ids) => eventsById(deps, viewer(), await scopeOnce(), ids));
  const byOwner = new DataLoader<OwnerKey, Page<StoredEvent> | null, string>(
    async (keys) => listGroups(deps, viewer(), await scopeOnce(), keys),
    { cacheKeyFn: (key) => JSON.stringify(key) },
  );
  const entityPath = new DataLoader<string, string | null>((ids) => entityPaths(deps, viewer(), ids));
  // What a page holds need not be read again by id.
  const primed = <P extends Page<StoredEvent> | null>(page: P): P => {
    for (const stored of page?.items ?? []) byId.prime(stored.event.id, stored);
    return page;
  };
  return {
    list: async (filter, page) => primed(await listEvents(deps, viewer(), await scopeOnce(), filter, page)),
    listOf: async (owner, id, filter, page) => primed(await byOwner.load({ owner, filter, page, id })),
    byId: (id) => byId.load(id),
    envelopeOf: async (stored) => classicEnvelope(stored, { entityPath: await entityPath.load(entityOf(stored.event)) }),
    record: (events) => recordEvents(deps, viewer(), events),
    recordBatch: (batch) => recordSessionBatch(deps, viewer(), batch),
    reveal: (given) => revealContent(deps, viewer(), given),
    setRecordingMode: (given) => setRecordingMode(deps, viewer(), given),
    eventTypes() {
      viewer();
      return EVENT_TYPES;
    },
  };
}

interface OwnerKey {
  readonly owner: Owner;
  readonly filter: EventFilter;
  readonly page: EventPage;
  readonly id: string;
}

/** One statement for all keys that differ in their id alone. */
async function listGroups(
  deps: Reading,
  viewer: Viewer,
  scope: EventScope,
  keys: readonly OwnerKey[],
): Promise<(Page<StoredEvent> | null)[]> {
  const answers = new Map<OwnerKey, Page<StoredEvent> | null>();
  const groups = new Map<string, OwnerKey[]>();
  for (const key of keys) {
    const name = JSON.stringify([key.owner, key.filter, key.page]);
    groups.set(name, [...(groups.get(name) ?? []), key]);
  }
  await Promise.all(
    [...groups.values()].map(async (group) => {
      const [first] = group;
      if (first === undefined) return;
      const pages = await listEventsByOwner(deps, viewer, scope, { ...first, ids: group.map((key) => key.id) });
      group.forEach((key, index) => answers.set(key, pages[index] ?? null));
    }),
  );
  return keys.map((key) => answers.get(key) ?? null);
}

const CURSOR = 'event';
export type EventPageArgs = {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly filter?: AgentAuditEventFilter | null;
  readonly order?: EventOrder | null;
};

const pageIn = (args: EventPageArgs): EventPage => ({ ...pageRequest(CURSOR, args, isUuid), order: args.order ?? 'NEWEST_FIRST' });

const presentPage = (page: Page<StoredEvent>) =>
  connectionOf(
    page,
    ({ event }) => cursorOf(CURSOR, event.id),
    (stored) => presentEvent(stored),
    CURSOR,
  );

/** A page of an owner's events, as GraphQL shows it. */
export async function eventsOf(audit: AuditForRequest, owner: Owner, id: string, args: EventPageArgs) {
  const page = await audit.listOf(owner, id, filterIn(args.filter), pageIn(args));
  return page === null ? null : presentPage(page);
}

export const Project: Pick<ProjectResolvers<AuditContext>, 'agentAuditEvents'> = {
  agentAuditEvents: ({ id }, args, { audit }) => eventsOf(audit, 'project', id, args),
};

export const User: Pick<UserResolvers<AuditContext>, 'agentAuditEvents'> = {
  agentAuditEvents: ({ id }, args, { audit }) => eventsOf(audit, 'user', id, args),
};

export const Agent: Pick<AgentResolvers<AuditContext>, 'auditEvents'> = {
  auditEvents: ({ id }, args, { audit }) => eventsOf(audit, 'agent', id, args),
};

export const AgentAuditEvent: Pick<AgentAuditEventResolvers<AuditContext>, '__resolveReference' | 'classicEnvelope'> = {
  __resolveReference: ({ id }, { audit }) => presentById(audit, id),
  classicEnvelope({ id, payload }, _args, { audit }) {
    const stored = payload === undefined ? null : eventBehind(payload);
    if (stored === null) throw new Error(`The event ${id} was shown by other means than presentEvent.`);
    return audit.envelopeOf(stored);
  },
};

export const Query: Pick<QueryResolvers<AuditContext>, 'agentAuditEvent' | 'agentAuditEvents' | 'agentAuditEventTypes'> = {
  agentAuditEvent: (_root, { id }, { audit }) => presentById(audit, id),
  agentAuditEvents: async (_root, args, { audit }) => presentPage(await audit.list(filterIn(args.filter), pageIn(args))),
  agentAuditEventTypes: (_root, _args, { audit }) => audit.eventTypes().map(presentEventType),
};

const RevealInput = z.object({
  eventIds: z.array(z.string()).min(1, 'must name at least one event').max(MAX_REVEALED, `must name at most ${MAX_REVEALED} events`),
  reason: z
    .string()
    .trim()
    .min(1, 'must say why')
    .max(1_000, 'must have at most 1,000 characters')
    .refine((text) => isPlainText(text) && isWellFormed(text), 'must be plain text'),
});
type RevealInput = z.infer<typeof RevealInput>;

export const Mutation: Pick<
  MutationResolvers<AuditContext>,
  'agentAuditEventsRecord' | 'agentAuditContentReveal' | 'agentRecordingModeSet'
> = {
  async agentAuditContentReveal(_root, { input }, { audit }) {
    const parsed = RevealInput.safeParse(input);
    if (!parsed.success) return { events: null, errors: [inputInvalid(inputProblems(parsed.error))] };
    const outcome = await audit.reveal(parsed.data);
    if (outcome.kind === 'notFound') return { events: null, errors: [notFound(outcome.field)] };
    return { events: outcome.events.map(({ stored, content }) => presentEvent(stored, content)), errors: [] };
  },

  async agentRecordingModeSet(_root, { input }, { audit }) {
    const outcome = await audit.setRecordingMode(input);
    if (outcome.kind === 'notFound') return { namespaceId: null, mode: null, errors: [notFound(outcome.field)] };
    return { namespaceId: outcome.namespaceId, mode: outcome.mode, errors: [] };
  },

  async agentAuditEventsRecord(_root, { input }, { audit }) {
    const { events, sessionReport } = input;
    const { receipts, report } =
      sessionReport == null
        ? { receipts: await audit.record(events), report: null }
        : await audit.recordBatch(sessionBatchOf(events, sessionReport));
    return {
      ...countsOf(receipts),
      receipts: receipts.map(presentReceipt),
      sessionReport: report === null ? null : presentReport(report),
    };
  },
};

async function presentById(audit: AuditForRequest, id: string): Promise<Awaited<ResolversTypes['AgentAuditEvent']> | null> {
  const stored = await audit.byId(id);
  return stored === null ? null : presentEvent(stored);
}

const presentReceipt = (receipt: EventReceipt, index: number): AgentAuditEventReceipt =>
  receipt.status === 'rejected'
    ? { index, status: 'REJECTED', sourceId: receipt.sourceId, isUnknownType: false, path: receipt.path, reason: receipt.reason }
    : {
        index,
        status: receipt.status === 'stored' ? 'STORED' : 'DUPLICATE',
        sourceId: receipt.sourceId,
        eventId: receipt.eventId,
        seal: receipt.seal.toString('hex'),
        isUnknownType: receipt.isUnknownType,
      };

const presentReport = (report: ReportReceipt): AgentSessionReportReceipt =>
  report.status === 'rejected'
    ? { status: 'REJECTED', path: report.path, reason: report.reason }
    : { status: report.status === 'stored' ? 'STORED' : 'DUPLICATE', eventId: report.eventId, seal: report.seal.toString('hex') };
