import { parseRegExpLiteral } from '@eslint-community/regexpp';
import { describe, expect, it } from '@jest/globals';
import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import { LEADS, leads, scanTokens, UNUSED } from '../../src/platform/secret-scanner.js';
import { tokens } from '../audit/fake-secrets.js';
import { stretchesOf } from '../support/regex-stretches.js';

const nameOf = (rule: { readonly meta: { readonly id: string } }): string => rule.meta.id.replace('@secretlint/secretlint-rule-', '');
const published: readonly string[] = rules.map(nameOf);

/** The patterns that each rule looks for: it is given a text that notes them. */
const patterns: readonly (readonly [rule: string, pattern: RegExp])[] = rules
  .filter((rule) => !UNUSED.has(nameOf(rule)))
  .flatMap((rule) => {
    const noted: RegExp[] = [];
    const context = { sharedOptions: {}, createTranslator: () => () => ({}), report: () => undefined, ignore: () => undefined };
    const content: unknown = { matchAll: (pattern: RegExp) => noted.push(pattern) && [] };
    const create: (context: object, options: object) => { file(source: object): void } = rule.create;
    create(context, {}).file({ content, filePath: 'text', ext: '', contentType: 'text' });
    return noted.map((pattern) => [nameOf(rule), pattern] as const);
  });

const inAnyCase = (text: string): readonly string[] => [text.toLowerCase(), text.toUpperCase(), text];

function isLed(rule: string, pattern: RegExp, text: string): boolean {
  const own = (LEADS[rule] ?? []).map((lead) => new RegExp(lead));
  const forbidsLetters = pattern.source.startsWith('(?<!\\p{L})');
  const written = pattern.ignoreCase ? inAnyCase(text) : [text];
  return written.every((each) => own.some((lead) => lead.test(`x${each}`) || (forbidsLetters && lead.test(each))));
}

describe('the leads', () => {
  it('are given for every rule of the library that is used', () => {
    expect(published.filter((rule) => !UNUSED.has(rule)).sort()).toEqual(Object.keys(LEADS).sort());
    expect(published).toEqual(expect.arrayContaining([...UNUSED]));
  });

  it.each(patterns)('of %s are in everything that matches %s', (rule, pattern) => {
    const { alternatives } = parseRegExpLiteral(pattern).pattern;

    for (const { elements } of alternatives) {
      const led = stretchesOf(elements).filter((texts) => texts.every((text) => isLed(rule, pattern, text)));
      expect(led).not.toEqual([]);
    }
  });

  it('are handed to the caller all together', () => {
    expect([...leads].sort()).toEqual(Object.values(LEADS).flat().sort());
  });
});

describe('the library’s rules', () => {
  const known = tokens.filter(([, token]) => scanTokens(token).length > 0);

  it.each(known)('find %s, the whole of it and nothing beside it', (_rule, token) => {
    const spans = scanTokens(`before ${token} after`);

    expect(spans).toEqual([{ start: 7, end: 7 + token.length, rule: expect.stringMatching(/^[a-z0-9-]+$/) }]);
  });

  it('find a token of each issuer', () => {
    const found = known.flatMap(([, token]) => scanTokens(token).map(({ rule }) => rule));

    expect([...new Set(found)].sort()).toEqual(Object.keys(LEADS).sort());
  });

  it('are not switched off by a text that says so', () => {
    const [, token = ''] = known[0] ?? [];

    expect(scanTokens(`secretlint-disable\n${token}`)).toHaveLength(1);
  });

  it('find the same each time they are asked', () => {
    const text = known.map(([, token]) => token).join('\n');

    expect(scanTokens(text)).toEqual(scanTokens(text));
  });

  it('take a text that is made of the beginnings of tokens for one secret', () => {
    const text = 'figd_'.repeat(200_000);

    expect(scanTokens(text)).toEqual([{ start: 0, end: text.length, rule: 'too-many-secrets' }]);
  });
});
