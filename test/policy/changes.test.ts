import { describe, expect, it } from '@jest/globals';
import { ROLE_LEVELS } from '../../src/directory/index.js';
import type { JsonObject } from '../../src/kernel/index.js';
import {
  compiledEngine,
  DEPENDENCIES,
  effectiveAccess,
  evaluate,
  explainCall,
  findChanges,
  preparePolicySet,
  type Dependency,
  type Evaluation,
  type PolicyInForce,
  type PolicySet,
  type ToolCall,
  type VerdictChange,
} from '../../src/policy/index.js';
import { aRandom, type Random } from '../support/random.js';
import { aCall, anUncheckedPolicy } from './a-call.js';
import { aPolicyText } from './generated-policies.js';

const LINE = ['company', 'payments', 'core', 'api'];
const ALL = 'permit (principal, action, resource);';
const RANKS = { DENY: 0, ASK: 1, ALLOW: 2 } as const;

const prepared = new WeakMap<readonly PolicyInForce[], PolicySet>();

/** The same policies are prepared once. */
function prepare(policies: readonly PolicyInForce[]): PolicySet {
  const set = prepared.get(policies) ?? preparePolicySet(compiledEngine, policies);
  prepared.set(policies, set);
  return set;
}
const policy = (text: string, id: string): PolicyInForce => anUncheckedPolicy(text, { id, name: id });

function changesOf(policies: readonly PolicyInForce[], call: ToolCall): readonly VerdictChange[] {
  const set = prepare(policies);
  return findChanges(set, call, explainCall(set, [], call, LINE));
}

/** One condition each, which one change of a call meets or fails. */
const SIMPLE = [
  'forbid (principal, action, resource) when { context.environment == "production" };',
  'forbid (principal, action, resource) unless { context.executionMode == "INTERACTIVE" };',
  'forbid (principal, action, resource) when { context.surface == "EXTERNAL" && context.role < 40 };',
  'forbid (principal, action, resource) when { context.branchProtected && !(context has branch) };',
  'forbid (principal, action, resource) unless { context has session };',
  'forbid (principal, action, resource) unless { context.local.weekday <= 5 && context.local.hour >= 8 };',
  'permit (principal, action, resource) when { context.role >= 40 };',
  'permit (principal, action, resource) when { context.user in Team::"team 1" };',
  'forbid (principal, action, resource) when { !principal.known || principal.trust < 50 };',
  'forbid (principal, action, resource) when { principal.autonomous };',
  'permit (principal in AgentClass::"ops", action, resource);',
  'forbid (principal in AgentClass::"coding", action, resource) when { resource.risk > 1 };',
  'forbid (principal, action, resource) when { !resource.known };',
  'forbid (principal, action, resource in ToolLabel::"exec");',
  'permit (principal, action, resource) when { resource.labels.contains("network") };',
  'forbid (principal, action, resource) when { resource.project.dataClass >= 3 };',
  'forbid (principal, action, resource) when { resource.project.frozen };',
  'forbid (principal, action, resource) when { resource.risk * 9007199254740991 * 9007199254740991 > 0 };',
  '@approval("maintainer:2") forbid (principal, action, resource) when { resource.risk >= 2 } unless { context has approval && context.approval.level >= 40 && context.approval.count >= 2 };',
  '@oblige("log:full") forbid (principal, action, resource) when { resource.risk >= 2 } unless { context.promises.contains("log:full") };',
  '@oblige("confirm") forbid (principal, action, resource) when { resource.risk >= 3 } unless { context.promises.contains("confirm") };',
  'permit (principal, action, resource in Tool::"com.example.files/read_file");',
];

