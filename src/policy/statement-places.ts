import { statementTokens } from './tokens.js';

/** Where a statement and its clauses stand in a text: indexes of characters. */
export interface StatementPlace {
  /** Of its `permit` or `forbid`. */
  readonly at: number;
  /** Of each `when` and `unless`, in their order. */
  readonly clauses: readonly number[];
}

/** Where each statement of a text that parses stands, in their order. */
export const statementPlaces = (text: string): readonly StatementPlace[] =>
  statementTokens(text).map((tokens) => {
    let depth = 0;
    let at: number | null = null;
    const clauses: number[] = [];
    tokens.forEach((token, index) => {
      if (token.kind === 'sign' && '([{'.includes(token.text)) depth += 1;
      if (token.kind === 'sign' && ')]}'.includes(token.text)) depth -= 1;
      // `@when("…")` would be an annotation.
      if (token.kind !== 'word' || depth > 0 || tokens[index - 1]?.text === '@') return;
      if (token.text === 'permit' || token.text === 'forbid') at ??= token.at;
      if (token.text === 'when' || token.text === 'unless') clauses.push(token.at);
    });
    return { at: at ?? tokens[0]?.at ?? 0, clauses };
  });
