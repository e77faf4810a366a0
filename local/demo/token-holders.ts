import type { TokenRequest } from '../issuer.js';
import { organization } from './organization.js';

const everything =
  'audit:read audit:content audit:record decision:request policy:write recording:write retention:write tool:write directory:write act:any';

/** Who `npm start` has tokens for. */
export const tokenHolders = {
  developer: holder('gid://platform/User/1', 'audit:read audit:record decision:request'),
  policyAdmin: holder('gid://platform/User/2', everything),
  securityTool: holder('gid://platform/User/3', 'audit:read'),
  agentPlatform: holder('gid://platform/User/4', 'audit:record decision:request directory:write act:any'),
} as const satisfies Record<string, TokenRequest>;

export type TokenHolder = keyof typeof tokenHolders;

export type Tokens = Readonly<Record<TokenHolder, string>>;

export function isTokenHolder(name: string): name is TokenHolder {
  return Object.hasOwn(tokenHolders, name);
}

function holder(userId: string, scopes: string): TokenRequest {
  return { userId, organizationId: organization.id, scopes: scopes.split(' ') };
}
