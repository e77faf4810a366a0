import { beforeAll, describe, expect, it } from '@jest/globals';
import { evaluate, preparePolicySet, type Evaluation, type PolicyInForce, type ToolCall } from '../../src/policy/index.js';
import { bothEngines } from '../../src/policy/wasm/engines.js';
import type { JsonObject } from '../../src/kernel/index.js';
import { aRandom } from '../support/random.js';
import { aCall, anUncheckedPolicy, aPolicy } from './a-call.js';
import { aReferencePolicy, OBLIGATIONS, referenceDecision, textOf } from './reference-decision.js';

const ALL = 'permit (principal, action, resource);';
const when = (condition: string, effect = 'permit'): string => `${effect} (principal, action, resource) when { ${condition} };`;

async function decided(text: string, call: ToolCall = aCall()): Promise<Evaluation> {
  return evaluate(preparePolicySet(bothEngines, [await aPolicy(text)]), call);
}

describe('what a policy can say', () => {
  it.each([
    ['the agent', 'permit (principal == Agent::"coder", action, resource);'],
    ['the class of the agent', 'permit (principal in AgentClass::"coding", action, resource);'],
    ['how far the agent is trusted', when('principal.known && principal.trust == 60 && !principal.autonomous')],
    ['whose the agent is', when('principal has owner && principal.owner == User::"ada"')],
    ['the action', 'permit (principal, action == Action::"invokeTool", resource);'],
    ['the project', 'permit (principal, action, resource in Project::"api");'],
    ['the group above', 'permit (principal, action, resource in Group::"core");'],
    ['the group above that', 'permit (principal, action, resource in Group::"payments");'],
    ['the organization', 'permit (principal, action, resource in Organization::"company");'],
    ['the tool', 'permit (principal, action, resource in Tool::"com.example.files/read_file");'],
    ['the server of the tool', 'permit (principal, action, resource in Server::"com.example.files");'],
    ['what the tool can do', when('resource.known && resource.actionType == "READ" && resource.risk == 1')],
    ['which definition of the tool', when('resource has definitionDigest && resource.definitionDigest == "abc"')],
    ['the user and their role', when('context.user == User::"ada" && context.role >= 30')],
    ['the time', when('context.now >= datetime("2026-11-22") && context.now < datetime("2026-11-23")')],
    ['how confidential the project is: the strictest of its line', when('resource.project.dataClass == 2 && resource.project.classified')],
    ['how confidential a group above is', when('Group::"payments".dataClass == 1 && Organization::"company".dataClass == 1')],
    ['that nothing is frozen', when('!resource.project.frozen && !Group::"core".frozen')],
    ['the team of the user', when('context.user in Team::"backend"')],
    ['a label of the tool', 'permit (principal, action, resource in ToolLabel::"files");'],
    ['the labels of the tool', when('resource.labels.contains("files")')],
    ['the clock of the organization', when('context.local == {date: "2026-11-22", weekday: 7, hour: 15, minute: 0}')],
    [
      'where it works',
      when('context.environment == "staging" && context has branch && context.branch == "main" && context.branchProtected'),
    ],
    ['how it works', when('context.surface == "IDE" && context.executionMode == "INTERACTIVE"')],
    ['the marks of the session', when('context has sessionLabels && context.sessionLabels.contains("untrusted_web")')],
    [
      'the counts of the session',
      when('context has sessionCounts && context.sessionCounts == {allowed: 12, asked: 1, denied: 2, failed: 0}'),
    ],
    ['the session', when('context has session && context.session == "run 7"')],
  ])('%s', async (_what, text) => {
    expect(await decided(text)).toMatchObject({ verdict: 'ALLOW', basis: 'PERMITTED' });
  });

  it.each([
    ['another group', 'permit (principal, action, resource in Group::"web");'],
    ['another organization', 'permit (principal, action, resource in Organization::"others");'],
    ['another server', 'permit (principal, action, resource in Server::"com.example");'],
    ['a higher role', when('context.role >= 40')],
  ])('does not match %s', async (_what, text) => {
    expect(await decided(text)).toMatchObject({ verdict: 'DENY', basis: 'NO_MATCH', reasons: [], failed: [] });
  });
});

