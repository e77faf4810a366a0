import { describe, expect, it } from '@jest/globals';
import { buildSchema } from 'graphql';
import { unknownResolverKeys } from './resolver-keys.js';

const schema = buildSchema(`
  type Query { tool: Tool }
  type Tool { id: ID! name: String }
  interface Named { name: String }
  union Item = Tool
  enum Verdict { ALLOW DENY }
  scalar Moment
  input Call { tool: ID! }
`);
const resolve = (): null => null;

describe('unknownResolverKeys', () => {
  it('passes resolvers of every kind that the schema knows', () => {
    const resolvers = {
      Query: { tool: resolve },
      Tool: { name: resolve, __resolveReference: resolve, __isTypeOf: resolve },
      Named: { __resolveType: resolve },
      Item: { __resolveType: resolve },
      Verdict: { ALLOW: 'allow' },
      Moment: { serialize: resolve, parseValue: resolve },
    };

    expect(unknownResolverKeys(resolvers, schema)).toEqual([]);
  });

  it.each([
    ['a field', { Query: { tools: resolve } }, ['Query.tools']],
    ['a type', { Toool: { id: resolve } }, ['Toool']],
    ['an enum value', { Verdict: { ASK: 1 } }, ['Verdict.ASK']],
    ['a union member', { Item: { Tool: resolve } }, ['Item.Tool']],
    ['an input type, which has no resolvers', { Call: { tool: resolve } }, ['Call']],
    ['a name that every object inherits', { Query: { toString: resolve } }, ['Query.toString']],
  ])('names %s that the schema does not know', (_what, resolvers, unknown) => {
    expect(unknownResolverKeys(resolvers, schema)).toEqual(unknown);
  });
});
