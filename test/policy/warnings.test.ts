import { describe, expect, it } from '@jest/globals';
import { compiledEngine, evaluate, preparePolicySet, type PolicyInForce, type ToolCall } from '../../src/policy/index.js';
import type { Statement } from '../../src/policy/policy.js';
import { MAX_STEPS, Steps } from '../../src/policy/warnings/steps.js';
import { warningsAmong, warningsOf, type PolicyWarning } from '../../src/policy/warnings/warnings-of.js';
import { aRandom, type Random } from '../support/random.js';
import { aCall, anUncheckedPolicy, withStatements } from './a-call.js';

/** That of `aCall`, down to the group `core`. */
const LINE = [
  { id: 'company', kind: 'ORGANIZATION' },
  { id: 'payments', kind: 'GROUP' },
  { id: 'core', kind: 'GROUP' },
] as const;

const statementsOf = (text: string): readonly Statement[] =>
  text
    .split(';')
    .filter((one) => one.trim() !== '')
    .flatMap((one) => anUncheckedPolicy(`${one};`).statements);

const warned = (text: string, enforced: readonly PolicyInForce[] = []): Promise<readonly PolicyWarning[]> =>
  warningsOf({ text, statements: statementsOf(text) }, { enforced, line: LINE });
const kinds = async (text: string, enforced: readonly PolicyInForce[] = []): Promise<readonly string[]> =>
  (await warned(text, enforced)).map(({ kind, number }) => `${number} ${kind}`);

const forbid = (conditions: string, scope = 'principal, action, resource'): string => `forbid (${scope}) ${conditions};`;

describe('a statement that can never match', () => {
  it.each([
    ['false', 'when { false }'],
    ['unless true', 'unless { true }'],
    ['two values of one thing', 'when { context.environment == "a" && context.environment == "b" }'],
    ['two clauses that exclude each other', 'when { resource.risk >= 3 } unless { resource.risk > 2 }'],
    ['numbers out of order', 'when { principal.trust < 10 && 20 <= principal.trust }'],
    [
      'a number that is excluded from all sides',
      'when { context.sessionCounts.denied > 3 && context.sessionCounts.denied < 5 && context.sessionCounts.denied != 4 }',
    ],
    ['a surface that there is not', 'when { context.surface == "PHONE" }'],
    ['a surface in small letters', 'when { ["web", "ide"].contains(context.surface) }'],
    ['no surface that there is', 'unless { ["WEB", "IDE", "CLI", "CI", "EXTERNAL"].contains(context.surface) }'],
    ['an execution mode that there is not', 'when { context.executionMode == "ATTENDED" }'],
    ['an action type that there is not', 'when { resource.actionType == "DELETE" }'],
    ['an eighth day of the week', 'when { context.local.weekday > 7 }'],
    ['an hour that no clock shows', 'when { context.local.hour >= 24 }'],
    ['a role that there is not', 'when { context.role == 35 }'],
    ['a role above the owner', 'when { context.role > 50 }'],
    ['a risk that there is not', 'when { resource.risk == 0 }'],
    ['a question and its opposite', 'when { principal.known } when { !principal.known }'],
    ['a flag said twice', 'when { principal.autonomous == false && principal.autonomous }'],
    ['a class twice', 'when { principal in AgentClass::"a" && !(principal in AgentClass::"a") }'],
    ['two tools at once', 'when { resource in Tool::"a" && resource in Tool::"b" }'],
    ['either of what cannot be', 'when { context.role == 35 || resource.risk > 4 }'],
    ['a choice between what cannot be', 'when { if principal.known then context.role > 50 else resource.risk < 1 }'],
    [
      'either, of which another condition excludes both',
      'when { (context.surface == "WEB" || context.surface == "IDE") && context.surface == "CI" }',
    ],
    ['not being where all of its calls are', 'when { !(resource in Group::"payments") }'],
  ])('because it asks for %s', async (_what, conditions) => {
    expect(await kinds(forbid(conditions))).toEqual(['1 NEVER_MATCHES']);
    expect(await kinds(`permit (principal, action, resource) ${conditions};`)).toEqual(['1 NEVER_MATCHES']);
  });

  it.each([
    ['its parentheses and its conditions', forbid('when { principal == Agent::"b" }', 'principal == Agent::"a", action, resource')],
    ['two tools, one in each', forbid('when { resource.tool == Tool::"b" }', 'principal, action, resource in Tool::"a"')],
    ['two projects', forbid('when { resource in Project::"b" }', 'principal, action, resource in Project::"a"')],
    ['two servers', forbid('when { resource in Server::"b" }', 'principal, action, resource in Server::"a"')],
  ])('because they exclude each other: %s', async (_what, text) => {
    expect(await kinds(text)).toEqual(['1 NEVER_MATCHES']);
  });

  it.each([
    'when { resource.risk >= 3 && resource.risk <= 3 }',
    'when { context.local.weekday > 5 }',
    'when { context.environment == "production" || context.environment == "staging" }',
    'when { resource in ToolLabel::"a" && resource in ToolLabel::"b" }',
    'when { principal in AgentClass::"a" && principal in AgentClass::"b" }',
    'when { context.environment like "a*" && context.environment like "b*" }',
    'when { resource.risk + 1 < 0 }',
    'when { context.role == 35 || principal.known }',
  ])('is not one that might: %s', async (conditions) => {
    expect(await kinds(forbid(conditions))).toEqual([]);
  });

  it('is not a forbid that denies what it does not apply to: what cannot be evaluated, or not be seen', async () => {
    const never = 'when { resource.hasTag("a") } when { !resource.hasTag("a") }';

    expect(await kinds(forbid(never))).toEqual([]);
    expect(await kinds(forbid('when { resource.risk * 9007199254740991 * 9007199254740991 > 0 && false }'))).toEqual([]);
    expect(await kinds(`permit (principal, action, resource) ${never};`)).toEqual(['1 NEVER_MATCHES']);
    expect(await kinds(forbid(`${never} when { resource.risk > 4 }`))).toEqual(['1 NEVER_MATCHES']);
  });
});

