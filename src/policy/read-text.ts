import { othersFirst } from '../kernel/index.js';
import { hasSlot } from './confine.js';
import { clauseProblem, depthProblem, textProblem } from './guard.js';
import { holdingProblem } from './compiled-engine.js';
import { lintProblems } from './lint.js';
import { SCHEMA } from './model.js';
import type { PolicyProblem, Statement } from './policy.js';
import type { ParsedText, PolicyParser } from './ports.js';

/** What a text says, or everything that is wrong with it, in the order of the text. */
export type ReadText = { readonly statements: readonly Statement[] } | { readonly problems: readonly PolicyProblem[] };

/**
 * Reads a policy's text: looks whether it is safe to parse, parses it, checks it against the model, and looks whether its annotations
 * and what they go with are in order.
 */
export async function readText(parser: PolicyParser, text: string): Promise<ReadText> {
  const unsafe = textProblem(text);
  return unsafe === null ? judged(text, await parser.parse(text, SCHEMA)) : { problems: [unsafe] };
}

/** Reads many texts of one author; by text, what each says. */
export async function readTexts(parser: PolicyParser, texts: readonly string[]): Promise<ReadonlyMap<string, ReadText>> {
  const read = new Map<string, ReadText>();
  for (const text of texts) {
    const unsafe = textProblem(text);
    if (unsafe !== null) read.set(text, { problems: [unsafe] });
  }
  const safe = [...new Set(texts)].filter((text) => !read.has(text));
  const parsed = await parser.parseAll(safe, SCHEMA);
  for (const [index, text] of safe.entries()) {
    const said = parsed[index];
    if (said === undefined) throw new Error('A text was not parsed.');
    await othersFirst();
    read.set(text, judged(text, said));
  }
  return read;
}

/** What a text says that is safe to parse, by what the parser says. */
function judged(text: string, parsed: ParsedText): ReadText {
  const statements = 'statements' in parsed ? parsed.statements : parsed.parsed;
  const heavy = clauseProblem(statements) ?? depthProblem(statements) ?? holdingProblem(statements.filter(({ est }) => !hasSlot(est)));
  if (heavy !== null) return { problems: [heavy] };
  const problems = [...('problems' in parsed ? parsed.problems : []), ...lintProblems(text, statements)];
  return problems.length === 0 ? { statements } : { problems: inOrder(problems) };
}

const inOrder = (problems: readonly PolicyProblem[]): readonly PolicyProblem[] =>
  [...problems].sort((left, right) => (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0));