describe('what is permitted and what is not', () => {
  it('nothing is permitted by no policy at all', () => {
    expect(evaluate(preparePolicySet(bothEngines, []), aCall())).toMatchObject({
      verdict: 'DENY',
      basis: 'NO_MATCH',
      reasons: [],
      failed: [],
    });
  });

  it('one forbid beats any number of permits, in whatever order they are loaded', async () => {
    const permits = await Promise.all([1, 2, 3].map((n) => aPolicy(ALL, { id: `permit ${n}`, name: `permit ${n}` })));
    const forbid = await aPolicy(when('resource.risk == 1', 'forbid'), {
      id: 'forbid',
      name: 'forbid',
      revision: 7,
      namespaceId: 'payments',
    });
    const denied = {
      verdict: 'DENY',
      basis: 'FORBIDDEN',
      failed: [],
      reasons: [{ policyId: 'forbid', policyName: 'forbid', namespaceId: 'payments', revision: 7, effect: 'FORBID' }],
    };

    expect(evaluate(preparePolicySet(bothEngines, [...permits, forbid]), aCall())).toMatchObject(denied);
    expect(evaluate(preparePolicySet(bothEngines, [forbid, ...permits]), aCall())).toMatchObject(denied);
  });

  it('a policy of several statements is one reason, and every permitting policy is one', async () => {
    const policies = [await aPolicy(`${ALL}\n${ALL}`, { id: 'b', name: 'b' }), await aPolicy(ALL, { id: 'a', name: 'a' })];

    expect(evaluate(preparePolicySet(bothEngines, policies), aCall()).reasons.map(({ policyId }) => policyId)).toEqual(['a', 'b']);
  });
});

describe('a policy that cannot be evaluated', () => {
  const overflow = 'resource.risk + 9007199254740991 * 9007199254740991 > 0';
  const missing = 'resource.getTag("path") == "/etc"';

  // The validator lets no tag be read without `hasTag`; a text that was stored under an older model may.
  it.each([
    ['an arithmetic overflow', overflow],
    ['an argument that the call does not have', missing],
    ['an attribute that is no more', 'principal.clearance > 3'],
  ])('denies as a forbid, although another permits: %s', async (_what, condition) => {
    const forbid = anUncheckedPolicy(when(condition, 'forbid'), { id: 'f', name: 'broken' });
    const mine = { policyId: 'f', policyName: 'broken', namespaceId: 'company', revision: 1, effect: 'FORBID' };

    expect(evaluate(preparePolicySet(bothEngines, [await aPolicy(ALL), forbid]), aCall())).toMatchObject({
      verdict: 'DENY',
      basis: 'POLICY_ERROR',
      reasons: [mine],
      failed: [mine],
    });
  });

  it.each([
    ['an arithmetic overflow', overflow],
    ['an argument that the call does not have', missing],
  ])('does not allow as a permit: %s', (_what, condition) => {
    const permit = anUncheckedPolicy(when(condition));

    expect(evaluate(preparePolicySet(bothEngines, [permit]), aCall())).toMatchObject({
      verdict: 'DENY',
      basis: 'NO_MATCH',
      reasons: [],
      failed: [{ effect: 'PERMIT' }],
    });
  });

  it('passes the validator as an overflow, and still denies', async () => {
    expect(await decided(`${ALL} ${when(overflow, 'forbid')}`)).toMatchObject({ verdict: 'DENY', basis: 'POLICY_ERROR' });
  });

  it('does not keep a permit that holds from allowing, but is told of', async () => {
    expect(await decided(`${ALL} ${when(overflow)}`)).toMatchObject({
      verdict: 'ALLOW',
      reasons: [{ effect: 'PERMIT' }],
      failed: [{ effect: 'PERMIT' }],
    });
  });

  it('is beaten by a forbid that matches', async () => {
    expect(await decided(`${ALL} ${when('true', 'forbid')} ${when(overflow, 'forbid')}`)).toMatchObject({
      verdict: 'DENY',
      basis: 'FORBIDDEN',
      failed: [{ effect: 'FORBID' }],
    });
  });
});

