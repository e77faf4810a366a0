import { auditedNamespaces, type Agent, type Namespace } from '../../directory/index.js';
import type { UserId, Viewer } from '../../kernel/index.js';
import type { Facts } from '../snapshot.js';

/**
 * Whether the viewer may be shown what `userId` is answered in a project that the viewer is a member of: what they are answered
 * themselves, whoever they are; what somebody else is, who maintains, owns or audits the project.
 */
export const mayAskFor = async (facts: Facts, viewer: Viewer, userId: UserId, project: Namespace): Promise<boolean> =>
  userId === viewer.userId || (await overseesProject(facts, viewer, project));

/** Whether the viewer may be shown what the directory says of the agent: who is responsible for it, or oversees the project. */
export const mayBeToldOf = async (facts: Facts, viewer: Viewer, agent: Agent | null, project: Namespace): Promise<boolean> =>
  agent?.ownerId === viewer.userId || (await overseesProject(facts, viewer, project));

/** Whether the viewer maintains, owns or audits the project. */
export async function overseesProject(facts: Facts, viewer: Viewer, { ancestors }: Namespace): Promise<boolean> {
  const overseen = auditedNamespaces(await facts.standing(viewer.userId));
  return overseen.some((id) => ancestors.includes(id));
}
