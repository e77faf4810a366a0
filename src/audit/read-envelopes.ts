import type { NamespacePaths } from '../directory/index.js';
import type { Viewer } from '../kernel/index.js';
import { classicEnvelope, entityOf, type ClassicEnvelope } from './classic-envelope.js';
import { eventsById, scopeOf, type Reading } from './read-events.js';

export interface EnvelopeReading {
  readonly directory: NamespacePaths;
}

/** The event with this id in the classic envelope; null when the viewer may not see it or it does not exist. */
export async function classicEnvelopeById(deps: Reading & EnvelopeReading, viewer: Viewer, id: string): Promise<ClassicEnvelope | null> {
  const [stored] = await eventsById(deps, viewer, await scopeOf(deps, viewer), [id]);
  if (stored == null) return null;
  const [entityPath = null] = await entityPaths(deps, viewer, [entityOf(stored.event)]);
  return classicEnvelope(stored, { entityPath });
}

/**
 * The full paths of these namespaces in their order, from one statement; null for one that the directory does not know.
 *
 * Asks for no role: only for namespaces of events that the viewer is shown already.
 */
export async function entityPaths(deps: EnvelopeReading, viewer: Viewer, ids: readonly string[]): Promise<readonly (string | null)[]> {
  const paths = await deps.directory.fullPaths(viewer.organizationId, ids);
  return ids.map((id) => paths.get(id) ?? null);
}
