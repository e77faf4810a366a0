import type { z } from 'zod';
import type { OrganizationId } from '../kernel/index.js';
import type { Namespace } from './namespace.js';
import type { NamespaceRow } from './push.js';

/** The deepest a namespace may lie below its organization. */
export const MAX_DEPTH = 30;

/** How often rows are looked at anew because others were refused; what is in doubt by then is refused. */
const MAX_ROUNDS = 20;

export interface PlacedRow {
  /** Place in the push, from 0. */
  readonly index: number;
  readonly row: z.infer<typeof NamespaceRow>;
}

export interface RefusedRow {
  readonly index: number;
  readonly path: string;
  readonly message: string;
}

/**
 * The tree that rows make of the namespaces that were there `before`, each with its line of ancestors, and the rows that are
 * refused, in their order. Pure.
 *
 * All rows count at once, as what the platform says is so now: their order does not matter, and of several with one id the last
 * counts. A namespace goes with the one above it, unless a row seats it elsewhere. A refused row leaves its namespace as it was.
 */
export function placeNamespaces(
  organizationId: OrganizationId,
  before: ReadonlyMap<string, Namespace>,
  rows: readonly PlacedRow[],
): { readonly namespaces: ReadonlyMap<string, Namespace>; readonly refused: readonly RefusedRow[] } {
  const plan = new Plan(organizationId, before, rows);
  plan.refuse(plan.problemsOfRowsAlone());
  for (let round = 1; ; round += 1) {
    const tree = plan.tree();
    const problems = round < MAX_ROUNDS ? problemsIn(plan, tree) : plan.allInDoubt();
    if (problems.size === 0) return { namespaces: finished(organizationId, before, tree), refused: plan.refused() };
    plan.refuse(problems);
  }
}

type Seat = Omit<Namespace, 'ancestors'>;

function seatOf(row: Extract<z.infer<typeof NamespaceRow>, { readonly deleted: false }>): Seat {
  const { id, kind, parentId, path, name = path, dataClass, frozen, timeZone } = row;
  return { id, kind, parentId, path, name, dataClass, isFrozen: frozen, timeZone };
}

interface Problem {
  readonly path: string;
  readonly message: string;
}
type Problems = Map<string, Problem>;

const noNamespace = (id: string): Problem => ({
  path: 'parentId',
  message: `there is no namespace ${JSON.stringify(id)} in this organization`,
});

/** Every namespace there would be, and what would lie in each. */
interface Tree {
  readonly seats: ReadonlyMap<string, Seat>;
  readonly children: ReadonlyMap<string, readonly string[]>;
}

/** What rows ask for, as far as it is not refused. */
class Plan {
  readonly #organizationId: OrganizationId;
  readonly #before: ReadonlyMap<string, Namespace>;
  /** Where rows seat namespaces. */
  readonly seated = new Map<string, Seat>();
  readonly #deleted = new Set<string>();
  readonly #indexes = new Map<string, number>();
  readonly #refused: RefusedRow[] = [];

  constructor(organizationId: OrganizationId, before: ReadonlyMap<string, Namespace>, rows: readonly PlacedRow[]) {
    this.#organizationId = organizationId;
    this.#before = before;
    for (const { index, row } of rows) {
      this.#indexes.set(row.id, index);
      this.seated.delete(row.id);
      this.#deleted.delete(row.id);
      if (row.deleted) this.#deleted.add(row.id);
      else this.seated.set(row.id, seatOf(row));
    }
  }

  /** Whether a row seats the namespace where it did not lie before. */
  isMoved(id: string): boolean {
    const seat = this.seated.get(id);
    return seat !== undefined && this.#before.get(id)?.parentId !== seat.parentId;
  }

  /** Whether a row makes a project of what was none. */
  becomesProject(id: string): boolean {
    return this.seated.get(id)?.kind === 'PROJECT' && this.#before.get(id)?.kind !== 'PROJECT';
  }

