import { hasJustBeen, type Clock, type OrganizationId } from '../kernel/index.js';
import type { RecordingPlace, RecordingPlaces } from './ports.js';

/** How long a place is taken to be as it was: a setting made elsewhere is followed within this time. */
const KEPT_MILLISECONDS = 500;
/** How long a place that nobody asks for any more is read again with the others. */
const FOLLOWED_MILLISECONDS = 30_000;
/** The most places that are remembered of one organization, and the most organizations. */
const KEPT_PLACES = 10_000;
const KEPT_ORGANIZATIONS = 1_000;

/** Places that are read again after half a second, so that a stream of events does not ask the same of the database each time. */
export interface RememberedPlaces extends RecordingPlaces {
  /** Reads the organization's places anew from now on. */
  forget(organizationId: OrganizationId): void;
}

/** A place as it was read, or is being read, with others; and when it was asked for last. */
interface Entry {
  readonly at: number;
  readonly reading: Promise<ReadonlyMap<string, RecordingPlace>>;
  askedAt: number;
}

/**
 * Remembers what `places` answers. A project that is not there is asked for again each time.
 *
 * However many ask at the same time, each place is read once; and with the first that is read again come all others of the organization
 * that are in use, so that many projects cost one statement each half second.
 */
export function rememberPlaces(places: RecordingPlaces, clock: Clock): RememberedPlaces {
  const kept = new Map<OrganizationId, Map<string, Entry>>();

  const ofOrganization = (organizationId: OrganizationId): Map<string, Entry> => {
    const own = kept.get(organizationId) ?? new Map<string, Entry>();
    if (!kept.has(organizationId) && kept.size >= KEPT_ORGANIZATIONS) kept.clear();
    kept.set(organizationId, own);
    return own;
  };

  return {
    async places(organizationId, projectIds) {
      const own = ofOrganization(organizationId);
      if (own.size >= KEPT_PLACES) own.clear();
      const now = clock().getTime();
      const isFresh = (entry: Entry | undefined): boolean => entry !== undefined && hasJustBeen(entry.at, now, KEPT_MILLISECONDS);
      const ids = [organizationId, ...projectIds];
      const missing = ids.filter((id) => !isFresh(own.get(id)));
      if (missing.length > 0) {
        const stale = [...own].filter(([, entry]) => !isFresh(entry));
        const inUse = stale.filter(([, { askedAt }]) => hasJustBeen(askedAt, now, FOLLOWED_MILLISECONDS));
        for (const [id] of stale) own.delete(id);
        readTogether(places, organizationId, own, {
          asked: new Map([...inUse.map(([id, { askedAt }]) => [id, askedAt] as const), ...missing.map((id) => [id, now] as const)]),
          now,
        });
      }
      const entries = ids.flatMap((id) => own.get(id) ?? []);
      for (const entry of entries) entry.askedAt = now;
      return placesIn(new Set(entries.map(({ reading }) => reading)), ids);
    },
    forget(organizationId) {
      // Whoever reads right now must not leave what was read before to those who come after.
      kept.delete(organizationId);
    },
  };
}

function readTogether(
  places: RecordingPlaces,
  organizationId: OrganizationId,
  own: Map<string, Entry>,
  { asked, now }: { readonly asked: ReadonlyMap<string, number>; readonly now: number },
): void {
  const reading = places.places(
    organizationId,
    [...asked.keys()].filter((id) => id !== organizationId),
  );
  for (const [id, askedAt] of asked) own.set(id, { at: now, reading, askedAt });
  const forgetUnless = (isThere: (id: string) => boolean): void => {
    for (const id of asked.keys()) if (!isThere(id) && own.get(id)?.reading === reading) own.delete(id);
  };
  reading.then(
    (read) => forgetUnless((id) => read.has(id)),
    () => forgetUnless(() => false),
  );
}

async function placesIn(
  readings: ReadonlySet<Promise<ReadonlyMap<string, RecordingPlace>>>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RecordingPlace>> {
  const found = new Map<string, RecordingPlace>();
  for (const reading of readings) {
    const read = await reading;
    for (const id of ids) {
      const place = read.get(id);
      if (place !== undefined) found.set(id, place);
    }
  }
  return found;
}
