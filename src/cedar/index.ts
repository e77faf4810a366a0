export { entitiesFromJson, requestFromJson, valueFromJson, valueToJson } from './cedar-json.js';
export { readerOf, type EntityNode, type EntityReader } from './entities.js';
export { fieldsOf, recordOf, setOf } from './equality.js';
export type { ClauseExplanation, PolicyExplanation } from './explain.js';
export { datetime, duration } from './extensions/datetime.js';
export { parseDecimal } from './extensions/decimal.js';
export { parseIp } from './extensions/ip.js';
export type { Request } from './frame.js';
export { linkTemplate, type Slots } from './link-template.js';
export { exactLong, type Long } from './long.js';
export type { ErrorCode } from './outcome.js';
export { compilePolicies, type Answer, type CompiledPolicies, type Decision, type PolicyError } from './policies.js';
export type { ClauseKind, Effect } from './read-policy.js';
export { Unsupported, UnsupportedPolicy } from './refusal.js';
export {
  entityUid,
  type Datetime,
  type Decimal,
  type Duration,
  type EntityUid,
  type Fields,
  type IpAddress,
  type RecordValue,
  type SetValue,
  type Value,
} from './value.js';
