import { Failure } from './failure.js';

/** The most items that one page holds. */
export const MAX_PAGE = 100;

/** Which part of a list: at most `first` items behind the key `after`. */
export interface PageRequest {
  readonly first: number;
  readonly after: string | null;
}

/** A part of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** The key where the next page goes on, when that is beyond the last item: more was looked through than was found. */
  readonly end?: string;
}

/** Cuts a page from `rows`, of which one more than `request.first` was asked for. */
export function pageOf<Item>(rows: readonly Item[], request: PageRequest): Page<Item> {
  return {
    items: rows.slice(0, request.first),
    hasNextPage: rows.length > request.first,
    hasPreviousPage: request.after !== null,
  };
}

/**
 * An opaque cursor that holds a key of the kind `kind`.
 *
 * The kind keeps the cursors of one list from being accepted by another.
 */
export const cursorOf = (kind: string, key: string): string => Buffer.from(`${kind}:${key}`).toString('base64url');

const NO_CURSOR = 'after: not a cursor of this list. Take endCursor or an edge’s cursor as it came.';

/**
 * The key in a cursor.
 *
 * @param refusal the sentence with which another one is refused
 * @throws Failure BAD_USER_INPUT when it is no cursor of this kind, or `isKey` refuses its key.
 */
export function keyIn(kind: string, cursor: string, isKey: (key: string) => boolean, refusal = NO_CURSOR): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  const key = text.slice(kind.length + 1);
  if (!text.startsWith(`${kind}:`) || cursorOf(kind, key) !== cursor || !isKey(key)) {
    throw new Failure('BAD_USER_INPUT', refusal);
  }
  return key;
}

/**
 * The page that `first` and `after` of a connection ask for.
 *
 * @throws Failure BAD_USER_INPUT when `first` is not from 1 to 100, or `after` is no cursor of this list.
 */
export function pageRequest(
  kind: string,
  args: { readonly first?: number | null | undefined; readonly after?: string | null | undefined },
  isKey: (key: string) => boolean,
): PageRequest {
  const first = args.first ?? 20;
  if (first < 1 || first > MAX_PAGE) throw new Failure('BAD_USER_INPUT', `first: must be from 1 to ${MAX_PAGE}; got ${first}.`);
  const after = args.after ?? null;
  return { first, after: after === null ? null : keyIn(kind, after, isKey) };
}

/** The parts that every connection of this graph has. */
export interface ConnectionOf<Node> {
  readonly edges: { readonly cursor: string; readonly node: Node }[];
  readonly nodes: Node[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/**
 * Presents a page as a Relay connection (relay.dev/graphql/connections.htm).
 *
 * @param kind of its cursors; needed where a page can end beyond its last item
 */
export function connectionOf<Item, Node>(
  page: Page<Item>,
  cursor: (item: Item) => string,
  present: (item: Item) => Node,
  kind = '',
): ConnectionOf<Node> {
  const edges = page.items.map((item) => ({ cursor: cursor(item), node: present(item) }));
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: page.hasPreviousPage,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: page.end === undefined ? (edges.at(-1)?.cursor ?? null) : cursorOf(kind, page.end),
    },
  };
}
