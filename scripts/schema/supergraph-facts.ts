/** What a supergraph says, as a sorted list of sentences: two composers may print the same supergraph differently. */
import {
  Kind,
  parse,
  print,
  type DefinitionNode,
  type DirectiveNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
} from 'graphql';

/** Machinery of the supergraph format itself. */
const machinery = /^(?:join|link|core|federation)__/;

/** One sentence per type, member, field, argument, default, value, key and owning subgraph. */
export function factsOf(supergraph: string): readonly string[] {
  return parse(supergraph).definitions.flatMap(factsOfDefinition).sort();
}

function factsOfDefinition(definition: DefinitionNode): readonly string[] {
  if (!('name' in definition) || definition.name === undefined || machinery.test(definition.name.value)) return [];
  const type = definition.name.value;
  const joins = joinsOf(definition.directives ?? [], 'join__type').map((join) => `${type} is in ${join}`);
  switch (definition.kind) {
    case Kind.SCALAR_TYPE_DEFINITION:
      return [`scalar ${type}`, ...joins];
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.INTERFACE_TYPE_DEFINITION:
      return [
        `${definition.kind} ${type}`,
        ...joins,
        ...(definition.interfaces ?? []).map(({ name }) => `${type} implements ${name.value}`),
        ...(definition.fields ?? []).flatMap((field) => factsOfField(type, field)),
      ];
    case Kind.INPUT_OBJECT_TYPE_DEFINITION:
      return [`input ${type}`, ...joins, ...(definition.fields ?? []).map((field) => `${type}.${inputFact(field)}`)];
    case Kind.UNION_TYPE_DEFINITION:
      return [`union ${type}`, ...joins, ...(definition.types ?? []).map(({ name }) => `${type} may be ${name.value}`)];
    case Kind.ENUM_TYPE_DEFINITION:
      return [`enum ${type}`, ...joins, ...(definition.values ?? []).map(({ name }) => `${type} has value ${name.value}`)];
    default:
      return [];
  }
}

function factsOfField(type: string, field: FieldDefinitionNode): readonly string[] {
  const path = `${type}.${field.name.value}`;
  return [
    `${path}: ${print(field.type)}`,
    ...(field.arguments ?? []).map((argument) => `${path} takes ${inputFact(argument)}`),
    ...joinsOf(field.directives ?? [], 'join__field').map((join) => `${path} is in ${join}`),
  ];
}

function inputFact({ name, type, defaultValue }: InputValueDefinitionNode): string {
  return `${name.value}: ${print(type)}${defaultValue === undefined ? '' : ` = ${print(defaultValue)}`}`;
}

/** What a `@join__...` directive says, with its arguments in a fixed order. */
function joinsOf(directives: readonly DirectiveNode[], name: string): readonly string[] {
  return directives
    .filter((directive) => directive.name.value === name)
    .map((directive) => (directive.arguments ?? []).map((argument) => `${argument.name.value} ${print(argument.value)}`))
    .map((facts) => facts.sort().join(', '));
}