describe('a forbid that denies every agent', () => {
  it.each([
    ['that asks for nothing', forbid('')],
    ['that asks for what is always so', forbid('when { resource.risk >= 1 && context.role > 0 }')],
    ['that names the action', forbid('', 'principal is Agent, action == Action::"invokeTool", resource is ToolUse')],
    ['for a namespace in which all of its calls are', forbid('', 'principal, action, resource in Group::"core"')],
    ['for either or not', forbid('when { principal.known || !principal.known }')],
    ['unless what is never so', forbid('unless { context.surface == "web" }')],
  ])('is one %s', async (_what, text) => {
    expect(await kinds(text)).toEqual(['1 DENIES_EVERY_AGENT']);
  });

  it.each([
    [
      'which an approval lifts',
      '@approval("owner") forbid (principal, action, resource) unless { context has approval && context.approval.level >= 50 };',
    ],
    ['which a promise lifts', '@oblige("log") forbid (principal, action, resource) unless { context.promises.contains("log") };'],
    ['of a project below', forbid('', 'principal, action, resource in Project::"api"')],
    ['of one class', forbid('', 'principal in AgentClass::"a", action, resource')],
  ])('is not one %s', async (_what, text) => {
    expect(await kinds(text)).toEqual([]);
  });

  it('has a counterpart: a permit of everything', async () => {
    expect(await kinds('permit (principal, action, resource);')).toEqual(['1 PERMITS_EVERYTHING']);
    expect(
      await kinds('permit (principal, action, resource) when { resource.risk + 0 < 9 || principal.known || !principal.known };'),
    ).toEqual([]);
  });
});

