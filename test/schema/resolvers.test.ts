import { expect, it } from '@jest/globals';
import { buildSchema, resolvers } from '../../src/app.js';
import { unknownResolverKeys } from '../support/resolver-keys.js';

it('every resolver is for a type and a field that schema.graphql has', () => {
  expect(unknownResolverKeys(resolvers, buildSchema())).toEqual([]);
});
