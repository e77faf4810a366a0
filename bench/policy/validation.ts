import { checkParsePolicySet, validate } from '@cedar-policy/cedar-wasm/nodejs';
import { SCHEMA } from '../../src/policy/model.js';
import { readText } from '../../src/policy/read-text.js';
import { wasmParser } from '../../src/policy/wasm/parser.js';
import { showProgress } from '../support/progress.js';

/** Milliseconds for one text, a sample each, one after the other. */
export interface ValidationSamples {
  /** As a saved text is read: guarded, parsed in a thread of its own, validated, linted, compiled. */
  readonly read: readonly number[];
  /** cedar-wasm alone, in this thread, where a text that breaks it would break everybody's. */
  readonly wasm: readonly number[];
}

export async function measureValidation(texts: readonly string[]): Promise<ValidationSamples> {
  const samples = { read: [] as number[], wasm: [] as number[] };
  const progress = showProgress('Validating', texts.length, 'texts');
  for (const text of texts) {
    const startedAt = performance.now();
    const read = await readText(wasmParser, text);
    samples.read.push(performance.now() - startedAt);
    if ('problems' in read) throw new Error(`A text is not valid: ${JSON.stringify(read.problems)} ${text}`);
    const wasmAt = performance.now();
    validate({ schema: SCHEMA, policies: { staticPolicies: text }, validationSettings: { mode: 'strict' } });
    checkParsePolicySet({ staticPolicies: text });
    samples.wasm.push(performance.now() - wasmAt);
    progress.advance(1);
  }
  progress.stop();
  return samples;
}
