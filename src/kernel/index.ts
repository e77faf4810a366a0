export { hasJustBeen, type Clock } from './clock.js';
export { hashOf, sha256Hex } from './digest.js';
export { Failure, type FailureCode } from './failure.js';
export { isUuid, organizationId, userId, uuidV7, type OrganizationId, type UserId } from './ids.js';
export {
  boundedPath,
  canonicalJson,
  isExactInteger,
  isJsonObject,
  isWellFormed,
  jsonProblem,
  parseJson,
  type Json,
  type JsonObject,
} from './json.js';
export { othersFirst } from './others-first.js';
export { isPlain, isPlainText } from './text.js';
export { connectionOf, cursorOf, keyIn, MAX_PAGE, pageOf, pageRequest, type ConnectionOf, type Page, type PageRequest } from './page.js';
export { seeded, type Seeded } from './seeded.js';
export { within } from './within.js';
export { requireScope, SCOPES, type Scope, type Viewer } from './viewer.js';
