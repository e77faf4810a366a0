import type { PolicyExplanation } from '../../cedar/index.js';
import { annotationsOf } from '../annotations.js';
import { placeOf } from '../guard.js';
import type { Effect, Statement } from '../policy.js';
import { statementPlaces } from '../statement-places.js';

/** How often the cases tried a `when` or `unless`: in how many of them it had each outcome. A case can have more than one: see `Coverage`. */
export interface ClauseCoverage {
  readonly kind: 'WHEN' | 'UNLESS';
  readonly line: number;
  readonly column: number;
  readonly isTrue: number;
  readonly isFalse: number;
  readonly isError: number;
  /** In none of the questions that the case asked. */
  readonly isNotReached: number;
}

/** How often the cases tried a statement of the text. */
export interface StatementCoverage {
  /** Its place in the text, from 1. */
  readonly number: number;
  /** What its `@id` says. */
  readonly name: string | null;
  readonly effect: Effect;
  readonly line: number;
  readonly column: number;
  /** In how many cases it applied. */
  readonly applied: number;
  /** In how many it was among what determined the verdict. */
  readonly decided: number;
  readonly clauses: readonly ClauseCoverage[];
}

/** Something that no case tried: a statement that never decided, or a clause that was never true, or never false. */
export interface Uncovered {
  /** Of the statement, from 1. */
  readonly number: number;
  readonly name: string | null;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/**
 * Counts what cases try of a policy's statements.
 *
 * A call that is denied is asked about again, as if obligations were met and as if it had been approved (see `evaluate`). All that is
 * asked of a case counts: where an approval lifts a forbid, its `unless` is false in the first question and true in the last.
 */
export class Coverage {
  readonly #statements: readonly Counted[];

  constructor(text: string, statements: readonly Statement[]) {
    const places = statementPlaces(text);
    this.#statements = statements.map(({ effect, est }, index) => {
      const { at = 0, clauses = [] } = places[index] ?? {};
      const counted = clauses.map((clause) => ({
        ...placeOf(text, clause),
        TRUE: 0,
        FALSE: 0,
        ERROR: 0,
        NOT_REACHED: 0,
        kind: kindAt(text, clause),
      }));
      return { number: index + 1, name: annotationsOf(est).id, effect, ...placeOf(text, at), applied: 0, decided: 0, clauses: counted };
    });
  }

  /**
   * Counts one case.
   *
   * @param questions of each that was asked, what became of each statement, in the order of the text
   * @param determining whether a statement, by its place from 0, was among what determined the verdict
   */
  add(questions: readonly (readonly PolicyExplanation[])[], determining: (index: number) => boolean): void {
    this.#statements.forEach((statement, index) => {
      const explanations = questions.flatMap((all) => all[index] ?? []);
      if (explanations.some(({ outcome }) => outcome === 'APPLIES')) statement.applied += 1;
      if (determining(index)) statement.decided += 1;
      statement.clauses.forEach((clause, place) => {
        const outcomes = new Set(explanations.flatMap(({ clauses }) => clauses[place]?.outcome ?? []));
        if (outcomes.size > 1) outcomes.delete('NOT_REACHED');
        for (const outcome of outcomes) clause[outcome] += 1;
      });
    });
  }

  statements(): readonly StatementCoverage[] {
    return this.#statements.map(({ clauses, ...statement }) => ({
      ...statement,
      clauses: clauses.map(({ kind, line, column, TRUE, FALSE, ERROR, NOT_REACHED }) => ({
        ...{ kind, line, column, isTrue: TRUE, isFalse: FALSE, isError: ERROR, isNotReached: NOT_REACHED },
      })),
    }));
  }
}

interface Counted extends Omit<StatementCoverage, 'applied' | 'decided' | 'clauses'> {
  applied: number;
  decided: number;
  readonly clauses: readonly (Record<'TRUE' | 'FALSE' | 'ERROR' | 'NOT_REACHED', number> &
    Pick<ClauseCoverage, 'kind' | 'line' | 'column'>)[];
}

const kindAt = (text: string, index: number): ClauseCoverage['kind'] => (text.startsWith('when', index) ? 'WHEN' : 'UNLESS');

/** What no case tried, in the order of the text. */
export const uncoveredIn = (statements: readonly StatementCoverage[]): readonly Uncovered[] =>
  statements.flatMap(({ number, name, effect, line, column, decided, clauses }) => {
    const about = { number, name };
    const never = decided === 0 ? [{ ...about, line, column, message: `No case is decided by this ${effect.toLowerCase()}.` }] : [];
    return [
      ...never,
      ...clauses.flatMap((clause) => neverIn(clause).map((message) => ({ ...about, line: clause.line, column: clause.column, message }))),
    ];
  });

function neverIn({ kind, isTrue, isFalse }: ClauseCoverage): readonly string[] {
  const what = kind.toLowerCase();
  if (isTrue === 0 && isFalse === 0) return [`No case asks this ${what}.`];
  if (isTrue === 0) return [`In no case this ${what} is true.`];
  return isFalse === 0 ? [`In no case this ${what} is false.`] : [];
}
