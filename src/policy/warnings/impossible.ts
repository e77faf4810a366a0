import type { Json } from '../../kernel/index.js';
import type { LineSeat } from '../cases/case-call.js';
import { flatten, negated, waysOf, type Atom } from './atoms.js';
import type { Steps } from './steps.js';
import { DOMAINS, saidBy, type Said } from './terms.js';

/** How many ways of holding are looked at; where there are more, nothing is said. */
const MAX_WAYS = 200;

/** What takes about as long as one step: looking at so many values of lists, or making so much of a key, which is done once. */
const VALUES_A_STEP = 8;
const CHARACTERS_A_STEP = 256;

/** One search for a way in which atoms can hold: what is said so far, by term, and how many ways may still be tried. */
interface Search {
  readonly told: Map<string, Said[]>;
  waysLeft: number;
}

/**
 * Proves things of the calls that reach the namespace at the end of a line. Careful: true is proven, while false only means that it was
 * not. Once the steps are spent, nothing is.
 */
export class Prover {
  readonly #line: readonly LineSeat[];
  readonly #steps: Steps;
  readonly #known = { true: new Map<Json, readonly Said[] | boolean>(), false: new Map<Json, readonly Said[] | boolean>() };

  constructor(line: readonly LineSeat[], steps: Steps) {
    this.#line = line;
    this.#steps = steps;
  }

  get spent(): number {
    return this.#steps.spent;
  }

  /** What an atom says; null when there were not steps enough left for it. */
  saidBy(atom: Atom): readonly Said[] | boolean | null {
    if (!this.#steps.take(1)) return null;
    const known = this.#known[`${atom.isTrue}`];
    const before = known.get(atom.node);
    if (before !== undefined) return before;
    const said = saidBy(atom, this.#line);
    known.set(atom.node, said);
    const characters = typeof said === 'boolean' ? 0 : (said[0]?.term.length ?? 0);
    return this.#steps.take(inSteps(typeof said === 'boolean' ? [] : said) + Math.floor(characters / CHARACTERS_A_STEP)) ? said : null;
  }

  /** Whether no such call can have all these answers. */
  isImpossible(atoms: readonly Atom[]): boolean {
    return this.#steps.take(1) && this.#isImpossible({ told: new Map(), waysLeft: MAX_WAYS }, flatten(atoms), []);
  }

  /** Whether every such call that has an answer at all has this one. */
  isAlways(atom: Atom): boolean {
    return this.isImpossible([negated(atom)]);
  }

  /** Whether `atoms` cannot hold together with what is told already and `waiting`, which have not been opened. Leaves no trace in `told`. */
  #isImpossible(search: Search, atoms: readonly Atom[], waiting: readonly Atom[]): boolean {
    const fresh: Said[] = [];
    const open = [...waiting];
    for (const atom of atoms) {
      const said = this.saidBy(atom);
      if (said === null) return false;
      if (said === false) return true;
      if (said === true) continue;
      fresh.push(...said);
      if (waysOf(atom) !== null) open.push(atom);
    }
    for (const one of fresh) tell(search.told, one);
    const isSo = this.#contradicts(search, fresh) || this.#isImpossibleInAnyWay(search, open);
    for (const { term } of fresh) search.told.get(term)?.pop();
    return isSo;
  }

  #isImpossibleInAnyWay(search: Search, [opened, ...others]: readonly Atom[]): boolean {
    const ways = opened === undefined ? null : waysOf(opened);
    return ways?.every((way) => (search.waysLeft -= 1) >= 0 && this.#isImpossible(search, flatten(way), others)) ?? false;
  }

  /** Whether there is something among what is told anew of which all that is said cannot be so. */
  #contradicts({ told }: Search, fresh: readonly Said[]): boolean {
    for (const term of new Set(fresh.map((one) => one.term))) {
      const all = told.get(term) ?? [];
      if (!this.#steps.take(inSteps(all))) return false;
      if (hasNothingLeft(all, DOMAINS.get(term) ?? null)) return true;
    }
    return false;
  }
}

function tell(told: Map<string, Said[]>, one: Said): void {
  const all = told.get(one.term);
  if (all === undefined) told.set(one.term, [one]);
  else all.push(one);
}

const inSteps = (all: readonly Said[]): number =>
  Math.floor(all.reduce((sum, one) => sum + (one.kind === 'ONE_OF' ? one.values.size : 1), 0) / VALUES_A_STEP);

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