/** Few policies, simple ones and such as administrators write them, about places and tools that calls here are made in. */
function somePolicies(random: Random): readonly PolicyInForce[] {
  const own = (text: string): string =>
    text
      .replace(/Project::"project \d+"/, `Project::"${random.pick(['api', 'web'])}"`)
      .replace(/Group::"group \d+"/, `Group::"${random.pick(['core', 'web'])}"`)
      .replace(/Server::"[^"]*"/, 'Server::"com.example.files"')
      .replace(/Agent::"agent \d+"/, `Agent::"${random.pick(['coder', 'other'])}"`);
  const written = Array.from({ length: random.below(3) }, (_, index) => own(aPolicyText(random, `s${index}`)));
  const texts = [...random.shuffled(SIMPLE).slice(0, 1 + random.below(2)), ...written];
  const policies = [...(random.below(5) > 0 ? [ALL] : []), ...texts].map((text, index) => policy(text, `p${index}`));
  // One of several statements, too.
  const [first, second, ...rest] = policies;
  if (first === undefined || second === undefined || random.below(2) === 0) return policies;
  return [{ ...first, statements: [...first.statements, ...second.statements] }, ...rest];
}

/** Policies, and a call that they do not simply allow. */
function aRefusal(random: Random): readonly [readonly PolicyInForce[], ToolCall] {
  for (;;) {
    const drawn = [somePolicies(random), someCall(random)] as const;
    if (evaluate(prepare(drawn[0]), drawn[1]).verdict !== 'ALLOW') return drawn;
  }
}

function someCall(random: Random): ToolCall {
  const base = aCall();
  const isKnown = random.below(4) > 0;
  const actionType = isKnown ? random.pick(['READ', 'WRITE', 'DESTROY'] as const) : 'DESTROY';
  return aCall({
    agent: {
      ...base.agent,
      isKnown: random.below(4) > 0,
      trust: random.pick([0, 40, 95]),
      autonomous: random.below(2) === 0,
      classes: random.pick([[], ['coding'], ['coding', 'ops']]),
    },
    user: { ...base.user, level: random.pick([10, 20, 30, 40, 50]), teams: random.pick([[], ['team 1'], ['team 2', 'team 3']]) },
    projectLine: base.projectLine.map((one) => ({ ...one, dataClass: random.pick([null, 0, 2, 3]), isFrozen: random.below(8) === 0 })),
    tool: {
      ...base.tool,
      ...{ isKnown, actionType, isElsewhere: !isKnown && random.below(2) === 0 },
      risk: isKnown ? { READ: 1, WRITE: 2, DESTROY: 3 }[actionType] : 4,
      labels: random.pick([[], ['network'], ['exec', 'secrets']]),
    },
    arguments: random.pick<JsonObject>([
      {},
      { path: '/etc/1', amount: 12_000, force: true, to: '7@acme.example' },
      { a: { b: 1 }, 'a.b': 2 },
    ]),
    sessionId: random.pick([null, 'run 7']),
    circumstances: {
      environment: random.pick(['production', 'staging', 'dev']),
      branch: random.pick([null, 'main', 'release/3.1']),
      isBranchProtected: random.below(2) === 0,
      surface: random.pick(['WEB', 'CI', 'EXTERNAL'] as const),
      executionMode: random.pick(['INTERACTIVE', 'BACKGROUND'] as const),
    },
    now: new Date(Date.UTC(2026, 10, 16 + random.below(7), random.below(24), 30)),
    promises: random.pick([[], ['redact'], ['rate:30/m', 'log']]),
  });
}

type Applied = readonly [call: ToolCall, policies: readonly PolicyInForce[]];

