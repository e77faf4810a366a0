import type { z } from 'zod';
import type { OrganizationId } from '../kernel/index.js';
import type { Agent, Membership, Namespace } from './namespace.js';
import { membershipKey, type DirectoryChange, type DirectoryState } from './ports.js';
import { AgentRow, MembershipRow, NamespaceRow, type Collection, type DirectoryPush, type PushOutcome, type RowCounts, type RowError } from './push.js';

/** The deepest a namespace may lie below its organization. */
export const MAX_DEPTH = 30;

/**
 * What a push means for a directory. Pure.
 *
 * Rows may come in any order: a child before its parent, a member before the group. A row that is not acceptable is reported
 * and left out, the others are taken. Moving or deleting a group carries everything below it.
 */
export function applyPush(organizationId: OrganizationId, state: DirectoryState, push: DirectoryPush): { readonly change: DirectoryChange; readonly outcome: PushOutcome } {
  const tree = new NamespaceTree(organizationId, state.namespaces);
  const namespaces = new Tally(state.namespaces, 'namespaces', push.namespaces.length);
  applyNamespaces(tree, namespaces, parsedRows(push.namespaces, NamespaceRow, namespaces));
  namespaces.settle(tree.finished());

  const memberships = new Tally(state.memberships, 'memberships', push.memberships.length);
  memberships.settle(membersAfter(state, tree, memberships, parsedRows(push.memberships, MembershipRow, memberships)));

  const agents = new Tally(state.agents, 'agents', push.agents.length);
  agents.settle(agentsAfter(state, parsedRows(push.agents, AgentRow, agents)));

  return {
    change: { namespaces: namespaces.change(), memberships: memberships.change(), agents: agents.change() },
    outcome: {
      namespaces: namespaces.counts(),
      memberships: memberships.counts(),
      agents: agents.counts(),
      errors: [...namespaces.errors, ...memberships.errors, ...agents.errors],
    },
  };
}

interface Parsed<Row> {
  readonly index: number;
  readonly row: Row;
}

