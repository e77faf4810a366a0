import type { EntityUid, Fields } from './value.js';

/** What is known of an entity. Never changes while a request is decided, so that one can be kept for many requests. */
export interface EntityNode {
  readonly attributes: Fields;
  readonly tags: Fields;
  /** What it lies in directly; what that lies in is found by asking for the parents. */
  readonly parents: readonly EntityUid[];
}

/** Looks up entities by name: those of the request and those kept for all requests. Answers undefined when there is none. */
export type EntityReader = (uid: EntityUid) => EntityNode | undefined;

/** The entities of a map by their keys. */
export const readerOf =
  (entities: ReadonlyMap<string, EntityNode>): EntityReader =>
  (uid) =>
    entities.get(uid.key);

/** An entity and everything that it lies in, itself first. */
export interface Line {
  readonly uids: readonly EntityUid[];
  /** Their keys, where there are too many to compare them all; else null. */
  readonly keys: ReadonlySet<string> | null;
}

/** Up to this many uids a line is searched one by one. */
const SEARCHED = 16;

/** Follows the parents upwards; a cycle does no harm. An entity that does not exist lies in itself. */
export function lineOf(uid: EntityUid, node: EntityNode | undefined, read: EntityReader): Line {
  const uids = [uid];
  let keys: Set<string> | null = null;
  // The list grows while it is walked.
  for (const next of uids) {
    const found = next === uid ? node : read(next);
    if (found === undefined) continue;
    for (const parent of found.parents) {
      if (liesIn({ uids, keys }, parent.key)) continue;
      uids.push(parent);
      if (keys !== null) keys.add(parent.key);
      else if (uids.length > SEARCHED) keys = new Set(uids.map(({ key }) => key));
    }
  }
  return { uids, keys };
}

/** Whether the entity is, or lies in, the one with this key. */
export function liesIn({ uids, keys }: Line, key: string): boolean {
  if (keys !== null) return keys.has(key);
  for (const uid of uids) if (uid.key === key) return true;
  return false;
}
