import { ownedLine, type Directory } from '../../directory/index.js';
import { requireScope, type Clock, type OrganizationId, type Viewer } from '../../kernel/index.js';
import type { RetentionClass } from '../catalogue.js';
import { authorOf, type Humans } from '../humans.js';
import type { RetentionReader, RetentionSetting, RetentionTransaction } from './ports.js';
import { retentionRecord } from './record.js';
import { daysProblem } from './rules.js';

export interface RetentionChanging {
  readonly directory: Directory;
  readonly humans: Humans;
  readonly retention: RetentionReader;
  readonly clock: Clock;
  /** Runs `work` in one transaction: all of it happens, or nothing. */
  atomically<Result>(organizationId: OrganizationId, work: (tx: RetentionTransaction) => Promise<Result>): Promise<Result>;
  /** Tells the sequencer that something was stored. */
  announceStored(): void;
}

export interface SetRequest {
  readonly namespaceId: string;
  readonly class: RetentionClass;
  /** Null: inherit again. */
  readonly days: number | null;
}

type NotFound = { readonly kind: 'notFound'; readonly field: string };
type Invalid = { readonly kind: 'invalid'; readonly problems: readonly { readonly path: string; readonly message: string }[] };
/** `setting` is null where it is inherited. */
export type SetOutcome = { readonly kind: 'done'; readonly setting: RetentionSetting | null } | NotFound | Invalid;

/**
 * Sets how long a class is kept in a namespace and below, or lets it inherit again. Holds for everything that is still there when it
 * answers. Setting what is set changes and records nothing.
 *
 * Needs the scope `retention:write` and the role OWNER in the namespace or above.
 */
export async function setRetention(deps: RetentionChanging, viewer: Viewer, request: SetRequest): Promise<SetOutcome> {
  requireScope(viewer, 'retention:write');
  const { organizationId } = viewer;
  const { namespaceId, class: of, days } = request;
  if ((await ownedLine(deps.directory, viewer, namespaceId)) === null) return { kind: 'notFound', field: 'namespaceId' };
  const problem = days === null ? null : daysProblem(of, days);
  if (problem !== null) return { kind: 'invalid', problems: [{ path: 'days', message: problem }] };

  const by = await authorOf(deps.humans, viewer);
  const now = deps.clock();
  const setting = days === null ? null : { namespaceId, class: of, days, setAt: now, setBy: viewer.userId };
  const outcome = await deps.atomically(organizationId, async (tx): Promise<SetOutcome> => {
    await tx.lock(organizationId);
    const previous = await tx.setting(organizationId, namespaceId, of);
    if ((previous?.days ?? null) === days) return { kind: 'done', setting: previous };
    if (setting === null) await tx.removeSetting(organizationId, namespaceId, of);
    else await tx.putSetting(organizationId, setting);
    const data = { namespaceId, class: of, days, previousDays: previous?.days ?? null };
    await tx.auditLog.append(organizationId, [
      retentionRecord(organizationId, now, { type: 'ai_retention_changed', namespaceId, by, data }),
    ]);
    return { kind: 'done', setting };
  });
  deps.announceStored();
  return outcome;
}
