import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { callOfCase, type LineSeat } from '../../src/policy/cases/case-call.js';
import { readCases } from '../../src/policy/cases/read-cases.js';
import { runCases, type CasesRun } from '../../src/policy/cases/run-cases.js';
import { compiledEngine, evaluate, preparePolicySet, type PolicyInForce } from '../../src/policy/index.js';
import type { Statement } from '../../src/policy/policy.js';
import { aRandom } from '../support/random.js';
import { anUncheckedPolicy } from './a-call.js';
import { aPolicyText } from './generated-policies.js';

const LINE: readonly LineSeat[] = [
  { id: 'company', kind: 'ORGANIZATION' },
  { id: 'core', kind: 'GROUP' },
];
const PERMIT = '@id("all") permit (principal, action, resource);';

const statementsOf = (texts: readonly string[]): readonly Statement[] => texts.flatMap((text) => anUncheckedPolicy(text).statements);

function casesIn(document: object) {
  const read = readCases(JSON.stringify(document), LINE);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.cases;
}

/** What comes of cases, of which each says what it does not want to leave as it is. */
const run = (texts: readonly string[], cases: readonly object[], enforced: readonly PolicyInForce[] = []): Promise<CasesRun> => {
  const named = cases.map((one, index) => ({ name: `case ${index}`, ...one }));
  const policy = { id: null, name: 'tried', namespaceId: 'core', text: texts.join('\n'), statements: statementsOf(texts) };
  return runCases({ engine: compiledEngine, line: LINE, enforced }, policy, casesIn({ cases: named }));
};
const difference = async (texts: readonly string[], one: object): Promise<string> =>
  (await run(texts, [one])).results[0]?.differences.join(' ') ?? '';

describe('what differs is told in words', () => {
  const ask =
    '@id("ask") @approval("maintainer") forbid (principal, action, resource) unless { context has approval && context.approval.level >= 40 };';
  const log = '@id("log") @oblige("log") forbid (principal, action, resource) unless { context.promises.contains("log") };';
  const tooLarge = '@id("sum") forbid (principal, action, resource) when { resource.risk * 9007199254740991 * 9007199254740991 > 0 };';

  it.each([
    ['nothing', [PERMIT], { expect: { verdict: 'ALLOW', reasons: ['all'], obligations: [] } }, ''],
    [
      'by whom it is permitted',
      [PERMIT],
      { expect: { verdict: 'DENY' } },
      'Wanted DENY, but it is ALLOW: “all” permits it and nothing forbids it.',
    ],
    [
      'by whom it is forbidden',
      [PERMIT, '@id("no") forbid (principal, action, resource);'],
      { expect: { verdict: 'ALLOW' } },
      'Wanted ALLOW, but it is DENY: “no” forbids it.',
    ],
    [
      'that nothing permits it, even with an approval',
      [ask],
      { expect: { verdict: 'ALLOW' } },
      'Wanted ALLOW, but it is DENY: nothing permits it.',
    ],
    [
      'that nothing matches',
      ['permit (principal, action, resource) when { false };'],
      { expect: { verdict: 'ALLOW' } },
      'Wanted ALLOW, but it is DENY: nothing permits it.',
    ],
    [
      'who has to approve',
      [PERMIT, ask],
      { expect: { verdict: 'DENY' } },
      'Wanted DENY, but it is ASK: “ask” forbids it until somebody has approved.',
    ],
    [
      'whose approval is asked for',
      [PERMIT, ask],
      { expect: { verdict: 'ASK', approval: { role: 'OWNER', count: 2 } } },
      'Wanted that 2 times OWNER is asked to approve, but one MAINTAINER is asked to approve.',
    ],
    [
      'that nobody is asked',
      [PERMIT],
      { expect: { verdict: 'ALLOW', approval: { level: 35 } } },
      'Wanted that one the level 35 is asked to approve, but nobody is asked.',
    ],
    [
      'what is not promised',
      [PERMIT, log],
      { expect: { verdict: 'ALLOW' } },
      'Wanted ALLOW, but it is DENY: “log” forbids it, since the call promises too little.',
    ],
    [
      'which obligations come',
      [PERMIT, log],
      { call: { promises: ['log'] }, expect: { verdict: 'ALLOW', obligations: ['redact'] } },
      'Of the obligations that were wanted “redact” is missing, and “log” came beside.',
    ],
    [
      'that none was wanted',
      [PERMIT, log],
      { call: { promises: ['log'] }, expect: { verdict: 'ALLOW', obligations: [] } },
      'Of the obligations that were wanted, none, “log” came beside.',
    ],
    [
      'what is wanted in vain',
      [PERMIT],
      { expect: { verdict: 'ALLOW', reasons: ['all', 'a', 'b'] } },
      'Of the reasons that were wanted “a”, “b” are missing.',
    ],
    [
      'a policy without a name of its statement',
      ['permit (principal, action, resource);'],
      { expect: { verdict: 'ALLOW', reasons: ['tried'] } },
      '',
    ],
    [
      'what could not be evaluated',
      [PERMIT, tooLarge],
      { expect: { verdict: 'ALLOW' } },
      'Wanted ALLOW, but it is DENY: “sum” could not be evaluated, which denies.',
    ],
    [
      'what cannot be seen',
      [PERMIT, '@id("a") forbid (principal, action, resource) when { resource.hasTag("a") };'],
      { call: { arguments: { 'x.y': 1, x: { y: 2 } } }, expect: { verdict: 'ALLOW' } },
      'Wanted ALLOW, but it is DENY: “a” reads arguments, of which not all can be seen.',
    ],
  ])('%s', async (_what, texts, one, words) => {
    expect(await difference(texts, one)).toBe(words);
  });
});

