import { hasJustBeen, type Clock, type OrganizationId } from '../kernel/index.js';
import type { RecordingPlace, RecordingPlaces } from './ports.js';

/** How long a place is taken to be as it was: a setting made elsewhere is followed within this time. */
const KEPT_MILLISECONDS = 500;
/** The most places that are remembered. */
const KEPT_PLACES = 100_000;

/** Places that are read again after half a second, so that a stream of events does not ask the same of the database each time. */
export interface RememberedPlaces extends RecordingPlaces {
  /** Reads the organization's places anew from now on. */
  forget(organizationId: OrganizationId): void;
}

/** Remembers what `places` answers. A project that is not there is asked for again each time. */
export function rememberPlaces(places: RecordingPlaces, clock: Clock): RememberedPlaces {
  const kept = new Map<OrganizationId, Map<string, { readonly place: RecordingPlace; readonly at: number }>>();
  let size = 0;
  return {
    async places(organizationId, projectIds) {
      const now = clock().getTime();
      const own = kept.get(organizationId) ?? new Map<string, { readonly place: RecordingPlace; readonly at: number }>();
      const known = [organizationId, ...projectIds].map((id) => [id, own.get(id)] as const);
      const missing = known.filter(([, entry]) => entry === undefined || !hasJustBeen(entry.at, now, KEPT_MILLISECONDS)).map(([id]) => id);
      if (missing.length === 0) return new Map(known.flatMap(([id, entry]) => (entry === undefined ? [] : [[id, entry.place] as const])));
      const read = await places.places(organizationId, projectIds);
      if (size > KEPT_PLACES) {
        kept.clear();
        size = 0;
      }
      // Whoever forgot the organization meanwhile must not be given what was read before.
      if (kept.get(organizationId) === own || !kept.has(organizationId)) {
        kept.set(organizationId, own);
        for (const [id, place] of read) own.set(id, { place, at: now });
        size += read.size;
      }
      return read;
    },
    forget(organizationId) {
      size -= kept.get(organizationId)?.size ?? 0;
      kept.set(organizationId, new Map());
    },
  };
}