  /** What is wrong with rows whatever the others say. */
  problemsOfRowsAlone(): Problems {
    const problems: Problems = new Map();
    if (this.#deleted.has(this.#organizationId))
      problems.set(this.#organizationId, { path: 'id', message: 'must not be the organization: it cannot be deleted by a push' });
    for (const seat of this.seated.values()) {
      const problem = this.#problemOf(seat);
      if (problem !== null) problems.set(seat.id, problem);
    }
    return problems;
  }

  #problemOf({ id, kind, parentId, timeZone }: Seat): Problem | null {
    if (kind === 'ORGANIZATION') {
      if (id !== this.#organizationId) return { path: 'id', message: 'must be the organization that the token is for' };
      return parentId === null ? null : { path: 'parentId', message: 'must be null for an organization' };
    }
    if (id === this.#organizationId) return { path: 'kind', message: 'must be ORGANIZATION: this is the id of the organization itself' };
    if (timeZone !== null) return { path: 'timeZone', message: 'must be null but for the organization: it has one clock' };
    return parentId === null ? { path: 'parentId', message: 'must name the namespace above; only an ORGANIZATION has none' } : null;
  }

  /** What there would be. What lies below something deleted goes with it, unless a row says where it lies. */
  tree(): Tree {
    const seats = new Map<string, Seat>([...this.#before, ...this.seated]);
    const children = new Map<string, string[]>();
    for (const { id, parentId } of seats.values()) {
      if (parentId === null) continue;
      const siblings = children.get(parentId);
      if (siblings === undefined) children.set(parentId, [id]);
      else siblings.push(id);
    }
    const going = [...this.#deleted];
    for (let id = going.pop(); id !== undefined; id = going.pop()) {
      seats.delete(id);
      for (const child of children.get(id) ?? []) if (!this.seated.has(child) && seats.has(child)) going.push(child);
    }
    return { seats, children };
  }

  /** Leaves the rows of these namespaces out, and those that would lie below a new one of them. */
  refuse(problems: Problems): void {
    const { children } = this.tree();
    const open = [...problems];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [id, { path, message }] = next;
      const index = this.#indexes.get(id);
      const isSeated = this.seated.delete(id);
      if ((!isSeated && !this.#deleted.delete(id)) || index === undefined) continue;
      this.#refused.push({ index, path, message });
      if (!isSeated || this.#before.has(id)) continue;
      for (const child of children.get(id) ?? []) open.push([child, problems.get(child) ?? noNamespace(id)]);
    }
  }

  allInDoubt(): Problems {
    const message = 'does not fit the other rows of this push; send those that were not refused first, and then this one';
    return new Map([...this.seated.keys()].map((id) => [id, { path: '', message }]));
  }

  refused(): readonly RefusedRow[] {
    return this.#refused.sort((left, right) => left.index - right.index);
  }
}

/** What is wrong with rows in the tree that they make together. */
function problemsIn(plan: Plan, tree: Tree): Problems {
  const problems = problemsOfDepth(plan, tree);
  for (const id of ringsIn(tree)) {
    if (plan.isMoved(id)) problems.set(id, { path: 'parentId', message: 'must not lie below the namespace itself' });
  }
  for (const { id, parentId } of plan.seated.values()) {
    const parent = parentId === null ? null : tree.seats.get(parentId);
    if (parent === undefined) problems.set(id, noNamespace(parentId ?? ''));
    else if (parent?.kind === 'PROJECT' && plan.isMoved(id))
      problems.set(id, { path: 'parentId', message: 'must name an organization or a group; a project holds no namespaces' });
    else if (plan.becomesProject(id) && (tree.children.get(id) ?? []).some((child) => tree.seats.has(child) && !plan.isMoved(child)))
      problems.set(id, { path: 'kind', message: 'must be GROUP: there are namespaces below it' });
  }
  return problems;
}

/** Of each line that is too deep, the lowest row that makes it so. */
function problemsOfDepth(plan: Plan, { seats, children }: Tree): Problems {
  const problems: Problems = new Map();
  const message = `must leave nothing more than ${MAX_DEPTH} levels below the organization`;
  const open: { readonly id: string; readonly depth: number; readonly lowestMoved: string | null }[] = [];
  for (const { id, parentId } of seats.values()) if (parentId === null) open.push({ id, depth: 0, lowestMoved: null });
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { id, depth } = next;
    const lowestMoved = plan.isMoved(id) ? id : next.lowestMoved;
    if (depth > MAX_DEPTH && lowestMoved !== null) problems.set(lowestMoved, { path: 'parentId', message });
    for (const child of children.get(id) ?? []) if (seats.has(child)) open.push({ id: child, depth: depth + 1, lowestMoved });
  }
  return problems;
}

/** The namespaces that lie below themselves. */
function ringsIn({ seats }: Tree): readonly string[] {
  const seen = new Set<string>();
  return [...seats.keys()].flatMap((start) => {
    const line: string[] = [];
    const ownLine = new Set<string>();
    let id: string | null = start;
    for (; id !== null && seats.has(id) && !seen.has(id); id = seats.get(id)?.parentId ?? null) {
      seen.add(id);
      ownLine.add(id);
      line.push(id);
    }
    return id !== null && ownLine.has(id) ? line.slice(line.indexOf(id)) : [];
  });
}

/** Every namespace of the tree with its line of ancestors. */
function finished(
  organizationId: OrganizationId,
  before: ReadonlyMap<string, Namespace>,
  { seats, children }: Tree,
): ReadonlyMap<string, Namespace> {
  const done = new Map<string, Namespace>();
  const open: { readonly id: string; readonly above: readonly string[] }[] = [{ id: organizationId, above: [] }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const seat = seats.get(next.id);
    if (seat === undefined) continue;
    const { id, kind, parentId, path, name, dataClass, isFrozen, timeZone } = seat;
    const ancestors = [...next.above, id];
    const earlier = before.get(id);
    // The very same where nothing has changed: most of a large tree, and then nobody has to compare.
    const isSame = earlier === seat && earlier.ancestors.join('\n') === ancestors.join('\n');
    done.set(id, isSame ? earlier : { id, kind, parentId, path, name, ancestors, dataClass, isFrozen, timeZone });
    for (const child of children.get(id) ?? []) open.push({ id: child, above: ancestors });
  }
  return done;
}
