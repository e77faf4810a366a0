export { decide, type DecideOutcome, type Deciding } from './decide.js';
export type { Decision } from './decision.js';
export type { AccessReading } from './explain/access-facts.js';
export { listEffectiveTools, listToolAccess } from './explain/effective-access.js';
export { explainPolicies, type Explaining, type ExplainOutcome, type ExplainRequest } from './explain/explain-policies.js';
export { wouldBeAnswered } from './explain/would-be-answered.js';
export { MAX_ARGUMENTS_CHARACTERS, type Question } from './question.js';
export { keepSnapshots, type Snapshots } from './snapshot.js';
