import { canonicalJson, sha256Hex } from '../../kernel/index.js';
import { readsArguments, withoutArguments } from '../argument-reading.js';
import type { LineSeat } from '../cases/case-call.js';
import { placeOf } from '../guard.js';
import { othersFirst } from '../others-first.js';
import type { PolicyInForce, Statement } from '../policy.js';
import { statementPlaces } from '../statement-places.js';
import { atomsOf } from './atoms.js';
import { comparable, covers, mightCover, type Comparable } from './covering.js';
import { isImpossible } from './impossible.js';
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

/** What the author of a text may not have meant, in the order of the text. */
export const warningsOf = (warned: Warned, at: WarnedAt): Promise<readonly PolicyWarning[]> => warningsAmong(at)(warned, null);

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
): (warned: Warned, id: string | null) => Promise<readonly PolicyWarning[]> {
  const candidates = candidatesIn(enforced, line);
  const most = Math.min(MAX_OTHERS, Math.ceil(MAX_COMPARISONS / Math.max(1, count)));
  return async (warned, id) => {
    const own = warned.statements.map((statement) => comparable(statement, line));
    return warningsIn(warned, own, await othersAmong(candidates, own, { id, most }), line);
  };
}

async function warningsIn(
  { text }: Warned,
  own: readonly Comparable[],
  others: readonly Other[],
  line: readonly LineSeat[],
): Promise<readonly PolicyWarning[]> {
  const places = statementPlaces(text);
  const warnings: PolicyWarning[] = [];
  for (const [index, one] of own.entries()) {
    await othersFirst();
    const found = findingOf(one, { index, own, others, line });
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
  readonly other: () => Other;
}

/** What ends some day makes nothing redundant. */
const candidatesIn = (enforced: readonly PolicyInForce[], line: readonly LineSeat[]): readonly Candidate[] =>
  enforced
    .slice(0, MAX_POLICIES)
    .filter(({ effectiveUntil }) => effectiveUntil === null)
    .flatMap((policy) => policy.statements.map((statement) => candidate(policy, statement, line)));

function candidate(policy: PolicyInForce, statement: Statement, line: readonly LineSeat[]): Candidate {
  let made: Other | null = null;
  return { policy, statement, other: () => (made ??= { policy, ...comparable(statement, line) }) };
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
  for (const [index, { policy, statement, other }] of candidates.entries()) {
    if (index % 100 === 0) await othersFirst();
    if (others.length >= most) break;
    if (policy.id !== id && effects.has(statement.effect) && mightCover(statement, subjects)) others.push(other());
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
  readonly line: readonly LineSeat[];
}

/** The gravest of what can be said of one statement. */
function findingOf(one: Comparable, context: Context): Finding | null {
  const effect = one.statement.effect.toLowerCase();
  if (neverMatches(one, context.line))
    return {
      kind: 'NEVER_MATCHES',
      message: `This ${effect} applies to no call: what it asks cannot all be so at once.`,
      help: 'Look for a value that cannot occur, or for two conditions that exclude each other. Mend it or take it out.',
      against: null,
    };
  if (one.statement.effect === 'FORBID' && one.atoms.length === 0)
    return {
      kind: 'DENIES_EVERY_AGENT',
      message: 'This forbid denies every call of every agent where the policy is attached and below; no approval and no promise lifts it.',
      help: 'Say in its parentheses or in a when what it is about. To stop everything on purpose, confirm this warning.',
      against: null,
    };
  const cover = coverOf(one, context);
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
function neverMatches({ statement: { effect, est }, isSafe }: Comparable, line: readonly LineSeat[]): boolean {
  if (effect === 'PERMIT') return isImpossible(atomsOf(est), line);
  return isSafe && isImpossible(atomsOf(readsArguments(est) ? withoutArguments(est).est : est), line);
}

/** What makes a statement redundant: of two that say the same, the first of the text makes the second so. */
function coverOf(one: Comparable, { index, own, others, line }: Context): Finding | null {
  const inText = own.findIndex(
    (other, place) => place !== index && covers(other, one, line) && (place < index || !covers(one, other, line)),
  );
  const statement = own[inText];
  if (statement !== undefined) {
    const name = statement.annotations.id === null ? `statement ${inText + 1} of this text` : `“${statement.annotations.id}” of this text`;
    return redundant(one, name, [null, statement.statement.est]);
  }
  const other = others.find((each) => covers(each, one, line));
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
