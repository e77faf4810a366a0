// Resolver types from schema.graphql: what makes a misspelt field or a forgotten one a compile error.
import { codegen } from '@graphql-codegen/core';
import * as resolverTypes from '@graphql-codegen/typescript-resolvers';
import * as schemaTypes from '@graphql-codegen/typescript';
import { Kind, parse } from 'graphql';
import { federationDirectives } from './federation-directives.mjs';

/**
 * The text of src/generated/graphql.ts.
 *
 * What a resolver returns must be whole, down to the last non-null field, except for entities (types with `@key`):
 * of those any part that holds the `id` will do, since their fields have resolvers of their own. A member of a union
 * or an interface names its `__typename`.
 *
 * @param {string} sdl the contents of schema.graphql
 * @returns {Promise<string>}
 */
export async function resolverTypesFor(sdl) {
  const schema = parse(sdl);
  const code = await codegen({
    filename: 'graphql.ts',
    schema: { ...schema, definitions: [...schema.definitions, ...parse(federationDirectives).definitions] },
    documents: [],
    plugins: [{ schemaTypes: {} }, { resolverTypes: {} }],
    pluginMap: { schemaTypes, resolverTypes },
    config: {
      federation: true,
      // Every room has a context of its own: `Pick<MutationResolvers<PolicyContext>, 'agentPolicyPublish'>`.
      contextType: 'unknown',
      mappers: Object.fromEntries(entitiesOf(schema).map((name) => [name, 'Partial<{T}> & { readonly id: string }'])),
      resolversNonOptionalTypename: { unionMember: true, interfaceImplementingType: true },
      makeResolverTypeCallable: true,
      showUnusedMappers: false,
      enumsAsTypes: true,
      immutableTypes: true,
      useTypeImports: true,
      strictScalars: true,
      scalars: {
        ID: 'string',
        AgentCloudEvent: 'unknown',
        AgentDateTime: 'string',
        AgentEventCount: 'number',
        AgentJson: 'unknown',
        AgentEventSequence: 'number',
        AgentLogPosition: 'number',
      },
    },
  });
  return `// Made by \`npm run generate\` from schema.graphql. Never edited, not in git.\n${code}\n`;
}

/** @param {import('graphql').DocumentNode} schema */
function entitiesOf(schema) {
  return schema.definitions
    .filter((definition) => definition.kind === Kind.OBJECT_TYPE_DEFINITION)
    .filter((type) => type.directives?.some((directive) => directive.name.value === 'key'))
    .map((type) => type.name.value);
}
