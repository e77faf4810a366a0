import { beforeAll, describe, expect, it } from '@jest/globals';
import { evaluate, preparePolicySet, type Evaluation, type PolicyInForce, type ToolCall } from '../../src/policy/index.js';
import { wasmEngine } from '../../src/policy/wasm.js';
import type { JsonObject } from '../../src/kernel/index.js';
import { aCall, anUncheckedPolicy, aPolicy } from './a-call.js';

const ALL = 'permit (principal, action, resource);';
const when = (condition: string, effect = 'permit'): string => `${effect} (principal, action, resource) when { ${condition} };`;

async function decided(text: string, call: ToolCall = aCall()): Promise<Evaluation> {
  return evaluate(preparePolicySet(wasmEngine, [await aPolicy(text)]), call);
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
    expect(evaluate(preparePolicySet(wasmEngine, []), aCall())).toMatchObject({
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

    expect(evaluate(preparePolicySet(wasmEngine, [...permits, forbid]), aCall())).toMatchObject(denied);
    expect(evaluate(preparePolicySet(wasmEngine, [forbid, ...permits]), aCall())).toMatchObject(denied);
  });

  it('a policy of several statements is one reason, and every permitting policy is one', async () => {
    const policies = [await aPolicy(`${ALL}\n${ALL}`, { id: 'b', name: 'b' }), await aPolicy(ALL, { id: 'a', name: 'a' })];

    expect(evaluate(preparePolicySet(wasmEngine, policies), aCall()).reasons.map(({ policyId }) => policyId)).toEqual(['a', 'b']);
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

    expect(evaluate(preparePolicySet(wasmEngine, [await aPolicy(ALL), forbid]), aCall())).toMatchObject({
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

    expect(evaluate(preparePolicySet(wasmEngine, [permit]), aCall())).toMatchObject({
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
    evaluate(preparePolicySet(wasmEngine, [forbidsSecrets]), aCall({ arguments: given })).verdict;

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

    expect(evaluate(preparePolicySet(wasmEngine, [all]), call)).toMatchObject({ verdict: 'ALLOW' });
    expect(evaluate(preparePolicySet(wasmEngine, [others]), call)).toMatchObject({ verdict: 'DENY', basis: 'NO_MATCH' });
  });
});
