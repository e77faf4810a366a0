import type { z } from 'zod';
import type { OrganizationId } from '../kernel/index.js';
import type { Agent, DirectoryUser, Membership, Namespace } from './namespace.js';
import { membershipKey, type DirectoryChange, type DirectoryState } from './ports.js';
import { placeNamespaces } from './place-namespaces.js';
import { placeServiceAccounts } from './place-service-accounts.js';
import {
  AgentRow,
  MembershipRow,
  NamespaceRow,
  ServiceAccountRow,
  UserRow,
  type Collection,
  type DirectoryPush,
  type PushOutcome,
  type RowCounts,
  type RowError,
} from './push.js';

/**
 * What a push means for a directory. Pure.
 *
 * Rows may come in any order: a child before its parent, a member before the group; of several with one key the last counts. A
 * row that is not acceptable is reported and left out, the others are taken. Moving or deleting a group carries everything below it.
 */
export function applyPush(
  organizationId: OrganizationId,
  state: DirectoryState,
  push: DirectoryPush,
): { readonly change: DirectoryChange; readonly outcome: PushOutcome } {
  const namespaces = new Tally(state.namespaces, 'namespaces', push.namespaces.length);
  const namespaceRows = parsedRows(push.namespaces, NamespaceRow, namespaces);
  const placed =
    push.namespaces.length === 0
      ? { namespaces: state.namespaces, refused: [] }
      : placeNamespaces(organizationId, state.namespaces, namespaceRows);
  for (const { index, path, message } of placed.refused) namespaces.reject(index, path, message);
  namespaces.settle(placed.namespaces, namespaceRows, ({ id }) => id);

  const memberships = new Tally(state.memberships, 'memberships', push.memberships.length);
  const membershipRows = parsedRows(push.memberships, MembershipRow, memberships);
  memberships.settle(membersAfter(state, placed.namespaces, memberships, membershipRows), membershipRows, membershipKey);

  const agents = new Tally(state.agents, 'agents', push.agents.length);
  const agentRows = parsedRows(push.agents, AgentRow, agents);
  agents.settle(agentsAfter(state, agentRows), agentRows, ({ id }) => id);

  const serviceAccounts = new Tally(state.serviceAccounts, 'serviceAccounts', push.serviceAccounts.length);
  const serviceAccountRows = parsedRows(push.serviceAccounts, ServiceAccountRow, serviceAccounts);
  const known = placeServiceAccounts(state.serviceAccounts, serviceAccountRows);
  for (const { index, path, message } of known.refused) serviceAccounts.reject(index, path, message);
  serviceAccounts.settle(known.accounts, serviceAccountRows, ({ userId }) => userId);

  const users = new Tally(state.users, 'users', push.users.length);
  const userRows = parsedRows(push.users, UserRow, users);
  users.settle(usersAfter(state, userRows), userRows, ({ id }) => id);

  const tallies = [namespaces, memberships, agents, serviceAccounts, users];
  return {
    change: {
      namespaces: namespaces.change(),
      memberships: memberships.change(),
      agents: agents.change(),
      serviceAccounts: serviceAccounts.change(),
      users: users.change(),
    },
    outcome: {
      namespaces: namespaces.counts(),
      memberships: memberships.counts(),
      agents: agents.counts(),
      serviceAccounts: serviceAccounts.counts(),
      users: users.counts(),
      errors: tallies.flatMap(({ errors }) => errors),
    },
  };
}

interface Parsed<Row> {
  readonly index: number;
  readonly row: Row;
}

function parsedRows<Row>(
  rows: readonly unknown[],
  schema: z.ZodType<Row>,
  tally: { reject(index: number, path: string, message: string): void },
): readonly Parsed<Row>[] {
  return rows.flatMap((raw, index) => {
    const parsed = schema.safeParse(raw);
    if (parsed.success) return [{ index, row: parsed.data }];
    const { path, message } = firstProblem(parsed.error);
    tally.reject(index, path, message);
    return [];
  });
}

