import { beforeAll, describe, expect, it } from '@jest/globals';
import { SCHEMA, evaluate, preparePolicySet, type PolicySet } from '../../src/policy/index.js';
import { MAX_TEXT_BYTES } from '../../src/policy/guard.js';
import { cedarOf, placeRules, ruleProblem, textOfRules, type RuleHolder, type ToolRule } from '../../src/policy/tool-rules.js';
import { bothEngines } from '../../src/policy/wasm/engines.js';
import { wasmParser } from '../../src/policy/wasm/parser.js';
import { aCall, withStatements } from './a-call.js';

const rule = (tool: string, verdict: ToolRule['verdict'] = 'DENY', agentClass = 'coding'): ToolRule => ({ tool, agentClass, verdict });
const many = (count: number, verdict: ToolRule['verdict'] = 'ASK'): readonly ToolRule[] =>
  Array.from({ length: count }, (_, n) => rule(`io.github.acme/some-server/tool_number_${n}`, verdict));

/** What was placed, with a name for every new policy. */
const named = (holders: readonly RuleHolder[]) =>
  holders.map(({ policyId, rules }, index) => ({ policyId: policyId ?? `new ${index}`, rules }));

async function setOf(rules: readonly ToolRule[]): Promise<PolicySet> {
  const parsed = await wasmParser.parse(textOfRules(rules), SCHEMA);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return preparePolicySet(bothEngines, [withStatements(parsed.statements)]);
}

describe('a rule as Cedar', () => {
  const calls = ['allowed', 'denied', 'asked', 'other'] as const;
  let set: PolicySet;
  beforeAll(async () => {
    set = await setOf([rule('files/allowed', 'ALLOW'), rule('files/denied', 'DENY'), rule('files/asked', 'ASK')]);
  });
  const answers = (agentClass: string) =>
    calls.map((name) => {
      const call = aCall({ agent: { ...aCall().agent, classes: [agentClass] }, tool: { ...aCall().tool, id: `files/${name}` } });
      return evaluate(set, call).basis;
    });

  it('permits, forbids and asks, for agents of the class and for no others', () => {
    expect(answers('coding')).toEqual(['PERMITTED', 'FORBIDDEN', 'APPROVAL_NEEDED', 'NO_MATCH']);
    expect(answers('reviewing')).toEqual(['NO_MATCH', 'NO_MATCH', 'NO_MATCH', 'NO_MATCH']);
  });

  it.each(['a"b', 'a\\', 'a"); permit (principal, action, resource', '😀', '?resource', "it's", '//', '*', 'a\u2028b'])(
    'holds an id and nothing else: %j',
    async (id) => {
      const hostile = await setOf([rule(id, 'ALLOW', id)]);
      const call = (tool: string, agentClass: string) =>
        aCall({ agent: { ...aCall().agent, classes: [agentClass] }, tool: { ...aCall().tool, id: tool } });

      expect(evaluate(hostile, call(id, id)).verdict).toBe('ALLOW');
      expect(evaluate(hostile, call('other', id)).verdict).toBe('DENY');
      expect(evaluate(hostile, call(id, 'other')).verdict).toBe('DENY');
    },
  );

  it('is the same text whatever the order in which rules come', () => {
    const rules = [rule('b'), rule('a'), rule('a', 'ALLOW', 'reviewing')];

    expect(textOfRules(rules)).toBe(textOfRules([...rules].reverse()));
  });

  it.each([
    ['', 'coding'],
    ['x'.repeat(301), 'coding'],
    ['t', ''],
    ['t', 'x'.repeat(101)],
    ['a\nb', 'coding'],
    ['t', 'a\u0000'],
    ['a\u202eb', 'coding'],
    ['\ud800', 'coding'],
  ])('is refused for %j and %j', (tool, agentClass) => {
    expect(ruleProblem({ tool, agentClass, verdict: 'ALLOW' })).toMatch(/^(tool|agentClass): must/);
  });
});

describe('where rules go', () => {
  it('a thousand make a dozen policies or two, none longer than a text can be', () => {
    const holders = placeRules([], many(1_000));

    expect(holders.flatMap(({ rules }) => rules)).toHaveLength(1_000);
    expect(holders.every(({ rules }) => Buffer.byteLength(textOfRules(rules)) <= MAX_TEXT_BYTES)).toBe(true);
    expect(holders.length).toBeLessThan(30);
  });

  it('the longest that there can be fit too', () => {
    const longest = Array.from({ length: 50 }, (_, n) => rule(`${n}`.padEnd(300, '"'), 'ASK', '😀'.repeat(50)));

    for (const { rules } of placeRules([], longest)) expect(Buffer.byteLength(textOfRules(rules))).toBeLessThanOrEqual(MAX_TEXT_BYTES);
  });

  it('a change touches the one policy that holds the rule', () => {
    const holders = named(placeRules([], many(300)));

    const changed = placeRules(holders, [rule('io.github.acme/some-server/tool_number_150', 'DENY')]);

    expect(changed.filter(({ isChanged }) => isChanged)).toHaveLength(1);
    expect(changed.flatMap(({ rules }) => rules)).toHaveLength(300);
  });

  it('a new rule takes the room that one left, before a new policy is made', () => {
    const holders = named(placeRules([], many(300)));
    const full = holders.length;

    const changed = placeRules(holders, [
      { tool: 'io.github.acme/some-server/tool_number_3', agentClass: 'coding', verdict: null },
      rule('io.github.acme/some-server/tool_number_x', 'ASK'),
    ]);

    expect(changed).toHaveLength(full);
    expect(changed.flatMap(({ rules }) => rules)).toHaveLength(300);
  });

  it('a rule that grows out of its policy moves, and is then in one place alone', () => {
    const holders = named(placeRules([], many(200, 'DENY')));
    const grown = many(60, 'ASK');

    const changed = placeRules(holders, grown);

    const tools = changed.flatMap(({ rules }) => rules.map(({ tool }) => tool));
    expect(new Set(tools).size).toBe(200);
    expect(tools).toHaveLength(200);
    expect(changed.flatMap(({ rules }) => rules).filter(({ verdict }) => verdict === 'ASK')).toHaveLength(60);
    for (const { rules } of changed) expect(Buffer.byteLength(textOfRules(rules))).toBeLessThanOrEqual(MAX_TEXT_BYTES);
  });

  it('the last rule taken away leaves a policy that holds none', () => {
    const holders = [{ policyId: 'p', rules: [rule('a')] }];

    expect(placeRules(holders, [{ ...rule('a'), verdict: null }])).toEqual([{ policyId: 'p', rules: [], isChanged: true }]);
  });

  it('taking away what is not there changes nothing', () => {
    expect(placeRules([{ policyId: 'p', rules: [rule('a')] }], [{ ...rule('b'), verdict: null }])).toEqual([
      { policyId: 'p', rules: [rule('a')], isChanged: false },
    ]);
  });

  it('writes each rule as it is read back', () => {
    expect(cedarOf(rule('files/x', 'ASK'))).toBe(
      `permit (principal in AgentClass::"coding", action == Action::"invokeTool", resource in Tool::"files/x");
@approval("developer")
forbid (principal in AgentClass::"coding", action == Action::"invokeTool", resource in Tool::"files/x")
unless { context has approval && context.approval.level >= 30 };
`,
    );
  });
});