describe('arguments of a call', () => {
  let forbidsSecrets: PolicyInForce;
  beforeAll(async () => {
    forbidsSecrets = await aPolicy(`${ALL} ${when('resource.hasTag("path") && resource.getTag("path") like "*secret*"', 'forbid')}`);
  });
  const verdictOn = (given: JsonObject): string =>
    evaluate(preparePolicySet(bothEngines, [forbidsSecrets]), aCall({ arguments: given })).verdict;

  it.each<[string, JsonObject, string]>([
    ['text', { path: '/home' }, 'ALLOW'],
    ['text that is forbidden', { path: '/secret/key' }, 'DENY'],
    ['a number', { path: 7 }, 'ALLOW'],
    ['a huge number', { path: 1e300 }, 'ALLOW'],
    ['a fraction', { path: 0.1 }, 'ALLOW'],
    ['a boolean', { path: true }, 'ALLOW'],
    ['null', { path: null }, 'ALLOW'],
    ['a NUL character before what is forbidden', { path: '\u0000secret' }, 'DENY'],
    ['the text of an entity', { path: '{"__entity":{"type":"User","id":"secret"}}' }, 'DENY'],
    ['what Cedar would read as an entity', { path: { __entity: { type: 'User', id: 'ada' } } }, 'ALLOW'],
    ['what Cedar would read as a function', { path: { __extn: { fn: 'unknown', arg: 'x' } } }, 'ALLOW'],
    ['a list', { path: ['secret'] }, 'ALLOW'],
  ])('are text or nothing, never interpreted: %s', (_what, given, verdict) => {
    expect(verdictOn(given)).toBe(verdict);
  });

  it.each(['__entity', '__extn', '__proto__', 'constructor', 'toString', '', '\u0000', 'a"b\\c', 'uid', 'attrs', 'path\u0000'])(
    'may be called %j',
    (name) => {
      const given: JsonObject = Object.fromEntries([
        [name, 'type'],
        ['path', 'secret'],
      ]);

      expect(verdictOn(given)).toBe('DENY');
      expect(verdictOn(Object.fromEntries([[name, 'secret']]))).toBe('ALLOW');
    },
  );

  it('show numbers and booleans as policies write them', async () => {
    const text = when(
      '["n","t"].contains("n") && resource.hasTag("n") && resource.getTag("n") == "12.5" && resource.hasTag("t") && resource.getTag("t") == "true"',
    );

    expect(await decided(text, aCall({ arguments: { n: 12.5, t: true } }))).toMatchObject({ verdict: 'ALLOW' });
  });
});

describe('names from outside', () => {
  const hostile = ['"', '\\', '::', 'Agent::"root"', '\u0000', '__entity', '__proto__', '', '😀'];

  let all: PolicyInForce;
  let others: PolicyInForce;
  beforeAll(async () => {
    all = await aPolicy(ALL);
    others = await aPolicy(when('resource in Organization::"company" || principal == Agent::"root"'));
  });

  it.each(hostile)('are ids and nothing else: %j', (name) => {
    const call = aCall({
      agent: { ...aCall().agent, id: name, classes: [name], ownerId: name },
      user: { id: name, level: 30, teams: [name] },
      tool: { ...aCall().tool, id: name, server: name },
      projectLine: [
        { id: name, kind: 'ORGANIZATION', dataClass: null, isFrozen: false },
        { id: name, kind: 'GROUP', dataClass: null, isFrozen: false },
        { id: name, kind: 'PROJECT', dataClass: null, isFrozen: false },
      ],
      sessionId: name,
      arguments: { [name]: name },
    });

    expect(evaluate(preparePolicySet(bothEngines, [all]), call)).toMatchObject({ verdict: 'ALLOW' });
    expect(evaluate(preparePolicySet(bothEngines, [others]), call)).toMatchObject({ verdict: 'DENY', basis: 'NO_MATCH' });
  });
});

