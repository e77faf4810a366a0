import { membershipKey, type DirectoryState } from '../../src/directory/ports.js';
import { applyPush } from '../../src/directory/apply-push.js';
import type { DirectoryPush, PushOutcome } from '../../src/directory/push.js';
import { organizationId } from '../../src/kernel/index.js';

export interface TestDirectory {
  push(push: Partial<DirectoryPush>): PushOutcome;
  /** Every namespace by id, as its line of ancestors: `acme > payments > api`. */
  tree(): Readonly<Record<string, string>>;
  /** Who is responsible for each service account. */
  owners(): Readonly<Record<string, string | null>>;
  /** `USER is ROLE in NAMESPACE`, sorted. */
  members(): readonly string[];
  readonly state: DirectoryState;
}

/** The directory of the organization `acme` after these pushes, kept in memory. */
export function aDirectory(...pushes: readonly Partial<DirectoryPush>[]): TestDirectory {
  let state: DirectoryState = {
    namespaces: new Map(),
    memberships: new Map(),
    agents: new Map(),
    serviceAccounts: new Map(),
    users: new Map(),
  };
  const directory: TestDirectory = {
    push(push) {
      const nothing = { namespaces: [], memberships: [], agents: [], serviceAccounts: [], users: [] };
      const { change, outcome } = applyPush(organizationId('acme'), state, { ...nothing, ...push });
      state = {
        namespaces: after(state.namespaces, change.namespaces, ({ id }) => id),
        memberships: after(state.memberships, change.memberships, membershipKey),
        agents: after(state.agents, change.agents, ({ id }) => id),
        serviceAccounts: after(state.serviceAccounts, change.serviceAccounts, ({ userId }) => userId),
        users: after(state.users, change.users, ({ id }) => id),
      };
      return outcome;
    },
    tree: () => Object.fromEntries([...state.namespaces.values()].map(({ id, ancestors }) => [id, ancestors.join(' > ')])),
    members: () => [...state.memberships.values()].map(({ userId, role, namespaceId }) => `${userId} is ${role} in ${namespaceId}`).sort(),
    owners: () => Object.fromEntries([...state.serviceAccounts.values()].map(({ userId, ownerId }) => [userId, ownerId])),
    get state() {
      return state;
    },
  };
  for (const push of pushes) directory.push(push);
  return directory;
}

function after<Row>(
  before: ReadonlyMap<string, Row>,
  change: { readonly put: readonly Row[]; readonly remove: readonly string[] },
  keyOf: (row: Row) => string,
): ReadonlyMap<string, Row> {
  const rows = new Map(before);
  for (const key of change.remove) rows.delete(key);
  for (const row of change.put) rows.set(keyOf(row), row);
  return rows;
}

export const anOrganizationRow = { id: 'acme', kind: 'ORGANIZATION', path: 'acme', name: 'Acme' };
export const aGroupRow = (id: string, parentId = 'acme') => ({ id, kind: 'GROUP', parentId, path: id });
export const aProjectRow = (id: string, parentId: string) => ({ id, kind: 'PROJECT', parentId, path: id });

/** acme > payments > (api, cards > ledger) and acme > search. */
export const acmeRows = [
  anOrganizationRow,
  aGroupRow('payments'),
  aProjectRow('api', 'payments'),
  aGroupRow('cards', 'payments'),
  aProjectRow('ledger', 'cards'),
  aGroupRow('search'),
];
