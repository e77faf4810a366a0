import { isUnionType, type GraphQLSchema } from 'graphql';
import { Failure, isPlain } from '../kernel/index.js';

/**
 * Looks at every representation of an entity before the first of them is resolved, in `schema` itself.
 *
 * The library throws at one that it cannot resolve while those before it are under way; when one of them then fails, nobody is
 * there any more to be told, and that ends the process.
 *
 * @returns the same schema
 */
export function guardEntities(schema: GraphQLSchema): GraphQLSchema {
  const field = schema.getQueryType()?.getFields()['_entities'];
  const resolve = field?.resolve;
  if (field === undefined || resolve === undefined) throw new Error('The schema has no entities.');
  const types = entityTypes(schema);
  field.resolve = (root, { representations }: { readonly representations: readonly unknown[] }, context, info) => {
    representations.forEach((representation, index) => refuseMalformed(types, representation, index));
    const possible = representations.filter(isPossible);
    const found: unknown = resolve(root, { representations: possible }, context, info);
    if (!Array.isArray(found)) throw new Error('The library resolves entities in another way than it did.');
    const next: Iterator<unknown> = found.values();
    return representations.map((representation) => (isPossible(representation) ? next.next().value : null));
  };
  return schema;
}

function entityTypes(schema: GraphQLSchema): ReadonlySet<string> {
  const union = schema.getType('_Entity');
  return new Set(isUnionType(union) ? union.getTypes().map(({ name }) => name) : []);
}

/** @throws Failure BAD_USER_INPUT when it names no entity of ours by a key as it must be. */
function refuseMalformed(types: ReadonlySet<string>, representation: unknown, index: number): void {
  const { __typename: type, id }: { readonly __typename?: unknown; readonly id?: unknown } = Object(representation);
  const problem =
    typeof type !== 'string' || !types.has(type)
      ? `__typename: must be one of ${[...types].join(', ')}`
      : typeof id === 'string'
        ? null
        : 'id: must be a string';
  if (problem === null) return;
  throw new Failure('BAD_USER_INPUT', `representations[${index}].${problem}.`);
}

/** No entity has an id with control characters, and the database has no form for NUL: not even looked for, lest the others fail. */
const isPossible = (representation: unknown): boolean => isPlain(String(Object(representation).id));