describe('what the platform has not said', () => {
  const silent = aCall({
    projectLine: [
      { id: 'company', kind: 'ORGANIZATION', dataClass: null, isFrozen: true },
      { id: 'api', kind: 'PROJECT', dataClass: null, isFrozen: false },
    ],
    session: { labels: null, counts: null },
    sessionId: null,
  });

  it.each([
    ['how confidential data are: as restricted', when('resource.project.dataClass == 3 && !resource.project.classified')],
    ['what is frozen above is frozen below', when('resource.project.frozen && Organization::"company".frozen')],
    ['the session: it is missing', when('!(context has session) && !(context has sessionLabels) && !(context has sessionCounts)')],
  ])('%s', async (_what, text) => {
    expect(await decided(text, silent)).toMatchObject({ verdict: 'ALLOW' });
  });
});

describe('typed arguments', () => {
  it.each<[string, string, JsonObject]>([
    ['a number', 'resource.numbers.hasTag("n") && resource.numbers.getTag("n") > 1000', { n: 1001 }],
    ['a number just above a limit', 'resource.numbers.hasTag("n") && resource.numbers.getTag("n") > 1000', { n: 1000.000001 }],
    ['a number beyond all limits', 'resource.numbers.hasTag("n") && resource.numbers.getTag("n") > 1000', { n: 1e300 }],
    ['a number below all limits', 'resource.numbers.hasTag("n") && resource.numbers.getTag("n") < -1000', { n: -1e300 }],
    ['a rounded number', 'resource.roundedArguments.contains("n")', { n: 0.5 }],
    ['a flag', 'resource.flags.hasTag("f") && resource.flags.getTag("f")', { f: true }],
    ['a list', 'resource.lists.hasTag("l") && resource.lists.getTag("l").contains("b")', { l: ['a', 'b'] }],
    ['a list of one', 'resource.lists.hasTag("l") && resource.lists.getTag("l").contains("b")', { l: 'b' }],
    ['a member', 'resource.hasTag("a.b") && resource.getTag("a.b") == "c"', { a: { b: 'c' } }],
    ['members in a list', 'resource.lists.hasTag("a.b") && resource.lists.getTag("a.b").contains("c")', { a: [{ b: 'x' }, { b: 'c' }] }],
    ['the names', 'resource.argumentNames == ["a", "b"]', { a: 1, b: null }],
    ['that there are none', '!resource.numbers.hasTag("n") && !resource.flags.hasTag("n") && !resource.lists.hasTag("n")', {}],
  ])('are seen by policies: %s', async (_what, condition, given) => {
    expect(await decided(when(condition), aCall({ arguments: given }))).toMatchObject({ verdict: 'ALLOW' });
  });
});

describe('arguments of which not all can be shown', () => {
  const unclear: JsonObject = { 'a.b': '/tmp', a: { b: '/etc/passwd' } };
  const reads = 'resource.hasTag("path") && resource.getTag("path") like "/etc/*"';
  const unreadable = { verdict: 'DENY', basis: 'ARGUMENTS_UNREADABLE' };

  it.each([
    ['a forbid that reads arguments denies', `${ALL} ${when(reads, 'forbid')}`, unreadable],
    ['so does one that asks which there are', `${ALL} ${when('resource.argumentNames.contains("path")', 'forbid')}`, unreadable],
    [
      'one for another tool does not',
      `${ALL} forbid (principal, action, resource in Tool::"other") when { ${reads} };`,
      { verdict: 'ALLOW' },
    ],
    [
      'one with another clause that does not match does not',
      `${ALL} forbid (principal, action, resource) when { ${reads} } when { context.role > 30 };`,
      { verdict: 'ALLOW' },
    ],
    ['one that reads no arguments does not', `${ALL} ${when('context.role > 30', 'forbid')}`, { verdict: 'ALLOW' }],
    ['a permit that reads arguments does not permit', when(`!(${reads})`), unreadable],
    ['another one does', `${when(`!(${reads})`)} ${when('context.role == 30')}`, { verdict: 'ALLOW' }],
    ['policies can say so themselves', `${ALL} ${when('!resource.argumentsComplete', 'forbid')}`, { verdict: 'DENY', basis: 'FORBIDDEN' }],
    [
      'a human can be asked about it',
      `${ALL} @approval("maintainer") forbid (principal, action, resource) when { ${reads} } unless { context has approval && context.approval.level >= 40 };`,
      { verdict: 'ASK', approval: { level: 40, count: 1 } },
    ],
  ])('%s', async (_what, text, expected) => {
    expect(await decided(text, aCall({ arguments: unclear }))).toMatchObject(expected);
  });

  it('do not matter where they can', async () => {
    expect(await decided(`${ALL} ${when(reads, 'forbid')}`, aCall({ arguments: { a: { b: '/etc/passwd' } } }))).toMatchObject({
      verdict: 'ALLOW',
    });
  });
});

