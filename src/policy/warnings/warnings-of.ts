import { canonicalJson, sha256Hex, othersFirst } from '../../kernel/index.js';
import { readsArguments, withoutArguments } from '../argument-reading.js';
import type { LineSeat } from '../cases/case-call.js';
import { placeOf } from '../guard.js';
import type { PolicyInForce, Statement } from '../policy.js';
import { statementPlaces } from '../statement-places.js';
import { atomsOf } from './atoms.js';
import { comparable, covers, mightCover, type Comparable } from './covering.js';
import { Prover } from './impossible.js';
import { Steps } from './steps.js';
import { subjectsOf } from './subjects.js';

export const WARNING_KINDS = ['NEVER_MATCHES', 'REDUNDANT', 'DENIES_EVERY_AGENT', 'PERMITS_EVERYTHING'] as const;
export type WarningKind = (typeof WARNING_KINDS)[number];

/** Something about a text that is acceptable, and that its author may not have meant. Each is proven. */
export interface PolicyWarning {
  /** By which it is confirmed. Another statement, or one that is changed, has another, and so has what makes it redundant. */
  readonly name: string;
  readonly kind: WarningKind;
  /** Its statement's place in the text, from 1, and what its `@id` says. */
  readonly number: number;
  readonly statement: string | null;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly help: string;
}

/** A policy that is asked about. */
export interface Warned {
  readonly text: string;
  readonly statements: readonly Statement[];
}

/** What else there is at the place of the policy. */
export interface WarnedAt {
  /** What is enforced there and above, but for the policy itself. */
  readonly enforced: readonly PolicyInForce[];
  /** From the organization down to the namespace that the policy is attached to. */
  readonly line: readonly LineSeat[];
}

/** How many policies in force are looked at, and how many of their statements a text is compared with: a publish waits for it. */
const MAX_POLICIES = 3_000;
const MAX_OTHERS = 500;

/**
 * What the author of a text may not have meant, in the order of the text. Of a text that takes more `steps` than there are, less may be
 * said than is so.
 */
export const warningsOf = (warned: Warned, at: WarnedAt, steps = new Steps()): Promise<readonly PolicyWarning[]> =>
  warningsAmong(at)(warned, null, steps);

/** The most comparisons for many texts together: with so many statements that each is compared with fewer others. */
const MAX_COMPARISONS = 400_000;

/**
 * The same for many texts at one place, of each but for the policy with this id, which is itself.
 *
 * @param count how many statements they have together
 */
export function warningsAmong(
  { enforced, line }: WarnedAt,
  count = 1,
): (warned: Warned, id: string | null, steps?: Steps) => Promise<readonly PolicyWarning[]> {
  const candidates = candidatesIn(enforced, line);
  const most = Math.min(MAX_OTHERS, Math.ceil(MAX_COMPARISONS / Math.max(1, count)));
  return async (warned, id, steps = new Steps()) => {
    const prover = new Prover(line, steps);
    const own = await inPieces(warned.statements, (statement) => comparable(statement, prover));
    return warningsIn(warned, own, await othersAmong(candidates, own, { id, most }), prover);
  };
}

/** Lets others in first, and after each few. */
async function inPieces<Each, Made>(all: readonly Each[], make: (each: Each) => Made): Promise<readonly Made[]> {
  const made: Made[] = [];
  for (const [index, each] of all.entries()) {
    if (index % 20 === 0) await othersFirst();
    made.push(make(each));
  }
  return made;
}

async function warningsIn(
  { text }: Warned,
  own: readonly Comparable[],
  others: readonly Other[],
  prover: Prover,
): Promise<readonly PolicyWarning[]> {
  const places = statementPlaces(text);
  const warnings: PolicyWarning[] = [];
  // Before any are compared, which is what may take all the steps.
  const isNever = await inPieces(own, (one) => neverMatches(one, prover));
  for (const [index, one] of own.entries()) {
    await othersFirst();
    const found = isNever[index] === true ? neverMatching(one) : await findingOf(one, { index, own, others, prover });
    if (found === null) continue;
    const { kind, message, help, against } = found;
    const statement = one.annotations.id;
    const digest = sha256Hex(canonicalJson([kind, one.statement.est, against])).slice(0, 12);
    warnings.push({
      ...{ kind, message, help, number: index + 1, statement, ...placeOf(text, places[index]?.at ?? 0) },
      name: `${kind}:${statement ?? `statement ${index + 1}`}:${digest}`,
    });
  }
  return warnings;
}

interface Other extends Comparable {
  readonly policy: PolicyInForce;
}

/** A statement of another policy, made ready to be compared when it is first compared. */
interface Candidate {
  readonly policy: PolicyInForce;
  readonly statement: Statement;
  /** Takes the steps that making it ready costs, the first time. */
  readonly other: (steps: Steps) => Other;
}

/**
 * What making ready one statement of another policy may cost, and all of them for one text. Counted aside, so that others cannot use up
 * what there is for the text itself.
 */
const MAX_STEPS_READYING_ONE = 1_000;
const MAX_STEPS_READYING = 20_000;

/** What ends some day makes nothing redundant. */
const candidatesIn = (enforced: readonly PolicyInForce[], line: readonly LineSeat[]): readonly Candidate[] =>
  enforced
    .slice(0, MAX_POLICIES)
    .filter(({ effectiveUntil }) => effectiveUntil === null)
    .flatMap((policy) => policy.statements.map((statement) => candidate(policy, statement, line)));