describe('a statement that another one makes redundant', () => {
  const writes = 'when { resource.risk >= 2 }';
  const covered = 'when { resource.risk >= 3 && principal.autonomous }';

  it('is found in the same text, whichever comes first, and named', async () => {
    expect(await kinds(forbid(writes) + forbid(covered))).toEqual(['2 REDUNDANT']);
    expect(await kinds(forbid(covered) + forbid(writes))).toEqual(['1 REDUNDANT']);
    expect(await kinds(forbid(writes) + forbid(writes))).toEqual(['2 REDUNDANT']);
    expect(await warned(`@id("wide")\n${forbid(writes)}\n@id("narrow")\n${forbid(covered)}`)).toEqual([
      {
        kind: 'REDUNDANT',
        name: expect.stringMatching(/^REDUNDANT:narrow:[0-9a-f]{12}$/),
        ...{ number: 2, statement: 'narrow', line: 4, column: 1 },
        message: 'This forbid decides nothing that “wide” of this text does not decide alike: that applies wherever this does.',
        help: expect.any(String),
      },
    ]);
  });

  it('is found beside what is in force there and above, and that policy is named with its revision', async () => {
    const above = anUncheckedPolicy(`@id("wide") ${forbid(writes)}`, {
      id: 'other',
      name: 'org rules',
      namespaceId: 'company',
      revision: 3,
    });

    expect((await warned(forbid(covered), [above]))[0]?.message).toContain('“wide” of the policy "org rules" (revision 3) of company');
    expect(await kinds(forbid(covered), [{ ...above, effectiveUntil: new Date() }])).toEqual([]);
  });

  it.each([
    [
      'by scope',
      forbid('', 'principal in AgentClass::"a", action, resource'),
      forbid('', 'principal in AgentClass::"a", action, resource in Tool::"t"'),
    ],
    ['by one of a list', forbid('when { resource in [Tool::"a", Tool::"b"] }'), forbid('', 'principal, action, resource in Tool::"a"')],
    [
      'by the same approval',
      `@approval("owner") ${forbid('when { principal.known } unless { context has approval && context.approval.level >= 50 }')}`,
      `@approval("owner") ${forbid('when { principal.known && resource.risk == 2 } unless { context has approval && context.approval.level >= 50 }')}`,
    ],
    [
      'by one that nothing lifts',
      forbid('when { principal.known }'),
      `@approval("owner") ${forbid('when { principal.known } unless { context has approval && context.approval.level >= 50 }')}`,
    ],
    [
      'by a namespace in which all calls are',
      forbid('when { principal.known }', 'principal, action, resource in Group::"core"'),
      forbid('when { principal.known && resource.risk == 2 }'),
    ],
  ])('%s', async (_what, wide, narrow) => {
    expect(await kinds(wide + narrow)).toEqual(['2 REDUNDANT']);
  });

  it.each([
    ['of another effect', forbid(writes), `permit (principal, action, resource) ${covered};`],
    [
      'that an approval lifts',
      `@approval("owner") ${forbid(`${writes} unless { context has approval && context.approval.level >= 50 }`)}`,
      forbid(covered),
    ],
    [
      'of another approver',
      `@approval("owner") ${forbid(`${writes} unless { context has approval && context.approval.level >= 50 }`)}`,
      `@approval("maintainer") ${forbid(`${writes} unless { context has approval && context.approval.level >= 40 }`)}`,
    ],
    [
      'that cannot always be evaluated',
      forbid('when { resource.risk + 9007199254740991 > 0 }'),
      forbid('when { resource.risk + 9007199254740991 > 0 }'),
    ],
    ['that is narrower', forbid(covered), forbid('when { principal.autonomous }')],
    [
      'whose clauses are cut otherwise where arguments cannot be seen',
      forbid('when { resource.risk > 2 }'),
      forbid('when { resource.risk > 2 && resource.hasTag("a") }'),
    ],
  ])('is not so beside one %s', async (_what, one, other) => {
    expect((await kinds(one + other)).filter((each) => each.startsWith('2'))).toEqual([]);
  });
});

