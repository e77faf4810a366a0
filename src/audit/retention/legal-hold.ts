import { randomBytes } from 'node:crypto';
import { ownedLine } from '../../directory/index.js';
import { requireScope, uuidV7, type JsonObject, type Viewer } from '../../kernel/index.js';
import { authorOf, type Author } from '../humans.js';
import type { RetentionChanging } from './change-retention.js';
import { selectorProblems, type HoldSelectors, type LegalHold } from './hold.js';
import { retentionRecord } from './record.js';

export interface PlaceRequest extends HoldSelectors {
  readonly name: string;
  readonly reason: string;
}

export interface LiftRequest {
  readonly holdId: string;
  readonly reason: string;
}

type Done = { readonly kind: 'done'; readonly hold: LegalHold };
type NotFound = { readonly kind: 'notFound'; readonly field: string };
type Invalid = { readonly kind: 'invalid'; readonly problems: readonly { readonly path: string; readonly message: string }[] };

export type PlaceOutcome = Done | NotFound | Invalid;
export type LiftOutcome = Done | NotFound;

/**
 * Places a hold. When it answers, everything that the hold selects and that is still there stays until the hold is lifted; what is
 * stored later is protected as well.
 *
 * Needs the scope `retention:write` and the role OWNER in the namespace or above; without a namespace, in the organization.
 */
export async function placeHold(deps: RetentionChanging, viewer: Viewer, request: PlaceRequest): Promise<PlaceOutcome> {
  requireScope(viewer, 'retention:write');
  const { organizationId } = viewer;
  const problems = selectorProblems(selectorsOf(request));
  if (problems.length > 0) return { kind: 'invalid', problems };
  if ((await ownedLine(deps.directory, viewer, request.namespaceId ?? organizationId)) === null)
    return { kind: 'notFound', field: 'namespaceId' };

  const author = await authorOf(deps.humans, viewer);
  const now = deps.clock();
  const hold: LegalHold = {
    ...request,
    id: uuidV7(now.getTime(), randomBytes(10)),
    placedAt: now,
    placedBy: viewer.userId,
    lift: null,
  };
  await deps.atomically(organizationId, async (tx) => {
    await tx.lock(organizationId);
    await tx.putHold(organizationId, hold);
    await tx.auditLog.append(organizationId, [recordOf('ai_legal_hold_placed', author, now, hold, hold.reason)]);
  });
  deps.announceStored();
  return { kind: 'done', hold };
}

/**
 * Lifts a hold: what it alone protected is due again with the next run. Lifting one that is lifted changes and records nothing.
 *
 * Needs what placing it needed.
 */
export async function liftHold(deps: RetentionChanging, viewer: Viewer, request: LiftRequest): Promise<LiftOutcome> {
  requireScope(viewer, 'retention:write');
  const { organizationId } = viewer;
  const found = await deps.retention.hold(organizationId, request.holdId);
  if (found === null || (await ownedLine(deps.directory, viewer, found.namespaceId ?? organizationId)) === null)
    return { kind: 'notFound', field: 'holdId' };
  if (found.lift !== null) return { kind: 'done', hold: found };

  const author = await authorOf(deps.humans, viewer);
  const now = deps.clock();
  const lift = { at: now, by: viewer.userId, reason: request.reason };
  const isLifted = await deps.atomically(organizationId, async (tx) => {
    await tx.lock(organizationId);
    if (!(await tx.liftHold(organizationId, found.id, lift))) return false;
    await tx.auditLog.append(organizationId, [recordOf('ai_legal_hold_lifted', author, now, found, lift.reason)]);
    return true;
  });
  deps.announceStored();
  // Somebody was faster: theirs is what was recorded.
  const hold = isLifted ? { ...found, lift } : await deps.retention.hold(organizationId, found.id);
  return hold === null ? { kind: 'notFound', field: 'holdId' } : { kind: 'done', hold };
}

const selectorsOf = ({ namespaceId, sessionId, userId, agentId, from, to }: HoldSelectors): HoldSelectors => ({
  namespaceId,
  sessionId,
  userId,
  agentId,
  from,
  to,
});

function recordOf(type: string, by: Author, now: Date, hold: LegalHold, reason: string) {
  const { from, to, ...selectors } = selectorsOf(hold);
  const data: JsonObject = {
    holdId: hold.id,
    name: hold.name,
    reason,
    ...selectors,
    from: from?.toISOString() ?? null,
    to: to?.toISOString() ?? null,
  };
  const namespaceId = hold.namespaceId ?? by.organizationId;
  return retentionRecord(by.organizationId, now, { type, namespaceId, by, data });
}
