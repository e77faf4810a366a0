import { liesIn } from './entities.js';
import { lineIn, nodeIn, type Frame } from './frame.js';
import { FAILS, HOLDS, isFailed, NO_ATTRIBUTE, NO_ENTITY, NO_TAG, TYPE, verdictOfTruth, type Outcome, type Verdict } from './outcome.js';
import type { EntityUid, Value } from './value.js';

export const isEntity = (value: Value): value is EntityUid => typeof value === 'object' && value.kind === 'entity';

/** `subject.name`, of a record or an entity. */
export function attributeOf(subject: Value, name: string, frame: Frame): Outcome {
  if (typeof subject !== 'object') return TYPE;
  if (subject.kind === 'record') return subject.fields.get(name) ?? NO_ATTRIBUTE;
  if (subject.kind !== 'entity') return TYPE;
  const node = nodeIn(frame, subject);
  return node === undefined ? NO_ENTITY : (node.attributes.get(name) ?? NO_ATTRIBUTE);
}

/** `subject has a.b.c`: whether there is an `a`, which has a `b`, and so on. An entity that does not exist has nothing. */
export function hasPath(subject: Value, path: readonly string[], frame: Frame): Verdict {
  let reached: Value = subject;
  for (const name of path) {
    const next = attributeOf(reached, name, frame);
    if (next === NO_ATTRIBUTE || next === NO_ENTITY) return FAILS;
    if (isFailed(next)) return next.verdict;
    reached = next;
  }
  return HOLDS;
}

/** `subject.getTag(name)` */
export function tagOf(subject: Value, name: Value, frame: Frame): Outcome {
  if (!isEntity(subject) || typeof name !== 'string') return TYPE;
  const node = nodeIn(frame, subject);
  return node === undefined ? NO_ENTITY : (node.tags.get(name) ?? NO_TAG);
}

/** `subject.hasTag(name)`; an entity that does not exist has none. */
export function hasTag(subject: Value, name: Value, frame: Frame): Verdict {
  if (!isEntity(subject) || typeof name !== 'string') return TYPE.verdict;
  return verdictOfTruth(nodeIn(frame, subject)?.tags.has(name) === true);
}

/** `subject in container`, where the container is an entity or a set of entities. */
export function isWithin(subject: Value, container: Value, frame: Frame): Verdict {
  if (!isEntity(subject)) return TYPE.verdict;
  const keys = containerKeys(container);
  return keys === null ? TYPE.verdict : isWithinOneOf(subject, keys, frame);
}

/** Whether the entity is, or lies in, one of those with these keys. */
export function isWithinOneOf(uid: EntityUid, keys: ReadonlySet<string>, frame: Frame): Verdict {
  const line = lineIn(frame, uid);
  if (keys.size > line.uids.length) return verdictOfTruth(line.uids.some(({ key }) => keys.has(key)));
  for (const key of keys) if (liesIn(line, key)) return HOLDS;
  return FAILS;
}

/** The keys of an entity, or of a set of nothing but entities; null of everything else. */
export function containerKeys(container: Value): ReadonlySet<string> | null {
  if (typeof container !== 'object') return null;
  if (container.kind === 'entity') return new Set([container.key]);
  if (container.kind !== 'set' || !container.members.every(isEntity)) return null;
  return new Set(container.members.map(({ key }) => key));
}
