/** Where the parts of a JSON text stand in it. */
export interface JsonPlaces {
  /** By names and numbers of places joined by dots: the index of the member's name, or of what stands in a list. */
  readonly at: ReadonlyMap<string, number>;
  /** Members whose name an object has twice: JSON would keep the last in silence. */
  readonly repeated: readonly string[];
}

/** What is wrong with a text that is no JSON, and at which index. */
export interface JsonFault {
  readonly message: string;
  readonly index: number;
}

/**
 * Where everything in a JSON text stands (RFC 8259); or the first thing that makes it none, with its place, which `JSON.parse` does not
 * tell reliably. Goes at most `maxDepth` levels down.
 */
export function placesIn(text: string, maxDepth: number): JsonPlaces | JsonFault {
  const reading = new Reading(text, maxDepth);
  try {
    reading.readDocument();
  } catch (error) {
    if (error instanceof Fault) return { message: error.message, index: error.index };
    throw error;
  }
  return reading;
}

class Fault extends Error {
  readonly index: number;

  constructor(message: string, index: number) {
    super(message);
    this.index = index;
  }
}

// Each is tried at one index (`y`), and none can match in more than one way.
const SPACE = /[ \t\r\n]*/y;
const STRING = /"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

class Reading implements JsonPlaces {
  readonly at = new Map<string, number>();
  readonly repeated: string[] = [];
  readonly #text: string;
  readonly #maxDepth: number;
  #index = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  readDocument(): void {
    this.#skipSpace();
    this.at.set('', this.#index);
    this.#readValue('', 0);
    this.#skipSpace();
    if (this.#index < this.#text.length) this.#fail('Something follows the end of the document.');
  }

  #readValue(path: string, depth: number): void {
    if (depth > this.#maxDepth) this.#fail(`Lists and objects nest deeper than ${this.#maxDepth} levels.`);
    const next = this.#text[this.#index];
    if (next === '{') this.#readObject(path, depth);
    else if (next === '[') this.#readList(path, depth);
    else if (next === '"') this.#readString();
    else if (this.#take(NUMBER) === null && this.#take(WORD) === null) this.#fail('Here a value is missing.');
  }

  #readObject(path: string, depth: number): void {
    const own = new Set<string>();
    this.#readItems('}', 'A member', () => {
      const index = this.#index;
      if (this.#text[index] !== '"') this.#fail('Here the name of a member is missing, in double quotes.');
      const name: unknown = JSON.parse(this.#readString());
      const inner = path === '' ? String(name) : `${path}.${String(name)}`;
      if (own.has(String(name))) this.repeated.push(inner);
      own.add(String(name));
      this.at.set(inner, index);
      this.#skipSpace();
      if (this.#text[this.#index] !== ':') this.#fail('Here a colon is missing, behind the name of a member.');
      this.#index += 1;
      this.#skipSpace();
      this.#readValue(inner, depth + 1);
    });
  }

  #readList(path: string, depth: number): void {
    let place = 0;
    this.#readItems(']', 'A value', () => {
      const inner = path === '' ? String(place) : `${path}.${place}`;
      place += 1;
      this.at.set(inner, this.#index);
      this.#readValue(inner, depth + 1);
    });
  }

  /** What stands between brackets, with commas between; the opening one is next. */
  #readItems(end: string, what: string, readItem: () => void): void {
    this.#index += 1;
    this.#skipSpace();
    if (this.#text[this.#index] === end) {
      this.#index += 1;
      return;
    }
    for (;;) {
      readItem();
      this.#skipSpace();
      const next = this.#text[this.#index];
      if (next !== end && next !== ',') this.#fail(`Here a comma or “${end}” is missing.`);
      this.#index += 1;
      if (next === end) return;
      this.#skipSpace();
      if (this.#text[this.#index] === end) this.#fail(`${what} is missing behind the comma; JSON has none before “${end}”.`);
    }
  }

  #readString(): string {
    const taken = this.#take(STRING);
    return taken ?? this.#fail('This text in quotes does not end on its line, or holds an escape that JSON does not have.');
  }

  #skipSpace(): void {
    this.#take(SPACE);
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#index;
    const [taken] = pattern.exec(this.#text) ?? [];
    if (taken === undefined) return null;
    this.#index += taken.length;
    return taken;
  }

  #fail(message: string): never {
    throw new Fault(this.#index >= this.#text.length ? `The document ends too early. ${message}` : message, this.#index);
  }
}
