import { lineOf, type EntityNode, type EntityReader, type Line } from './entities.js';
import { entityUid, type EntityUid, type RecordValue } from './value.js';

/** What is asked: may the principal do the action on the resource? */
export interface Request {
  readonly principal: EntityUid;
  readonly action: EntityUid;
  readonly resource: EntityUid;
  readonly context: RecordValue;
}

/** One of those that take part in a request, looked up once. */
interface Party {
  readonly uid: EntityUid;
  readonly node: EntityNode | undefined;
  readonly line: Line;
}

/** What conditions are evaluated against. */
export interface Frame {
  /** Unlike that of every other frame: a condition remembers under it what it came to. */
  readonly stamp: number;
  readonly principal: Party;
  readonly action: Party;
  readonly resource: Party;
  readonly context: RecordValue;
  readonly read: EntityReader;
}

let lastStamp = 0;

/** A frame for one evaluation of one request. */
export function frameOf({ principal, action, resource, context }: Request, read: EntityReader): Frame {
  lastStamp += 1;
  return {
    stamp: lastStamp,
    principal: partyOf(principal, read),
    action: partyOf(action, read),
    resource: partyOf(resource, read),
    context,
    read,
  };
}

/** For what says the same of every request. */
export const NO_FRAME: Frame = frameOf(
  { principal: entityUid('', ''), action: entityUid('', ''), resource: entityUid('', ''), context: { kind: 'record', fields: new Map() } },
  () => undefined,
);

function partyOf(uid: EntityUid, read: EntityReader): Party {
  const node = read(uid);
  return { uid, node, line: lineOf(uid, node, read) };
}
const partyWith = ({ principal, action, resource }: Frame, uid: EntityUid): Party | null => {
  if (uid === resource.uid) return resource;
  if (uid === principal.uid) return principal;
  return uid === action.uid ? action : null;
};

/** What is known of an entity. */
export function nodeIn(frame: Frame, uid: EntityUid): EntityNode | undefined {
  const party = partyWith(frame, uid);
  return party === null ? frame.read(uid) : party.node;
}

/** The entity and everything that it lies in. */
export function lineIn(frame: Frame, uid: EntityUid): Line {
  return partyWith(frame, uid)?.line ?? lineOf(uid, frame.read(uid), frame.read);
}
