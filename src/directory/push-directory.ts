import { requireScope, type OrganizationId, type Viewer } from '../kernel/index.js';
import { applyPush } from './apply-push.js';
import type { DirectoryWriter } from './ports.js';
import type { DirectoryPush, PushOutcome } from './push.js';

export interface Pushing {
  /** Runs `work` in one transaction. */
  atomically<Result>(work: (writer: DirectoryWriter) => Promise<Result>): Promise<Result>;
  /** Tells decision processes that the organization has changed. */
  announce(organizationId: OrganizationId): void;
}

/** Takes what the platform says of its namespaces, members and agents. Pushing the same again changes nothing. */
export async function pushDirectory(deps: Pushing, viewer: Viewer, push: DirectoryPush): Promise<PushOutcome> {
  requireScope(viewer, 'directory:write');
  const outcome = await deps.atomically(async (writer) => {
    const state = await writer.lockState(viewer.organizationId);
    const { change, outcome } = applyPush(viewer.organizationId, state, push);
    await writer.write(viewer.organizationId, change);
    return outcome;
  });
  deps.announce(viewer.organizationId);
  return outcome;
}
