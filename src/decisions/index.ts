export { decide, type DecideOutcome, type Deciding } from './decide.js';
export type { Decision } from './decision.js';
export type { Question } from './question.js';
export { keepSnapshots, type Snapshots } from './snapshot.js';
