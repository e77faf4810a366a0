import { describe, expect, it } from '@jest/globals';
import { clauseProblem, MAX_CLAUSES, MAX_NESTING, MAX_TEXT_BYTES, placeOf, textProblem } from '../../src/policy/guard.js';
import { anUncheckedPolicy } from './a-call.js';

const permit = (condition: string): string => `permit (principal, action, resource) when { ${condition} };`;
const nested = (levels: number, open = '(', close = ')'): string => `${open.repeat(levels)}true${close.repeat(levels)}`;

describe('textProblem', () => {
  it.each([
    ['an ordinary policy', permit('resource.risk < 3 && context.role >= 30')],
    ['exactly 16 KiB', `${permit('true')}//`.padEnd(MAX_TEXT_BYTES, 'x')],
    ['brackets as deep as is allowed', permit(nested(MAX_NESTING - 1))],
    ['hundreds of brackets side by side', permit('(true) && '.repeat(300) + 'true')],
    ['brackets in a string', permit(`resource.getTag("x") == "${'('.repeat(5_000)}"`)],
    ['brackets after an escaped quote in a string', permit(`resource.getTag("x") == "\\"${'('.repeat(5_000)}"`)],
    ['a string that ends in an escaped backslash', permit('resource.getTag("x") == "\\\\"')],
    ['brackets in a comment', `// ${'(['.repeat(3_000)}\n${permit('true')}`],
    ['the word if in strings and names', permit('resource.getTag("if") == "if if if" && context.if_so'.padEnd(600, ' '))],
    ['the largest number', permit('resource.risk < 9007199254740991')],
    ['digits in names and strings', permit('principal in AgentClass::"99999999999999999999" && context.x99999999999999999999')],
    ['nothing at all, which the parser can answer', ''],
  ])('finds nothing in %s', (_name, text) => {
    expect(textProblem(text)).toBeNull();
  });

  it.each([
    ['one byte more than 16 KiB', `${permit('true')}//`.padEnd(MAX_TEXT_BYTES + 1, 'x'), /^The text has 16385 bytes; at most 16384/],
    ['16 KiB of letters that take two bytes', `//${'é'.repeat(MAX_TEXT_BYTES / 2)}`, /^The text has 16386 bytes/],
    ['one level too many', permit(nested(MAX_NESTING)), /^Brackets nest deeper than 32 levels/],
    ['one level too many of sets', permit(nested(MAX_NESTING, '[', ']')), /^Brackets nest deeper/],
    ['one level too many of records', permit(nested(MAX_NESTING, '{a: ', '}')), /^Brackets nest deeper/],
    ['brackets after a comment that a carriage return ended', `//\r${permit(nested(100))}`, /^Brackets nest deeper/],
    ['brackets after a string that only looks open', permit(`"\\\\" == ${nested(40)}`), /^Brackets nest deeper/],
    [
      'more than 32 conditions',
      permit(`${'if true then '.repeat(33)}true${' else true'.repeat(33)}`),
      /^There are more than 32 if-then-else/,
    ],
    ['a number beyond what JSON carries', permit('resource.risk < 9007199254740992'), /^The number 9007199254740992 is too large/],
    ['a number of a thousand digits', permit(`resource.risk < ${'9'.repeat(1_000)}`), /^The number 9{40} is too large/],
    ['a NUL character, which cannot be stored', `${permit('true')} // \u0000`, /^The text holds a NUL character/],
    ['half a character, which cannot be stored', `${permit('true')} // \ud800`, /^The text is not well-formed Unicode/],
  ])('refuses %s', (_name, text, message) => {
    expect(textProblem(text)?.message).toMatch(message);
  });

  it('says where the trouble is', () => {
    expect(textProblem(`// a comment\n${permit('é == 9007199254740992')}`)).toMatchObject({ line: 2, column: 50 });
  });

  it.each([
    ['100,000 brackets', '('.repeat(100_000)],
    ['16 KiB of brackets', '('.repeat(MAX_TEXT_BYTES)],
    ['16 KiB of escaped quotes in a string that never ends', `"${'\\"'.repeat(MAX_TEXT_BYTES / 2 - 1)}`],
    ['16 KiB of quotes and backslashes', '\\"'.repeat(MAX_TEXT_BYTES / 2)],
    ['16 KiB of slashes', '/'.repeat(MAX_TEXT_BYTES)],
    ['16 KiB of digits', '9'.repeat(MAX_TEXT_BYTES)],
  ])('is done with %s before anybody else notices', (_name, text) => {
    const startedAt = performance.now();

    textProblem(text);

    expect(performance.now() - startedAt).toBeLessThan(100);
  });
});

describe('clauseProblem', () => {
  const withClauses = (count: number) =>
    anUncheckedPolicy(`permit (principal, action, resource) ${'when { true } unless { false } '.repeat(count / 2)};`).statements;

  it('finds nothing in as many clauses as are allowed, in each of several statements', () => {
    expect(clauseProblem([...withClauses(MAX_CLAUSES), ...withClauses(MAX_CLAUSES), ...withClauses(0)])).toBeNull();
  });

  it('refuses more, wherever they stand', () => {
    expect(clauseProblem([...withClauses(0), ...withClauses(MAX_CLAUSES + 2)])).toMatchObject({
      message: 'A permit or forbid has 18 when and unless clauses; at most 16 are allowed.',
    });
  });
});

describe('placeOf', () => {
  it.each([
    ['', 0, { line: 1, column: 1 }],
    ['ab\ncd', 3, { line: 2, column: 1 }],
    ['ab\r\ncd', 5, { line: 2, column: 2 }],
    ['😀x', 2, { line: 1, column: 2 }],
  ])('counts lines and characters from 1: %j at %i', (text, index, place) => {
    expect(placeOf(text, index)).toEqual(place);
  });
});
