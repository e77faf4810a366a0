import { parseAllInWorkers, parseInWorker, type Parsed, type ParsedProblem, type ParsedStatement } from '../../platform/cedar-wasm.js';
import { explainProblem } from '../explain-problem.js';
import { placeOf } from '../guard.js';
import type { PolicyProblem, Statement } from '../policy.js';
import type { ParsedText, PolicyParser } from '../ports.js';

/** The parser of cedar-wasm. */
export const wasmParser: PolicyParser = {
  async parse(text, schema) {
    return toParsedText(text, await parseInWorker(text, schema));
  },
  async parseAll(texts, schema) {
    const parsed = await parseAllInWorkers(texts, schema);
    return parsed.map((each, index) => toParsedText(texts[index] ?? '', each));
  },
};

function toParsedText(text: string, parsed: Parsed): ParsedText {
  if ('statements' in parsed) return { statements: parsed.statements.map(toStatement) };
  return { problems: parsed.problems.map((problem) => explained(text, problem)), parsed: parsed.parsed.map(toStatement) };
}

const toStatement = ({ effect, est }: ParsedStatement): Statement => ({ effect, est: est as never });

function explained(text: string, { byte, endByte, ...said }: ParsedProblem): PolicyProblem {
  const bytes = Buffer.from(text);
  const words = byte === null ? '' : bytes.subarray(byte, endByte ?? byte).toString();
  const place = byte === null ? { line: null, column: null } : placeOf(text, bytes.subarray(0, byte).toString().length);
  return { ...explainProblem({ ...said, words }), ...place };
}
