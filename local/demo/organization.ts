/** The demo organization, as the platform knows it. Shared by the example platform and by what loads the directory. */

export interface DemoGroup {
  readonly id: string;
  readonly name: string;
  readonly fullPath: string;
  /** Null: directly in the organization. */
  readonly parentId: string | null;
}

export interface DemoProject {
  readonly id: string;
  readonly name: string;
  readonly fullPath: string;
  readonly groupId: string;
}

export type Role = 'GUEST' | 'REPORTER' | 'DEVELOPER' | 'MAINTAINER' | 'OWNER' | 'AUDITOR';

export interface DemoUser {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly bot: boolean;
  /** The human who is responsible for a bot; null for humans. */
  readonly ownerId: string | null;
  readonly membership: { readonly namespaceId: string; readonly role: Role };
}

export interface DemoAgent {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly classes: readonly string[];
  /** 0 to 100. */
  readonly trust: number;
  readonly ownerId: string;
  readonly autonomous: boolean;
}

export const organization = { id: 'gid://platform/Organization/1', name: 'Acme', path: 'acme' } as const;

export const groups: readonly DemoGroup[] = [
  { id: 'gid://platform/Group/10', name: 'Payments', fullPath: 'acme/payments', parentId: null },
  { id: 'gid://platform/Group/11', name: 'Risk', fullPath: 'acme/payments/risk', parentId: 'gid://platform/Group/10' },
  { id: 'gid://platform/Group/12', name: 'Platform', fullPath: 'acme/platform', parentId: null },
];

export const projects: readonly DemoProject[] = [
  { id: 'gid://platform/Project/100', name: 'Payments API', fullPath: 'acme/payments/api', groupId: 'gid://platform/Group/10' },
  { id: 'gid://platform/Project/101', name: 'Payments Web', fullPath: 'acme/payments/web', groupId: 'gid://platform/Group/10' },
  { id: 'gid://platform/Project/102', name: 'Risk Scoring', fullPath: 'acme/payments/risk/scoring', groupId: 'gid://platform/Group/11' },
  { id: 'gid://platform/Project/103', name: 'Infrastructure', fullPath: 'acme/platform/infra', groupId: 'gid://platform/Group/12' },
];

export const users: readonly DemoUser[] = [
  {
    id: 'gid://platform/User/1',
    username: 'dana',
    name: 'Dana Okafor',
    bot: false,
    ownerId: null,
    membership: { namespaceId: 'gid://platform/Group/10', role: 'DEVELOPER' },
  },
  {
    id: 'gid://platform/User/2',
    username: 'paul',
    name: 'Paul Lindqvist',
    bot: false,
    ownerId: null,
    membership: { namespaceId: organization.id, role: 'OWNER' },
  },
  {
    id: 'gid://platform/User/3',
    username: 'siem',
    name: 'SIEM',
    bot: true,
    ownerId: 'gid://platform/User/2',
    membership: { namespaceId: organization.id, role: 'AUDITOR' },
  },
  {
    id: 'gid://platform/User/4',
    username: 'agent-platform',
    name: 'Agent Platform',
    bot: true,
    ownerId: 'gid://platform/User/2',
    membership: { namespaceId: organization.id, role: 'DEVELOPER' },
  },
  {
    id: 'gid://platform/User/5',
    username: 'ines',
    name: 'Ines Carvalho',
    bot: false,
    ownerId: null,
    membership: { namespaceId: 'gid://platform/Group/11', role: 'MAINTAINER' },
  },
  {
    id: 'gid://platform/User/6',
    username: 'tomasz',
    name: 'Tomasz Nowak',
    bot: false,
    ownerId: null,
    membership: { namespaceId: 'gid://platform/Group/12', role: 'REPORTER' },
  },
];

export const agents: readonly DemoAgent[] = [
  {
    id: 'gid://platform/Agent/code-reviewer',
    name: 'code-reviewer',
    description: 'Reads merge requests and comments on them.',
    classes: ['assistant'],
    trust: 70,
    ownerId: 'gid://platform/User/1',
    autonomous: false,
  },
  {
    id: 'gid://platform/Agent/issue-triager',
    name: 'issue-triager',
    description: 'Labels new issues and asks their authors for what is missing.',
    classes: ['assistant'],
    trust: 60,
    ownerId: 'gid://platform/User/2',
    autonomous: true,
  },
  {
    id: 'gid://platform/Agent/release-manager',
    name: 'release-manager',
    description: 'Prepares releases: changelog, tag, announcement.',
    classes: ['operator'],
    trust: 80,
    ownerId: 'gid://platform/User/2',
    autonomous: true,
  },
];