describe('the name of a warning', () => {
  const name = async (text: string, enforced: readonly PolicyInForce[] = []): Promise<string | undefined> =>
    (await warned(text, enforced))[0]?.name;
  const broad = (id: string, text: string): PolicyInForce => anUncheckedPolicy(text, { id, name: id });

  it('stays through layout and comments, and through what happens to other statements', async () => {
    expect(await name(`// why\n@id("a")\n\n${forbid('')}`)).toBe(await name(`@id("a") ${forbid('')}`));
    expect(await name(`@id("a") ${forbid('')}permit (principal, action, resource) when { principal.known };`)).toBe(
      await name(`@id("a") ${forbid('')}`),
    );
  });

  it('is another one for another statement, and for another reason', async () => {
    const names = [
      await name(`@id("a") ${forbid('')}`),
      await name(`@id("b") ${forbid('')}`),
      await name(`@id("a") ${forbid('when { true }')}`),
      await name(`@id("a") ${forbid('when { false }')}`),
      await name(`@id("a") ${forbid('when { principal.known }')}`, [broad('one', forbid('when { principal.known }'))]),
      await name(`@id("a") ${forbid('when { principal.known }')}`, [broad('two', forbid('when { principal.known }'))]),
      await name(`@id("a") ${forbid('when { principal.known }')}`, [broad('one', forbid(''))]),
    ];

    expect(new Set(names).size).toBe(7);
    expect(names).not.toContain(undefined);
  });
});

/** Texts that are made to keep whoever compares their statements. */
describe('a text that would take long', () => {
  const list = (count: number, one: (n: number) => string, between: string): string =>
    Array.from({ length: count }, (_, n) => one(n)).join(between);
  const asked = (name: string): string => `context.environment like "${name}*"`;
  const ways = (unequal: number): string =>
    forbid(
      `${list(5, (n) => `when { ${asked(`a${n}`)} || ${asked(`b${n}`)} }`, ' ')} when { ${asked('y')} || ${asked('z')} } ${list(unequal, (n) => `when { context.environment != "${n}" }`, ' ')}`,
    ) + forbid(list(10, (n) => `when { ${asked('z')} || ${asked('y')} || ${asked(`q${n}`)} }`, ' '));
  const choices = (depth: number): string =>
    depth === 0 ? 'principal.known' : `if (${choices(depth - 1)}) then principal.autonomous else resource.risk > ${depth}`;
  const texts: readonly (readonly [string, string])[] = [
    ['many ways and many terms', ways(50)],
    ['many ways and twice as many terms', ways(100)],
    ['a choice on a choice', forbid(`when { ${choices(28)} }`) + forbid(`when { (${choices(28)}) || principal.known }`)],
    [
      'lists of many values',
      list(12, (k) => forbid(`when { [${list(90, (n) => `"${k}.${n}"`, ', ')}].contains(context.environment) || ${asked('y')} }`), '\n'),
    ],
    [
      'statements that nearly say the same',
      list(
        20,
        (k) =>
          forbid(
            `${list(4, (n) => `when { ${asked(`a${n}`)} || ${asked(`b${n}`)} || context.environment == "e${k}" }`, ' ')} when { ${asked('y')} || ${asked('z')} }`,
          ),
        '\n',
      ),
    ],
    ['many statements', list(300, () => forbid('when { principal.known }'), '\n')],
  ];

  it.each(texts)('takes no more steps than there are for all of its statements together: %s', async (_what, text) => {
    const steps = new Steps();

    await warningsOf({ text, statements: statementsOf(text) }, { enforced: [], line: LINE }, steps);

    expect(steps.spent).toBeGreaterThan(0);
    expect(steps.spent).toBeLessThanOrEqual(MAX_STEPS);
  });

  it('is told less of when the steps are spent, and nothing that is not so', async () => {
    const text = forbid('when { principal.known }') + forbid('when { principal.known && resource.risk > 2 }');
    const warnedWithin = async (most: number): Promise<readonly string[]> =>
      (await warningsOf({ text, statements: statementsOf(text) }, { enforced: [], line: LINE }, new Steps(most))).map(({ kind }) => kind);

    expect(await warnedWithin(MAX_STEPS)).toEqual(['REDUNDANT']);
    for (const most of [0, 1, 5, 10, 15]) expect(await warnedWithin(most)).toEqual([]);
  });

  it('is told at least that a statement never matches, also behind those that take all the steps', async () => {
    const text = (texts.find(([what]) => what === 'statements that nearly say the same')?.[1] ?? '') + forbid('when { false }');

    expect((await kinds(text)).at(-1)).toBe('21 NEVER_MATCHES');
  });

  it('has steps of its own, however many are tried at one place, and others are let in between', async () => {
    const spent: number[] = [];
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    const warn = warningsAmong({ enforced: [], line: LINE });
    const text = ways(50);
    const [statement] = statementsOf(text);
    for (let tried = 0; tried < 5; tried += 1) {
      const [steps, before] = [new Steps(), turns];
      await warn({ text, statements: statement === undefined ? [] : [statement] }, null, steps);
      expect(turns).toBeGreaterThan(before);
      spent.push(steps.spent);
    }
    isOver = true;

    expect(new Set(spent).size).toBe(1);
  });
});

