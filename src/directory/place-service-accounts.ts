import type { z } from 'zod';
import type { ServiceAccount } from './namespace.js';
import type { RefusedRow } from './place-namespaces.js';
import type { ServiceAccountRow } from './push.js';

interface GivenRow {
  /** Place in the push, from 0. */
  readonly index: number;
  readonly row: z.infer<typeof ServiceAccountRow>;
}

/**
 * The service accounts that rows make of those that were there `before`, and the rows that are refused, in their order. Pure.
 *
 * All rows count at once: their order does not matter, and of several with one user the last counts. Who is responsible for a service
 * account is a human: never a user whom the directory, or another row, calls a service account. A refused row leaves its account as it was.
 */
export function placeServiceAccounts(
  before: ReadonlyMap<string, ServiceAccount>,
  rows: readonly GivenRow[],
): { readonly accounts: ReadonlyMap<string, ServiceAccount>; readonly refused: readonly RefusedRow[] } {
  const last = [...new Map(rows.map((given) => [given.row.userId, given])).values()];
  const wanted = accountsAfter(before, last);
  const [unowned, owned] = parted(last, ({ row }) => row.deleted || row.ownerId === null || !wanted.has(row.ownerId));

  // What is left speaks of humans alone, as far as it is new; an account that keeps its owner must not lose its human by another row.
  const owners = new Set([...accountsAfter(before, unowned).values()].map(({ ownerId }) => ownerId));
  const [taken, owning] = parted(unowned, ({ row }) => row.deleted || !owners.has(row.userId));

  const refused = [...owned.map(ownerRefused), ...owning.map(accountRefused)];
  return { accounts: accountsAfter(before, taken), refused: refused.sort((left, right) => left.index - right.index) };
}

function accountsAfter(before: ReadonlyMap<string, ServiceAccount>, rows: readonly GivenRow[]): ReadonlyMap<string, ServiceAccount> {
  const after = new Map(before);
  for (const { row } of rows) {
    if (row.deleted) after.delete(row.userId);
    else after.set(row.userId, { userId: row.userId, ownerId: row.ownerId });
  }
  return after;
}

function parted<Item>(items: readonly Item[], fits: (item: Item) => boolean): readonly [readonly Item[], readonly Item[]] {
  return [items.filter(fits), items.filter((item) => !fits(item))];
}

const ownerRefused = ({ index, row }: GivenRow): RefusedRow => ({
  index,
  path: 'ownerId',
  message: `must be a human: ${JSON.stringify(row.deleted ? null : row.ownerId)} is a service account`,
});

const accountRefused = ({ index }: GivenRow): RefusedRow => ({
  index,
  path: 'userId',
  message: 'must not be responsible for another service account: name a human for that one first',
});