function candidate(policy: PolicyInForce, statement: Statement, line: readonly LineSeat[]): Candidate {
  let made: Other | null = null;
  const make = (steps: Steps): Other => {
    const own = new Steps(MAX_STEPS_READYING_ONE);
    const other = { policy, ...comparable(statement, new Prover(line, own)) };
    steps.take(own.spent);
    return other;
  };
  return { policy, statement, other: (steps) => (made ??= make(steps)) };
}

/** Those of other policies that might make one of `own` redundant. */
async function othersAmong(
  candidates: readonly Candidate[],
  own: readonly Comparable[],
  { id, most }: { readonly id: string | null; readonly most: number },
): Promise<readonly Other[]> {
  const subjects = new Set(own.flatMap(({ statement }) => subjectsOf(statement.est).flat()));
  const effects = new Set(own.map(({ statement }) => statement.effect));
  const others: Other[] = [];
  const readying = new Steps(MAX_STEPS_READYING);
  for (const [index, { policy, statement, other }] of candidates.entries()) {
    if (index % 100 === 0) await othersFirst();
    if (others.length >= most || readying.spent >= MAX_STEPS_READYING) break;
    if (policy.id === id || !effects.has(statement.effect) || !mightCover(statement, subjects)) continue;
    const before = readying.spent;
    others.push(other(readying));
    if (readying.spent > before) await othersFirst();
  }
  return others;
}

interface Finding {
  readonly kind: WarningKind;
  readonly message: string;
  readonly help: string;
  /** What else it depends on. */
  readonly against: unknown;
}

interface Context {
  readonly index: number;
  readonly own: readonly Comparable[];
  readonly others: readonly Other[];
  readonly prover: Prover;
}

const neverMatching = ({ statement }: Comparable): Finding => ({
  kind: 'NEVER_MATCHES',
  message: `This ${statement.effect.toLowerCase()} applies to no call: what it asks cannot all be so at once.`,
  help: 'Look for a value that cannot occur, or for two conditions that exclude each other. Mend it or take it out.',
  against: null,
});

/** The gravest of what can be said of a statement that may match. */
async function findingOf(one: Comparable, context: Context): Promise<Finding | null> {
  if (one.statement.effect === 'FORBID' && one.atoms.length === 0)
    return {
      kind: 'DENIES_EVERY_AGENT',
      message: 'This forbid denies every call of every agent where the policy is attached and below; no approval and no promise lifts it.',
      help: 'Say in its parentheses or in a when what it is about. To stop everything on purpose, confirm this warning.',
      against: null,
    };
  const cover = await coverOf(one, context);
  if (cover !== null) return cover;
  if (one.statement.effect === 'PERMIT' && one.atoms.length === 0 && one.isSafe && !one.readsArguments)
    return {
      kind: 'PERMITS_EVERYTHING',
      message: 'This permit allows every call of every agent where the policy is attached and below, unless a forbid forbids it.',
      help: 'Say in its parentheses or in a when what it is about. To allow whatever is not forbidden, confirm this warning.',
      against: null,
    };
  return null;
}

/**
 * A forbid denies what it does not apply to as well: where it cannot be evaluated and, when it reads arguments of which not all can be
 * seen, wherever its other clauses hold.
 */
function neverMatches({ statement: { effect, est }, isSafe }: Comparable, prover: Prover): boolean {
  if (effect === 'PERMIT') return prover.isImpossible(atomsOf(est));
  return isSafe && prover.isImpossible(atomsOf(readsArguments(est) ? withoutArguments(est).est : est));
}

/** After how many steps others are let in, also within one statement. */
const PIECE = 1_000;

/** The place of the first that covers; -1: there is none. */
async function firstOf<Each>(all: readonly Each[], covering: (each: Each, place: number) => boolean, prover: Prover): Promise<number> {
  let before = prover.spent;
  for (const [place, each] of all.entries()) {
    if (covering(each, place)) return place;
    if (prover.spent - before < PIECE) continue;
    before = prover.spent;
    await othersFirst();
  }
  return -1;
}

/** What makes a statement redundant: of two that say the same, the first of the text makes the second so. */
async function coverOf(one: Comparable, { index, own, others, prover }: Context): Promise<Finding | null> {
  const isCover = (other: Comparable, place: number): boolean =>
    place !== index && covers(other, one, prover) && (place < index || !covers(one, other, prover));
  const inText = await firstOf(own, isCover, prover);
  const statement = own[inText];
  if (statement !== undefined) {
    const name = statement.annotations.id === null ? `statement ${inText + 1} of this text` : `“${statement.annotations.id}” of this text`;
    return redundant(one, name, [null, statement.statement.est]);
  }
  const other = others[await firstOf(others, (each) => covers(each, one, prover), prover)];
  if (other === undefined) return null;
  const { policy, annotations } = other;
  const part = annotations.id === null ? '' : `“${annotations.id}” of `;
  const name = `${part}the policy ${JSON.stringify(policy.name)} (revision ${policy.revision}) of ${policy.namespaceId}`;
  return redundant(one, name, [policy.id, other.statement.est]);
}

const redundant = ({ statement }: Comparable, name: string, against: unknown): Finding => ({
  kind: 'REDUNDANT',
  message: `This ${statement.effect.toLowerCase()} decides nothing that ${name} does not decide alike: that applies wherever this does.`,
  help: 'Take it out, or say where it differs. To have it all the same, should the other go some day, confirm this warning.',
  against,
});