/** Thirty thousand were tried once, and found nothing false. */
const ROUNDS = 120;

describe('what is warned of in random texts', () => {
  it('is so for random calls', async () => {
    const found = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const random = aRandom(round);
      const text = Array.from({ length: 2 + random.below(3) }, () => aStatement(random)).join('\n');
      const statements = statementsOf(text);
      const warnings = await warned(text);
      const calls = warnings.length === 0 ? [] : Array.from({ length: 60 }, () => aRandomCall(random));
      for (const warning of warnings) {
        found.set(warning.kind, (found.get(warning.kind) ?? 0) + 1);
        const isSo = claimOf(warning, statements);
        const wrong = calls.find((call) => !isSo(call));
        expect({ round, text, warning, wrong }).toEqual({ round, text, warning, wrong: undefined });
      }
    }
    expect([...found.keys()].sort()).toEqual(['DENIES_EVERY_AGENT', 'NEVER_MATCHES', 'PERMITS_EVERYTHING', 'REDUNDANT']);
    expect(Math.min(...found.values())).toBeGreaterThan(4);
  });
});

const PERMIT_ALL = anUncheckedPolicy('permit (principal, action, resource);').statements;

/** Whether it is so for a call, whichever it is. */
function claimOf({ kind, number }: PolicyWarning, statements: readonly Statement[]): (call: ToolCall) => boolean {
  const verdictOf = (some: readonly Statement[]): ((call: ToolCall) => string) => {
    const set = preparePolicySet(compiledEngine, [withStatements(some)]);
    return (call) => evaluate(set, call).verdict;
  };
  const own = statements.slice(number - 1, number);
  const others = statements.filter((_, index) => index !== number - 1);
  const [alone, amongAll] = [verdictOf(own), verdictOf([...PERMIT_ALL, ...own])];
  const [all, allWithout] = [verdictOf(statements), verdictOf(others)];
  const [permitted, permittedWithout] = [verdictOf([...PERMIT_ALL, ...statements]), verdictOf([...PERMIT_ALL, ...others])];
  switch (kind) {
    case 'NEVER_MATCHES':
      return own[0]?.effect === 'PERMIT' ? (call) => alone(call) === 'DENY' : (call) => amongAll(call) === 'ALLOW';
    case 'DENIES_EVERY_AGENT':
      return (call) => amongAll(call) === 'DENY';
    case 'PERMITS_EVERYTHING':
      return (call) => alone(call) === 'ALLOW';
    case 'REDUNDANT':
      return (call) => all(call) === allWithout(call) && permitted(call) === permittedWithout(call);
  }
}