/** The first problem in the row's own terms: of a union, that of the member which came furthest. */
function firstProblem(error: z.ZodError): { readonly path: string; readonly message: string } {
  const issue = error.issues[0];
  if (issue === undefined) return { path: '', message: 'is not acceptable' };
  if (issue.code === 'invalid_union') {
    const issues = issue.errors.at(-1) ?? [];
    const inner = issues[0];
    if (inner !== undefined) return { path: inner.path.join('.'), message: inner.message };
  }
  return { path: issue.path.join('.'), message: issue.message };
}

function membersAfter(
  state: DirectoryState,
  namespaces: ReadonlyMap<string, Namespace>,
  tally: Tally<Membership>,
  rows: readonly Parsed<z.infer<typeof MembershipRow>>[],
): ReadonlyMap<string, Membership> {
  const after = new Map([...state.memberships].filter(([, membership]) => namespaces.has(membership.namespaceId)));
  for (const { index, row } of rows) {
    const key = membershipKey(row);
    if (row.deleted) after.delete(key);
    else if (namespaces.has(row.namespaceId)) after.set(key, { namespaceId: row.namespaceId, userId: row.userId, role: row.role });
    else tally.reject(index, 'namespaceId', `there is no namespace ${JSON.stringify(row.namespaceId)} in this organization`);
  }
  return after;
}

function agentsAfter(state: DirectoryState, rows: readonly Parsed<z.infer<typeof AgentRow>>[]): ReadonlyMap<string, Agent> {
  const after = new Map(state.agents);
  for (const { row } of rows) {
    if (row.deleted) after.delete(row.id);
    else {
      const { id, name, classes, trust, ownerId, autonomous } = row;
      after.set(id, { id, name: name ?? id, classes: [...new Set(classes)].sort(), trust, ownerId, autonomous });
    }
  }
  return after;
}

function usersAfter(state: DirectoryState, rows: readonly Parsed<z.infer<typeof UserRow>>[]): ReadonlyMap<string, DirectoryUser> {
  const after = new Map(state.users);
  for (const { row } of rows) {
    if (row.deleted) after.delete(row.id);
    else after.set(row.id, { id: row.id, teams: [...new Set(row.teams)].sort() });
  }
  return after;
}

/** Counts what became of the rows of one collection. */
class Tally<Row extends object> {
  readonly errors: RowError[] = [];
  readonly #before: ReadonlyMap<string, Row>;
  readonly #collection: Collection;
  readonly #received: number;
  #put: Row[] = [];
  #created = 0;
  #unchanged = 0;
  #remove: string[] = [];

  constructor(before: ReadonlyMap<string, Row>, collection: Collection, received: number) {
    this.#before = before;
    this.#collection = collection;
    this.#received = received;
  }

  reject(index: number, path: string, message: string): void {
    this.errors.push({ collection: this.#collection, index, path, message });
  }

  /** Compares with what was there before. `rows` are those that could be read, `keyOf` the key that one speaks of. */
  settle<Given>(after: ReadonlyMap<string, Row>, rows: readonly Parsed<Given>[], keyOf: (row: Given) => string): void {
    const changed = new Set<string>();
    for (const [key, row] of after) {
      const earlier = this.#before.get(key);
      if (earlier !== undefined && isSameRow(earlier, row)) continue;
      if (earlier === undefined) this.#created += 1;
      this.#put.push(row);
      changed.add(key);
    }
    this.#remove = [...this.#before.keys()].filter((key) => !after.has(key));
    for (const key of this.#remove) changed.add(key);

    const rejected = new Set(this.errors.map((error) => error.index));
    const taken = rows.filter(({ index }) => !rejected.has(index)).map(({ row }) => keyOf(row));
    this.#unchanged = taken.length - new Set(taken.filter((key) => changed.has(key))).size;
  }

  change(): { readonly put: readonly Row[]; readonly remove: readonly string[] } {
    return { put: this.#put, remove: this.#remove };
  }

  counts(): RowCounts {
    return {
      received: this.#received,
      created: this.#created,
      updated: this.#put.length - this.#created,
      unchanged: this.#unchanged,
      deleted: this.#remove.length,
      rejected: this.errors.length,
    };
  }
}

const isSameRow = (left: object, right: object): boolean =>
  left === right || JSON.stringify(Object.entries(left).sort()) === JSON.stringify(Object.entries(right).sort());
