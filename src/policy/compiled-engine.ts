import { compilePolicies, UnsupportedPolicy, type EntityUid } from '../cedar/index.js';
import type { CedarRequest, PolicyEngine } from './ports.js';
import type { PolicyProblem, Statement } from './policy.js';

/** Decides in microseconds: policies compiled to closures. */
export const compiledEngine: PolicyEngine = {
  load(statements) {
    const compiled = compilePolicies(estsOf(statements));
    return {
      authorize(request) {
        const { isAllowed, reasons, errors } = compiled.authorize(request, readerOf(request));
        return { isAllowed, reasons, errors: errors.map(({ policyId }) => policyId) };
      },
      mayApply: (request) => compiled.mayApply(request, readerOf(request)),
      explain: (request) => compiled.explain(request, readerOf(request)),
    };
  },
};

/** What of parsed statements cannot be compiled; null when all can. */
export function holdingProblem(statements: readonly Statement[]): PolicyProblem | null {
  try {
    compilePolicies(new Map(statements.map(({ est }, index) => [`the statement number ${index + 1}`, est])));
    return null;
  } catch (error) {
    if (!(error instanceof UnsupportedPolicy)) throw error;
    const help = 'It is valid Cedar that this service does not evaluate. Write it in another way.';
    return { message: `${error.message}.`, help, line: null, column: null };
  }
}

/** The statements in Cedar's JSON form. */
export const estsOf = (statements: ReadonlyMap<string, Statement>): ReadonlyMap<string, Statement['est']> =>
  new Map([...statements].map(([id, { est }]) => [id, est]));

const readerOf =
  ({ entities }: CedarRequest) =>
  (uid: EntityUid) =>
    entities.get(uid.key);
