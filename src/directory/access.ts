import { Failure, type Viewer } from '../kernel/index.js';
import { ROLE_LEVELS, type Namespace } from './namespace.js';
import type { Directory } from './ports.js';
import { isMember, levelIn } from './standing.js';

/**
 * The namespace, for somebody who changes what is governed there; null when it does not exist for the viewer.
 *
 * @throws Failure FORBIDDEN when the viewer is a member but has neither the role MAINTAINER nor OWNER there or above.
 */
export async function maintainedNamespace(directory: Directory, viewer: Viewer, namespaceId: string): Promise<Namespace | null> {
  const [namespace] = await directory.namespaces(viewer.organizationId, [namespaceId]);
  const standing = await directory.standing(viewer.organizationId, viewer.userId);
  if (namespace === undefined || !isMember(standing, namespace)) return null;
  if (levelIn(standing, namespace) < ROLE_LEVELS.MAINTAINER)
    throw new Failure('FORBIDDEN', 'This needs the role MAINTAINER or OWNER in the namespace or above it.');
  return namespace;
}

/**
 * The namespace, for somebody who decides what is kept of what happens there; null when it does not exist for the viewer.
 *
 * @throws Failure FORBIDDEN when the viewer is a member but has not the role OWNER there or above.
 */
export async function ownedNamespace(directory: Directory, viewer: Viewer, namespaceId: string): Promise<Namespace | null> {
  const [namespace] = await directory.namespaces(viewer.organizationId, [namespaceId]);
  const standing = await directory.standing(viewer.organizationId, viewer.userId);
  if (namespace === undefined || !isMember(standing, namespace)) return null;
  if (levelIn(standing, namespace) < ROLE_LEVELS.OWNER)
    throw new Failure('FORBIDDEN', 'This needs the role OWNER in the namespace or above it.');
  return namespace;
}

/**
 * The line of a namespace that there is or was, for somebody who owns it; null when it does not exist for the viewer.
 *
 * @throws Failure FORBIDDEN when the viewer is a member but has not the role OWNER there or above.
 */
export async function ownedLine(directory: Directory, viewer: Viewer, namespaceId: string): Promise<readonly string[] | null> {
  const line = (await directory.lines(viewer.organizationId, [namespaceId])).get(namespaceId);
  const standing = await directory.standing(viewer.organizationId, viewer.userId);
  if (line === undefined || !isMember(standing, { ancestors: line })) return null;
  if (levelIn(standing, { ancestors: line }) < ROLE_LEVELS.OWNER)
    throw new Failure('FORBIDDEN', 'This needs the role OWNER in the namespace or above it.');
  return line;
}

/** Whether the viewer owns or audits the whole organization. */
export async function overseesOrganization(directory: Directory, viewer: Viewer): Promise<boolean> {
  const { memberships } = await directory.standing(viewer.organizationId, viewer.userId);
  return memberships.some(({ namespaceId, role }) => namespaceId === viewer.organizationId && (role === 'OWNER' || role === 'AUDITOR'));
}

/** The ids of the namespaces in which the viewer has a role. */
export async function memberNamespaces(directory: Directory, viewer: Viewer): Promise<readonly string[]> {
  const standing = await directory.standing(viewer.organizationId, viewer.userId);
  return standing.memberships.map((membership) => membership.namespaceId);
}

/**
 * Those of `ids` whose policies and tools the viewer may read: namespaces of which they are a member, there or above, and
 * namespaces above one of which they are a member, since what is attached there decides their calls.
 */
export async function readableNamespaces(directory: Directory, viewer: Viewer, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const standing = await directory.standing(viewer.organizationId, viewer.userId);
  const own = await directory.namespaces(
    viewer.organizationId,
    standing.memberships.map((membership) => membership.namespaceId),
  );
  const above = new Set(own.flatMap((namespace) => namespace.ancestors));
  const wanted = await directory.namespaces(viewer.organizationId, [...new Set(ids)]);
  return new Set(wanted.filter((namespace) => above.has(namespace.id) || isMember(standing, namespace)).map((namespace) => namespace.id));
}