/** The change done to the call or to the policies, from what is told of it alone. */
function applied({ kind, from, to, policy: about }: VerdictChange, call: ToolCall, policies: readonly PolicyInForce[]): Applied {
  const { agent, user, tool, circumstances } = call;
  const swapped = (has: readonly string[]): readonly string[] => (to === null ? has.filter((one) => one !== from) : [...has, to]);
  const around = (changed: Partial<ToolCall['circumstances']>): Applied => [
    { ...call, circumstances: { ...circumstances, ...changed } },
    policies,
  ];
  const ofAgent = (changed: Partial<ToolCall['agent']>): Applied => [{ ...call, agent: { ...agent, ...changed } }, policies];
  const word = String(to);
  switch (kind) {
    case 'APPROVAL': {
      const [role = '', count = '1'] = word.split(':');
      const level = { reporter: 20, developer: 30, maintainer: 40, owner: 50 }[role] ?? 0;
      return [{ ...call, approval: { level, count: Number(count) } }, policies];
    }
    case 'PROMISE':
      return [{ ...call, promises: [...call.promises, ...word.split(', ')] }, policies];
    case 'EXECUTION_MODE':
      return around({ executionMode: word as 'INTERACTIVE' });
    case 'SURFACE':
      return around({ surface: word as 'CI' });
    case 'ENVIRONMENT':
      return around({ environment: word });
    case 'BRANCH':
      return around({ branch: to });
    case 'BRANCH_PROTECTION':
      return around({ isBranchProtected: to === 'protected' });
    case 'SESSION':
      return [{ ...call, sessionId: 'some run' }, policies];
    case 'TIME':
      return [{ ...call, now: new Date(word) }, policies];
    case 'USER_ROLE':
      return [{ ...call, user: { ...user, level: ROLE_LEVELS[word as 'OWNER'] } }, policies];
    case 'USER_TEAM':
      return [{ ...call, user: { ...user, teams: swapped(user.teams) } }, policies];
    case 'AGENT_KNOWN':
      return ofAgent({ isKnown: true });
    case 'AGENT_AUTONOMY':
      return ofAgent({ autonomous: false });
    case 'AGENT_TRUST':
      return ofAgent({ trust: Number(to) });
    case 'AGENT_CLASS':
      return ofAgent({ classes: swapped(agent.classes) });
    case 'TOOL_REGISTRATION':
    case 'TOOL_ACTION_TYPE': {
      const actionType = word as 'READ';
      return [
        { ...call, tool: { ...tool, isKnown: true, isElsewhere: false, actionType, risk: { READ: 1, WRITE: 2, DESTROY: 3 }[actionType] } },
        policies,
      ];
    }
    case 'TOOL_LABEL':
      return [{ ...call, tool: { ...tool, labels: swapped(tool.labels) } }, policies];
    case 'PROJECT_DATA_CLASS': {
      const most = ['PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'RESTRICTED'].indexOf(word);
      return [
        { ...call, projectLine: call.projectLine.map((one) => ({ ...one, dataClass: Math.min(one.dataClass ?? most, most) })) },
        policies,
      ];
    }
    case 'PROJECT_FROZEN':
      return [{ ...call, projectLine: call.projectLine.map((one) => ({ ...one, isFrozen: false })) }, policies];
    case 'POLICY_RETIREMENT':
      return [call, policies.filter(({ id }) => id !== about?.id)];
    case 'STATEMENT_REMOVAL':
      return [
        call,
        policies.map((one) => {
          const isIt = (est: unknown, index: number): boolean =>
            JSON.stringify(est).includes(`"id":"${from}"`) || String(index + 1) === from;
          return one.id === about?.id ? { ...one, statements: one.statements.filter(({ est }, index) => !isIt(est, index)) } : one;
        }),
      ];
  }
}

const evaluated = ([call, policies]: Applied): Evaluation => evaluate(prepare(policies), call);

/** Of each ladder of changes, told in the same words, what turns the verdict, and what turns it further; by trying all of them. */
function bruteForce(policies: readonly PolicyInForce[], call: ToolCall): readonly string[] {
  const now = evaluated([call, policies]);
  const text = JSON.stringify(policies);
  const found: string[] = [];
  const ladder = (
    kind: VerdictChange['kind'],
    steps: readonly (readonly [from: string | null, to: string | null, about?: PolicyInForce])[],
  ): void => {
    let best: number = RANKS[now.verdict];
    for (const [from, to, about = null] of steps) {
      const { verdict } = evaluated(applied({ kind, from, to, policy: about, message: '', evaluation: now }, call, policies));
      if (RANKS[verdict] > best) found.push(JSON.stringify([kind, from, to, about?.id ?? null, verdict]));
      best = Math.max(best, RANKS[verdict]);
    }
  };
  const namedBy = (pattern: RegExp): readonly string[] => [...new Set([...text.matchAll(pattern)].map(([, name]) => name ?? ''))];
  const { agent, user, tool, circumstances: said } = call;
  const roles = ['GUEST', 'REPORTER', 'DEVELOPER', 'MAINTAINER', 'OWNER'] as const;
  const role = roles.find((name) => ROLE_LEVELS[name] === user.level) ?? null;
  const counts = Array.from({ length: 10 }, (_, index) => (index === 0 ? '' : `:${index + 1}`));
  ladder(
    'APPROVAL',
    ['reporter', 'developer', 'maintainer', 'owner'].flatMap((name) => counts.map((count) => [null, `${name}${count}`] as const)),
  );
  const all = ['redact:pii', 'rate:30/m', 'rate:5/s', 'log:full', 'confirm'].filter((name) => text.includes(`"oblige":"${name}"`));
  const missing = all.filter((name) => !call.promises.includes(name) && !call.promises.includes(name.split(':')[0] ?? '')).sort();
  for (const name of missing) ladder('PROMISE', [[null, name]]);
  if (missing.length > 1) ladder('PROMISE', [[null, missing.join(', ')]]);
  for (const mode of ['INTERACTIVE', 'BACKGROUND']) if (mode !== said.executionMode) ladder('EXECUTION_MODE', [[said.executionMode, mode]]);
  for (const surface of ['WEB', 'IDE', 'CLI', 'CI', 'EXTERNAL']) if (surface !== said.surface) ladder('SURFACE', [[said.surface, surface]]);
  for (const environment of ['production', 'staging', 'none'])
    if (environment !== said.environment) ladder('ENVIRONMENT', [[said.environment, environment]]);
  if (said.branch !== null) ladder('BRANCH', [[said.branch, null]]);
  const [is, isNot] = said.isBranchProtected ? (['protected', 'unprotected'] as const) : (['unprotected', 'protected'] as const);
  ladder('BRANCH_PROTECTION', [[is, isNot]]);
  if (call.sessionId === null) ladder('SESSION', [[null, 'any']]);
  const hour = new Date(call.now);
  hour.setUTCMinutes(0);
  const hours = Array.from({ length: 168 }, (_, index) => new Date(hour.getTime() + (index + 1) * 3_600_000).toISOString());
  ladder(
    'TIME',
    hours.map((time) => [call.now.toISOString(), time] as const),
  );
  ladder(
    'USER_ROLE',
    roles.filter((name) => ROLE_LEVELS[name] > user.level).map((name) => [role, name] as const),
  );
  const membership = (kind: VerdictChange['kind'], has: readonly string[], named: readonly string[]): void => {
    for (const name of named) ladder(kind, [has.includes(name) ? [name, null] : [null, name]]);
  };
  membership('USER_TEAM', user.teams, namedBy(/"type":"Team","id":"([^"]*)"/g));
  if (!agent.isKnown) ladder('AGENT_KNOWN', [['unknown', 'known']]);
  if (agent.autonomous) ladder('AGENT_AUTONOMY', [['autonomous', 'watched']]);
  ladder(
    'AGENT_TRUST',
    Array.from({ length: 100 - agent.trust }, (_, index) => [String(agent.trust), String(agent.trust + index + 1)] as const),
  );
  membership('AGENT_CLASS', agent.classes, namedBy(/"type":"AgentClass","id":"([^"]*)"/g));
  const types = ['DESTROY', 'WRITE', 'READ'].slice(tool.isKnown ? 4 - tool.risk : 0);
  ladder(
    tool.isKnown ? 'TOOL_ACTION_TYPE' : 'TOOL_REGISTRATION',
    types.map((type) => [tool.isKnown ? tool.actionType : null, type] as const),
  );
  membership(
    'TOOL_LABEL',
    tool.labels,
    ['network', 'exec', 'secrets'].filter((label) => text.includes(`"${label}"`)),
  );
  const classes = ['PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'RESTRICTED'];
  const set = call.projectLine.flatMap(({ dataClass }) => dataClass ?? []);
  const effective = set.length === 0 ? 3 : Math.max(...set);
  ladder(
    'PROJECT_DATA_CLASS',
    classes
      .slice(0, effective)
      .reverse()
      .map((name) => [set.length === 0 ? null : (classes[effective] ?? null), name] as const),
  );
  if (call.projectLine.some(({ isFrozen }) => isFrozen)) ladder('PROJECT_FROZEN', [['frozen', 'not frozen']]);
  for (const one of policies) {
    ladder('POLICY_RETIREMENT', [[one.name, null, one]]);
    const names = one.statements.map(
      ({ est }, index) => /"annotations":\{[^}]*"id":"([^"]*)"/.exec(JSON.stringify(est))?.[1] ?? String(index + 1),
    );
    if (one.statements.length > 1) for (const name of names) ladder('STATEMENT_REMOVAL', [[name, null, one]]);
  }
  return found.sort();
}

