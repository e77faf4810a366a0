import type { CompiledPolicy } from './compile-policy.js';
import type { Frame } from './frame.js';
import type { Rows } from './memory.js';
import type { PartyName, Target } from './read-policy.js';

/** Policies that are found together. */
export interface Posting {
  readonly permits: Rows;
  readonly forbids: Rows;
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

/** The policies at one place while they are gathered. */
interface Gathered {
  readonly policies: number[];
  /** How many name the place in their scope, here or not. */
  popularity: number;
}

type Places = Record<PartyName, Record<Target['relation'], Map<string, Gathered>>>;

/**
 * Indexes policies by their place in the list.
 *
 * @param rowsOf writes the policies with these places down, in this order
 */
export function scopeIndexOf(policies: readonly CompiledPolicy[], rowsOf: (places: readonly number[]) => Rows): ScopeIndex {
  const places: Places = { principal: noPlaces(), action: noPlaces(), resource: noPlaces() };
  for (const { targets } of policies) for (const target of targets) placeOf(places, target).popularity += 1;
  const unnamed: Gathered = { policies: [], popularity: 0 };
  for (const [index, { targets }] of policies.entries()) rarest(places, targets, unnamed).policies.push(index);

  const posting = ({ policies: gathered }: Gathered): Posting => ({
    permits: rowsOf(gathered.filter((index) => policies[index]?.effect === 'permit')),
    forbids: rowsOf(gathered.filter((index) => policies[index]?.effect === 'forbid')),
  });
  const postings = (gathered: Map<string, Gathered>): ReadonlyMap<string, Posting> =>
    new Map([...gathered].filter(([, at]) => at.policies.length > 0).map(([key, at]) => [key, posting(at)]));
  const party = ({ is, liesIn, hasType }: Places[PartyName]): ScopeIndex['parties'][PartyName] => ({
    is: postings(is),
    liesIn: postings(liesIn),
    hasType: postings(hasType),
  });
  const { principal, action, resource } = places;
  return { unnamed: posting(unnamed), parties: { principal: party(principal), action: party(action), resource: party(resource) } };
}

const noPlaces = (): Places[PartyName] => ({ is: new Map(), liesIn: new Map(), hasType: new Map() });

function placeOf(places: Places, { party, relation, key }: Target): Gathered {
  const gathered = places[party][relation];
  const known = gathered.get(key);
  if (known !== undefined) return known;
  const made: Gathered = { policies: [], popularity: 0 };
  gathered.set(key, made);
  return made;
}

function rarest(places: Places, targets: readonly Target[], unnamed: Gathered): Gathered {
  let found: Gathered | null = null;
  for (const target of targets) {
    const place = placeOf(places, target);
    if (found === null || place.popularity < found.popularity) found = place;
  }
  return found ?? unnamed;
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
