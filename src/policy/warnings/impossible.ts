import type { Json } from '../../kernel/index.js';
import type { LineSeat } from '../cases/case-call.js';
import { flatten, negated, waysOf, type Atom } from './atoms.js';
import { DOMAINS, saidBy, type Said } from './terms.js';

/** How many ways of holding are looked at; where there are more, nothing is said. */
const MAX_WAYS = 200;

/**
 * Whether no call that reaches the namespace at the end of `line` can have all these answers. Pure, and careful: true is proven, while
 * false only means that it was not.
 */
export const isImpossible = (atoms: readonly Atom[], line: readonly LineSeat[]): boolean => new Search(line).isImpossible(flatten(atoms));

/** Whether every such call that has an answer at all has this one. */
export const isAlways = (atom: Atom, line: readonly LineSeat[]): boolean => isImpossible([negated(atom)], line);

class Search {
  readonly #line: readonly LineSeat[];
  #waysLeft = MAX_WAYS;

  constructor(line: readonly LineSeat[]) {
    this.#line = line;
  }

  isImpossible(atoms: readonly Atom[]): boolean {
    const said: Said[] = [];
    let open: readonly (readonly Atom[])[] | null = null;
    let opened: Atom | null = null;
    for (const atom of atoms) {
      const all = saidBy(atom, this.#line);
      if (all === false) return true;
      if (all === true) continue;
      said.push(...all);
      if (open !== null) continue;
      open = waysOf(atom);
      if (open !== null) opened = atom;
    }
    if (contradicts(said)) return true;
    if (open === null) return false;
    const others = atoms.filter((atom) => atom !== opened);
    return open.every((way) => (this.#waysLeft -= 1) >= 0 && this.isImpossible([...others, ...flatten(way)]));
  }
}

/** Whether there is something of which all that is said cannot be so. */
function contradicts(said: readonly Said[]): boolean {
  const byTerm = new Map<string, Said[]>();
  for (const one of said) byTerm.set(one.term, [...(byTerm.get(one.term) ?? []), one]);
  return [...byTerm].some(([term, all]) => hasNothingLeft(all, DOMAINS.get(term) ?? null));
}

function hasNothingLeft(all: readonly Said[], domain: ReadonlyMap<string, Json> | null): boolean {
  const lists = all.flatMap((one) => (one.kind === 'ONE_OF' && one.isTrue ? [one.values] : []));
  const [first, ...others] = domain === null ? lists : [domain, ...lists];
  const excluded = new Set(all.flatMap((one) => (one.kind === 'ONE_OF' && !one.isTrue ? [...one.values.keys()] : [])));
  const ranges = all.flatMap((one) => (one.kind === 'WITHIN' ? [one] : []));
  const [least, most] = [Math.max(...ranges.map((range) => range.least)), Math.min(...ranges.map((range) => range.most))];
  if (ranges.length > 0 && least > most) return true;
  const isLeft = (key: string, value: Json): boolean =>
    !excluded.has(key) &&
    others.every((list) => list.has(key)) &&
    (ranges.length === 0 || (typeof value === 'number' && value >= least && value <= most));
  if (first !== undefined) return ![...first].some(([key, value]) => isLeft(key, value));
  // Of whole numbers within bounds, each has to be excluded.
  return ranges.length > 0 && most - least < excluded.size && upTo(least, most).every((value) => excluded.has(String(value)));
}

const upTo = (least: number, most: number): readonly number[] => Array.from({ length: most - least + 1 }, (_, index) => least + index);
