import { annotationsOf, type Annotations } from '../annotations.js';
import { readsArguments, withoutArguments } from '../argument-reading.js';
import { canonicalJson, type Json } from '../../kernel/index.js';
import { conditionsOf, operandsOf } from '../est.js';
import type { Statement } from '../policy.js';
import { atomsOf, isWrittenOut, negated, waysOf, type Atom } from './atoms.js';
import { isSafe } from './errors.js';
import type { Prover } from './impossible.js';
import { subjectsOf } from './subjects.js';

/** A statement, read for being compared with others at one place. */
export interface Comparable {
  readonly statement: Statement;
  readonly atoms: readonly Atom[];
  /** What it asks about. */
  readonly terms: ReadonlySet<string>;
  /** Of each atom that not every call has, what it asks about. */
  readonly demands: readonly ReadonlySet<string>[];
  readonly annotations: Annotations;
  readonly readsArguments: boolean;
  /** What is left of it where not all arguments can be seen. */
  readonly blind: () => readonly Atom[];
  /** Whether it can always be evaluated. */
  readonly isSafe: boolean;
  /** What it asks to equal something that is written out, and what that is. */
  readonly fixed: ReadonlyMap<string, string>;
}

export function comparable(statement: Statement, prover: Prover): Comparable {
  const atoms = atomsOf(statement.est).filter((atom) => !prover.isAlways(atom));
  const demands = atoms.map((atom) => termsOf(atom, prover));
  return {
    ...{ statement, atoms, demands, terms: new Set(demands.flatMap((terms) => [...terms])) },
    annotations: annotationsOf(statement.est),
    readsArguments: readsArguments(statement.est),
    blind: once(() => atomsOf(withoutArguments(statement.est).est)),
    isSafe: conditionsOf(statement.est).every(({ body }) => isSafe(body)),
    fixed: new Map(atoms.flatMap(fixedBy)),
  };
}

function once<Value extends object>(make: () => Value): () => Value {
  let made: Value | null = null;
  return () => (made ??= make());
}

function fixedBy({ node, isTrue }: Atom): readonly (readonly [string, string])[] {
  const equal = isTrue ? operandsOf(node, '==') : null;
  if (equal === null || isWrittenOut(equal[0]) || !isWrittenOut(equal[1])) return [];
  return [[canonicalJson(equal[0]), canonicalJson(equal[1])]];
}

/** Namespaces that all calls lie in ask for nothing; which they are is looked at with care. */
const PLACES = ['resource in Organization', 'resource in Group', 'resource.project'];

/** Whether a statement may be found to cover one that asks about no more than `subjects`: all that it asks about is among them. */
export const mightCover = ({ est }: Statement, subjects: ReadonlySet<string>): boolean =>
  subjectsOf(est).every((asked) => asked.length === 0 || asked.some((subject) => subjects.has(subject) || PLACES.includes(subject)));

/** What an atom asks about, also in each of the ways in which it can hold. Each question of it is looked at once: ways have some in common. */
function termsOf(atom: Atom, prover: Prover): ReadonlySet<string> {
  const terms = new Set<string>();
  const seen = { true: new Set<Json>(), false: new Set<Json>() };
  const open = [atom];
  for (const one of open) {
    if (seen[`${one.isTrue}`].has(one.node)) continue;
    seen[`${one.isTrue}`].add(one.node);
    const said = prover.saidBy(one);
    if (said !== null && typeof said !== 'boolean') for (const { term } of said) terms.add(term);
    open.push(...(waysOf(one) ?? []).flat());
  }
  return terms;
}

/**
 * Whether nothing is decided otherwise without `lesser`, as long as there is `greater`: it applies to every call that the lesser applies
 * to, with the same effect, and is lifted by no more. Proven, or false.
 */
export function covers(greater: Comparable, lesser: Comparable, prover: Prover): boolean {
  if (greater.statement.effect !== lesser.statement.effect || !greater.isSafe || !lesser.isSafe) return false;
  if (greater.readsArguments && !lesser.readsArguments) return false;
  // What asks for another value of the same thing applies to other calls. That is quickly seen, and tells most policies of a set apart.
  for (const [asked, value] of greater.fixed) if ((lesser.fixed.get(asked) ?? value) !== value) return false;
  // What does not ask about the same things cannot follow from it.
  if (!greater.demands.every((terms) => hasCommon(terms, lesser.terms))) return false;
  return isAsStrict(greater, lesser) && follows(greater.atoms, lesser.atoms, prover) && isAsBlind(greater, lesser, prover);
}

function hasCommon(terms: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const term of terms) if (others.has(term)) return true;
  return false;
}

const follows = (wanted: readonly Atom[], given: readonly Atom[], prover: Prover): boolean =>
  wanted.every((atom) => prover.isImpossible([...given, negated(atom)]));

/** What may give way to an approval or a promise does not stand for what does not; nor for what asks for another one. */
function isAsStrict({ annotations: greater }: Comparable, { annotations: lesser }: Comparable): boolean {
  if (greater.approval === null && greater.obligations.length === 0) return true;
  const asked = ({ approval, obligations }: Annotations): string => JSON.stringify([approval?.level, approval?.count, obligations]);
  return asked(greater) === asked(lesser);
}

/**
 * Of a call with more arguments than can be seen, a forbid that reads arguments denies wherever its other clauses hold: then the other
 * must deny there too.
 */
function isAsBlind(greater: Comparable, lesser: Comparable, prover: Prover): boolean {
  if (lesser.statement.effect === 'PERMIT' || !lesser.readsArguments) return true;
  return follows(greater.readsArguments ? greater.blind() : greater.atoms, lesser.blind(), prover);
}
