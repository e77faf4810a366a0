export { decide, type DecideOutcome, type Deciding } from './decide.js';
export type { Decision } from './decision.js';
export type { AccessReading } from './explain/access-facts.js';
export { explainPolicies, type Explaining, type ExplainOutcome, type ExplainRequest } from './explain/explain-policies.js';
export { MAX_ARGUMENTS_CHARACTERS, type Question } from './question.js';
export { keepSelfCheck, type SelfCheck } from './self-check.js';
export { keepTrust, type Trust } from './trust.js';
export { keepSnapshots, type Snapshots } from './snapshot.js';
