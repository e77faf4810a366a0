import type { ToolCall } from '../tool-call.js';

/** What could be otherwise, the least intrusive first. */
export const CHANGE_KINDS = [
  'APPROVAL',
  'PROMISE',
  'EXECUTION_MODE',
  'SURFACE',
  'ENVIRONMENT',
  'BRANCH',
  'BRANCH_PROTECTION',
  'SESSION',
  'TIME',
  'USER_ROLE',
  'USER_TEAM',
  'AGENT_KNOWN',
  'AGENT_AUTONOMY',
  'AGENT_TRUST',
  'AGENT_CLASS',
  'TOOL_REGISTRATION',
  'TOOL_ACTION_TYPE',
  'TOOL_LABEL',
  'PROJECT_DATA_CLASS',
  'PROJECT_FROZEN',
  'STATEMENT_REMOVAL',
  'POLICY_RETIREMENT',
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** The kinds that are about what the directory says of the agent. */
const OF_AGENT: readonly ChangeKind[] = ['AGENT_KNOWN', 'AGENT_AUTONOMY', 'AGENT_TRUST', 'AGENT_CLASS'];
export const isOfAgent = ({ kind }: { readonly kind: ChangeKind }): boolean => OF_AGENT.includes(kind);

/** One thing of a call that could be otherwise. */
export interface CallChange {
  readonly kind: ChangeKind;
  /** What it is; null for nothing. */
  readonly from: string | null;
  /** What it would be; null for nothing. */
  readonly to: string | null;
  /** For a person: "If …". */
  readonly message: string;
  /** The call as it would be. */
  readonly call: ToolCall;
}

/** Changes of one thing, from the smallest to the largest: once one turns the verdict, larger ones count only when they turn it further. */
export type Ladder = readonly CallChange[];
