import { Failure } from './failure.js';
import type { OrganizationId, UserId } from './ids.js';

/** What a token may be used for. What its user may see or change is decided by their roles on top. */
export const SCOPES = [
  'audit:read',
  'audit:content',
  'audit:record',
  'decision:request',
  'directory:write',
  'policy:write',
  'recording:write',
  'retention:write',
  'tool:write',
  'act:any',
] as const;
export type Scope = (typeof SCOPES)[number];

/** Who is asking, as a verified token says. */
export interface Viewer {
  readonly userId: UserId;
  readonly organizationId: OrganizationId;
  /** The agent for which alone the token speaks; null when it names none. */
  readonly agentId: string | null;
  readonly scopes: ReadonlySet<string>;
  /** When the token ends. */
  readonly expiresAt: Date;
}

/** @throws Failure FORBIDDEN when the viewer's token lacks `scope`. */
export function requireScope(viewer: Viewer, scope: Scope): void {
  if (!viewer.scopes.has(scope)) throw new Failure('FORBIDDEN', `This needs a token with the scope ${scope}.`);
}
