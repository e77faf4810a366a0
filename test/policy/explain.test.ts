import { readFile } from 'node:fs/promises';
import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { describe, expect, it } from '@jest/globals';
import type { Json } from '../../src/kernel/index.js';
import { clauseTexts } from '../../src/policy/explain/cedar-text.js';
import { explainCall, preparePolicySet, type PolicyInForce, type ToolCall } from '../../src/policy/index.js';
import { bothEngines } from '../../src/policy/wasm/engines.js';
import { aRandom } from '../support/random.js';
import { aCall, anUncheckedPolicy } from './a-call.js';
import { aPolicyText } from './generated-policies.js';

const LINE = ['company', 'payments', 'core', 'api'];
const ALL = 'permit (principal, action, resource);';
const explained = (policies: readonly PolicyInForce[], call: ToolCall = aCall(), watched: readonly PolicyInForce[] = []) =>
  explainCall(preparePolicySet(bothEngines, policies), watched, call, LINE);
const named = (text: string, name: string, more: Partial<PolicyInForce> = {}): PolicyInForce =>
  anUncheckedPolicy(text, { id: name, name, ...more });
/** The one statement of the one policy. */
function statementOf(text: string, call?: ToolCall) {
  const [policy] = explained([named(text, 'p')], call).policies;
  const [statement] = policy?.statements() ?? [];
  if (statement === undefined) throw new Error('There is no statement.');
  return statement;
}

describe('a condition written out again', () => {
  const conditionsIn = (text: string): Json => {
    const parsed = policyToJson(text);
    if (parsed.type === 'failure') throw new Error(`${text}\n${JSON.stringify(parsed.errors)}`);
    return JSON.parse(JSON.stringify(parsed.json.conditions));
  };
  /** What Cedar reads of a text, and of what we write of it. */
  function bothReadings(text: string): readonly [Json, Json] {
    const conditions = conditionsIn(text);
    const kinds = Array.isArray(conditions) ? conditions.map((clause) => String(Object(clause)['kind'])) : [];
    const clauses = clauseTexts({ conditions }).map((clause, index) => `${kinds[index] ?? ''} { ${clause} }`);
    return [conditions, conditionsIn(`permit (principal, action, resource) ${clauses.join(' ')};`)];
  }

  it.each(
    [
      '1 + 2 * -3 >= (1 + 2) * 3 - (4 - 5) && -(context.role) < 1',
      '(principal.known || principal.autonomous) && !(principal.known && principal.autonomous) && !principal.known',
      'if principal.known then context.role > 1 else (if principal.autonomous then true else false)',
      '(if principal.known then 1 else 2) == 1 && (context.role > 1) == true',
      'context has approval.level && context has "a b" && context["environment"] == "x" && context["a b"] == {a: 1, "b c": [1, "two"]}',
      'context.environment like "re*\\*\\"x\\n\\u{202e}" && resource.getTag("a\\\\b\\u{0}").contains("\\t")',
      'resource is ToolUse in Group::"a\\"b" && principal in [Agent::"x", Agent::"y"] && [].isEmpty() && principal is Agent',
      'context.now.offset(duration("1h")).toTime().toHours() > datetime("2026-12-24").toMilliseconds() && decimal("1.0").lessThan(decimal("2.0"))',
      'context.promises.containsAll(["a", "b"]) && ip("10.0.0.1").isInRange(ip("10.0.0.0/8")) && Group::"g".dataClass == 1',
      '((context.role == 1) == (context.role == 2)) && (context.role in context.role) != true && context.a.b["c d"].if == 1',
    ].map((condition) => condition.replace('.if ==', '["if"] ==')),
  )('is the same to Cedar: %s', (condition) => {
    const [before, after] = bothReadings(`permit (principal, action, resource) when { ${condition} } unless { ${condition} };`);

    expect(after).toEqual(before);
  });

  it('is the same to Cedar in every example of the model and in generated ones', async () => {
    const examples = [...(await readFile('docs/policy-model.md', 'utf8')).matchAll(/^```cedar\n(.*?)^```$/gms)].map(
      ([, text]) => text ?? '',
    );
    const random = aRandom(4711);
    const texts = [...examples, ...Array.from({ length: 200 }, (_, index) => aPolicyText(random, `g${index}`))];

    expect(examples.length).toBeGreaterThan(40);
    for (const text of texts) {
      const [before, after] = bothReadings(text);
      expect(after).toEqual(before);
    }
  });
});

