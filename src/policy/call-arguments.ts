import { isJsonObject, type Json, type JsonObject } from '../kernel/index.js';

/** The most names of arguments that policies are shown of one call. */
export const MAX_ARGUMENT_NAMES = 500;
/** The most values in all the lists of one call. */
export const MAX_LIST_VALUES = 5_000;
/** The longest name, in characters, the dots included. */
export const MAX_ARGUMENT_NAME_CHARACTERS = 300;
/** How many objects deep arguments are looked into; the arguments themselves are the first. */
export const MAX_ARGUMENT_DEPTH = 8;

/** A call's arguments as policies see them, under the names by which they are asked for. */
export interface CallArguments {
  readonly texts: ReadonlyMap<string, string>;
  readonly numbers: ReadonlyMap<string, number>;
  readonly flags: ReadonlyMap<string, boolean>;
  readonly lists: ReadonlyMap<string, ReadonlySet<string>>;
  readonly names: ReadonlySet<string>;
  /** Names of numbers that are not whole, or are beyond 2^53 - 1 on either side. */
  readonly rounded: ReadonlySet<string>;
  /** Whether nothing was left out and no two arguments have one name. */
  readonly isComplete: boolean;
}

/**
 * What policies may ask of arguments. Pure.
 *
 * A member of an object has the names of the members that lead to it, joined by dots: `options.mode`. The places of a list have no
 * names: `rows.id` is the `id` of every row, as a list. What stands in no list has a text and, each alone, a list of one as well, so
 * that a policy about a list cannot be passed by with a single value. Nothing is interpreted: `__entity` is a name like others.
 *
 * A number is rounded away from zero to a whole one, and none is beyond 2^53 - 1: what exceeds a limit exceeds it still.
 */
export function readArguments(given: JsonObject): CallArguments {
  const reading = new Reading();
  reading.readObject(given, { name: '', origin: '', depth: 1, isInList: false });
  return reading;
}

interface Place {
  readonly name: string;
  /** The names that lead here, joined by NUL: two that differ can give one name, when dots stand in them. */
  readonly origin: string;
  readonly depth: number;
  readonly isInList: boolean;
}

class Reading implements CallArguments {
  readonly texts = new Map<string, string>();
  readonly numbers = new Map<string, number>();
  readonly flags = new Map<string, boolean>();
  readonly lists = new Map<string, Set<string>>();
  readonly rounded = new Set<string>();
  isComplete = true;
  readonly #origins = new Map<string, string>();
  #listValues = 0;

  get names(): ReadonlySet<string> {
    return new Set(this.#origins.keys());
  }

  readObject(object: JsonObject, { name, origin, depth, isInList }: Place): void {
    for (const key of Object.keys(object)) {
      const isTop = depth === 1;
      this.#read(object[key] ?? null, {
        name: isTop ? key : `${name}.${key}`,
        origin: isTop ? key : `${origin}\u0000${key}`,
        depth,
        isInList,
      });
    }
  }

  #read(value: Json, place: Place): void {
    // What is incomplete decides nothing by what it holds: the rest need not be looked at.
    if (!this.isComplete) return;
    if (Array.isArray(value)) this.#readList(value, place);
    else if (isJsonObject(value) && Object.keys(value).length > 0) {
      if (place.depth >= MAX_ARGUMENT_DEPTH) this.isComplete = false;
      else this.readObject(value, { ...place, depth: place.depth + 1 });
    } else if (this.#admits(place) && value !== null && typeof value !== 'object') this.#keep(value, place);
  }

  #readList(list: readonly Json[], place: Place): void {
    // An empty list is a list too.
    if (this.#admits(place)) this.#listOf(place.name);
    for (const item of list) this.#read(item, { ...place, isInList: true });
  }

  #keep(value: string | number | boolean, { name, isInList }: Place): void {
    const text = String(value);
    this.#listValues += 1;
    if (this.#listValues <= MAX_LIST_VALUES) this.#listOf(name).add(text);
    else this.isComplete = false;
    if (isInList || this.texts.has(name)) return;
    this.texts.set(name, text);
    if (typeof value === 'number') this.#keepNumber(name, value);
    if (typeof value === 'boolean') this.flags.set(name, value);
  }

  #keepNumber(name: string, value: number): void {
    const magnitude = Math.min(Math.ceil(Math.abs(value)), Number.MAX_SAFE_INTEGER);
    const whole = value < 0 ? -magnitude : magnitude;
    this.numbers.set(name, whole);
    if (whole !== value) this.rounded.add(name);
  }

  #listOf(name: string): Set<string> {
    const list = this.lists.get(name) ?? new Set<string>();
    this.lists.set(name, list);
    return list;
  }

  /** Whether there is room for the name, and nobody else has it. */
  #admits({ name, origin }: Place): boolean {
    const holder = this.#origins.get(name);
    if (holder === undefined) {
      if (this.#origins.size >= MAX_ARGUMENT_NAMES || name.length > MAX_ARGUMENT_NAME_CHARACTERS) {
        this.isComplete = false;
        return false;
      }
      this.#origins.set(name, origin);
    } else if (holder !== origin) this.isComplete = false;
    return true;
  }
}
