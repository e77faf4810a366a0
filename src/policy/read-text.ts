import { clauseProblem, textProblem } from './guard.js';
import { SCHEMA } from './model.js';
import type { PolicyProblem, Statement } from './policy.js';
import type { PolicyParser } from './ports.js';

/** What a text says, or everything that is wrong with it. */
export type ReadText = { readonly statements: readonly Statement[] } | { readonly problems: readonly PolicyProblem[] };

/** Reads a policy's text: looks whether it is safe to parse, parses it, and checks it against the model. */
export async function readText(parser: PolicyParser, text: string): Promise<ReadText> {
  const unsafe = textProblem(text);
  if (unsafe !== null) return { problems: [unsafe] };
  const parsed = await parser.parse(text, SCHEMA);
  const heavy = 'statements' in parsed ? clauseProblem(parsed.statements) : null;
  return heavy === null ? parsed : { problems: [heavy] };
}
