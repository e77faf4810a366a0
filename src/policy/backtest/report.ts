import { canonicalJson, sha256Hex, type Json } from '../../kernel/index.js';
import type { PolicyInForce } from '../policy.js';
import type { Backtest, Report } from './backtest.js';
import { changesIn, NO_COUNTS, type ChangedCall, type Counts, type Group, type Tally } from './tally.js';

/** The most changed calls that can be listed of a backtest. */
export const MAX_CALLS = 100_000;
/** The most groups of one dimension in a report. */
const MAX_GROUPS = 1_000;

/** Adds up what comes of one batch after the other. */
export interface Summing {
  add(tally: Tally): void;
  sum(): { readonly report: Omit<Report, 'inForceDigest'>; readonly changed: readonly ChangedCall[] };
}

export function startSumming(maxCalls = MAX_CALLS): Summing {
  let totals = NO_COUNTS;
  const groups = new Map<string, Group>();
  const changed: ChangedCall[] = [];
  const others = { skipped: 0, withoutArguments: 0, notReproduced: 0 };
  return {
    add(tally) {
      totals = addCounts(totals, tally.totals);
      others.skipped += tally.skipped;
      others.withoutArguments += tally.withoutArguments;
      others.notReproduced += tally.notReproduced;
      for (const group of tally.groups) {
        const name = `${group.dimension} ${group.key}`;
        const before = groups.get(name);
        groups.set(name, before === undefined ? group : { ...group, ...addCounts(before, group) });
      }
      changed.push(...tally.changed.slice(0, maxCalls - changed.length));
    },
    sum() {
      const withChanges = [...groups.values()].filter((group) => changesIn(group) > 0).sort(byChanges);
      const listed = withChanges.filter(firstOfEach());
      const groupsLeftOut = withChanges.length - listed.length;
      return { report: { totals, ...others, groups: listed, groupsLeftOut, callsLeftOut: changesIn(totals) - changed.length }, changed };
    },
  };
}

const addCounts = (left: Counts, right: Counts): Counts => ({
  decisions: left.decisions + right.decisions,
  newlyDenied: left.newlyDenied + right.newlyDenied,
  newlyAsked: left.newlyAsked + right.newlyAsked,
  newlyAllowed: left.newlyAllowed + right.newlyAllowed,
});

const byChanges = (left: Group, right: Group): number =>
  changesIn(right) - changesIn(left) || (`${left.dimension} ${left.key}` < `${right.dimension} ${right.key}` ? -1 : 1);

/** Takes the first of each dimension, up to MAX_GROUPS. */
function firstOfEach(): (group: Group) => boolean {
  const taken = new Map<string, number>();
  return ({ dimension }) => {
    const count = (taken.get(dimension) ?? 0) + 1;
    taken.set(dimension, count);
    return count <= MAX_GROUPS;
  };
}

/** What was in force, in one digest: the same for the same revisions. */
export const inForceDigest = (policies: readonly PolicyInForce[]): string =>
  sha256Hex(canonicalJson(policies.map(({ id, revision }) => `${id}/${revision}`).sort()));

/** Of what was asked and what came of it, as it stands in the record of a publish. */
export function reportDigest({ policyId, subject, digest, baseline, from, to, isFiltered }: Backtest, report: Report): string {
  const asked = { policyId, subject, digest, baseline, from: from.toISOString(), to: to.toISOString(), isFiltered };
  const json: Json = JSON.parse(JSON.stringify({ ...asked, report }));
  return sha256Hex(canonicalJson(json));
}
