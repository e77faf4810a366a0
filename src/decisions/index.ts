export type { DecideOutcome } from './decide.js';
export { decideInTime, type DecidingInTime } from './decide-in-time.js';
export type { Decision } from './decision.js';
export type { AccessReading } from './explain/access-facts.js';
export { explainPolicies, type Explaining, type ExplainOutcome, type ExplainRequest } from './explain/explain-policies.js';
export { MAX_ARGUMENTS_CHARACTERS, type Question } from './question.js';
export { recordRefusals, type Refusal, type Refusals } from './refusals.js';
export { keepSnapshots, type Snapshots } from './snapshot.js';
