import { hasSlot } from './confine.js';
import { clauseProblem, depthProblem, textProblem } from './guard.js';
import { holdingProblem } from './compiled-engine.js';
import { lintProblems } from './lint.js';
import { SCHEMA } from './model.js';
import type { PolicyProblem, Statement } from './policy.js';
import type { PolicyParser } from './ports.js';

/** What a text says, or everything that is wrong with it, in the order of the text. */
export type ReadText = { readonly statements: readonly Statement[] } | { readonly problems: readonly PolicyProblem[] };

/**
 * Reads a policy's text: looks whether it is safe to parse, parses it, checks it against the model, and looks whether its annotations
 * and what they go with are in order.
 */
export async function readText(parser: PolicyParser, text: string): Promise<ReadText> {
  const unsafe = textProblem(text);
  if (unsafe !== null) return { problems: [unsafe] };
  const parsed = await parser.parse(text, SCHEMA);
  const statements = 'statements' in parsed ? parsed.statements : parsed.parsed;
  const heavy = clauseProblem(statements) ?? depthProblem(statements) ?? holdingProblem(statements.filter(({ est }) => !hasSlot(est)));
  if (heavy !== null) return { problems: [heavy] };
  const problems = [...('problems' in parsed ? parsed.problems : []), ...lintProblems(text, statements)];
  return problems.length === 0 ? { statements } : { problems: inOrder(problems) };
}

const inOrder = (problems: readonly PolicyProblem[]): readonly PolicyProblem[] =>
  [...problems].sort((left, right) => (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0));
