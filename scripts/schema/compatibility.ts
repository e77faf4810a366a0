/** Whether schema.graphql still keeps what the last released schema promised to its callers. */
import { findBreakingChanges, isObjectType, valueFromASTUntyped, type GraphQLSchema } from 'graphql';
import { buildSubgraph } from './build.js';

export interface Break {
  /** A `BreakingChangeType` of graphql-js, or `KEY_REMOVED`. */
  readonly type: string;
  /** One sentence that names the element. */
  readonly description: string;
}

/** The line that, in an ADR, permits this break. */
export function permission(change: Break): string {
  return `Allows breaking change: ${change.type} ${change.description}`;
}

/** What would break callers of `released` if `current` took its place, and no line of `adrs` permits. */
export function forbiddenBreaks(released: string, current: string, adrs: readonly string[]): readonly Break[] {
  const permitted = new Set(adrs.flatMap((text) => text.split('\n').map((line) => line.trim())));
  return breaksBetween(buildSubgraph(released), buildSubgraph(current)).filter((change) => !permitted.has(permission(change)));
}

function breaksBetween(released: GraphQLSchema, current: GraphQLSchema): readonly Break[] {
  const ofCallers = findBreakingChanges(released, current).map(({ type, description }) => ({ type, description }));
  return [...ofCallers, ...removedKeys(released, current)];
}

/** graphql-js looks at no directive, but the router finds entities by their keys. */
function removedKeys(released: GraphQLSchema, current: GraphQLSchema): readonly Break[] {
  return Object.keys(released.getTypeMap()).flatMap((typeName) => {
    const remaining = keysOf(current, typeName);
    return keysOf(released, typeName)
      .filter((key) => !remaining.includes(key))
      .map((key) => ({ type: 'KEY_REMOVED', description: `${typeName} lost its key "${key}".` }));
  });
}

function keysOf(schema: GraphQLSchema, typeName: string): readonly string[] {
  const type = schema.getType(typeName);
  if (!isObjectType(type)) return [];
  const nodes = [type.astNode, ...type.extensionASTNodes];
  const directives = nodes.flatMap((node) => node?.directives ?? []).filter(({ name }) => name.value === 'key');
  return directives
    .flatMap((directive) => directive.arguments ?? [])
    .filter(({ name }) => name.value === 'fields')
    .map(({ value }) => String(valueFromASTUntyped(value)));
}
