import { describe, expect, it } from '@jest/globals';
import { rememberParses } from '../../src/policy/index.js';
import type { ParsedText } from '../../src/policy/ports.js';

/** A parser, and what it was asked to read. */
function aParser(answer: (text: string) => Promise<ParsedText>) {
  const asked: string[] = [];
  const parser = rememberParses({
    parse(text) {
      asked.push(text);
      return answer(text);
    },
  });
  return { asked, read: (text: string, schema = 'schema') => parser.parse(text, schema) };
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
