import { describe, expect, it } from '@jest/globals';
import { compilePolicies, entityUid, fieldsOf, readerOf, recordOf, type PolicyExplanation, type Value } from '../../src/cedar/index.js';
import { estOf } from './oracle.js';

const nobody = readerOf(new Map());

/** What becomes of policies when ada reads a document. */
function explained(
  policies: Readonly<Record<string, string>>,
  context: Readonly<Record<string, Value>> = {},
): readonly PolicyExplanation[] {
  const compiled = compilePolicies(new Map(Object.entries(policies).map(([id, text]) => [id, estOf(text)])));
  const request = { principal: entityUid('User', 'ada'), action: entityUid('Action', 'read'), resource: entityUid('Doc', 'd') };
  return compiled.explain({ ...request, context: recordOf(fieldsOf(Object.entries(context))) }, nobody);
}

const outcomes = ({ clauses }: PolicyExplanation): readonly string[] => clauses.map(({ outcome }) => outcome);

describe('an explanation', () => {
  it('says which parties a scope takes', () => {
    const [one, other] = explained({
      one: 'permit (principal == User::"bob", action == Action::"read", resource is Doc) when { true };',
      other: 'forbid (principal, action in [Action::"write"], resource);',
    });

    expect(one).toEqual({
      policyId: 'one',
      effect: 'permit',
      outcome: 'OUT_OF_SCOPE',
      scope: { principal: false, action: true, resource: true },
      clauses: [{ kind: 'when', outcome: 'NOT_REACHED', error: null }],
    });
    expect(other).toMatchObject({ effect: 'forbid', outcome: 'OUT_OF_SCOPE', scope: { principal: true, action: false, resource: true } });
  });

  it('comes for every policy, in the order in which they were given', () => {
    const ids = ['z', 'a', '10', 'm'];
    const permit = 'permit (principal, action, resource);';
    const compiled = compilePolicies(new Map(ids.map((id) => [id, estOf(permit)])));
    const uid = entityUid('User', 'ada');
    const request = { principal: uid, action: uid, resource: uid, context: recordOf(new Map()) };

    expect(compiled.explain(request, nobody).map(({ policyId }) => policyId)).toEqual(ids);
  });

  it.each([
    ['APPLIES', ['TRUE', 'FALSE', 'TRUE'], { a: true, b: false, c: true }],
    ['NOT_MET', ['FALSE', 'NOT_REACHED', 'NOT_REACHED'], { a: false, b: false, c: true }],
    ['NOT_MET', ['TRUE', 'TRUE', 'NOT_REACHED'], { a: true, b: true, c: true }],
    ['NOT_MET', ['TRUE', 'FALSE', 'FALSE'], { a: true, b: false, c: false }],
    ['ERROR', ['TRUE', 'ERROR', 'NOT_REACHED'], { a: true, b: 7, c: true }],
    ['ERROR', ['TRUE', 'FALSE', 'ERROR'], { a: true, b: false }],
  ])('says %s and of the clauses %j', (outcome, clauses, context) => {
    const [policy] = explained(
      { policy: 'permit (principal, action, resource) when { context.a } unless { context.b } when { context.c };' },
      context,
    );

    expect(policy).toMatchObject({ outcome });
    expect(policy === undefined ? [] : outcomes(policy)).toEqual(clauses);
  });

  it.each([
    ['TYPE', '1 < "a"'],
    ['OVERFLOW', 'context.max + 1 > 0'],
    ['NO_ATTRIBUTE', 'context.gone'],
    ['NO_ENTITY', 'principal.name == "Ada"'],
    ['EXTENSION', 'ip(context.text).isIpv4()'],
  ])('says why a clause could not be evaluated: %s', (error, condition) => {
    const [policy] = explained(
      { policy: `permit (principal, action, resource) when { ${condition} };` },
      { max: 2n ** 63n - 1n, text: 'no address' },
    );

    expect(policy).toMatchObject({ outcome: 'ERROR', clauses: [{ outcome: 'ERROR', error }] });
  });

  it('says of an unless clause what stands in its braces', () => {
    const [policy] = explained({ policy: 'forbid (principal, action, resource) unless { 1 < 2 && 2 < 3 };' });

    expect(policy).toMatchObject({ outcome: 'NOT_MET', clauses: [{ kind: 'unless', outcome: 'TRUE' }] });
  });
});