describe('approvals and obligations', () => {
  const asks =
    '@id("ask") @approval("maintainer:2") @reason("Dangerous") @severity("high") @advice("Do it by hand.") forbid (principal, action, resource) unless { context has approval && context.approval.level >= 40 && context.approval.count >= 2 };';
  const obliges = '@oblige("redact:pii") forbid (principal, action, resource) unless { context.promises.contains("redact:pii") };';

  it('ask for whom the policy says, with its words', async () => {
    expect(await decided(`${ALL} ${asks}`)).toEqual({
      verdict: 'ASK',
      basis: 'APPROVAL_NEEDED',
      approval: { level: 40, count: 2 },
      obligations: [],
      advice: ['Do it by hand.'],
      failed: [],
      determining: ['p/1'],
      reasons: [
        {
          policyId: 'p',
          policyName: 'policy',
          namespaceId: 'company',
          revision: 1,
          effect: 'FORBID',
          statement: 'ask',
          reason: 'Dangerous',
          severity: 'high',
        },
      ],
    });
  });

  it.each([
    [{ level: 40, count: 2 }, 'ALLOW'],
    [{ level: 50, count: 10 }, 'ALLOW'],
    [{ level: 40, count: 1 }, 'ASK'],
    [{ level: 30, count: 9 }, 'ASK'],
  ])('with the approval %j it is %s', async (approval, verdict) => {
    expect(await decided(`${ALL} ${asks}`, aCall({ approval }))).toMatchObject({ verdict });
  });

  it.each([
    ['nobody permits it', asks, { verdict: 'DENY', basis: 'NO_MATCH' }],
    ['something else forbids it', `${ALL} ${asks} ${when('true', 'forbid')}`, { verdict: 'DENY', basis: 'FORBIDDEN' }],
    [
      'a forbid cannot be evaluated',
      `${ALL} ${asks} ${when('resource.risk + 9007199254740991 * 9007199254740991 > 0', 'forbid')}`,
      { verdict: 'DENY' },
    ],
  ])('nobody is asked in vain: %s', async (_what, text, expected) => {
    expect(await decided(text)).toMatchObject({ ...expected, approval: null });
  });

  it.each([
    [[], { verdict: 'DENY', basis: 'OBLIGATION_NEEDED', obligations: ['redact:pii'] }],
    [['log'], { verdict: 'DENY', basis: 'OBLIGATION_NEEDED', obligations: ['redact:pii'] }],
    [['redact:pii'], { verdict: 'ALLOW', basis: 'PERMITTED', obligations: ['redact:pii'] }],
    [['redact'], { verdict: 'ALLOW', basis: 'PERMITTED', obligations: ['redact:pii'] }],
    [['redact:keys'], { verdict: 'DENY', basis: 'OBLIGATION_NEEDED' }],
  ])('with the promises %j', async (promises, expected) => {
    expect(await decided(`${ALL} ${obliges}`, aCall({ promises }))).toMatchObject(expected);
  });

  it('demand nothing where no policy does, whatever is promised', async () => {
    expect(await decided(ALL, aCall({ promises: ['redact', 'log:full'] }))).toMatchObject({ verdict: 'ALLOW', obligations: [] });
  });

  it('come out as by trying everything, for many sets of policies', async () => {
    const random = aRandom(7);
    const verdicts = new Set<string>();
    for (let round = 0; round < 150; round += 1) {
      const policies = Array.from({ length: 1 + random.below(6) }, (_, n) => aReferencePolicy(random, `p${n}`));
      const promises = random.shuffled([...OBLIGATIONS, 'redact']).slice(0, random.below(4));
      const set = preparePolicySet(
        bothEngines,
        policies.map((policy) => anUncheckedPolicy(textOf(policy), { id: policy.id, name: policy.id })),
      );

      const { verdict, approval, obligations, basis } = evaluate(set, aCall({ promises }));

      const expected = referenceDecision(policies, promises);
      const shown = { verdict, obligations: basis === 'OBLIGATION_NEEDED' ? [] : obligations };
      expect({ round, ...shown }).toEqual({ round, verdict: expected.verdict, obligations: expected.obligations });
      // The least level and the least count that suffice, each alone: an approval of both is the least that does.
      if (expected.approval !== null) expect(approval?.level).toBe(expected.approval.level);
      if (approval !== null)
        expect(
          referenceDecision(
            policies.map((policy) => ({ ...policy, approval: exceeds(policy.approval, approval) ? policy.approval : null })),
            promises,
          ).verdict,
        ).not.toBe('ASK');
      verdicts.add(`${verdict} ${basis}`);
    }
    expect([...verdicts].sort()).toEqual([
      'ALLOW PERMITTED',
      'ASK APPROVAL_NEEDED',
      'DENY FORBIDDEN',
      'DENY NO_MATCH',
      'DENY OBLIGATION_NEEDED',
      'DENY POLICY_ERROR',
    ]);
  });
});

