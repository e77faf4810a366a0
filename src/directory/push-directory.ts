import { isJsonObject, isPlain, isWellFormed, requireScope, type OrganizationId, type Viewer } from '../kernel/index.js';
import { applyPush } from './apply-push.js';
import type { Namespace } from './namespace.js';
import type { DirectoryWriter, Mentioned } from './ports.js';
import type { DirectoryPush, PushOutcome } from './push.js';

export interface Pushing {
  /** Runs `work` in one transaction. `founded` does what follows from an organization's becoming known. */
  atomically<Result>(
    organizationId: OrganizationId,
    work: (writer: DirectoryWriter, founded: (viewer: Viewer, organization: Namespace) => Promise<void>) => Promise<Result>,
  ): Promise<Result>;
  /** Tells decision processes that the organization has changed. */
  announce(organizationId: OrganizationId): void;
}

/** Takes what the platform says of its namespaces, members, agents, service accounts and users. Pushing the same again changes nothing. */
export async function pushDirectory(deps: Pushing, viewer: Viewer, push: DirectoryPush): Promise<PushOutcome> {
  requireScope(viewer, 'directory:write');
  const outcome = await deps.atomically(viewer.organizationId, async (writer, founded) => {
    const state = await writer.lockState(viewer.organizationId, mentionedIn(push));
    const { change, outcome } = applyPush(viewer.organizationId, state, push);
    await writer.write(viewer.organizationId, change);
    const organization = change.namespaces.put.find(({ id }) => id === viewer.organizationId);
    if (organization !== undefined && !state.namespaces.has(organization.id)) await founded(viewer, organization);
    return outcome;
  });
  deps.announce(viewer.organizationId);
  return outcome;
}

/** What the rows are about, whether or not they are acceptable. */
function mentionedIn({ namespaces, memberships, agents, serviceAccounts, users }: DirectoryPush): Mentioned {
  return {
    hasNamespaces: namespaces.length > 0,
    deletedNamespaceIds: namespaces.flatMap((row) => (memberOf(row, 'deleted') === true ? textsOf(row, 'id') : [])),
    memberships: memberships.flatMap((row) =>
      textsOf(row, 'userId').flatMap((userId) => textsOf(row, 'namespaceId').map((namespaceId) => ({ userId, namespaceId }))),
    ),
    agentIds: agents.flatMap((row) => textsOf(row, 'id')),
    serviceAccountIds: serviceAccounts.flatMap((row) => textsOf(row, 'userId')),
    ownerIds: serviceAccounts.flatMap((row) => textsOf(row, 'ownerId')),
    userIds: users.flatMap((row) => textsOf(row, 'id')),
  };
}

const memberOf = (row: unknown, key: string): unknown => (isJsonObject(row) ? row[key] : undefined);

/** The text under `key`, or nothing where there is none that could be stored. */
function textsOf(row: unknown, key: string): readonly string[] {
  const value = memberOf(row, key);
  return typeof value === 'string' && isPlain(value) && isWellFormed(value) ? [value] : [];
}
