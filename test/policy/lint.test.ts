import { describe, expect, it } from '@jest/globals';
import { readText } from '../../src/policy/read-text.js';
import { wasmParser } from '../../src/policy/wasm/parser.js';

async function problemsIn(text: string) {
  const read = await readText(wasmParser, text);
  return 'problems' in read ? read.problems : [];
}
const FORBID = 'forbid (principal, action, resource)';
const PERMIT = 'permit (principal, action, resource)';
const APPROVED = 'context has approval && context.approval.level >= 40';

describe('annotations and what they go with', () => {
  it.each([
    ['an approval', `@approval("maintainer") ${FORBID} unless { ${APPROVED} };`],
    ['an approval by several', `@approval("maintainer:2") ${FORBID} unless { ${APPROVED} && context.approval.count >= 2 };`],
    ['an approval, or something else', `@approval("maintainer") ${FORBID} unless { context.role >= 50 || ${APPROVED} };`],
    [
      'an approval in one of several clauses',
      `@approval("maintainer") ${FORBID} when { resource.risk > 1 } unless { ${APPROVED} } unless { principal.known };`,
    ],
    [
      'an approval in square brackets',
      `@approval("maintainer") ${FORBID} unless { context has approval && context["approval"]["level"] >= 40 };`,
    ],
    [
      'an approval whose members are asked for at once',
      `@approval("maintainer") ${FORBID} unless { context has approval.level && context.approval.level >= 40 };`,
    ],
    ['a promise', `@oblige("redact:pii") ${FORBID} unless { context.promises.contains("redact:pii") };`],
    ['several promises', `@oblige("b, a:1") ${FORBID} unless { context.promises.containsAll(["a:1", "b"]) };`],
    [
      'an approval and a promise',
      `@approval("owner") @oblige("a") ${FORBID} unless { context has approval && context.approval.level >= 50 && context.promises.contains("a") };`,
    ],
    ['words', `@id("a b") @reason("Because.") @advice("Ask.") @severity("high") ${FORBID}; @id("c") @reason("So.") ${PERMIT};`],
    ['the words in comments and texts', `${PERMIT} when { resource.hasTag("context.approval") }; // context.approval @mode`],
  ])('are in order: %s', async (_what, text) => {
    expect(await problemsIn(text)).toEqual([]);
  });

  // Text, the words at which the problem must be, the message, the help.
  it.each([
    [`@aproval("maintainer") ${FORBID};`, '@aproval', 'There is no annotation @aproval.', /Did you mean @approval\?/],
    [`@whatever ${PERMIT};`, '@whatever', 'There is no annotation @whatever.', /There are @id, @reason/],
    [`@mode("shadow") ${PERMIT};`, '@mode', /of the policy, not of a statement/, /Take it away/],
    [`@severity("urgent") ${FORBID};`, '@severity', /not in its form/, /one of @severity\("low"\)/],
    [`@id ${FORBID};`, '@id', '@id is not complete or not in its form.', /^Write @id/],
    [`@id("a\\nb") ${FORBID};`, '@id', /not in its form/, /^Write @id/],
    [`@id("a") ${FORBID};\n@id("a") ${PERMIT};`, '@id("a") permit', /Two statements/, /its own @id/],
    [`@approval("maintainer") ${PERMIT};`, '@approval', /stands on a permit/, /Put it on a forbid/],
    [`@oblige("a") ${PERMIT};`, '@oblige', /stands on a permit/, /Put it on a forbid/],
    [`@approval("admin") ${FORBID};`, '@approval', /not in its form/, /one of reporter, developer, maintainer, owner/],
    [`@approval("owner:11") ${FORBID};`, '@approval', /not in its form/, /at most 10/],
    [
      `@approval("maintainer:2") ${FORBID};`,
      '@approval',
      /no unless of this forbid takes/,
      /unless \{ context has approval && context\.approval\.level >= 40 && context\.approval\.count >= 2 \}/,
    ],
    [`@approval("maintainer:2") ${FORBID} unless { ${APPROVED} };`, '@approval', /reads its count/, /count >= 2/],
    [
      `@approval("owner") ${FORBID} unless { ${APPROVED} };`,
      'context.approval.level',
      'The clause asks for the level 40, @approval for 50.',
      /level >= 50/,
    ],
    [`${FORBID} unless { ${APPROVED} };`, 'context has approval', /does not say whose/, /@approval\("maintainer"\)/],
    [`@oblige("Redact") ${FORBID};`, '@oblige', /not in its form/, /@oblige\("redact:pii"\)/],
    [`@oblige("a, b") ${FORBID} unless { context.promises.contains("a") };`, '@oblige', /"b", which no unless/, /contains\("b"\)/],
    [`${FORBID} unless { context.promises.contains("a") };`, 'context.promises', /no annotation says so/, /@oblige\("a"\)/],
  ])('are refused: %s', async (text, at, message, help) => {
    const before = text.slice(0, text.indexOf(at)).split('\n');

    expect(await problemsIn(text)).toEqual([
      {
        message: message instanceof RegExp ? expect.stringMatching(message) : message,
        help: expect.stringMatching(help),
        line: before.length,
        column: (before.at(-1)?.length ?? 0) + 1,
      },
    ]);
  });
});

