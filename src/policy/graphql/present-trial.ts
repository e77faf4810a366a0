import type { CaseResult, CasesRun } from '../cases/run-cases.js';
import type { Reason } from '../evaluate.js';
import type { Trial } from '../try-out.js';

/** What a payload says where nothing was tried. */
export const NO_TRIAL = { test: null, warnings: [] };

export const presentTrial = ({ run, warnings }: Trial) => ({ test: presentRun(run), warnings });

const presentRun = ({ results, passed, failed, coverage, uncovered }: CasesRun) => ({
  ...{ passed, failed },
  results: results.map(presentCase),
  coverage: coverage.map(({ name, ...statement }) => ({ ...statement, statement: name })),
  uncovered: uncovered.map(({ name, ...one }) => ({ ...one, statement: name })),
});

export const presentCase = ({ case: { name, line, beside, expect }, isPassed, got, differences }: CaseResult) => ({
  ...{ name, line, beside, passed: isPassed },
  difference: isPassed ? null : differences.join(' '),
  wanted: { verdict: expect.verdict, reasons: expect.reasons, obligations: expect.obligations, approvalNeeded: expect.approval },
  ...{ verdict: got.verdict, basis: got.basis, obligations: got.obligations, approvalNeeded: got.approval },
  reasons: got.reasons.map(presentReason),
  unevaluated: got.failed.map(presentReason),
});

const presentReason = ({ severity, ...reason }: Reason) => ({ ...reason, severity: severity === undefined ? null : SEVERITIES[severity] });

const SEVERITIES = { low: 'LOW', medium: 'MEDIUM', high: 'HIGH', critical: 'CRITICAL' } as const;
