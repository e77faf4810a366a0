import type { OrganizationId, Page, PageRequest, UserId } from '../kernel/index.js';
import type { Outcome, RecordingMode, SealedContent, SealedEvent, StoredEvent, Verdict } from './event.js';

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
  readonly sessionIds: readonly string[] | null;
  readonly tools: readonly string[] | null;
  readonly verdicts: readonly Verdict[] | null;
  readonly outcomes: readonly Outcome[] | null;
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

/** Whose events: a project's, a user's or an agent's. */
export type Owner = 'project' | 'user' | 'agent';

/** Reads audit events. */
export interface EventReader {
  /** A page of events, newest first; shorter than asked for, though there are more, where they are large. */
  list(organizationId: OrganizationId, scope: EventScope, filter: EventFilter, page: PageRequest): Promise<Page<StoredEvent>>;

  /**
   * The same for many owners in one statement: one page for each of `ids`, in their order. Null for a project that the viewer
   * is no member of, or that does not exist.
   */
  listByOwner(
    organizationId: OrganizationId,
    scope: EventScope,
    owner: Owner,
    ids: readonly string[],
    filter: EventFilter,
    page: PageRequest,
  ): Promise<readonly (Page<StoredEvent> | null)[]>;

  /** What the events with these ids keep apart, as stored; without those that have none, or none any more. */
  contents(organizationId: OrganizationId, ids: readonly string[]): Promise<ReadonlyMap<string, SealedContent>>;

  /** Those of `ids` that are events in `scope`, in no order. */
  byIds(organizationId: OrganizationId, scope: EventScope, ids: readonly string[]): Promise<readonly StoredEvent[]>;
}
