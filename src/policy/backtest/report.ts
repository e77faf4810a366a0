import { canonicalJson, sha256Hex, type Json } from '../../kernel/index.js';
import type { Backtest, Report } from './backtest.js';
import { changesIn, NO_COUNTS, type ChangedCall, type Counts, type Dimension, type Group, type Tally } from './tally.js';

/** The most changed calls that can be listed of a backtest. */
export const MAX_CALLS = 100_000;
/** The most keys of one dimension that are counted: names of unknown tools are whatever callers say. Those beyond are left out. */
const MAX_KEYS = 20_000;
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
  const keys = new Map<Dimension, number>();
  const uncounted = new Set<string>();
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
        const known = keys.get(group.dimension) ?? 0;
        if (before === undefined && known >= MAX_KEYS) {
          if (changesIn(group) > 0 && uncounted.size < MAX_KEYS) uncounted.add(name);
          continue;
        }
        if (before === undefined) keys.set(group.dimension, known + 1);
        groups.set(name, before === undefined ? group : { ...group, ...addCounts(before, group) });
      }
      changed.push(...tally.changed.slice(0, maxCalls - changed.length));
    },
    sum() {
      const withChanges = [...groups.values()].filter((group) => changesIn(group) > 0).sort(byChanges);
      const listed = withChanges.filter(firstOfEach());
      const groupsLeftOut = withChanges.length - listed.length + uncounted.size;
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

/** One digest for revisions, in whatever order: each as the policy's id, a slash and the number. */
export const digestOf = (revisions: readonly string[]): string => sha256Hex(canonicalJson([...revisions].sort()));

/** Of what was asked and what came of it, as it stands in the record of a publish. */
export function reportDigest({ policyId, subject, digest, baseline, from, to, isFiltered }: Backtest, report: Report): string {
  const asked = { policyId, subject, digest, baseline, from: from.toISOString(), to: to.toISOString(), isFiltered };
  const json: Json = JSON.parse(JSON.stringify({ ...asked, report }));
  return sha256Hex(canonicalJson(json));
}