function parsedRows<Row>(rows: readonly unknown[], schema: z.ZodType<Row>, tally: { reject(index: number, path: string, message: string): void }): readonly Parsed<Row>[] {
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

type NamespaceInput = z.infer<typeof NamespaceRow>;

function applyNamespaces(tree: NamespaceTree, tally: Tally<Namespace>, rows: readonly Parsed<NamespaceInput>[]): void {
  // A row whose parent is not there yet waits; each round that seats at least one may seat more.
  let waiting = rows;
  for (let before = -1; waiting.length > 0 && waiting.length !== before; ) {
    before = waiting.length;
    waiting = waiting.filter(({ index, row }) => {
      const verdict = tree.apply(row);
      if (verdict !== null && verdict !== 'waits') tally.reject(index, verdict.path, verdict.message);
      return verdict === 'waits';
    });
  }
  for (const { index, row } of waiting) {
    tally.reject(index, 'parentId', row.deleted ? 'is not there' : `there is no namespace ${JSON.stringify(row.parentId)} in this organization`);
  }
}

type Seat = Omit<Namespace, 'ancestors'>;

/** The tree while a push is applied. */
class NamespaceTree {
  readonly #organizationId: OrganizationId;
  readonly #seats: Map<string, Seat>;
  readonly #children = new Map<string, Set<string>>();

  constructor(organizationId: OrganizationId, namespaces: ReadonlyMap<string, Namespace>) {
    this.#organizationId = organizationId;
    this.#seats = new Map(namespaces);
    for (const { id, parentId } of namespaces.values()) if (parentId !== null) this.#childrenOf(parentId).add(id);
  }

  has(id: string): boolean {
    return this.#seats.has(id);
  }

  /** Seats or removes a row: null when done, `waits` when its parent may come with a later row, else what is wrong. */
  apply(row: NamespaceInput): null | 'waits' | { readonly path: string; readonly message: string } {
    if (row.deleted) return this.#remove(row.id);
    const seat: Seat = { id: row.id, kind: row.kind, parentId: row.parentId, path: row.path, name: row.name ?? row.path };
    if (seat.kind === 'ORGANIZATION') return this.#seatOrganization(seat);
    if (seat.id === this.#organizationId) return { path: 'kind', message: 'must be ORGANIZATION: this is the id of the organization itself' };
    if (seat.parentId === null) return { path: 'parentId', message: `must name the namespace above; only an ORGANIZATION has none` };
    const parent = this.#seats.get(seat.parentId);
    if (parent === undefined) return 'waits';
    if (parent.kind === 'PROJECT') return { path: 'parentId', message: 'must name an organization or a group; a project holds no namespaces' };
    const above = this.#lineOf(parent.id);
    if (above.includes(seat.id)) return { path: 'parentId', message: 'must not lie below the namespace itself' };
    if (above.length >= MAX_DEPTH) return { path: 'parentId', message: `must lie at most ${MAX_DEPTH} levels deep` };
    if (seat.kind === 'PROJECT' && this.#childrenOf(seat.id).size > 0) return { path: 'kind', message: 'must be GROUP: there are namespaces below it' };
    this.#seat(seat);
    return null;
  }

  /** All namespaces, each with its line of ancestors. */
  finished(): ReadonlyMap<string, Namespace> {
    const done = new Map<string, Namespace>();
    const walk = (id: string, above: readonly string[]): void => {
      const seat = this.#seats.get(id);
      if (seat === undefined) return;
      const ancestors = [...above, id];
      done.set(id, { ...seat, ancestors });
      for (const child of this.#childrenOf(id)) walk(child, ancestors);
    };
    walk(this.#organizationId, []);
    return done;
  }

  #seatOrganization(seat: Seat): null | { readonly path: string; readonly message: string } {
    if (seat.id !== this.#organizationId) return { path: 'id', message: 'must be the organization that the token is for' };
    if (seat.parentId !== null) return { path: 'parentId', message: 'must be null for an organization' };
    this.#seat(seat);
    return null;
  }

  #seat(seat: Seat): void {
    const before = this.#seats.get(seat.id)?.parentId ?? null;
    if (before !== null) this.#childrenOf(before).delete(seat.id);
    if (seat.parentId !== null) this.#childrenOf(seat.parentId).add(seat.id);
    this.#seats.set(seat.id, seat);
  }

  #remove(id: string): null | { readonly path: string; readonly message: string } {
    if (id === this.#organizationId) return { path: 'id', message: 'must not be the organization: it cannot be deleted by a push' };
    const parentId = this.#seats.get(id)?.parentId ?? null;
    if (parentId !== null) this.#childrenOf(parentId).delete(id);
    const doomed = [id];
    for (let next = doomed.pop(); next !== undefined; next = doomed.pop()) {
      this.#seats.delete(next);
      doomed.push(...this.#childrenOf(next));
      this.#children.delete(next);
    }
    return null;
  }

  #lineOf(id: string): readonly string[] {
    const line: string[] = [];
    for (let next: string | null = id; next !== null; next = this.#seats.get(next)?.parentId ?? null) line.push(next);
    return line;
  }

  #childrenOf(id: string): Set<string> {
    const children = this.#children.get(id) ?? new Set();
    this.#children.set(id, children);
    return children;
  }
}

function membersAfter(state: DirectoryState, tree: NamespaceTree, tally: Tally<Membership>, rows: readonly Parsed<z.infer<typeof MembershipRow>>[]): ReadonlyMap<string, Membership> {
  const after = new Map([...state.memberships].filter(([, membership]) => tree.has(membership.namespaceId)));
  for (const { index, row } of rows) {
    const key = membershipKey(row);
    if (row.deleted) after.delete(key);
    else if (tree.has(row.namespaceId)) after.set(key, { namespaceId: row.namespaceId, userId: row.userId, role: row.role });
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

/** Counts what became of the rows of one collection. */
class Tally<Row extends object> {
  readonly errors: RowError[] = [];
  readonly #before: ReadonlyMap<string, Row>;
  readonly #collection: Collection;
  readonly #received: number;
  #put: Row[] = [];
  #created = 0;
  #remove: string[] = [];

  constructor(before: ReadonlyMap<string, Row>, collection: Collection, received: number) {
    this.#before = before;
    this.#collection = collection;
    this.#received = received;
  }

  reject(index: number, path: string, message: string): void {
    this.errors.push({ collection: this.#collection, index, path, message });
  }

  settle(after: ReadonlyMap<string, Row>): void {
    for (const [key, row] of after) {
      const earlier = this.#before.get(key);
      if (earlier === undefined) this.#created += 1;
      if (earlier === undefined || !isSameRow(earlier, row)) this.#put.push(row);
    }
    this.#remove = [...this.#before.keys()].filter((key) => !after.has(key));
  }

  change(): { readonly put: readonly Row[]; readonly remove: readonly string[] } {
    return { put: this.#put, remove: this.#remove };
  }

  counts(): RowCounts {
    const updated = this.#put.length - this.#created;
    const taken = this.#received - this.errors.length;
    return {
      received: this.#received,
      created: this.#created,
      updated,
      unchanged: Math.max(0, taken - this.#put.length - this.#remove.length),
      deleted: this.#remove.length,
      rejected: this.errors.length,
    };
  }
}

const isSameRow = (left: object, right: object): boolean => JSON.stringify(Object.entries(left).sort()) === JSON.stringify(Object.entries(right).sort());