describe('an approval or a promise that could do anything but lift a forbid', () => {
  it.each([
    ['in a permit', `${PERMIT} when { context has approval };`, ['context has approval']],
    ['in the unless of a permit', `${PERMIT} unless { context.promises.contains("a") };`, ['context.promises']],
    [
      'in the when of a forbid',
      `${FORBID} when { context has approval && context.approval.level < 40 };`,
      ['context has', 'context.approval'],
    ],
    ['negated', `${FORBID} unless { !(context has approval) };`, ['context has']],
    ['as a condition', `${FORBID} unless { if context has approval then false else true };`, ['context has']],
    ['compared the other way', `${FORBID} unless { context has approval && context.approval.level <= 40 };`, ['context.approval']],
    ['compared for equality', `${FORBID} unless { context has approval && context.approval.count == 1 };`, ['context.approval']],
    [
      'compared with what is no number',
      `${FORBID} unless { context has approval && context.approval.level >= context.role };`,
      ['context.approval'],
    ],
    ['for any promise', `${FORBID} unless { context.promises.containsAny(["a", "b"]) };`, ['context.promises']],
    ['for no promise', `${FORBID} unless { context.promises.isEmpty() };`, ['context.promises']],
    [
      'with a promise that an argument names',
      `${FORBID} unless { resource.hasTag("a") && context.promises.contains(resource.getTag("a")) };`,
      ['context.promises'],
    ],
    [
      'as a value',
      `${FORBID} unless { context has approval && [context.approval].contains({level: 40, count: 1}) };`,
      ['context.approval'],
    ],
    ['hidden in the whole context', `${PERMIT} when { context == context };`, ['context ==', 'context }']],
    ['hidden in a record', `${PERMIT} when { {a: context}.a.role > 1 };`, ['context}']],
  ])('is refused: %s', async (_what, text, places) => {
    const problems = await problemsIn(text);

    expect(problems.map(({ column }) => column)).toEqual(places.map((place) => text.indexOf(place) + 1));
    for (const { message, help } of problems) {
      expect(message).toMatch(/^(context\.(approval|promises) cannot be asked for here|The context as a whole cannot be used)/);
      expect(help).not.toBeNull();
    }
  });
});

describe('a text with many problems', () => {
  it('shows all of them at once, in its order, of whatever kind', async () => {
    const text = `@mod("x") ${FORBID}\nwhen { principal.trus > 3 }\nunless { context has aproval };\n${PERMIT}\nwhen { context.rol > 3 && resource.risk == "high" };`;

    expect((await problemsIn(text)).map(({ line, message }) => `${line} ${message}`)).toEqual([
      '1 There is no annotation @mod.',
      '2 principal has no attribute “trus”.',
      '3 context never has an attribute “aproval”.',
      '5 context has no attribute “rol”.',
      '5 “resource.risk == "high"” brings together a whole number and a text, which are never alike.',
    ]);
  });

  it('names statements rightly also when there are more than ten', async () => {
    const text = Array.from({ length: 25 }, (_, n) => (n === 11 ? `@wrong ${PERMIT};` : `@id("s${n}") ${PERMIT};`)).join('\n');

    expect((await problemsIn(text)).map(({ line }) => line)).toEqual([12]);
  });
});
