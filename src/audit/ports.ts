import type { OrganizationId, Page, PageRequest, UserId } from '../kernel/index.js';
import type { Outcome, RecordingMode, SealedEvent, StoredContent, StoredEvent, Verdict } from './event.js';

/** One event to store, with a key when its time was chosen by this service. */
export interface Append {
  readonly sealed: SealedEvent;
  /** 32 bytes under which the event is looked for when it comes again with another time; null when its id says it all. */
  readonly key: Buffer | null;
}

/** What became of one event. */
export interface Receipt {
  readonly status: 'stored' | 'duplicate';
  /** The event under this id: the new one, or the one stored before. */
  readonly stored: StoredEvent;
  /** The salt of the content of the one stored before; null when it has no content, or none any more. */
  readonly contentSalt: Buffer | null;
}

/** Stores audit events. */
export interface AuditLog {
  /**
   * Stores `appends`, all or none, and answers in their order once they are durable.
   *
   * An event whose id or key is in the organization's log already is not stored again: the earlier one is returned in its
   * place, so a retry is safe. Where the earlier one has been dropped since, only its seal and position are returned, with the
   * event as it was given now.
   */
  append(organizationId: OrganizationId, appends: readonly Append[]): Promise<readonly Receipt[]>;
}

/** A namespace, for somebody who records what happens in it. */
export interface RecordingPlace {
  /** Ids from the organization down to the namespace itself. */
  readonly ancestors: readonly string[];
  /** `METADATA_ONLY` when it is set for the namespace or for one above it. */
  readonly mode: RecordingMode;
}

/** Where events are recorded, and how. */
export interface RecordingPlaces {
  /** The organization itself, and those of `projectIds` that are projects of it, by their ids. */
  places(organizationId: OrganizationId, projectIds: readonly string[]): Promise<ReadonlyMap<string, RecordingPlace>>;
}

/** Sets how namespaces are recorded, inside one transaction. */
export interface RecordingModes {
  /** Sets the mode of the namespace itself, whatever is set above it, and returns the one before. */
  put(
    organizationId: OrganizationId,
    namespaceId: string,
    mode: RecordingMode,
    by: { readonly userId: UserId; readonly at: Date },
  ): Promise<RecordingMode>;
}

/** Which audit events. Fields combine with AND, values with OR; null selects everything. */
export interface EventFilter {
  readonly types: readonly string[] | null;
  readonly agentIds: readonly string[] | null;
  readonly userIds: readonly string[] | null;
  readonly projectIds: readonly string[] | null;
  /** Namespaces with everything below them. */
  readonly namespaceIds: readonly string[] | null;
  readonly sessionIds: readonly string[] | null;
  readonly callIds: readonly string[] | null;
  readonly tools: readonly string[] | null;
  /** What stands before the last slash of a tool's id. */
  readonly servers: readonly string[] | null;
  readonly verdicts: readonly Verdict[] | null;
  readonly outcomes: readonly Outcome[] | null;
  readonly position: Range<number> | null;
  /** Of `occurredAt`. */
  readonly time: Range<Date> | null;
  /** A part of the tool's name, of the arguments as JSON or of an error message, in either case of letters. */
  readonly text: string | null;
}

/** From one value on, and before another; null: without that bound. */
export interface Range<Value> {
  readonly from: Value | null;
  readonly to: Value | null;
}

/** The filter that selects everything. */
export const NO_FILTER: EventFilter = {
  types: null,
  agentIds: null,
  userIds: null,
  projectIds: null,
  namespaceIds: null,
  sessionIds: null,
  callIds: null,
  tools: null,
  servers: null,
  verdicts: null,
  outcomes: null,
  position: null,
  time: null,
  text: null,
};

export type EventOrder = 'NEWEST_FIRST' | 'OLDEST_FIRST';

/** Which part of a list, in which order of ids: that of `occurredAt`. */
export interface EventPage extends PageRequest {
  readonly order: EventOrder;
}

/** What one viewer may see: their own actions, and everything in the namespaces they maintain, own or audit. */
export interface EventScope {
  readonly userId: UserId;
  /** Everything in the organization. */
  readonly isWhole: boolean;
  /** Namespaces that are seen with everything below. */
  readonly namespaceIds: readonly string[];
  /** Namespaces of which the viewer is a member, so that their projects exist for them. */
  readonly memberOf: readonly string[];
}

/** Whose events: a project's, a user's, an agent's or a session's. */
export type Owner = 'project' | 'user' | 'agent' | 'session';

/** A page of events for each of many owners. */
export interface OwnersRequest {
  readonly owner: Owner;
  readonly ids: readonly string[];
  readonly filter: EventFilter;
  readonly page: EventPage;
}

/** Events as they are stored, for whoever looks through very many of them. */
export interface ArchivePage {
  /** Canonical JSON of each, in the order of ids: `eventFrom` reads it. Empty when there is none among those examined. */
  readonly events: readonly string[];
  /** How many events were looked at to find these. */
  readonly examined: number;
  /** The id of the last one looked at: where to go on; null when there are no more. */
  readonly last: string | null;
}

/** Reads the log in bulk. */
export interface EventArchive {
  /**
   * The next events in the order of ids, which is that of `occurredAt`, behind the id `after`. Looks at a bounded number of events and
   * bytes, so that a page may be empty although there are more.
   */
  read(organizationId: OrganizationId, scope: EventScope, filter: EventFilter, after: string | null): Promise<ArchivePage>;
}

/** Reads audit events. */
export interface EventReader {
  /**
   * A page of events in the order asked for. Shorter than asked for, though there are more, where they are large, or where no index
   * serves the filter and a bounded number of events was looked through: then `end` says where to go on.
   */
  list(organizationId: OrganizationId, scope: EventScope, filter: EventFilter, page: EventPage): Promise<Page<StoredEvent>>;

  /**
   * The same for many owners in one statement: one page for each of `ids`, in their order. Null for a project that the viewer
   * is no member of, or that does not exist.
   */
  listByOwner(organizationId: OrganizationId, scope: EventScope, request: OwnersRequest): Promise<readonly (Page<StoredEvent> | null)[]>;

  /** What the events with these ids keep apart, as stored; without those that have none, or none any more. */
  contents(organizationId: OrganizationId, ids: readonly string[]): Promise<ReadonlyMap<string, StoredContent>>;

  /** Those of `ids` that are events in `scope`, in no order. */
  byIds(organizationId: OrganizationId, scope: EventScope, ids: readonly string[]): Promise<readonly StoredEvent[]>;
}
