import type { Effect } from './policy.js';
import { statementTokens, type Token } from './tokens.js';

/** A statement that only one of two texts has, or that the second has in another form. */
export interface StatementChange {
  readonly kind: 'ADDED' | 'REMOVED' | 'CHANGED';
  readonly effect: Effect;
  /** As it is written in the first text; null when added. */
  readonly before: string | null;
  /** As it is written in the second text; null when removed. */
  readonly after: string | null;
}

/**
 * What changes from one text to another, statement by statement: comments, layout and the order of statements decide nothing, and so
 * are no change. Both texts must parse. Pure.
 *
 * A statement that is gone and one that is new are one statement that changed when they have the same `@id`, or else the same effect
 * and scope. In the order of the second text, what was removed last.
 */
export function statementDiff(from: string, to: string): readonly StatementChange[] {
  const gone = statementsIn(from);
  const added: WrittenStatement[] = [];
  for (const statement of statementsIn(to)) {
    if (takeFirst(gone, ({ words }) => words === statement.words) === null) added.push(statement);
  }
  const named = added.map((after) => ({ after, before: after.id === null ? null : takeFirst(gone, ({ id }) => id === after.id) }));
  const changes = named.map(({ after, before }): StatementChange => {
    const earlier = before ?? takeFirst(gone, (one) => one.head === after.head && (one.id === null || after.id === null));
    return { kind: earlier === null ? 'ADDED' : 'CHANGED', effect: after.effect, before: earlier?.text ?? null, after: after.text };
  });
  return [...changes, ...gone.map((one): StatementChange => ({ kind: 'REMOVED', effect: one.effect, before: one.text, after: null }))];
}

interface WrittenStatement {
  readonly text: string;
  /** Its tokens, whatever lies between them. */
  readonly words: string;
  /** Those of its effect and scope. */
  readonly head: string;
  readonly id: string | null;
  readonly effect: Effect;
}

function statementsIn(text: string): WrittenStatement[] {
  return statementTokens(text).map((tokens) => {
    const start = effectAt(tokens);
    const [first, last] = [tokens[0], tokens.at(-1)];
    return {
      text: `${text.slice(first?.at ?? 0, last === undefined ? 0 : last.at + last.text.length)};`,
      words: wordsOf(tokens),
      head: wordsOf(tokens.slice(start, scopeEnd(tokens, start))),
      id: idIn(tokens),
      effect: tokens[start]?.text === 'forbid' ? 'FORBID' : 'PERMIT',
    };
  });
}

const wordsOf = (tokens: readonly Token[]): string => JSON.stringify(tokens.map(({ text }) => text));

/** Behind the annotations. `@permit(…)` is an annotation. */
const effectAt = (tokens: readonly Token[]): number =>
  tokens.findIndex(
    ({ text, kind }, index) => kind === 'word' && (text === 'permit' || text === 'forbid') && tokens[index - 1]?.text !== '@',
  );

/** Behind the parenthesis that closes the scope. */
function scopeEnd(tokens: readonly Token[], start: number): number {
  let depth = 0;
  for (let index = start; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token?.kind !== 'sign') continue;
    if (token.text === '(') depth += 1;
    if (token.text === ')' && (depth -= 1) === 0) return index + 1;
  }
  return tokens.length;
}

function idIn(tokens: readonly Token[]): string | null {
  const at = tokens.findIndex(({ text }, index) => text === '@' && tokens[index + 1]?.text === 'id');
  return at < 0 ? null : (tokens[at + 3]?.text ?? null);
}

/** Takes the first that fits out of the list. */
function takeFirst<Item>(items: Item[], isFit: (item: Item) => boolean): Item | null {
  const index = items.findIndex(isFit);
  return index < 0 ? null : (items.splice(index, 1)[0] ?? null);
}
