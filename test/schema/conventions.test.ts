import { describe, expect, it } from '@jest/globals';
import { isInterfaceType, isIntrospectionType, isNonNullType, isObjectType, isSpecifiedScalarType, type GraphQLSchema } from 'graphql';
import { buildSubgraph } from '../../scripts/schema/build.js';
import { readSubgraphs } from '../../scripts/schema/composition.js';
import { paths } from '../../scripts/schema/files.js';

const subgraphs = new Map(readSubgraphs(paths.supergraph).map(({ name, sdl }) => [name, buildSubgraph(sdl)]));
const governance = subgraph('governance');
const platform = subgraph('platform');

/** Entities that the platform owns and governance adds fields to. */
const foreign = Object.keys(governance.getTypeMap()).filter(
  (name) => isObjectType(platform.getType(name)) && !name.startsWith('__') && !isRoot(name) && name !== 'PageInfo',
);

describe('schema.graphql', () => {
  it('extends the entities that the platform owns', () => {
    expect([...foreign].sort()).toEqual(['Agent', 'Project', 'User']);
  });

  // One non-null field that cannot be answered takes the whole entity, or the whole answer, down with it.
  it.each([...foreign, 'Query', 'Mutation'])('adds only nullable fields to %s', (type) => {
    const own = fieldsOf(governance, type).filter((name) => !fieldsOf(platform, type).includes(name));

    expect(own.filter((name) => isNonNull(type, name))).toEqual([]);
  });

  it('gives its own types the prefix Agent, since a bare name would merge with that of another subgraph', () => {
    const own = Object.values(governance.getTypeMap())
      .filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type))
      .map(({ name }) => name)
      .filter((name) => !foreign.includes(name) && !isRoot(name) && name !== 'PageInfo');

    expect(own.filter((name) => !name.startsWith('Agent'))).toEqual([]);
  });

  it.each(['Project', 'User', 'Query', 'Mutation', 'Subscription'])('gives the fields that it adds to %s the prefix agent', (type) => {
    const own = fieldsOf(governance, type).filter((name) => name !== 'id');

    expect(own.filter((name) => !/^agent[A-Z]/.test(name))).toEqual([]);
  });
});

function subgraph(name: string): GraphQLSchema {
  const schema = subgraphs.get(name);
  if (schema === undefined) throw new Error(`supergraph.yaml names no subgraph ${name}.`);
  return schema;
}

function isRoot(type: string): boolean {
  return ['Query', 'Mutation', 'Subscription'].includes(type);
}

function fieldsOf(schema: GraphQLSchema, typeName: string): readonly string[] {
  const type = schema.getType(typeName);
  return isObjectType(type) || isInterfaceType(type) ? Object.keys(type.getFields()) : [];
}

function isNonNull(typeName: string, fieldName: string): boolean {
  const type = governance.getType(typeName);
  return isObjectType(type) && isNonNullType(type.getFields()[fieldName]?.type);
}
