import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { evaluate, preparePolicySet, SCHEMA, type PolicySet } from '../../src/policy/index.js';
import { parseAllInWorkers } from '../../src/platform/cedar-wasm.js';
import { MAX_CLAUSES } from '../../src/policy/guard.js';
import { readText } from '../../src/policy/read-text.js';
import { bothEngines } from '../../src/policy/wasm/engines.js';
import { wasmParser } from '../../src/policy/wasm/parser.js';
import { aCall, aPolicy, withStatements } from './a-call.js';

const ALL = 'permit (principal, action, resource);';
const when = (condition: string): string => `permit (principal, action, resource) when { ${condition} };`;

async function problemsIn(text: string) {
  const parsed = await wasmParser.parse(text, SCHEMA);
  return 'problems' in parsed ? parsed.problems : [];
}

describe('the parser of many texts', () => {
  it('says of each what it says of it alone, in their order, also where one of them breaks it', async () => {
    const deep = `permit (principal, action, resource) when { ${'context.role > 1 && '.repeat(700)}true };`;
    const texts = [ALL, deep, when('principal.trus > 3'), 'permit (', `${ALL}\n${ALL}`];

    const together = await wasmParser.parseAll(texts, SCHEMA);

    expect(together).toEqual(await Promise.all(texts.map((text) => wasmParser.parse(text, SCHEMA))));
    expect(together.map((parsed) => 'problems' in parsed)).toEqual([false, true, true, true, false]);
  });

  it('is not kept by texts that break it again and again', async () => {
    const deep = (n: number): string => `permit (principal, action, resource) when { ${'context.role > 1 && '.repeat(700 + n)}true };`;

    const parsed = await wasmParser.parseAll([...Array.from({ length: 6 }, (_, n) => deep(n)), ALL], SCHEMA);

    const messages = parsed.map((each) => ('problems' in each ? (each.problems[0]?.message ?? '') : 'read'));
    expect(messages.slice(0, 3).every((message) => /^The text cannot be parsed|^The text takes/.test(message))).toBe(true);
    expect(messages.slice(3)).toEqual(Array(4).fill('The text was not read: others before it break the parser.'));
  });

  it('reads no more of them when their time is over, and says so', async () => {
    const [late] = await parseAllInWorkers([ALL], SCHEMA, 0);

    expect(late).toMatchObject({ problems: [{ message: 'The text was not read: those before it took too long.' }] });
  });

  it('reads them beside those of others, who come in between', async () => {
    const order: string[] = [];
    const together = wasmParser
      .parseAll(
        Array.from({ length: 12 }, (_, n) => `${ALL}// ${n}`),
        SCHEMA,
      )
      .then(() => order.push('all'));
    const other = wasmParser
      .parseAll(
        Array.from({ length: 12 }, (_, n) => `${ALL}// ${n}`),
        SCHEMA,
      )
      .then(() => order.push('all'));
    const one = wasmParser.parse(ALL, SCHEMA).then(() => order.push('one'));

    await Promise.all([together, other, one]);
    expect(order[0]).toBe('one');
  });

  it('lets no more wait than it can serve', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 60 }, () => wasmParser.parse(ALL, SCHEMA)));

    const refused = asked.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(refused).toHaveLength(8);
    expect(refused[0]).toMatchObject({ code: 'OVERLOADED', message: expect.stringContaining('send it again in a moment') });
    expect(await problemsIn(ALL)).toEqual([]);
  });

  it('reads nothing, of nothing', async () => {
    expect(await wasmParser.parseAll([], SCHEMA)).toEqual([]);
  });
});

describe('the parser', () => {
  it('says the same to a text whatever came before it, also one that breaks it', async () => {
    const deep = `permit (principal, action, resource) when { ${'context.role > 1 && '.repeat(700)}true };`;
    const texts = [ALL, when('principal.trus > 3'), deep, 'permit ('];
    const alone = await Promise.all(texts.map((text) => wasmParser.parse(text, SCHEMA)));
    const order = [0, 2, 0, 2, 2, 1, 0, 3, 2, 1, 0];

    for (const place of order) expect(await wasmParser.parse(texts[place] ?? '', SCHEMA)).toEqual(alone[place]);
  });

  it('gives the statements of a text in their order, with their effects', async () => {
    const parsed = await wasmParser.parse(`${ALL}\n${'forbid (principal, action, resource);\n'.repeat(11)}`, SCHEMA);

    expect('statements' in parsed && parsed.statements.map(({ effect }) => effect)).toEqual([
      'PERMIT',
      ...Array.from({ length: 11 }, () => 'FORBID'),
    ]);
  });

  it('knows no annotation, and minds none', async () => {
    expect(await problemsIn(`@id("a") @whatever("x") @bare ${ALL}`)).toEqual([]);
  });

  it.each(['файл', 'report файл.txt', 'gid://платформа/1'])('minds no script in a string: %s', async (text) => {
    expect(await problemsIn(when(`resource.hasTag("a") && resource.getTag("a") == "${text}" && resource in Group::"${text}"`))).toEqual([]);
  });

  it('says where a text does not parse, in characters', async () => {
    expect(await problemsIn(`// é😀\npermit (principal, action, resource) when { "é" == };`)).toEqual([
      expect.objectContaining({ line: 2, column: 52 }),
    ]);
  });

  it('says where a text does not fit the model, and what may have been meant', async () => {
    const problems = await problemsIn(`${ALL}\n${when('principal.trus > 3')}`);

    expect(problems).toEqual([
      { message: 'principal has no attribute “trus”.', help: 'Did you mean “principal.trust”?', line: 2, column: expect.any(Number) },
    ]);
  });

  it.each([
    ['an attribute that may be missing', when('principal.owner == context.user'), /owner/],
    ['an argument that may be missing', when('resource.getTag("path") == "x"'), /path|tag/],
    ['two types that are never equal', when('resource.risk == "high"'), /a whole number and a text/],
    ['a forbid that can never match', 'forbid (principal, action, resource == Tool::"a/b");', /^This statement can never match: no call/],
    ['a condition that is never true', when('false'), /^This statement can never match: its conditions/],
    [
      'characters that turn the direction of a line',
      when('resource.hasTag("a") && resource.getTag("a") == "x\u202ey"'),
      /turn the direction of a line/,
    ],
    ['an action that does not exist', 'permit (principal, action == Action::"deleteAll", resource);', /deleteAll/],
    ['an entity type that does not exist', 'permit (principal, action, resource in Folder::"x");', /Folder/],
    ['a template', 'permit (principal == ?principal, action, resource);', /^Templates/],
    ['no policy', '', /^The text holds no policy/],
    ['a comment alone', '// permit (principal, action, resource);', /^The text holds no policy/],
    ['no Cedar', 'SELECT 1', /./],
  ])('refuses %s', async (_what, text, message) => {
    expect((await problemsIn(text))[0]?.message).toMatch(message);
  });
});

