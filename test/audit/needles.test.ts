import { RegExpParser } from '@eslint-community/regexpp';
import { describe, expect, it } from '@jest/globals';
import { ENDS } from '../../src/audit/secrets/assignments.js';
import { FORMATS } from '../../src/audit/secrets/formats.js';
import { hasNeedle } from '../../src/audit/secrets/needles.js';
import { PLACE } from '../../src/audit/secrets/places.js';
import { leads } from '../../src/platform/secret-scanner.js';
import { stretchesOf } from '../support/regex-stretches.js';
import { tokens } from './fake-secrets.js';

/** The alternatives of a pattern, and of what is one alternation with nothing behind it that must be there. */
const alternativesOf = (source: string): readonly (readonly [raw: string, stretches: readonly (readonly string[])[]])[] =>
  new RegExpParser().parsePattern(source).alternatives.flatMap(({ raw, elements }) => {
    const [first, second] = elements;
    const isAlternation = first?.type === 'Group' && (second === undefined || (second.type === 'Quantifier' && second.min === 0));
    return (isAlternation ? first.alternatives : [{ raw, elements }]).map((each) => [each.raw, stretchesOf(each.elements)] as const);
  });

const patterns = [...leads, ...FORMATS.map(({ hint }) => hint), ENDS, PLACE.source].flatMap(alternativesOf);

describe('the needles', () => {
  it.each(patterns)('are in everything that is found by %s', (_pattern, stretches) => {
    const told = stretches.filter((forms) => forms.every(hasNeedle));

    expect(told).not.toEqual([]);
  });

  it.each(tokens)('are in the text of %s, in whatever case', (_rule, token) => {
    expect([token, token.toLowerCase(), token.toUpperCase(), `—${token}—`].map(hasNeedle)).toEqual([true, true, true, true]);
  });

  it('are found at the beginning, in the middle and at the end of a text, and behind what is nearly one', () => {
    expect(['key', 'the key', 'keys', 'k key', 'kekey', 'KEy', '\u{1f511}key', 'secresecret'].map(hasNeedle)).not.toContain(false);
  });

  it('are not found where there is none', () => {
    const harmless = [
      '',
      'k',
      'ke',
      'k-e-y',
      'ｋｅｙ',
      'secre',
      'read_file',
      'src/main/app.ts',
      '2026-11-30T12:00:00.000Z',
      'the project of Ada',
    ];

    expect(harmless.filter(hasNeedle)).toEqual([]);
  });
});
