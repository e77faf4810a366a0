import { randomUUID } from 'node:crypto';
import type { TokenRequest } from '../../local/issuer.js';
import type { Role } from '../../src/directory/index.js';
import { SCOPES } from '../../src/kernel/index.js';
import type { Client, TestSubgraph } from './subgraph.js';

/** A little company of its own, so that no test sees what another did. */
export interface TestOrganization {
  readonly id: string;
  /** Group, at the top. */
  readonly payments: string;
  /** Group in `payments`. */
  readonly core: string;
  /** Project in `core`: the fourth level of the tree. */
  readonly api: string;
  /** Project in `payments`, so a sibling of `core`. */
  readonly web: string;
  /** Project at the top, so a sibling of `payments`. */
  readonly shop: string;
  /** An agent that the platform has told us of: class `coding`, trust 60, watched by a human. */
  readonly coder: string;
  /** Somebody with one role in one namespace, by default with every scope that is for one's own doings. */
  member(role: Role, namespaceId: string, token?: Partial<TokenRequest>): Promise<Client>;
  /** Somebody with a token of the organization and no role in it. */
  outsider(): Promise<Client>;
  /** The platform's service account. */
  readonly platform: Client;
}

/** Pushes a company into the directory: organization / payments / core / api, payments / web, shop. */
export async function anOrganization(subgraph: TestSubgraph): Promise<TestOrganization> {
  const id = `gid://platform/Organization/${randomUUID()}`;
  const of = (kind: string, name: string): string => `${id.replace('Organization', kind)}/${name}`;
  const place = {
    id,
    payments: of('Group', 'payments'),
    core: of('Group', 'core'),
    api: of('Project', 'api'),
    web: of('Project', 'web'),
    shop: of('Project', 'shop'),
    coder: of('Agent', 'coder'),
  };
  const platform = await subgraph.as({ userId: of('User', 'platform'), organizationId: id, scopes: [...SCOPES] });
  await pushed(platform, {
    namespaces: [
      { id, kind: 'ORGANIZATION', parentId: null, path: 'company' },
      { id: place.payments, kind: 'GROUP', parentId: id, path: 'payments' },
      { id: place.core, kind: 'GROUP', parentId: place.payments, path: 'core' },
      { id: place.api, kind: 'PROJECT', parentId: place.core, path: 'api' },
      { id: place.web, kind: 'PROJECT', parentId: place.payments, path: 'web' },
      { id: place.shop, kind: 'PROJECT', parentId: id, path: 'shop' },
    ],
    agents: [{ id: place.coder, classes: ['coding'], trust: 60, autonomous: false, ownerId: of('User', 'ada') }],
  });
  const holder = (userId: string, token: Partial<TokenRequest> = {}): Promise<Client> =>
    subgraph.as({ userId, organizationId: id, scopes: SCOPES.filter((scope) => scope !== 'act:any'), ...token });
  return {
    ...place,
    platform,
    async member(role, namespaceId, token = {}) {
      const userId = token.userId ?? of('User', randomUUID());
      await pushed(platform, { memberships: [{ namespaceId, userId, role }] });
      return holder(userId, token);
    },
    outsider: () => holder(of('User', randomUUID())),
  };
}

/** Pushes rows of which none may be refused. */
export async function pushed(platform: Client, rows: Readonly<Record<string, readonly object[]>>): Promise<void> {
  const response = await platform.request('/v1/directory', {
    method: 'PUT',
    body: JSON.stringify(rows),
    headers: { 'content-type': 'application/json' },
  });
  const outcome: unknown = await response.json();
  const isTaken =
    response.ok &&
    typeof outcome === 'object' &&
    outcome !== null &&
    'errors' in outcome &&
    Array.isArray(outcome.errors) &&
    outcome.errors.length === 0;
  if (!isTaken) throw new Error(`The directory refused a push: ${JSON.stringify(outcome)}`);
}
