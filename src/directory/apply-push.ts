import type { z } from 'zod';
import type { OrganizationId } from '../kernel/index.js';
import type { Agent, Membership, Namespace } from './namespace.js';
import { membershipKey, type DirectoryChange, type DirectoryState } from './ports.js';
import {
  AgentRow,
  MembershipRow,
  NamespaceRow,
  type Collection,
  type DirectoryPush,
  type PushOutcome,
  type RowCounts,
  type RowError,
} from './push.js';

/** The deepest a namespace may lie below its organization. */
export const MAX_DEPTH = 30;

/**
 * What a push means for a directory. Pure.
 *
 * Rows may come in any order: a child before its parent, a member before the group. A row that is not acceptable is reported
 * and left out, the others are taken. Moving or deleting a group carries everything below it.
 */
export function applyPush(
  organizationId: OrganizationId,
  state: DirectoryState,
  push: DirectoryPush,
): { readonly change: DirectoryChange; readonly outcome: PushOutcome } {
  const tree = new NamespaceTree(organizationId, state.namespaces);
  const namespaces = new Tally(state.namespaces, 'namespaces', push.namespaces.length);
  const namespaceRows = parsedRows(push.namespaces, NamespaceRow, namespaces);
  applyNamespaces(tree, namespaces, namespaceRows);
  namespaces.settle(tree.finished(), namespaceRows, ({ id }) => id);

  const memberships = new Tally(state.memberships, 'memberships', push.memberships.length);
  const membershipRows = parsedRows(push.memberships, MembershipRow, memberships);
  memberships.settle(membersAfter(state, tree, memberships, membershipRows), membershipRows, membershipKey);

  const agents = new Tally(state.agents, 'agents', push.agents.length);
  const agentRows = parsedRows(push.agents, AgentRow, agents);
  agents.settle(agentsAfter(state, agentRows), agentRows, ({ id }) => id);

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

type NamespaceInput = z.infer<typeof NamespaceRow>;

function applyNamespaces(tree: NamespaceTree, tally: Tally<Namespace>, rows: readonly Parsed<NamespaceInput>[]): void {
  // What stands in a row's way may go with a row behind it, so what is refused is tried again until a round seats nobody.
  let waiting = rows;
  for (;;) {
    const refused = waiting.flatMap((parsed) => {
      const problem = tree.apply(parsed.row);
      return problem === null ? [] : [{ ...parsed, problem }];
    });
    if (refused.length === waiting.length) {
      for (const { index, problem } of refused) tally.reject(index, problem.path, problem.message);
      return;
    }
    waiting = refused;
  }
}

/** What is wrong with a row as things stand. */
interface Problem {
  readonly path: string;
  readonly message: string;
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

  /** Seats or removes a row: null when done, else what is wrong. */
  apply(row: NamespaceInput): Problem | null {
    if (row.deleted) return this.#remove(row.id);
    const seat: Seat = { id: row.id, kind: row.kind, parentId: row.parentId, path: row.path, name: row.name ?? row.path };
    if (seat.kind === 'ORGANIZATION') return this.#seatOrganization(seat);
    if (seat.id === this.#organizationId)
      return { path: 'kind', message: 'must be ORGANIZATION: this is the id of the organization itself' };
    if (seat.parentId === null) return { path: 'parentId', message: 'must name the namespace above; only an ORGANIZATION has none' };
    const parent = this.#seats.get(seat.parentId);
    if (parent === undefined)
      return { path: 'parentId', message: `there is no namespace ${JSON.stringify(seat.parentId)} in this organization` };
    if (parent.kind === 'PROJECT')
      return { path: 'parentId', message: 'must name an organization or a group; a project holds no namespaces' };
    const above = this.#lineOf(parent.id);
    if (above.includes(seat.id)) return { path: 'parentId', message: 'must not lie below the namespace itself' };
    if (above.length + this.#heightOf(seat) > MAX_DEPTH)
      return { path: 'parentId', message: `must leave nothing more than ${MAX_DEPTH} levels below the organization` };
    if (seat.kind === 'PROJECT' && this.#childrenOf(seat.id).size > 0)
      return { path: 'kind', message: 'must be GROUP: there are namespaces below it' };
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

  #seatOrganization(seat: Seat): Problem | null {
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

  #remove(id: string): Problem | null {
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

  /** How many levels lie below a namespace that is about to be seated elsewhere; 0 for one that stays. */
  #heightOf({ id, parentId }: Seat): number {
    if (this.#seats.get(id)?.parentId === parentId) return 0;
    let height = 0;
    for (let level = [...this.#childrenOf(id)]; level.length > 0; height += 1)
      level = level.flatMap((child) => [...this.#childrenOf(child)]);
    return height;
  }

  #childrenOf(id: string): Set<string> {
    const children = this.#children.get(id) ?? new Set();
    this.#children.set(id, children);
    return children;
  }
}

function membersAfter(
  state: DirectoryState,
  tree: NamespaceTree,
  tally: Tally<Membership>,
  rows: readonly Parsed<z.infer<typeof MembershipRow>>[],
): ReadonlyMap<string, Membership> {
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
  JSON.stringify(Object.entries(left).sort()) === JSON.stringify(Object.entries(right).sort());
