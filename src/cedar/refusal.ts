/** A policy, or a value in Cedar's JSON format, that this library does not hold, and where. */
export class Unsupported extends Error {
  /** What it is, such as `slot ?principal`. */
  readonly construct: string;
  /** Where it stands, as a path of member names from the outermost object. */
  readonly path: string;

  constructor(construct: string, place: Place) {
    super(`${construct} at ${pathOf(place)}`);
    this.name = 'Unsupported';
    this.construct = construct;
    this.path = pathOf(place);
  }
}

/** A policy of a set that cannot be compiled: nothing of the set is, so that no policy is ever left out unnoticed. */
export class UnsupportedPolicy extends Error {
  readonly policyId: string;
  readonly construct: string;
  readonly path: string;

  constructor(policyId: string, cause: Unsupported) {
    super(`Policy ${JSON.stringify(policyId)} holds what cannot be evaluated: ${cause.message}`, { cause });
    this.name = 'UnsupportedPolicy';
    this.policyId = policyId;
    this.construct = cause.construct;
    this.path = cause.path;
  }
}

/** Where the reading of JSON is. */
export interface Place {
  readonly inside: Place | null;
  readonly name: string | number;
  readonly depth: number;
}

/** Deeper than this nothing is read: every level takes some of the stack when it is evaluated. Cedar itself takes about 150. */
const MAX_DEPTH = 256;

export const START: Place = { inside: null, name: '', depth: 0 };

/** The place of a member. */
export function at(inside: Place, name: string | number): Place {
  const place = { inside, name, depth: inside.depth + 1 };
  if (place.depth > MAX_DEPTH) throw new Unsupported(`nesting deeper than ${MAX_DEPTH} levels`, place);
  return place;
}

const pathOf = ({ inside, name }: Place): string => (inside === null ? '$' : `${pathOf(inside)}.${name}`);
