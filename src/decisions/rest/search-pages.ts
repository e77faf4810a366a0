import { canonicalJson, cursorOf, hashOf, isPlain, keyIn, MAX_PAGE, type Page, type Viewer } from '../../kernel/index.js';
import type { SearchPage } from './shapes.js';

/** What a search found, as AuthZEN has it. */
export interface SearchAnswer {
  readonly results: readonly object[];
  readonly page: { readonly next_token: string; readonly count: number };
}

const KIND = 'search';
const NO_TOKEN = 'page.token: not a token of this search. Send next_token as it came, and all else as in the search that it came from.';

export const NOTHING_FOUND: SearchAnswer = { results: [], page: { next_token: '', count: 0 } };

/** What tells one search from another: a token of one is of no use in another, nor to another user. */
export const searchId = (kind: string, { organizationId, userId }: Viewer, asked: object): string =>
  hashOf(KIND, kind, organizationId, userId, canonicalJson(asked)).toString('hex', 0, 8);

/**
 * How many to find, at most 100, and behind which key. An empty token is none.
 *
 * @throws Failure BAD_USER_INPUT for a token of another search.
 */
export function pageIn(id: string, page: SearchPage): { readonly limit: number; readonly after: string | null } {
  const token = page?.token ?? '';
  const isOurs = (key: string): boolean => key.startsWith(`${id}:`) && key.length > id.length + 1 && isPlain(key);
  const after = token === '' ? null : keyIn(KIND, token, isOurs, NO_TOKEN).slice(id.length + 1);
  return { limit: Math.min(page?.limit ?? MAX_PAGE, MAX_PAGE), after };
}

/**
 * Presents the first `limit` of a page for which one more was asked, so that there is a token only where there is more; or where so much was
 * looked through that looking goes on with the next page.
 */
export function presentPage<Item>(
  id: string,
  found: Page<Item>,
  limit: number,
  { keyOf, present }: { readonly keyOf: (item: Item) => string; readonly present: (item: Item) => object },
): SearchAnswer {
  const items = found.items.slice(0, limit);
  const last = items.at(-1);
  const end = found.items.length > limit && last !== undefined ? keyOf(last) : found.hasNextPage ? found.end : undefined;
  return {
    results: items.map(present),
    page: { next_token: end === undefined ? '' : cursorOf(KIND, `${id}:${end}`), count: items.length },
  };
}
