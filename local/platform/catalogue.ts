import { agents, groups, organization, projects, users, type DemoGroup, type DemoProject, type DemoUser } from '../demo/organization.js';
import type { Viewer } from './viewer.js';

export interface CatalogueAgent {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
}

/** What one viewer may see of the platform. */
export interface Catalogue {
  readonly projects: readonly DemoProject[];
  readonly groups: readonly DemoGroup[];
  readonly users: readonly DemoUser[];
  readonly agents: readonly CatalogueAgent[];
  /** Any agent's id has an entry: recorded runs bring agents that bear their model's name. Null for other ids. */
  agent(id: string): CatalogueAgent | null;
}

const agentIdStart = 'gid://platform/Agent/';

export function catalogueFor(viewer: Viewer): Catalogue {
  const shown = viewer.organizationId === organization.id;
  const known = shown ? agents : [];
  return {
    projects: shown ? projects : [],
    groups: shown ? groups : [],
    users: shown ? users : [],
    agents: known,
    agent(id) {
      if (!id.startsWith(agentIdStart) || id === agentIdStart) return null;
      return known.find((agent) => agent.id === id) ?? { id, name: id.slice(agentIdStart.length), description: null };
    },
  };
}