describe('what would turn a verdict', () => {
  it.each([1, 2])('is so: applied, each change gives the verdict that is told, and none that was tried is missing (seed %d)', (seed) => {
    const random = aRandom(seed);
    const kinds = new Set<string>();
    let told = 0;
    for (let round = 0; round < 50; round += 1) {
      const [policies, call] = aRefusal(random);
      const changes = changesOf(policies, call);

      for (const change of changes) {
        const evaluation = evaluated(applied(change, call, policies));
        expect({ change, evaluation }).toEqual({ change, evaluation: { ...change.evaluation, reasons: evaluation.reasons } });
        kinds.add(change.kind);
        told += 1;
      }
      const words = changes
        .filter(
          ({ kind, to }) =>
            (kind !== 'BRANCH' || to === null) && (kind !== 'ENVIRONMENT' || ['production', 'staging', 'none'].includes(String(to))),
        )
        .map(({ kind, from, to, policy: about, evaluation }) => JSON.stringify([kind, from, to, about?.id ?? null, evaluation.verdict]));
      expect(words.sort()).toEqual(bruteForce(policies, call));
    }
    expect(told).toBeGreaterThan(60);
    expect(kinds.size).toBeGreaterThan(12);
  });

  it('is told in one order, the least intrusive first, and no more of it than fifty', () => {
    const texts = Array.from({ length: 60 }, (_, index) => `permit (principal in AgentClass::"c${index}", action, resource);`);
    const teams = Array.from(
      { length: 60 },
      (_, index) => `permit (principal, action, resource) when { context.user in Team::"t${index}" };`,
    );
    const labels = Array.from({ length: 60 }, (_, index) => `permit (principal, action, resource in ToolLabel::"l${index}");`);
    const policies = [...texts, ...teams, ...labels].map((text, index) => policy(text, `p${index}`));
    const changes = changesOf(policies, aCall());

    expect(changes.map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: 20 }, () => 'USER_TEAM'),
      ...Array.from({ length: 20 }, () => 'AGENT_CLASS'),
      ...Array.from({ length: 10 }, () => 'TOOL_LABEL'),
    ]);
    expect(changesOf([...policies].reverse(), aCall())).toEqual(changes);
  });

  it('is nothing when the call is allowed', () => {
    expect(changesOf([policy(ALL, 'p')], aCall())).toEqual([]);
  });

  it('is the next hour at which it would be allowed, on the clock of the organization', () => {
    const text =
      'permit (principal, action, resource) when { context.local.weekday <= 5 && context.local.hour >= 8 && context.local.hour < 18 };';

    // Sunday afternoon in India.
    expect(changesOf([policy(text, 'p')], aCall())).toMatchObject([
      {
        kind: 'TIME',
        from: '2026-11-22T09:30:00.000Z',
        to: '2026-11-23T03:00:00.000Z',
        message: 'If the call were made at 2026-11-23T03:00:00.000Z.',
      },
    ]);
  });
});