describe('what became of a statement', () => {
  it.each<[string, string, string]>([
    ['a permit', ALL, 'It permits the call.'],
    ['a forbid', 'forbid (principal, action, resource);', 'It forbids the call.'],
    [
      'a forbid that gives way',
      '@approval("owner:2") @oblige("a, b") forbid (principal, action, resource) unless { context has approval && context.approval.level >= 50 && context.promises.containsAll(["a", "b"]) };',
      'It forbids the call; it gives way to the approvals of 2 people, each OWNER or above and demands the promise of a, b.',
    ],
    ['the agent', 'permit (principal == Agent::"x", action, resource);', 'It is about the agent “x”, and another one asks.'],
    ['the tool', 'permit (principal, action, resource in Tool::"x");', 'It is about the tool “x”, and the call is of another one.'],
    [
      'a label',
      'permit (principal, action, resource in ToolLabel::"x");',
      'It is about tools with the label “x”, and this tool does not have it.',
    ],
    [
      'a project',
      'permit (principal, action, resource in Project::"x");',
      'It is about the project “x”, and the call is made in another one.',
    ],
    [
      'a group',
      'permit (principal, action, resource is ToolUse in Group::"x");',
      'It is about the group “x”, and the project does not lie in it.',
    ],
    ['an action', 'permit (principal, action == Action::"x", resource);', 'It is about another action than calling a tool: x.'],
    ['a type', 'permit (principal is User, action, resource);', 'Its scope asks for another kind of principal.'],
    [
      'a term',
      'permit (principal, action, resource) when { principal.known && context.role > 40 };',
      'It asks for something that is not so: context.role > 40',
    ],
    [
      'an exception',
      'forbid (principal, action, resource) when { true } unless { principal.autonomous || context.role == 30 };',
      'It does not apply, since what it makes an exception for is so: context.role == 30',
    ],
    [
      'an error',
      'permit (principal, action, resource) when { context.role == 30 && resource.getTag("x") == "y" };',
      'It could not be evaluated: it reads an argument that the call does not have, in resource.getTag("x") == "y". So it permits nothing.',
    ],
  ])('is told in words: %s', (_what, text, message) => {
    expect(statementOf(text).message).toBe(message);
  });

  it('is that it cannot be evaluated when it reads arguments that cannot be shown', () => {
    const call = aCall({ arguments: { 'a.b': 1, a: { b: 2 } } });

    expect(statementOf('forbid (principal, action, resource) when { resource.hasTag("x") };', call)).toMatchObject({
      outcome: 'FAILED',
      isDeciding: false,
      clause: null,
      error: 'it reads arguments, and the call has more of them than policies can be shown, or two of one name',
    });
    expect(
      explained([named(ALL, 'a'), named('forbid (principal, action, resource) when { resource.hasTag("x") };', 'b')], call).policies,
    ).toMatchObject([
      { policy: { name: 'b' }, isDeciding: true },
      { policy: { name: 'a' }, isDeciding: false },
    ]);
  });

  it('is told in the order of what mattered, then of the level, then of the name; shadows decide nothing', () => {
    const forbid = 'forbid (principal, action, resource);';
    const policies = [
      named(ALL, 'z', { namespaceId: 'api' }),
      named(ALL, 'b', { namespaceId: 'payments' }),
      named(ALL, 'a', { namespaceId: 'payments' }),
      named('permit (principal, action, resource in Tool::"x");', 'elsewhere'),
      named('permit (principal, action, resource) when { context.role == 7 };', 'unmet', { namespaceId: 'api' }),
      named(forbid, 'no', { namespaceId: 'api' }),
    ];
    const shadow = named(forbid, 'watched', { mode: 'SHADOW', namespaceId: 'company' });

    const { policies: told, counts } = explained(policies, aCall(), [shadow]);

    expect(told.map(({ policy, isDeciding }) => `${policy.name}${isDeciding ? '!' : ''}`)).toEqual([
      ...['no!', 'watched', 'a', 'b', 'z', 'unmet', 'elsewhere'],
    ]);
    expect(counts).toEqual({ APPLIED: 4, FAILED: 0, CONDITION_NOT_MET: 1, NOT_IN_SCOPE: 1 });
  });

  it('follows the name by which a tool of another place is asked about', () => {
    const call = aCall({ tool: { ...aCall().tool, isElsewhere: true, isKnown: false } });
    const text = 'permit (principal, action, resource in Tool::"com.example.files/read_file");';

    expect(statementOf(text, call)).toMatchObject({ outcome: 'NOT_IN_SCOPE', misfits: [{ party: 'RESOURCE' }] });
  });
});

