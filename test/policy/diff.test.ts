import { describe, expect, it } from '@jest/globals';
import { lineDiff } from '../../src/policy/line-diff.js';
import { statementDiff } from '../../src/policy/statement-diff.js';

const signs = { SAME: ' ', REMOVED: '-', ADDED: '+' } as const;
const linesOf = (from: string, to: string): readonly string[] =>
  lineDiff(from, to).map(({ kind, text, fromLine, toLine }) => `${signs[kind]}${fromLine ?? '.'}:${toLine ?? '.'} ${text}`);

describe('a diff of lines', () => {
  it.each([
    ['the same', 'a\nb\n', 'a\nb\n', [' 1:1 a', ' 2:2 b']],
    ['a line in place of another', 'a\nb\nc', 'a\nx\nc', [' 1:1 a', '-2:. b', '+.:2 x', ' 3:3 c']],
    ['a line more', 'a\nc', 'a\nb\nc', [' 1:1 a', '+.:2 b', ' 2:3 c']],
    ['everything from nothing', '', 'a\nb', ['+.:1 a', '+.:2 b']],
    ['nothing from everything', 'a', '', ['-1:. a']],
    ['nothing from nothing', '', '', []],
    ['ends of lines of another kind', 'a\r\nb', 'a\nb', [' 1:1 a', ' 2:2 b']],
    ['the end of the last line', 'a\nb', 'a\nb\n', [' 1:1 a', ' 2:2 b']],
  ])('shows %s', (_what, from, to, expected) => {
    expect(linesOf(from, to)).toEqual(expected);
  });

  it('of two texts as long and as different as can be is made in little time, and still leads from one to the other', () => {
    const [from, to] = [Array.from({ length: 8_000 }, (_, n) => `${n % 7}`), Array.from({ length: 8_000 }, (_, n) => `${(n * n) % 11}`)];
    const startedAt = process.cpuUsage().user;

    const lines = lineDiff(from.join('\n'), to.join('\n'));

    expect((process.cpuUsage().user - startedAt) / 1_000_000).toBeLessThan(1);
    expect(lines.filter(({ kind }) => kind !== 'ADDED').map(({ text }) => text)).toEqual(from);
    expect(lines.filter(({ kind }) => kind !== 'REMOVED').map(({ text }) => text)).toEqual(to);
  });
});

const READS = 'permit (principal, action, resource) when { resource.risk <= 1 };';
const WRITES = 'permit (principal, action, resource) when { resource.risk <= 2 };';
const NO_MAIL = 'forbid (principal, action, resource in Server::"mail");';

describe('a diff of statements', () => {
  it.each([
    ['comments', READS, `// Only reads.\n${READS} // Nothing else.`],
    ['layout', READS, 'permit(\n  principal, action,\n  resource\n)\nwhen { resource.risk<=1 };\n'],
    ['the order of statements', `${READS} ${NO_MAIL}`, `${NO_MAIL}\n${READS}`],
  ])('leaves out %s', (_what, from, to) => {
    expect(statementDiff(from, to)).toEqual([]);
  });

  it('tells what came, what went and what is another, with the words of the text', () => {
    expect(statementDiff(`${READS}\n${NO_MAIL}`, `${WRITES}\nforbid (principal, action, resource in Server::"files");`)).toEqual([
      { kind: 'CHANGED', effect: 'PERMIT', before: READS, after: WRITES },
      { kind: 'ADDED', effect: 'FORBID', before: null, after: 'forbid (principal, action, resource in Server::"files");' },
      { kind: 'REMOVED', effect: 'FORBID', before: NO_MAIL, after: null },
    ]);
  });

  it('knows a statement by its @id, whatever else of it changes, and gives no other one its place', () => {
    const [a, b] = [`@id("a")\n${READS}`, `@id("b")\n${NO_MAIL}`];

    expect(statementDiff(`${a} ${b}`, `@id("b") ${READS} @id("c") ${NO_MAIL}`)).toEqual([
      { kind: 'CHANGED', effect: 'PERMIT', before: b, after: `@id("b") ${READS}` },
      { kind: 'ADDED', effect: 'FORBID', before: null, after: `@id("c") ${NO_MAIL}` },
      { kind: 'REMOVED', effect: 'PERMIT', before: a, after: null },
    ]);
  });

  it('counts a statement as often as it stands there', () => {
    expect(statementDiff(`${READS} ${READS}`, READS)).toEqual([{ kind: 'REMOVED', effect: 'PERMIT', before: READS, after: null }]);
  });

  it('is not taken in by what stands in strings, comments and annotations', () => {
    const tricky =
      '@note("permit (;") @permit("x") forbid (principal, action, resource) when { resource.hasTag("a;b//c") }; // forbid (;\n';

    expect(statementDiff('', tricky)).toEqual([
      { kind: 'ADDED', effect: 'FORBID', before: null, after: tricky.slice(0, tricky.indexOf(' // forbid')) },
    ]);
  });
});
