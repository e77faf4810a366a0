import { randomUUID } from 'node:crypto';
import { ownedNamespace, type Directory, type Namespace } from '../directory/index.js';
import { requireScope, type Clock, type OrganizationId, type Viewer } from '../kernel/index.js';
import { eventOf, OWN_SOURCE, type RecordingMode } from './event.js';
import { authorOf, whoDid, type Author, type Humans } from './humans.js';
import type { AuditLog, RecordingModes } from './ports.js';
import { seal } from './seal.js';

export interface RecordingModeChanging {
  readonly directory: Directory;
  readonly humans: Humans;
  readonly clock: Clock;
  /** Runs `work` in one transaction: all of it happens, or nothing. */
  atomically<Result>(organizationId: OrganizationId, work: (tx: RecordingModeTransaction) => Promise<Result>): Promise<Result>;
  /** Told when a mode of the organization has changed. */
  changed(organizationId: OrganizationId): void;
}

export interface RecordingModeTransaction {
  readonly modes: RecordingModes;
  readonly auditLog: AuditLog;
}

export type RecordingModeOutcome =
  | { readonly kind: 'done'; readonly namespaceId: string; readonly mode: RecordingMode }
  | { readonly kind: 'notFound'; readonly field: 'namespaceId' };

/**
 * Sets what is recorded of a namespace and everything below it, from the next event on: at once in this process, within half a second
 * in every other. `FULL` takes back what was set for the namespace itself; what is set above it stays in force. The change is recorded;
 * setting what is set already changes and records nothing.
 *
 * @throws Failure FORBIDDEN without the scope `recording:write`, or without the role OWNER there or above.
 */
export async function setRecordingMode(
  deps: RecordingModeChanging,
  viewer: Viewer,
  given: { readonly namespaceId: string; readonly mode: RecordingMode },
): Promise<RecordingModeOutcome> {
  requireScope(viewer, 'recording:write');
  const namespace = await ownedNamespace(deps.directory, viewer, given.namespaceId);
  if (namespace === null) return { kind: 'notFound', field: 'namespaceId' };
  const author = await authorOf(deps.humans, viewer);
  const now = deps.clock();
  await deps.atomically(viewer.organizationId, async ({ modes, auditLog }) => {
    const before = await modes.put(viewer.organizationId, namespace.id, given.mode, { userId: viewer.userId, at: now });
    if (before === given.mode) return;
    await auditLog.append(viewer.organizationId, [{ sealed: recordOf(author, namespace, { now, mode: given.mode, before }), key: null }]);
  });
  deps.changed(viewer.organizationId);
  return { kind: 'done', namespaceId: namespace.id, mode: given.mode };
}

function recordOf(
  author: Author,
  namespace: Namespace,
  { now, mode, before }: { readonly now: Date; readonly mode: RecordingMode; readonly before: RecordingMode },
) {
  return seal(
    eventOf(author.organizationId, now, {
      type: 'ai_recording_mode_changed',
      source: OWN_SOURCE,
      sourceId: randomUUID(),
      occurredAt: now.toISOString(),
      namespaceId: namespace.id,
      projectId: namespace.kind === 'PROJECT' ? namespace.id : null,
      ...whoDid(author),
      agentId: null,
      sessionId: null,
      callId: null,
      tool: null,
      verdict: null,
      outcome: null,
      data: { namespaceId: namespace.id, mode, previousMode: before },
    }),
  );
}
