export { rememberServiceAccounts, type KnownServiceAccounts } from './known-service-accounts.js';
export { maintainedNamespace, memberNamespaces, overseesOrganization, ownedLine, ownedNamespace, readableNamespaces } from './access.js';
export {
  DATA_CLASSES,
  ROLE_LEVELS,
  type Agent,
  type DirectoryUser,
  type Membership,
  type Namespace,
  type NamespaceKind,
  type Role,
} from './namespace.js';
export type { AgentReader, Directory, DirectoryWriter, EpochCounter, EpochHints, NamespacePaths } from './ports.js';
export { pushDirectory, type Pushing } from './push-directory.js';
export { DirectoryPush, MAX_PUSH_ROWS, type PushOutcome } from './push.js';
export { auditedNamespaces, isMember, levelIn, type Standing } from './standing.js';
