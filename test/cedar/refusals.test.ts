import { describe, expect, it } from '@jest/globals';
import { compilePolicies, Unsupported, UnsupportedPolicy } from '../../src/cedar/index.js';
import { estOf, templateOf } from './oracle.js';

const ALL = { op: 'All' };
const policy = (more: Readonly<Record<string, unknown>>): unknown => ({
  ...{ effect: 'permit', principal: ALL, action: ALL, resource: ALL, conditions: [] },
  ...more,
});
const when = (body: unknown): unknown => policy({ conditions: [{ kind: 'when', body }] });

function refusalOf(est: unknown): UnsupportedPolicy {
  try {
    compilePolicies(
      new Map([
        ['fine', policy({})],
        ['the policy', est],
      ]),
    );
  } catch (error) {
    if (error instanceof UnsupportedPolicy) return error;
    throw error;
  }
  throw new Error('It was compiled.');
}

const nested = (depth: number): unknown => (depth === 0 ? { Value: true } : { '!': { arg: nested(depth - 1) } });
const inItself: { '!': { arg: unknown } } = { '!': { arg: null } };
inItself['!'].arg = inItself;

describe('what is not held is refused when it is compiled', () => {
  it.each<[string, unknown, string, string]>([
    ['no object', 'permit (principal, action, resource);', 'something other than an object', '$'],
    ['null', null, 'something other than an object', '$'],
    ['another effect', policy({ effect: 'deny' }), 'an effect other than permit and forbid', '$.effect'],
    ['a member too many', policy({ priority: 1 }), 'the member "priority"', '$'],
    ['a member too few', { effect: 'permit', principal: ALL, action: ALL, resource: ALL }, 'no member conditions', '$'],
    ['another scope', policy({ resource: { op: 'like' } }), 'the scope operator "like"', '$.resource'],
    ['actions by type', policy({ action: { op: 'is', entity_type: 'Action' } }), 'the scope operator "is"', '$.action'],
    ['another thing for an action', policy({ action: { op: '==', entity: { type: 'Act', id: 'x' } } }), 'an action of the type Act', '$.action.entity'], // prettier-ignore
    ['a list of resources', policy({ resource: { op: 'in', entities: [] } }), 'no member entity', '$.resource'],
    ['a slot', templateOf('permit (principal == ?principal, action, resource);'), 'the slot ?principal', '$.principal'],
    ['a slot in a type', templateOf('permit (principal, action, resource is T in ?resource);'), 'the slot ?resource', '$.resource.in'],
    ['a slot in a clause', when({ Slot: '?principal' }), 'the operator "Slot"', '$.conditions.0.body'],
    ['another clause', policy({ conditions: [{ kind: 'if', body: { Value: true } }] }), 'a condition other than when and unless', '$.conditions.0'], // prettier-ignore
    ['an unknown operator', when({ xor: { left: { Value: true }, right: { Value: true } } }), 'the operator "xor"', '$.conditions.0.body'],
    ['an operator of a prototype', when({ constructor: [] }), 'the operator "constructor"', '$.conditions.0.body'],
    ['two operators', when({ Value: true, Var: 'context' }), 'an expression with more than one operator', '$.conditions.0.body'],
    ['none', when({}), 'the operator ""', '$.conditions.0.body'],
    ['an operand too many', when({ '!': { arg: { Value: true }, why: 1 } }), 'the member "why"', '$.conditions.0.body.!'],
    ['an unknown', when({ unknown: [{ Value: 'x' }] }), 'the operator "unknown"', '$.conditions.0.body'],
    [
      'an unknown function',
      when({ Value: { __extn: { fn: 'nope', arg: 'x' } } }),
      'the function "nope"',
      '$.conditions.0.body.Value.__extn',
    ],
    ['an unknown variable', when({ Var: 'time' }), 'an unknown variable', '$.conditions.0.body.Var'],
    ['null in a value', when({ Value: [null] }), 'null', '$.conditions.0.body.Value.0'],
    [
      'a fraction',
      when({ Value: 1.5 }),
      'the number 1.5, which no double holds exactly or which is no integer',
      '$.conditions.0.body.Value',
    ],
    ['an integer that was rounded', when({ Value: 2 ** 53 }), 'the number 9007199254740992, which no double holds exactly or which is no integer', '$.conditions.0.body.Value'], // prettier-ignore
    ['an integer of 65 bits', when({ Value: 2n ** 63n }), 'the number 9223372036854775808, which is longer than 64 bits', '$.conditions.0.body.Value'], // prettier-ignore
    ['an escape that Cedar gave up', when({ Value: { __expr: '1' } }), '__expr', '$.conditions.0.body.Value'],
    ['an entity with something beside it', when({ Value: { __entity: { type: 'U', id: 'x' }, y: 1 } }), 'the member "y"', '$.conditions.0.body.Value'], // prettier-ignore
    ['a call with something beside it', when({ Value: { __extn: { fn: 'ip', arg: '::' }, y: 1 } }), 'the member "y"', '$.conditions.0.body.Value'], // prettier-ignore
    ['a type with spaces', when({ is: { left: { Var: 'principal' }, entity_type: 'A :: B' } }), 'the entity type "A :: B"', '$.conditions.0.body.is.entity_type'], // prettier-ignore
    ['a path without names', when({ has: { left: { Var: 'context' }, attr: [] } }), 'a path without names', '$.conditions.0.body.has.attr'],
    ['half a character', when({ Value: '\ud800' }), 'a text that is not well-formed Unicode', '$.conditions.0.body.Value'],
    ['half a character in a name', when({ Record: { '\udc00': { Value: 1 } } }), 'a text that is not well-formed Unicode', '$.conditions.0.body.Record.\udc00'], // prettier-ignore
    ['half a character in a pattern', when({ like: { left: { Value: 'a' }, pattern: [{ Literal: '\ud83d' }] } }), 'a text that is not well-formed Unicode', '$.conditions.0.body.like.pattern.0'], // prettier-ignore
  ])('%s', (_what, est, construct, path) => {
    const refusal = refusalOf(est);

    expect({ policyId: refusal.policyId, construct: refusal.construct, path: refusal.path }).toEqual({
      policyId: 'the policy',
      construct,
      path,
    });
    expect(refusal.message).toContain('"the policy"');
    expect(refusal.cause).toBeInstanceOf(Unsupported);
  });

  it('nesting that would take too much of the stack, even without end', () => {
    expect(refusalOf(when(nested(1_000))).construct).toBe('nesting deeper than 256 levels');
    expect(refusalOf(when(inItself)).construct).toBe('nesting deeper than 256 levels');
    expect(() => compilePolicies(new Map([['deep', when(nested(120))]]))).not.toThrow();
  });

  it('but not what annotations say', () => {
    const annotated = estOf('@id("x") @flag permit (principal, action, resource);');

    expect(() => compilePolicies(new Map([['annotated', annotated]]))).not.toThrow();
  });
});
