import type { CompiledPolicy } from './compile-policy.js';
import type { Frame } from './frame.js';
import type { PartyName, Target } from './read-policy.js';

/** A policy of a set. */
export interface Row {
  readonly policyId: string;
  readonly policy: CompiledPolicy;
}

/** Policies that are found together. */
export interface Posting {
  readonly permits: Row[];
  readonly forbids: Row[];
}

/**
 * Where the policies of a set are found that may apply to a request. Each stands in one place: under the entity or type of its scope
 * that the fewest policies name. What is found there need not apply, but nothing else can.
 */
export interface ScopeIndex {
  readonly unnamed: Posting;
  readonly parties: Readonly<Record<PartyName, Readonly<Record<Target['relation'], ReadonlyMap<string, Posting>>>>>;
}

const PARTIES: readonly PartyName[] = ['principal', 'action', 'resource'];

export function scopeIndexOf(rows: readonly Row[]): ScopeIndex {
  const popularity = new Map<string, number>();
  for (const { policy } of rows) {
    for (const party of PARTIES) {
      const place = placeOf(party, policy.scope[party].target);
      if (place !== null) popularity.set(place, (popularity.get(place) ?? 0) + 1);
    }
  }
  const unnamed = posting();
  const parties = { principal: emptyParty(), action: emptyParty(), resource: emptyParty() };
  for (const row of rows) {
    const found = rarestTarget(row.policy, popularity);
    const postings = found === null ? unnamed : postingAt(parties[found.party][found.target.relation], found.target.key);
    (row.policy.effect === 'permit' ? postings.permits : postings.forbids).push(row);
  }
  return { unnamed, parties };
}

const posting = (): Posting => ({ permits: [], forbids: [] });
const emptyParty = (): Record<Target['relation'], Map<string, Posting>> => ({ is: new Map(), liesIn: new Map(), hasType: new Map() });

function postingAt(postings: Map<string, Posting>, key: string): Posting {
  const known = postings.get(key);
  if (known !== undefined) return known;
  const made = posting();
  postings.set(key, made);
  return made;
}

const placeOf = (party: PartyName, target: Target | null): string | null =>
  target === null ? null : `${party} ${target.relation} ${target.key}`;

function rarestTarget({ scope }: CompiledPolicy, popularity: ReadonlyMap<string, number>): { party: PartyName; target: Target } | null {
  let rarest: { party: PartyName; target: Target } | null = null;
  let fewest = Infinity;
  for (const party of PARTIES) {
    const { target } = scope[party];
    const count = popularity.get(placeOf(party, target) ?? '');
    if (target === null || count === undefined || count >= fewest) continue;
    rarest = { party, target };
    fewest = count;
  }
  return rarest;
}

/** The postings in which every policy is that can apply to the request. */
export function candidatesFor({ unnamed, parties }: ScopeIndex, frame: Frame): readonly Posting[] {
  const found = [unnamed];
  for (const name of PARTIES) {
    const { uid, line } = frame[name];
    const { is, liesIn, hasType } = parties[name];
    if (is.size > 0) addIfFound(found, is.get(uid.key));
    if (hasType.size > 0) addIfFound(found, hasType.get(uid.type));
    if (liesIn.size > 0) for (const { key } of line.uids) addIfFound(found, liesIn.get(key));
  }
  return found;
}

function addIfFound(found: Posting[], candidate: Posting | undefined): void {
  if (candidate !== undefined) found.push(candidate);
}