describe('a text made to break the parser', () => {
  let set: PolicySet;
  let timer: NodeJS.Timeout | undefined;
  const waiting: (() => void)[] = [];
  // Decisions go on beside it, on this thread, all the while.
  beforeAll(async () => {
    set = preparePolicySet(bothEngines, [await aPolicy(ALL)]);
    timer = setInterval(() => {
      if (evaluate(set, aCall()).verdict === 'ALLOW') for (const resolve of waiting.splice(0)) resolve();
    }, 5);
  });
  afterAll(() => clearInterval(timer));

  const nested = (levels: number, open: string, close: string, inner = 'true'): string =>
    when(`${open.repeat(levels)}${inner}${close.repeat(levels)}`);
  const texts: readonly (readonly [string, string])[] = [
    ['parentheses beyond the guard', nested(2_000, '(', ')')],
    ['records beyond the guard', nested(79, '{a:', '}')],
    ['sets beyond the guard', nested(200, '[', ']')],
    ['conditions beyond the guard', nested(480, 'if true then ', ' else true')],
    ['records as deep as the guard lets them be', when(`${'{"a":'.repeat(31)}1${'}'.repeat(31)} == {"a": 1}`)],
    ['sets as deep as the guard lets them be', when(`${'['.repeat(31)}1${']'.repeat(31)} == [1]`)],
    ['conditions as many as the guard lets pass', nested(32, 'if context.role > 1 then ', ' else false', 'context.role > 2')],
    ['a chain of a thousand attributes', when(`principal${'.a'.repeat(1_000)}`)],
    ['a chain of eight thousand attributes', when(`principal${'.a'.repeat(8_000)}`)],
    ['a chain of a thousand “and”', when(Array.from({ length: 1_000 }, () => 'true').join('&&'))],
    ['a chain of four thousand sums', when(`${'1+'.repeat(4_000)}1 > 0`)],
    ['two thousand methods', when(`context.now${'.offset(duration("1d"))'.repeat(600)} > context.now`)],
    ['negations', when(`${'!'.repeat(5_000)}true`)],
    ['minus signs', when(`${'-'.repeat(5_000)}1 < 0`)],
    ['four hundred policies', ALL.repeat(440)],
    ['five hundred clauses', `permit (principal, action, resource) ${'when{principal.known}'.repeat(500)};`],
    [
      'as many clauses as are allowed, each as deep as the parser takes it',
      `permit (principal, action, resource) ${`when{${Array.from({ length: 50 }, () => 'principal.known').join('&&')}}`.repeat(MAX_CLAUSES)};`,
    ],
    ['a hundred annotations', `${Array.from({ length: 100 }, (_, n) => `@a${n}("x")`).join(' ')} ${ALL}`],
  ];

  it.each(texts)('breaks nothing else: %s', async (_what, text) => {
    const decisionBeside = new Promise<void>((resolve) => void waiting.push(resolve));

    const read = await readText(wasmParser, text);
    // What is accepted is evaluated here, where the stack is smaller than in the parser's thread.
    const verdict =
      'statements' in read ? evaluate(preparePolicySet(bothEngines, [withStatements(read.statements)]), aCall()).verdict : 'refused';

    expect(['ALLOW', 'DENY', 'refused']).toContain(verdict);
    expect(evaluate(set, aCall()).verdict).toBe('ALLOW');
    expect(await problemsIn(ALL)).toEqual([]);
    await decisionBeside;
  });

  it('is refused with a sentence by the parser itself too, when it passes the guard some day', async () => {
    const problems = await Promise.all([nested(3_000, '(', ')'), nested(400, '{a:', '}')].map(problemsIn));

    expect(problems).toEqual([
      [expect.objectContaining({ message: expect.stringMatching(/^The text cannot be parsed/) })],
      [expect.objectContaining({ message: expect.any(String) })],
    ]);
    expect(await problemsIn(ALL)).toEqual([]);
  });
});
