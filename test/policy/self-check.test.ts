import { describe, expect, it } from '@jest/globals';
import { compiledEngine, evaluate, preparePolicySet, type PolicyEngine, type PolicyInForce } from '../../src/policy/index.js';
import { compareEngines } from '../../src/policy/self-check/compare-engines.js';
import { generateCalls } from '../../src/policy/self-check/generate-calls.js';
import type { EngineDifference } from '../../src/policy/self-check/ports.js';
import { wasmEngine } from '../../src/policy/wasm/engines.js';
import { aRandom } from '../support/random.js';
import { aCall, anUncheckedPolicy } from './a-call.js';
import { buggyEngine } from './buggy-engine.js';
import { aPolicyText } from './generated-policies.js';

const LINE = [{ id: 'company', kind: 'ORGANIZATION' as const }];
const policy = (text: string, id = 'p'): PolicyInForce => anUncheckedPolicy(text, { id, name: id });

/** What is found by calls that are aimed at the policy, beside others. */
function checked(engine: PolicyEngine, own: PolicyInForce, beside: readonly PolicyInForce[] = []): EngineDifference | null {
  const calls = generateCalls(own.statements, LINE);
  return compareEngines(engine, wasmEngine, { own: [own], beside, calls, decided: calls.length });
}

describe('calls that are aimed at statements', () => {
  it.each([
    'forbid (principal == Agent::"a", action, resource in Tool::"s/t") when { context.environment == "production" };',
    'permit (principal in AgentClass::"c", action, resource in Server::"s") when { context.role >= 40 };',
    'forbid (principal, action, resource in Project::"p") unless { context has branch && context.branch like "release/*" };',
    'permit (principal, action, resource in Group::"g") when { context.user in Team::"t" && principal.trust > 70 };',
    'forbid (principal, action, resource in ToolLabel::"l") when { resource.hasTag("path") && resource.getTag("path") like "/etc/*" };',
    'permit (principal, action, resource) when { resource.numbers.hasTag("n") && resource.numbers.getTag("n") > 500 };',
    'permit (principal, action, resource) when { context.local.weekday > 5 && context.local.hour >= 20 };',
    'permit (principal, action, resource) when { context has sessionLabels && context.sessionLabels.contains("x") };',
  ])('meet %s, and miss it', (text) => {
    const own = policy(text);
    const permitting = preparePolicySet(compiledEngine, [own, policy('permit (principal, action, resource);', 'all')]);
    const verdicts = generateCalls(own.statements, LINE).map((call) => evaluate(permitting, call).determining.includes('p/0'));

    expect(new Set(verdicts)).toEqual(new Set([true, false]));
  });

  it('are the same for the same statements', () => {
    const { statements } = policy(aPolicyText(aRandom(1), 'a'));

    expect(generateCalls(statements, LINE)).toEqual(generateCalls(statements, LINE));
  });
});

describe('the comparison with Cedar', () => {
  it('finds nothing where there is no bug', () => {
    const random = aRandom(7);
    const policies = Array.from({ length: 12 }, (_, index) => policy(aPolicyText(random, `s${index}`), `p${index}`));

    expect(
      policies.map((own) =>
        checked(
          compiledEngine,
          own,
          policies.slice(0, 3).filter((other) => other !== own),
        ),
      ),
    ).toEqual(policies.map(() => null));
  });

  it.each([
    'permit (principal, action, resource) when { resource.risk * 9007199254740991 > 7 || principal.trust == -9007199254740991 };',
    'permit (principal, action, resource) when { context.environment like "\u{1F600}*é" || context.environment == "\u{1F600}" };',
    'forbid (principal, action, resource) when { context.now < datetime("0001-01-01") || context.now > datetime("9999-12-31T23:59:59Z") };',
    'forbid (principal, action, resource) when { context.local.hour > 9007199254740991 || context.local.weekday > 99 };',
    'permit (principal, action, resource) when { resource.numbers.hasTag("n") && resource.numbers.getTag("n") > 9007199254740990 };',
    'permit (principal, action, resource) when { resource.hasTag("__proto__") && resource.getTag("__proto__") == "" };',
    'permit (principal == Agent::"", action, resource in Tool::"/") when { context has sessionCounts && context.sessionCounts.denied < 0 };',
    'permit (principal, action, resource in Group::"company") when { context.approval.level > 10 && context.promises.contains("log") };',
  ])('finds nothing either with what no call holds: %s', (text) => {
    expect(checked(compiledEngine, policy(text))).toBeNull();
  });

  it.each([
    ['unless is when', 'forbid (principal, action, resource) unless { context.role >= 40 };'],
    ['negations are lost', 'permit (principal, action, resource) when { !resource.known };'],
    ['<= is <', 'permit (principal, action, resource) when { context.role <= 30 };'],
    ['> is >=', 'permit (principal, action, resource) when { principal.trust > 61 };'],
    ['!= is ==', 'forbid (principal, action, resource) when { context.environment != "staging" };'],
    ['policies are found by the entity alone', 'permit (principal, action, resource in Tool::"s/t");'],
    ['policies without a name in their scope are not found', 'forbid (principal, action, resource);'],
    ['a pattern need not fit to the end', 'forbid (principal, action, resource) when { context.environment like "prod*n" };'],
    ['tags are attributes', 'forbid (principal, action, resource) when { resource.hasTag("path") && resource.getTag("path") == "/etc" };'],
    ['containsAll is turned round', 'permit (principal, action, resource) when { ["a", "b"].containsAll(resource.labels) };'],
    ['permits beat forbids', 'forbid (principal, action, resource) when { resource.risk > 2 };'],
    [
      'an overflow is a large number',
      'forbid (principal, action, resource) when { resource.risk * 9007199254740991 * 9007199254740991 > 7 };',
    ],
  ] as const)('finds the bug “%s”', (bug, text) => {
    const beside = [policy('permit (principal, action, resource);', 'all')];

    const difference = checked(buggyEngine(bug), policy(text), beside);

    expect(difference?.statements).toContainEqual({ policyId: 'p', index: 0 });
  });

  it('names the statement that is not evaluated alike, among others', () => {
    const own = {
      ...policy('permit (principal, action, resource);'),
      statements: [
        ...policy('permit (principal, action, resource);').statements,
        ...policy('forbid (principal, action, resource) when { context.role <= 30 };').statements,
      ],
    };

    expect(checked(buggyEngine('<= is <'), own)?.statements).toEqual([{ policyId: 'p', index: 1 }]);
  });

  it('takes it for a difference when one of the two cannot answer', () => {
    const failing: PolicyEngine = {
      load: () => ({
        authorize() {
          throw new Error('broken');
        },
        mayApply: () => true,
        explain: () => [],
      }),
    };
    const question = { own: [policy('permit (principal, action, resource);')], beside: [], calls: [aCall()], decided: 1 };

    expect(compareEngines(failing, wasmEngine, question)).toMatchObject({
      statements: [{ policyId: 'p', index: 0 }],
      said: ['failed: broken', 'did not fail'],
    });
    expect(compareEngines(failing, failing, question)).toBeNull();
  });
});
