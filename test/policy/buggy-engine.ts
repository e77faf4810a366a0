import { estsOf } from '../../src/policy/compiled-engine.js';
import type { EngineComparison } from '../../src/policy/self-check/ports.js';
import { compareEngines } from '../../src/policy/self-check/compare-engines.js';
import type { PolicyEngine } from '../../src/policy/index.js';
import { wasmEngine } from '../../src/policy/wasm/engines.js';
import { mutantOf } from '../cedar/mutant.js';
import { MUTANTS } from '../cedar/mutants.js';

/** What decides in production, with one of the known bugs in it. */
export function buggyEngine(what: string): PolicyEngine {
  const [, file, text, replacement] = MUTANTS.find(([name]) => name === what) ?? [];
  if (file === undefined || text === undefined || replacement === undefined) throw new Error(`There is no such bug: ${what}`);
  const { compilePolicies } = mutantOf(file, text, replacement);
  return {
    load(statements) {
      const compiled = compilePolicies(estsOf(statements));
      return {
        authorize(request) {
          const { isAllowed, reasons, errors } = compiled.authorize(request, ({ key }) => request.entities.get(key));
          return { isAllowed, reasons, errors: errors.map(({ policyId }) => policyId) };
        },
        mayApply: () => true,
        explain: (request) => compiled.explain(request, ({ key }) => request.entities.get(key)),
      };
    },
  };
}

/** Compares it with Cedar, in this thread. */
export const comparing = (engine: PolicyEngine): EngineComparison => ({
  expect: () => undefined,
  compare: async (question) => compareEngines(engine, wasmEngine, question),
  close: async () => undefined,
});