describe('coverage', () => {
  it('tells of each clause in how many cases it was true, false, in error or not reached', async () => {
    const text = `@id("x")
forbid (principal in AgentClass::"a", action, resource)
when { principal.known }
unless { resource.risk * 2305843009213694 * 1000 > 1 };`;
    const inClass = (agent: object, more: object = {}): object => ({
      call: { agent: { classes: ['a'], ...agent }, ...more },
      expect: { verdict: 'DENY' },
    });

    const { coverage, uncovered } = await run(
      [text],
      [inClass({ known: false }), inClass({}), inClass({}, { tool: { risk: 4 } }), { expect: { verdict: 'DENY' } }],
    );

    expect(coverage).toEqual([
      {
        ...{ number: 1, name: 'x', effect: 'FORBID', line: 2, column: 1, applied: 0, decided: 1 },
        clauses: [
          { kind: 'WHEN', line: 3, column: 1, isTrue: 2, isFalse: 1, isError: 0, isNotReached: 1 },
          { kind: 'UNLESS', line: 4, column: 1, isTrue: 1, isFalse: 0, isError: 1, isNotReached: 2 },
        ],
      },
    ]);
    expect(uncovered).toEqual([{ number: 1, name: 'x', line: 4, column: 1, message: 'In no case this unless is false.' }]);
  });

  it('names everything where there is no case, and nothing where all is tried', async () => {
    const texts = [PERMIT, '@id("w") forbid (principal, action, resource) when { resource.risk > 1 } unless { principal.known };'];

    expect((await run(texts, [])).uncovered.map(({ number, message }) => [number, message])).toEqual([
      [1, 'No case is decided by this permit.'],
      [2, 'No case is decided by this forbid.'],
      [2, 'No case asks this when.'],
      [2, 'No case asks this unless.'],
    ]);
    const tool = { actionType: 'WRITE' };
    const cases = [
      { expect: { verdict: 'ALLOW' } },
      { call: { tool }, expect: { verdict: 'ALLOW' } },
      { call: { tool, agent: { known: false } }, expect: { verdict: 'DENY' } },
    ];
    expect(await run(texts, cases)).toMatchObject({ passed: 3, failed: 0, uncovered: [] });
  });

  it('counts one case on both sides where an approval lifts a forbid', async () => {
    const texts = [
      PERMIT,
      '@approval("owner") forbid (principal, action, resource) unless { context has approval && context.approval.level >= 50 };',
    ];

    expect((await run(texts, [{ expect: { verdict: 'ASK' } }])).coverage[1]?.clauses).toEqual([
      expect.objectContaining({ isTrue: 1, isFalse: 1, isNotReached: 0 }),
    ]);
  });

  it('finds clauses by their words, not by what stands in texts, comments or conditions', async () => {
    const text = `// when {
@reason("when this forbid is unless")
permit (principal, action, resource) // unless
when { context.environment == "when" && resource.hasTag("unless") } unless { resource.hasTag("permit") };`;

    expect((await run([text], [])).coverage).toMatchObject([
      {
        line: 3,
        column: 1,
        clauses: [
          { kind: 'WHEN', line: 4, column: 1 },
          { kind: 'UNLESS', line: 4, column: 69 },
        ],
      },
    ]);
  });
});