describe('what a verdict depends on', () => {
  /** The call with one thing otherwise that can differ from call to call. */
  function varied(call: ToolCall, what: Dependency, random: Random): ToolCall {
    const other = someCall(random);
    const { circumstances } = call;
    const around = (changed: Partial<ToolCall['circumstances']>): ToolCall => ({
      ...call,
      circumstances: { ...circumstances, ...changed },
    });
    switch (what) {
      case 'ARGUMENTS':
        // Those that policies cannot be shown are answered more strictly than any that they can.
        return { ...call, arguments: 'a.b' in other.arguments ? {} : other.arguments };
      case 'TIME':
        return { ...call, now: other.now };
      case 'SESSION':
        return {
          ...call,
          sessionId: other.sessionId,
          session: random.pick([
            other.session,
            { labels: null, counts: null },
            { labels: ['label 1'], counts: { allowed: 1, asked: 1, denied: 99, failed: 0 } },
          ]),
        };
      case 'ENVIRONMENT':
        return around({ environment: other.circumstances.environment });
      case 'BRANCH':
        return around({ branch: other.circumstances.branch, isBranchProtected: other.circumstances.isBranchProtected });
      case 'SURFACE':
        return around({ surface: other.circumstances.surface });
      case 'EXECUTION_MODE':
        return around({ executionMode: other.circumstances.executionMode });
    }
  }

  it.each([1, 2, 3])('holds all of it: whatever else differs, the verdict is the same (seed %d)', (seed) => {
    const random = aRandom(seed);
    let [independent, differing] = [0, 0];
    for (let round = 0; round < 60; round += 1) {
      const [policies, call] = [somePolicies(random), { ...someCall(random), arguments: {} }];
      const set = prepare(policies);
      const { evaluation, dependsOn } = effectiveAccess(set, call);
      expect(evaluation).toEqual(evaluate(set, call));
      const others = DEPENDENCIES.filter((what) => !dependsOn.includes(what));
      for (let turn = 0; turn < 8; turn += 1) {
        const changed = others.reduce((before, what) => varied(before, what, random), call);
        const { verdict, basis } = evaluate(set, changed);
        expect({ policies, call, changed, verdict, basis }).toMatchObject({ verdict: evaluation.verdict, basis: evaluation.basis });
        const elsewhere = dependsOn.reduce((before, what) => varied(before, what, random), call);
        if (evaluate(set, elsewhere).verdict !== evaluation.verdict) differing += 1;
      }
      independent += others.length;
    }
    // It is no empty promise: most things are not depended on, and those that are do matter.
    expect(independent).toBeGreaterThan(150);
    expect(differing).toBeGreaterThan(20);
  });

  it.each<[readonly Dependency[], string]>([
    [[], ALL],
    [[], 'permit (principal, action, resource) when { resource.risk <= 1 && principal.known };'],
    [['ENVIRONMENT'], 'permit (principal, action, resource) when { resource.risk <= 1 && context.environment == "staging" };'],
    // What it reads plays no part: this tool is none that it is about.
    [[], 'forbid (principal, action, resource) when { context.environment == "staging" && resource.risk >= 3 };'],
    [[], 'forbid (principal, action, resource in Tool::"other") when { resource.hasTag("x") };'],
    [[], 'forbid (principal, action, resource) unless { resource.risk < 3 || context.surface == "CI" };'],
    [['ARGUMENTS'], 'forbid (principal, action, resource) when { resource.numbers.hasTag("n") };'],
    [['ARGUMENTS'], 'forbid (principal, action, resource) unless { ["a"].containsAll(resource.argumentNames) };'],
    [['TIME', 'BRANCH'], 'forbid (principal, action, resource) when { context.local.hour < 8 && context.branchProtected };'],
    [
      ['SESSION', 'SURFACE', 'EXECUTION_MODE'],
      'forbid (principal, action, resource) when { context has session || context.surface == context.executionMode };',
    ],
    // What fails on its way counts, although what stands behind it is never so.
    [['TIME'], 'forbid (principal, action, resource) when { context.now.offset(duration("1d")) > context.now && resource.risk > 9 };'],
    [[], '@approval("owner") forbid (principal, action, resource) unless { context has approval && context.approval.level >= 50 };'],
  ])('is %j of: %s', (expected, text) => {
    expect(effectiveAccess(prepare([policy(ALL, 'all'), policy(text, 'p')]), aCall()).dependsOn).toEqual(expected);
  });
});