type Needed = { readonly level: number; readonly count: number };
const exceeds = (wanted: Needed | null, given: Needed): boolean =>
  wanted !== null && (wanted.level > given.level || wanted.count > given.count);

describe('a tool that is registered for another part of the organization', () => {
  const call = aCall({ tool: { ...aCall().tool, id: 'a/b', server: null, isKnown: false, isElsewhere: true } });

  it.each([
    ['is not permitted by its name', 'permit (principal, action, resource in Tool::"a/b");', 'DENY'],
    ['is permitted as any unknown one', ALL, 'ALLOW'],
    ['is forbidden by its name', `${ALL} forbid (principal, action, resource in Tool::"a/b");`, 'DENY'],
    [
      'is asked about by its name',
      `${ALL} @approval("owner") forbid (principal, action, resource in Tool::"a/b") unless { context has approval && context.approval.level >= 50 };`,
      'ASK',
    ],
  ])('%s', async (_what, text, verdict) => {
    expect(await decided(text, call)).toMatchObject({ verdict });
  });
});

describe('a policy that was published under the model 1.0.0', () => {
  it('decides as it did, whatever its annotations say', async () => {
    const permit = anUncheckedPolicy(
      '@id("a") @whatever("x") permit (principal in AgentClass::"coding", action == Action::"invokeTool", resource in Server::"com.example.files") when { principal.known && principal.trust >= 50 && principal has owner && principal.owner == context.user && resource.known && resource.actionType == "READ" && resource.risk == 1 && resource has definitionDigest && resource.tool == Tool::"com.example.files/read_file" && resource.project == Project::"api" && context.role >= 30 && context.now > datetime("2026-01-01") && context has session && resource.hasTag("path") && resource.getTag("path") == "x" };',
      { id: 'permit' },
    );
    const forbid = anUncheckedPolicy(
      '@approval("anything") @oblige("maintainer") forbid (principal, action, resource) when { resource.hasTag("n") && resource.getTag("n") == "7" };',
      { id: 'forbid' },
    );
    const set = preparePolicySet(bothEngines, [permit, forbid]);

    expect(evaluate(set, aCall({ arguments: { path: 'x' } }))).toMatchObject({ verdict: 'ALLOW' });
    expect(evaluate(set, aCall({ arguments: { path: 'x', n: 7 } }))).toMatchObject({ verdict: 'DENY', basis: 'FORBIDDEN' });
  });
});