describe('the example of docs/administrators.md', () => {
  it('passes, and tries everything', async () => {
    const page = readFileSync(new URL('../../docs/administrators.md', import.meta.url), 'utf8');
    const [, cedar = '', json = ''] = /### Cases: [^]*?```cedar\n([^]*?)```[^]*?```json\n([^]*?)```/.exec(page) ?? [];
    const texts = cedar.split(/(?<=;)\n+/).filter((text) => text !== '');
    const document: { readonly cases: readonly object[] } = JSON.parse(json);

    expect(texts).toHaveLength(3);
    expect(await run(texts, document.cases)).toMatchObject({ passed: 4, failed: 0, uncovered: [] });
  });
});

describe('a run', () => {
  it('decides each case as a call is decided, beside what the case says', async () => {
    const random = aRandom(7);
    for (let round = 0; round < 40; round += 1) {
      const texts = Array.from({ length: 4 }, (_, index) => aPolicyText(random, `s${index}`));
      const enforced = [anUncheckedPolicy(PERMIT, { id: 'other', name: 'other' })];
      const cases = Array.from({ length: 6 }, () => ({
        call: {
          agent: { trust: random.below(101), classes: [random.pick(['coding', 'ops'])] },
          tool: { actionType: random.pick(['READ', 'WRITE', 'DESTROY']) },
          environment: random.pick(['production', 'dev']),
        },
        expect: { verdict: random.pick(['ALLOW', 'ASK', 'DENY']) },
        beside: random.pick(['IN_FORCE', 'NOTHING']),
      }));
      const { results } = await run(texts, cases, enforced);

      const tried = { ...anUncheckedPolicy(PERMIT, { id: 'tried', name: 'tried', namespaceId: 'core' }), statements: statementsOf(texts) };
      for (const { case: one, got, isPassed } of results) {
        const set = preparePolicySet(compiledEngine, one.beside === 'NOTHING' ? [tried] : [...enforced, tried]);
        const { verdict, basis } = evaluate(set, callOfCase(one.call, LINE));
        expect({ round, verdict: got.verdict, basis: got.basis, isPassed }).toEqual({
          round,
          verdict,
          basis,
          isPassed: verdict === one.expect.verdict,
        });
      }
    }
  });

  it('is made in the project that the policy is attached to, where it is to one', () => {
    const [{ call } = { call: null }] = casesIn({
      cases: [{ name: 'a', call: { project: { dataClass: 2, frozen: true } }, expect: { verdict: 'DENY' } }],
    });
    if (call === null) throw new Error('There is no case.');

    expect(callOfCase(call, [...LINE, { id: 'api', kind: 'PROJECT' }]).projectLine).toEqual([
      { id: 'company', kind: 'ORGANIZATION', dataClass: null, isFrozen: false },
      { id: 'core', kind: 'GROUP', dataClass: null, isFrozen: false },
      { id: 'api', kind: 'PROJECT', dataClass: 2, isFrozen: true },
    ]);
    expect(callOfCase(call, LINE).projectLine.at(-1)).toEqual({ id: 'project', kind: 'PROJECT', dataClass: 2, isFrozen: true });
  });

  it('lets others in between: five hundred cases of a long text keep nobody waiting for long', async () => {
    const random = aRandom(3);
    const texts = Array.from({ length: 60 }, (_, index) => aPolicyText(random, `s${index}`));
    const cases = Array.from({ length: 500 }, (_, index) => ({ call: { agent: { trust: index % 100 } }, expect: { verdict: 'DENY' } }));
    const turns = { count: 0, isOver: false };
    const turn = (): void => {
      turns.count += 1;
      if (!turns.isOver) setImmediate(turn);
    };
    setImmediate(turn);

    const { results } = await run(texts, cases);
    turns.isOver = true;

    expect(results).toHaveLength(500);
    expect(turns.count).toBeGreaterThan(5);
  });
});
