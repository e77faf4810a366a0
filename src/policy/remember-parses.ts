import type { ParsedText, PolicyParser } from './ports.js';

/** How many texts are remembered; the longest is a megabyte in the end. */
const MAX_REMEMBERED = 50;

/**
 * A parser that reads the same text only once in a while: an author tests, saves, publishes and confirms the same one, and each reading
 * is a thread of its own. Remembers what could be read, and nothing else: a text that took too long once need not do so again.
 */
export function rememberParses(parser: PolicyParser): PolicyParser {
  const known = new Map<string, Promise<ParsedText>>();
  return {
    parse(text, schema) {
      const key = JSON.stringify([schema, text]);
      const parsed = known.get(key) ?? parser.parse(text, schema);
      // Behind all others: the first is the one that nobody has asked for the longest.
      known.delete(key);
      known.set(key, parsed);
      for (const oldest of known.keys()) if (known.size > MAX_REMEMBERED) known.delete(oldest);
      const forget = (): void => {
        if (known.get(key) === parsed) known.delete(key);
      };
      parsed.then((answer) => {
        if ('problems' in answer) forget();
      }, forget);
      return parsed;
    },
    // Too many to remember: they would drive out what single authors are working on.
    async parseAll(texts, schema) {
      const remembered = texts.map((text) => known.get(JSON.stringify([schema, text])) ?? null);
      const others = texts.filter((_, index) => remembered[index] === null);
      const parsed = new Map((await parser.parseAll(others, schema)).map((each, index) => [others[index], each]));
      return Promise.all(texts.map((text, index) => remembered[index] ?? parsed.get(text) ?? parser.parse(text, schema)));
    },
  };
}
