/** A word, number, text in quotes or sign of a Cedar text. */
export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'sign';
  readonly text: string;
  /** Index of its first character in the text. */
  readonly at: number;
}

// No alternative of the string can fail, so nothing is read twice.
const TOKEN = /\/\/[^\n\r]*|"(?:\\.|[^"])*"?|[A-Za-z_]\w*|\d+|\S/gs;

/**
 * The tokens of a text outside comments, as Cedar's own lexer tells them apart: a carriage return ends a comment too, and behind a
 * string that never ends it reads nothing more. Signs of two characters are two tokens.
 */
export function* tokensOf(text: string): Generator<Token> {
  for (const match of text.matchAll(TOKEN)) {
    const [token] = match;
    if (!token.startsWith('//')) yield { kind: kindOf(token), text: token, at: match.index };
  }
}

function kindOf(token: string): Token['kind'] {
  if (token.startsWith('"')) return 'string';
  if (/^\d/.test(token)) return 'number';
  return /^[A-Za-z_]/.test(token) ? 'word' : 'sign';
}

/** The tokens of each statement of a text that parses, in their order, without the semicolons. */
export function statementTokens(text: string): readonly (readonly Token[])[] {
  const statements: Token[][] = [];
  let current: Token[] = [];
  for (const token of tokensOf(text)) {
    if (token.kind === 'sign' && token.text === ';') {
      statements.push(current);
      current = [];
    } else current.push(token);
  }
  return statements;
}

/** The line, from 1, on which each statement of a text that parses begins. */
export const statementLines = (text: string): readonly number[] =>
  statementTokens(text).map(([first]) => text.slice(0, first?.at ?? 0).split('\n').length);
