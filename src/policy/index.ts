export { createPolicy, publishPolicy, retirePolicy, type PolicyChanging } from './change-policy.js';
export { isObligation } from './annotations.js';
export { evaluate, preparePolicySet, type Evaluation, type PolicySet, type Reason } from './evaluate.js';
export { SCHEMA, SCHEMA_VERSION } from './model.js';
export type { PolicyInForce } from './policy.js';
export type { PolicyEngine, PolicyParser, PolicyReader, PolicyTransaction, PolicyWriter } from './ports.js';
export type { PolicyReading } from './read-policies.js';
export {
  EXECUTION_MODES,
  STRICTEST_CIRCUMSTANCES,
  SURFACES,
  type Approval,
  type Circumstances,
  type ToolCall,
  type ToolFacts,
} from './tool-call.js';
