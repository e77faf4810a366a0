import { describe, expect, it } from '@jest/globals';
import { rememberParses } from '../../src/policy/index.js';
import type { ParsedText } from '../../src/policy/ports.js';

/** A parser, and what it was asked to read. */
function aParser(answer: (text: string) => Promise<ParsedText>) {
  const asked: string[] = [];
  const parse = (text: string): Promise<ParsedText> => {
    asked.push(text);
    return answer(text);
  };
  const parser = rememberParses({ parse, parseAll: (texts) => Promise.all(texts.map(parse)) });
  const readAll = (texts: readonly string[], schema = 'schema') => parser.parseAll(texts, schema);
  return { asked, read: (text: string, schema = 'schema') => parser.parse(text, schema), readAll };
}

const readable = async (): Promise<ParsedText> => ({ statements: [] });

describe('a text that was read', () => {
  it('is not read again soon, also by somebody who asks meanwhile; under another schema it is', async () => {
    const { asked, read } = aParser(readable);

    const [first, second] = await Promise.all([read('a'), read('a')]);
    expect(await read('a')).toBe(first);
    expect(second).toBe(first);
    expect(asked).toEqual(['a']);
    await read('a', 'another schema');
    expect(asked).toEqual(['a', 'a']);
  });

  it('is forgotten when fifty others were asked for since', async () => {
    const { asked, read } = aParser(readable);
    await read('kept');
    for (let index = 0; index < 49; index += 1) await read(`text ${index}`);
    await read('kept');
    await read('one more');

    await read('kept');
    expect(asked.filter((text) => text === 'kept')).toHaveLength(1);
    await read('text 0');
    expect(asked.filter((text) => text === 'text 0')).toHaveLength(2);
  });
});

describe('texts that were read together', () => {
  it('are not read again soon, together or alone', async () => {
    const { asked, read, readAll } = aParser(readable);
    await read('b');

    expect(await readAll(['a', 'b', 'a', 'c'])).toHaveLength(4);
    await readAll(['c', 'a']);
    await read('a');

    expect(asked.toSorted()).toEqual(['a', 'a', 'b', 'c']);
  });

  it('drive out nothing that single authors work on, when they are many', async () => {
    const { asked, read, readAll } = aParser(readable);
    await read('kept');
    await readAll(Array.from({ length: 100 }, (_, n) => `text ${n}`));
    await read('kept');
    await read('text 0');

    expect(asked.filter((text) => text === 'kept')).toHaveLength(1);
    expect(asked.filter((text) => text === 'text 0')).toHaveLength(2);
  });
});

describe('a text that could not be read', () => {
  it.each([
    ['has problems', async (): Promise<ParsedText> => ({ problems: [], parsed: [] })],
    ['met a parser that is down', async (): Promise<ParsedText> => Promise.reject(new Error('down'))],
  ])('because it %s is read again', async (_what, answer) => {
    const { asked, read } = aParser(answer);

    await read('a').catch(() => undefined);
    await read('a').catch(() => undefined);

    expect(asked).toEqual(['a', 'a']);
  });
});
