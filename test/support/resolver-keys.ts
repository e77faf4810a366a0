import { isEnumType, isInterfaceType, isObjectType, isScalarType, isUnionType, type GraphQLSchema } from 'graphql';

/**
 * The resolver keys that no element of `schema` answers to, as `Type` or `Type.field`, in the order found.
 *
 * @apollo/subgraph ignores such resolvers in silence, so a renamed field would quietly lose its resolver.
 */
export function unknownResolverKeys(resolvers: Readonly<Record<string, unknown>>, schema: GraphQLSchema): readonly string[] {
  return Object.entries(resolvers).flatMap(([typeName, fields]) => {
    const known = knownKeys(schema, typeName);
    if (known === undefined) return [typeName];
    if (known === 'any') return [];
    return Object.keys(Object(fields))
      .filter((key) => !known.has(key))
      .map((key) => `${typeName}.${key}`);
  });
}

/** What a type's resolvers may be called; `any` for scalars, which are replaced whole. */
function knownKeys(schema: GraphQLSchema, typeName: string): ReadonlySet<string> | 'any' | undefined {
  const type = schema.getType(typeName);
  if (isScalarType(type)) return 'any';
  if (isEnumType(type)) return new Set(type.getValues().map(({ name }) => name));
  if (isUnionType(type)) return new Set(['__resolveType']);
  if (isInterfaceType(type)) return new Set(['__resolveType', '__resolveReference', ...Object.keys(type.getFields())]);
  if (isObjectType(type)) return new Set(['__resolveReference', '__isTypeOf', ...Object.keys(type.getFields())]);
  return undefined;
}
