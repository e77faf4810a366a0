import { isJsonObject, isWellFormed, type Json } from '../kernel/index.js';
import { childrenOf } from './est.js';
import type { PolicyProblem, Statement } from './policy.js';
import { tokensOf } from './tokens.js';

/** The longest text, in bytes of UTF-8. */
export const MAX_TEXT_BYTES = 16 * 1024;
/** The deepest that brackets may nest. From 79 levels on, Cedar's parser can break for good (reference: cedar-wasm 4.13). */
export const MAX_NESTING = 32;
/**
 * The most `when` and `unless` clauses of one permit or forbid. Cedar joins them to one expression, each a level deeper; what the
 * parser lets one clause nest comes on top (some 64 levels), and from some 150 on evaluating can break an instance.
 */
export const MAX_CLAUSES = 16;

/**
 * What makes a text dangerous to parse; null when nothing does. Reads the text once, without recursion, so that a text built to
 * hurt the parser never reaches it.
 */
export function textProblem(text: string): PolicyProblem | null {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_TEXT_BYTES)
    return {
      message: `The text has ${bytes} bytes; at most ${MAX_TEXT_BYTES} are allowed.`,
      help: 'Split it into several policies.',
      line: null,
      column: null,
    };
  if (text.includes('\u0000'))
    return {
      message: 'The text holds a NUL character.',
      help: 'Take it out; it cannot be stored.',
      ...placeOf(text, text.indexOf('\u0000')),
    };
  if (!isWellFormed(text))
    return { message: 'The text is not well-formed Unicode.', help: 'Look for half a surrogate pair.', line: null, column: null };
  let depth = 0;
  let conditions = 0;
  for (const token of tokensOf(text)) {
    if (token.kind === 'string') continue;
    if ('([{'.includes(token.text)) depth += 1;
    if (')]}'.includes(token.text)) depth -= 1;
    if (token.text === 'if') conditions += 1;
    if (depth > MAX_NESTING)
      return {
        message: `Brackets nest deeper than ${MAX_NESTING} levels.`,
        help: 'Join the inner conditions with && and ||, or split the policy.',
        ...placeOf(text, token.at),
      };
    if (conditions > MAX_NESTING)
      return {
        message: `There are more than ${MAX_NESTING} if-then-else expressions.`,
        help: 'Split the policy.',
        ...placeOf(text, token.at),
      };
    if (/^\d/.test(token.text) && !Number.isSafeInteger(Number(token.text))) {
      return {
        message: `The number ${token.text.slice(0, 40)} is too large.`,
        help: `At most ${Number.MAX_SAFE_INTEGER} is allowed.`,
        ...placeOf(text, token.at),
      };
    }
  }
  return null;
}

/** What makes parsed statements dangerous to evaluate; null when nothing does. */
export function clauseProblem(statements: readonly Statement[]): PolicyProblem | null {
  const most = Math.max(
    ...statements.map(({ est }) => (isJsonObject(est) && Array.isArray(est['conditions']) ? est['conditions'].length : 0)),
  );
  if (most <= MAX_CLAUSES) return null;
  return {
    message: `A permit or forbid has ${most} when and unless clauses; at most ${MAX_CLAUSES} are allowed.`,
    help: 'Join them with && and ||, or split the policy.',
    line: null,
    column: null,
  };
}

/**
 * The deepest that a statement may nest in Cedar's JSON form, where each level of an expression is two or three: what reads it goes
 * down it level by level. What the parser lets pass is shallower by far, but for long chains of methods or attributes.
 */
const MAX_DEPTH = 500;

/** What makes parsed statements dangerous to read; null when nothing does. Without recursion. */
export function depthProblem(statements: readonly Statement[]): PolicyProblem | null {
  const open: { readonly node: Json; readonly depth: number }[] = statements.map(({ est }) => ({ node: est, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, depth } = next;
    if (depth > MAX_DEPTH)
      return {
        message: 'A permit or forbid is nested too deeply.',
        help: 'Split it. Each method or attribute of a chain nests one level deeper, and so does each term of && and ||.',
        line: null,
        column: null,
      };
    for (const child of childrenOf(node)) open.push({ node: child, depth: depth + 1 });
  }
  return null;
}

/** Line and column, from 1, of the character at `index`. */
export function placeOf(text: string, index: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, index).split('\n');
  return { line: before.length, column: [...(before.at(-1) ?? '')].length + 1 };
}
