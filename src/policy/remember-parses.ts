import type { ParsedText, PolicyParser } from './ports.js';

/** How many texts are remembered; the longest is a megabyte in the end. */
const MAX_REMEMBERED = 50;
/** The most texts of one folder that are: more would drive out what single authors are working on. */
const MAX_TOGETHER = 10;

/**
 * A parser that reads the same text only once in a while: an author tests, saves, publishes and confirms the same one, and each reading
 * is a thread of its own. Remembers what could be read, and nothing else: a text that took too long once need not do so again.
 */
export function rememberParses(parser: PolicyParser): PolicyParser {
  const known = new Map<string, Promise<ParsedText>>();
  const keyOf = (text: string, schema: string): string => JSON.stringify([schema, text]);
  const remember = (key: string, parsed: Promise<ParsedText>): void => {
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
  };
  return {
    parse(text, schema) {
      const key = keyOf(text, schema);
      const parsed = known.get(key) ?? parser.parse(text, schema);
      remember(key, parsed);
      return parsed;
    },
    async parseAll(texts, schema) {
      const remembered = texts.map((text) => known.get(keyOf(text, schema)));
      const others = texts.filter((_, index) => remembered[index] === undefined);
      const parsed = new Map((await parser.parseAll(others, schema)).map((each, index) => [others[index] ?? '', Promise.resolve(each)]));
      if (parsed.size <= MAX_TOGETHER) for (const [text, each] of parsed) remember(keyOf(text, schema), each);
      return Promise.all(texts.map((text, index) => remembered[index] ?? parsed.get(text) ?? parser.parse(text, schema)));
    },
  };
}