describe('the facts that were read', () => {
  const facts = (condition: string, call?: ToolCall) =>
    explained([named(`permit (principal, action, resource) when { ${condition} };`, 'p')], call).facts.map(
      ({ isOfAgent: _isOfAgent, ...fact }) => fact,
    );

  it('are those of statements whose scope takes the call, each once, with what they are', () => {
    const condition =
      'principal.owner == User::"ada" && principal in AgentClass::"coding" && context.now > datetime("2020-01-01") && context.local.hour > 3 && context.user in [Team::"a", Team::"backend"] && resource.labels.contains("x") && context has branch && Group::"core".dataClass > 1 && resource.project.dataClass > 1';

    expect(facts(`(${condition}) && context.local.hour > 4`)).toEqual([
      { path: 'Group::"core".dataClass', argument: null, value: 2, isAbsent: false },
      { path: 'context.branch', argument: null, value: 'main', isAbsent: false },
      { path: 'context.local.hour', argument: null, value: 15, isAbsent: false },
      { path: 'context.now', argument: null, value: '2026-11-22T09:30:00.000Z', isAbsent: false },
      { path: 'context.user in [Team::"a", Team::"backend"]', argument: null, value: true, isAbsent: false },
      { path: 'principal in AgentClass::"coding"', argument: null, value: true, isAbsent: false },
      { path: 'principal.owner', argument: null, value: { type: 'User', id: 'ada' }, isAbsent: false },
      { path: 'resource.labels', argument: null, value: ['files'], isAbsent: false },
      { path: 'resource.project.dataClass', argument: null, value: 2, isAbsent: false },
    ]);
    expect(explained([named('permit (principal, action, resource in Tool::"x") when { context.role > 1 };', 'p')]).facts).toEqual([]);
  });

  it('say which of them the directory says of the agent', () => {
    const condition =
      'principal.trust > 1 && Agent::"a".known && context.role > 1 && principal in AgentClass::"x" && Group::"core".dataClass > 1';
    const policy = named(`permit (principal, action, resource) when { ${condition} };`, 'p');

    expect(explained([policy]).facts.flatMap(({ path, isOfAgent }) => (isOfAgent ? [path] : []))).toEqual([
      ...['Agent::"a".known', 'principal in AgentClass::"x"', 'principal.trust'],
    ]);
  });

  it('name arguments, also those that are not there, and members of objects by their dotted names', () => {
    const condition =
      'resource.hasTag("a.b") || resource.getTag("__proto__") == "" || resource.lists.getTag("to").contains("x") || resource.numbers.getTag(context.environment) > 1';

    expect(facts(condition, aCall({ arguments: { a: { b: 'x' }, to: ['y', 'x'] } }))).toEqual([
      { path: 'context.environment', argument: null, value: 'staging', isAbsent: false },
      { path: 'resource.getTag("__proto__")', argument: '__proto__', value: null, isAbsent: true },
      { path: 'resource.getTag("a.b")', argument: 'a.b', value: 'x', isAbsent: false },
      { path: 'resource.lists.getTag("to")', argument: 'to', value: ['x', 'y'], isAbsent: false },
      { path: 'resource.numbers.getTag(context.environment)', argument: null, value: null, isAbsent: true },
    ]);
  });
});

describe('a call that nothing permits', () => {
  it('is told the permits of which one thing is not so, the nearest first', () => {
    const texts: Readonly<Record<string, string>> = {
      tool: 'permit (principal, action, resource in Tool::"x");',
      agent: 'permit (principal in AgentClass::"ops", action, resource) when { context.role >= 30 };',
      term: 'permit (principal, action, resource) when { context.role >= 30 && context.surface == "CI" } unless { principal.autonomous };',
      guarded: 'permit (principal, action, resource) when { resource.hasTag("x") && resource.getTag("x") == "y" };',
      'two terms': 'permit (principal, action, resource) when { context.role >= 40 && context.surface == "CI" };',
      'party and term': 'permit (principal in AgentClass::"ops", action, resource) when { context.role >= 40 };',
      'two parties': 'permit (principal in AgentClass::"ops", action, resource in Tool::"x");',
      forbid: 'forbid (principal in AgentClass::"ops", action, resource);',
    };

    const { nearMisses, evaluation } = explained(Object.entries(texts).map(([name, text]) => named(text, name)));

    expect(evaluation.basis).toBe('NO_MATCH');
    expect(nearMisses.map(({ policy, missing }) => [policy.name, missing])).toEqual([
      ['term', 'context.surface == "CI"'],
      ['guarded', 'resource.hasTag("x")'],
      ['agent', 'principal in AgentClass::"ops"'],
      ['tool', 'resource in Tool::"x"'],
    ]);
  });

  it('is told no more than twenty', () => {
    const policies = Array.from({ length: 400 }, (_, index) =>
      named(`permit (principal, action, resource in Tool::"${index}");`, `p${index}`),
    );

    expect(explained(policies).nearMisses).toHaveLength(20);
  });
});
