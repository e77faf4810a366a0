/** What a namespace is; the tree has one organization at its root and projects at its leaves. */
export type NamespaceKind = 'ORGANIZATION' | 'GROUP' | 'PROJECT';

/** Organization, group or project, as the platform last told us. */
export interface Namespace {
  readonly id: string;
  readonly kind: NamespaceKind;
  /** Null for the organization alone. */
  readonly parentId: string | null;
  /** Its own part of the full path, for example `api`. */
  readonly path: string;
  readonly name: string;
  /** Ids from the organization down to the namespace itself. */
  readonly ancestors: readonly string[];
  /** How confidential its data are, from 0, public, to 3, restricted; null when the platform has not said of it itself. */
  readonly dataClass: number | null;
  /** Whether the platform has said of it itself that nothing there may change. */
  readonly isFrozen: boolean;
  /** Of an organization, the clock that it lives by: a name of the IANA time zone database. Null when it was not said. */
  readonly timeZone: string | null;
}

/** The names of data classes, from 0 on. */
export const DATA_CLASSES = ['PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'RESTRICTED'] as const;

/** A user's role in a namespace; holds for everything below. */
export type Role = (typeof ROLES)[number];
export const ROLES = ['GUEST', 'REPORTER', 'DEVELOPER', 'MAINTAINER', 'OWNER', 'AUDITOR'] as const;

/** How far a role reaches, as GitLab counts it. An auditor reads everything and changes nothing, so counts as a guest. */
export const ROLE_LEVELS: Readonly<Record<Role, number>> = {
  GUEST: 10,
  AUDITOR: 10,
  REPORTER: 20,
  DEVELOPER: 30,
  MAINTAINER: 40,
  OWNER: 50,
};

export interface Membership {
  readonly namespaceId: string;
  readonly userId: string;
  readonly role: Role;
}

/** A user of the platform that is no human. */
export interface ServiceAccount {
  readonly userId: string;
  /** The human who is responsible for it, never a service account; null when the platform has not said who is. */
  readonly ownerId: string | null;
}

/** What governance knows of a user beside their roles. */
export interface DirectoryUser {
  readonly id: string;
  /** Teams that policies speak of, for example `security`. */
  readonly teams: readonly string[];
}

/** What governance knows of an agent of the platform's catalogue. */
export interface Agent {
  readonly id: string;
  readonly name: string;
  /** Classes that policies speak of, for example `coding`. */
  readonly classes: readonly string[];
  /** From 0, not trusted, to 100. */
  readonly trust: number;
  readonly ownerId: string | null;
  /** Whether it acts without a human watching. */
  readonly autonomous: boolean;
}
