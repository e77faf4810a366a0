import type { Namespace } from '../../directory/index.js';
import { sha256Hex, type Viewer } from '../../kernel/index.js';
import { AT_ONCE } from '../policy.js';
import { backtestBehind, type BacktestNeeded } from '../backtest/demand.js';
import type { PolicyTransaction } from '../ports.js';
import type { PolicyChanging } from './changing.js';
import type { Change } from './write-bundle.js';

/**
 * By name, the digests of the reports on which policies of a folder may be published or retired; or what is missing, where backtests are
 * demanded. A policy needs its own, as if it were changed by hand. A new one has none, since a backtest is of a policy that there is; and
 * several at once have none either, since what is harmless of each may not be so of all.
 */
export async function backtestsBehind(
  deps: PolicyChanging,
  tx: PolicyTransaction,
  viewer: Viewer,
  { namespace, changes }: { readonly namespace: Namespace; readonly changes: readonly Change[] },
): Promise<ReadonlyMap<string, string> | BacktestNeeded> {
  const line = namespace.ancestors;
  const demands = await tx.backtests.demands(viewer.organizationId, line);
  if (demands.size === 0) return new Map();
  const deciding = changes.filter(({ action, after }) => action !== 'KEEP' && action !== 'ADOPT' && after?.mode !== 'SHADOW');
  if (deciding.length > 1) return { kind: 'backtestNeeded', what: 'BUNDLE', demandedBy: [...demands.keys()], problems: [ONE_AT_A_TIME] };
  const digests = new Map<string, string>();
  const problems: string[] = [];
  for (const { name, before, after } of deciding) {
    if (before === null) {
      problems.push(`${name} is new, and a backtest is of a policy that there is: apply it with the mode SHADOW first.`);
      continue;
    }
    const text = after?.text ?? before.latest?.text ?? before.policy.draft.text;
    const subject = after === null ? 'RETIRE' : 'PUBLISH';
    const change = { policyId: before.policyId, subject, digest: sha256Hex(text), ...AT_ONCE, line } as const;
    const behind = await backtestBehind(deps, tx, viewer, change);
    if (typeof behind === 'string') digests.set(name, behind);
    else if (behind !== null) problems.push(...behind.problems.map((problem) => `${name}: ${problem}`));
  }
  return problems.length === 0 ? digests : { kind: 'backtestNeeded', what: 'BUNDLE', demandedBy: [...demands.keys()], problems };
}

const ONE_AT_A_TIME =
  'A backtest is of one policy, and several of the folder change what is decided: apply one at a time, each after a backtest of its own.';
