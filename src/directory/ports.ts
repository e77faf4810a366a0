import type { OrganizationId, UserId } from '../kernel/index.js';
import type { Agent, DirectoryUser, Membership, Namespace, ServiceAccount } from './namespace.js';
import type { Standing } from './standing.js';

/** Reads the directory. */
export interface Directory {
  /** Every role of the user in the organization. Empty for one who has none, or is not known. */
  standing(organizationId: OrganizationId, userId: UserId): Promise<Standing>;

  /** Those of `ids` that are namespaces of the organization, in no order. */
  namespaces(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly Namespace[]>;

  /**
   * The line of each of `ids` that is a namespace of the organization or was one before it was deleted: ids from the organization down
   * to itself. What happened in a namespace still belongs to those above it when it is gone.
   */
  lines(organizationId: OrganizationId, ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;

  /** The agent; null when the platform has not told us of it. */
  agent(organizationId: OrganizationId, id: string): Promise<Agent | null>;

  /** What the platform has told of the user beside their roles; null when nothing. */
  user(organizationId: OrganizationId, id: string): Promise<DirectoryUser | null>;

  /**
   * The organization's governance epoch: raised, in the same transaction, by every change that can alter a decision. 0 for an
   * organization that is not known.
   */
  epoch(organizationId: OrganizationId): Promise<number>;
}

/** Reads many agents at once. */
export interface AgentReader {
  /** Those of `ids` that the platform has told us of, in no order. */
  agents(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly Agent[]>;
  /** Agents by id, from behind `after` on: all, or those that `ownedBy` is responsible for. */
  listAgents(
    organizationId: OrganizationId,
    wanted: { readonly ownedBy: string | null; readonly after: string | null; readonly limit: number },
  ): Promise<readonly Agent[]>;
}

/** Reads where namespaces lie. */
export interface NamespacePaths {
  /**
   * The full paths of those of `ids` that are namespaces of the organization, by id: the paths from the organization down, joined
   * by slashes, as in `acme/payments/api`. One statement, whatever their number.
   */
  fullPaths(organizationId: OrganizationId, ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

/** The service accounts of an organization at an epoch. */
export interface ServiceAccountsAt {
  readonly epoch: number;
  /** The human who is responsible for each, by the account's id; null for one of whom nobody has said who is. */
  readonly owners: ReadonlyMap<string, string | null>;
}

/** Reads which users are service accounts. */
export interface ServiceAccountReader {
  /**
   * All service accounts of the organization, from one statement, and at epoch 0 none for an organization that is not known. `known`
   * itself, an earlier answer, as long as its epoch stands: then none has changed, and they are not read again.
   */
  serviceAccounts(organizationId: OrganizationId, known: ServiceAccountsAt | null): Promise<ServiceAccountsAt>;
}

/** What the directory holds of one organization, as far as a push can change it. */
export interface DirectoryState {
  readonly namespaces: ReadonlyMap<string, Namespace>;
  /** Keyed by `membershipKey`. */
  readonly memberships: ReadonlyMap<string, Membership>;
  readonly agents: ReadonlyMap<string, Agent>;
  /** Keyed by their user's id. */
  readonly serviceAccounts: ReadonlyMap<string, ServiceAccount>;
  readonly users: ReadonlyMap<string, DirectoryUser>;
}

/** What the rows of a push are about. */
export interface Mentioned {
  readonly hasNamespaces: boolean;
  readonly deletedNamespaceIds: readonly string[];
  readonly memberships: readonly Pick<Membership, 'namespaceId' | 'userId'>[];
  readonly agentIds: readonly string[];
  readonly serviceAccountIds: readonly string[];
  /** Users who are to be responsible for a service account. */
  readonly ownerIds: readonly string[];
  readonly userIds: readonly string[];
}

/** What a push changes. */
export interface DirectoryChange {
  readonly namespaces: Rows<Namespace>;
  readonly memberships: Rows<Membership>;
  readonly agents: Rows<Agent>;
  readonly serviceAccounts: Rows<ServiceAccount>;
  readonly users: Rows<DirectoryUser>;
}

interface Rows<Row> {
  /** Rows that are new or differ. */
  readonly put: readonly Row[];
  /** Keys of rows that go. */
  readonly remove: readonly string[];
}

/** Writes the directory, inside one transaction. */
export interface DirectoryWriter {
  /**
   * What the directory holds of the organization, which is created when it is new: every namespace, or, when no row is about a
   * namespace, those in which somebody becomes a member; the memberships, agents, service accounts and users that rows are about; those
   * of the users who are to be responsible for a service account that are service accounts themselves; the service accounts for which a
   * user is responsible who is to become one; and the members of what is deleted, with all below. Until the transaction ends no other
   * push to it goes on: pushes come one after another.
   */
  lockState(organizationId: OrganizationId, mentioned: Mentioned): Promise<DirectoryState>;

  /** Makes the change and, when it holds anything, raises the epoch. */
  write(organizationId: OrganizationId, change: DirectoryChange): Promise<void>;
}

/** Raises the governance epoch inside the transaction of the change that alters decisions. */
export interface EpochCounter {
  raise(organizationId: OrganizationId): Promise<void>;
}

/** Hints that an organization's epoch has moved. May be lost: every listener also asks `Directory.epoch` by itself. */
export interface EpochHints {
  announce(organizationId: OrganizationId): void;
  onMove(listener: (organizationId: OrganizationId) => void): () => void;
}

export const membershipKey = (membership: Pick<Membership, 'namespaceId' | 'userId'>): string =>
  JSON.stringify([membership.userId, membership.namespaceId]);