function aStatement(random: Random): string {
  const scope = `${random.pick(['principal', 'principal', 'principal in AgentClass::"coding"', 'principal == Agent::"coder"'])}, action, ${random.pick(['resource', 'resource', 'resource in Tool::"t1"', 'resource in Group::"core"', 'resource in Server::"s"'])}`;
  const clauses = Array.from({ length: random.below(3) }, () => `${random.pick(['when', 'unless'])} { ${anExpression(random, 2)} }`).join(
    ' ',
  );
  const asks = random.pick([
    ['', ''],
    ['', ''],
    ['@approval("maintainer")', 'unless { context has approval && context.approval.level >= 40 }'],
    ['@approval("owner")', 'unless { context has approval && context.approval.level >= 50 }'],
    ['@oblige("log")', 'unless { context.promises.contains("log") }'],
  ] as const);
  return random.below(2) === 0 ? `permit (${scope}) ${clauses};` : `${asks[0]} forbid (${scope}) ${clauses} ${asks[1]};`;
}

function anExpression(random: Random, depth: number): string {
  const inner = (): string => anExpression(random, depth - 1);
  if (depth > 0 && random.below(2) === 0)
    return random.pick([
      () => `(${inner()} && ${inner()})`,
      () => `(${inner()} || ${inner()})`,
      () => `!(${inner()})`,
      () => `(if ${inner()} then ${inner()} else ${inner()})`,
    ])();
  return random.pick([
    () => `resource.risk ${random.pick(['<', '<=', '>', '>=', '==', '!='])} ${random.below(5)}`,
    () => `${random.below(4) * 20} ${random.pick(['<', '<=', '>', '>='])} principal.trust`,
    () => `context.surface ${random.pick(['==', '!='])} "${random.pick(['WEB', 'IDE', 'web'])}"`,
    () => `["WEB", "CI"].contains(context.surface)`,
    () => `context.role ${random.pick(['<', '>='])} ${random.pick([20, 30, 40, 60])}`,
    () => 'principal.known',
    () => `principal in AgentClass::"${random.pick(['coding', 'ops'])}"`,
    () => `resource in Tool::"${random.pick(['t1', 't2'])}"`,
    () => 'resource in [Tool::"t1", Tool::"t2"]',
    () => 'resource.tool == Tool::"t1"',
    () => 'resource in Group::"payments"',
    () => `resource.hasTag("${random.pick(['path', 'mode'])}")`,
    () => '(resource.numbers.hasTag("amount") && resource.numbers.getTag("amount") > 3)',
    () => 'resource.labels.contains("files")',
    () => random.pick(['true', 'false']),
    () => `resource.risk * ${random.pick(['1', '9007199254740991 * 9007199254740991'])} > 3`,
  ])();
}

function aRandomCall(random: Random): ToolCall {
  const usual = aCall();
  return aCall({
    agent: {
      ...usual.agent,
      id: random.pick(['coder', 'other']),
      classes: random.pick([['coding'], ['ops'], [], ['coding', 'ops']]),
      isKnown: random.below(2) === 0,
      trust: random.pick([0, 19, 20, 40, 59, 60, 100]),
    },
    user: { ...usual.user, level: random.pick([10, 20, 30, 40, 50]) },
    tool: {
      ...usual.tool,
      id: random.pick(['t1', 't2', 't3']),
      server: random.pick(['s', null]),
      isElsewhere: random.below(8) === 0,
      risk: 1 + random.below(4),
      labels: random.pick([['files'], []]),
    },
    circumstances: { ...usual.circumstances, surface: random.pick(['WEB', 'IDE', 'CI', 'EXTERNAL']) },
    arguments: random.pick<ToolCall['arguments']>([
      {},
      { path: 'a' },
      { mode: 'x', amount: 7 },
      { amount: 2 },
      { 'a.b': 1, a: { b: 2 }, path: 'x' },
    ]),
    approval: random.pick([null, null, { level: 40, count: 1 }, { level: 50, count: 1 }]),
    promises: random.pick([[], ['log']]),
  });
}
