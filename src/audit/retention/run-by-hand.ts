import { randomUUID } from 'node:crypto';
import { ownedLine, type Directory } from '../../directory/index.js';
import { Failure, requireScope, type Viewer } from '../../kernel/index.js';
import type { RetentionRun, Sweeping } from './ports.js';
import { runRetention, type Running } from './run-retention.js';

export interface RunningByHand extends Running {
  readonly directory: Directory;
  readonly sweeping: Sweeping;
}

export type RunOutcome = { readonly kind: 'done'; readonly run: RetentionRun } | { readonly kind: 'running' };

/** A caller waits for no longer than this; the rest is left to the schedule, or to another run. */
const MAX_MILLISECONDS = 20_000;

/**
 * Runs retention over the viewer's organization now. A dry run looks at the same and changes nothing: when both are complete, it says
 * what the other would have dropped at the same moment.
 *
 * Needs the scope `retention:write` and the role OWNER in the organization.
 */
export async function runByHand(deps: RunningByHand, viewer: Viewer, isDryRun: boolean): Promise<RunOutcome> {
  requireScope(viewer, 'retention:write');
  const { organizationId, userId: startedBy } = viewer;
  if ((await ownedLine(deps.directory, viewer, organizationId)) === null)
    throw new Failure('FORBIDDEN', 'This needs the role OWNER in the organization.');
  const startedAt = deps.clock();
  const run = { id: randomUUID(), asOf: startedAt, startedBy, isDryRun };
  const mustStop = (): boolean => deps.clock().getTime() - startedAt.getTime() > MAX_MILLISECONDS;
  const result = await runRetention(deps, deps.sweeping, organizationId, run, { isWhole: true, mustStop });
  if (result === null) return { kind: 'running' };
  return { kind: 'done', run: { id: run.id, startedAt, startedBy, isDryRun, finishedAt: deps.clock(), ...result, error: null } };
}
