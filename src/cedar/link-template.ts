import { hasMember, membersOf } from './read-json.js';
import { at, START, Unsupported, type Place } from './refusal.js';
import type { EntityUid } from './value.js';

/** The entity for each slot of a template. */
export interface Slots {
  readonly principal?: EntityUid;
  readonly resource?: EntityUid;
}

type Party = keyof Slots;

/**
 * The policy that a template in Cedar's JSON form becomes when its slots are filled: to be compiled like any other.
 *
 * @throws Unsupported when a slot is left over, or an entity for which there is no slot
 */
export function linkTemplate(template: unknown, slots: Slots): Readonly<Record<string, unknown>> {
  const members = membersOf(template, START);
  const constraint = (party: Party): unknown => linkConstraint(members[party], at(START, party), party, slots[party]);
  return { ...members, principal: constraint('principal'), resource: constraint('resource') };
}

/** The slot of `is T in ?principal` stands a level deeper. */
function linkConstraint(json: unknown, place: Place, party: Party, uid: EntityUid | undefined): unknown {
  const members = membersOf(json, place);
  if (members['op'] !== 'is' || !hasMember(members, 'in')) return fillSlot(json, place, party, uid);
  return { ...members, in: fillSlot(members['in'], at(place, 'in'), party, uid) };
}

function fillSlot(json: unknown, place: Place, party: Party, uid: EntityUid | undefined): unknown {
  const { slot, ...others } = membersOf(json, place);
  if (slot === undefined && uid === undefined) return json;
  if (slot !== `?${party}`) throw new Unsupported(`an entity for ?${party}, but no such slot`, place);
  if (uid === undefined) throw new Unsupported(`the slot ?${party} without an entity`, place);
  return { ...others, entity: { type: uid.type, id: uid.id } };
}
