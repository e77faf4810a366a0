export { isObligation } from './annotations.js';
export { readBaseline, startFromBaseline } from './baseline.js';
export {
  digestOfBundle,
  digestOfSeen,
  MAX_BUNDLE_POLICIES,
  planBundle,
  seenOf,
  type BundleAction,
  type BundleChange,
  type BundledPolicy,
  type BundleDrift,
  type SeenPolicy,
  type StandingPolicy,
} from './bundle.js';
export { MAX_CASES_BYTES } from './cases/read-cases.js';
export { stopBacktests, type Backtesting } from './backtest/start-backtest.js';
export { forEachLine } from './by-line.js';
export type { PolicyChanging } from './changes/changing.js';
export { compiledEngine } from './compiled-engine.js';
export { evaluate, preparePolicySet, UNASKED_BASES, type Evaluation, type PolicySet, type Reason } from './evaluate.js';
export { MAX_TEXT_BYTES } from './guard.js';
export { MAX_APPROVERS } from './annotations.js';
export { DEPENDENCIES, effectiveAccess, type Dependency, type EffectiveAccess } from './explain/effective-access.js';
export { isOfAgent } from './explain/change.js';
export { explainCall, type CallExplanation, type ExplainedPolicy } from './explain/explain-call.js';
export type { ExplainedStatement } from './explain/explain-statement.js';
export { changesInOrder, findChanges, tryChanges, type VerdictChange } from './explain/find-changes.js';
export type { NearMiss } from './explain/near-misses.js';
export { readDraft, type DraftReading, type ReadDraftOutcome } from './read-draft.js';
export { inForceAt, withShadows, type InForce } from './in-force.js';
export { SCHEMA, SCHEMA_VERSION } from './model.js';
export type { PolicyInForce, PolicyProblem } from './policy.js';
export type { PolicyEngine, PolicyParser, PolicyReader, PolicyTransaction, PolicyWriter } from './ports.js';
export type { PolicyReading } from './read-policies.js';
export { differenceBetween, wordsOf as evaluationWords } from './self-check/compare-evaluations.js';
export type { EngineComparison, Reference } from './self-check/ports.js';
export { rememberParses } from './remember-parses.js';
export { statementLines } from './tokens.js';
export { callIn, DECISION_EVENT, factsOf, type RecordedCall } from './recorded-call.js';
export {
  EXECUTION_MODES,
  STRICTEST_CIRCUMSTANCES,
  SURFACES,
  type Approval,
  type Circumstances,
  type OnBehalf,
  type ToolCall,
  type ToolFacts,
} from './tool-call.js';
