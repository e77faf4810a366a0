import {
  getNamedType,
  getNullableType,
  GraphQLError,
  isListType,
  isObjectType,
  isInterfaceType,
  Kind,
  valueFromASTUntyped,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** The most list items that one operation may ask for: a hundred projects with a full page of events each, and some. */
export const MAX_ITEMS = 12_000;
/** The most entities that one fetch of a gateway may resolve. */
export const MAX_ENTITIES = 1_000;
/** What a connection gives when nothing is said of it. */
const DEFAULT_FIRST = 20;

/**
 * Why an operation asks for too much; null when it does not.
 *
 * Counts the list items that it could be answered with: `first` of a connection, times that of every connection around it. What
 * is answered is usually less, but what is asked must bound it: lists inside lists multiply, and one caller's answer is built in
 * the process that everybody else's decisions wait for.
 */
export function costProblem(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Readonly<Record<string, unknown>>,
): GraphQLError | null {
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  const operation = operations.find((definition) => operationName == null || definition.name?.value === operationName);
  const root = operation === undefined ? undefined : schema.getRootType(operation.operation);
  if (operation === undefined || root == null) return null;
  const count = new ItemCount(schema, document, { ...defaultsOf(operation), ...variables });
  const items = count.of(operation.selectionSet, root);
  if (count.entities > MAX_ENTITIES)
    return tooMuch(
      `The operation asks for ${count.entities} entities at once; at most ${MAX_ENTITIES} are allowed. Ask for fewer representations.`,
    );
  if (items <= MAX_ITEMS) return null;
  return tooMuch(
    `The operation asks for up to ${items.toLocaleString('en')} list items; at most ${MAX_ITEMS.toLocaleString('en')} are allowed. Ask for smaller pages (first), or in several operations.`,
  );
}

const tooMuch = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } });

/** What variables are that the request leaves out. */
const defaultsOf = ({ variableDefinitions }: OperationDefinitionNode): Record<string, unknown> =>
  Object.fromEntries(
    (variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
      defaultValue === undefined ? [] : [[variable.name.value, valueFromASTUntyped(defaultValue)]],
    ),
  );

class ItemCount {
  /** Representations that were met on the way. */
  entities = 0;
  readonly #schema: GraphQLSchema;
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** What a fragment's fields come to, counted once however often it is spread. */
  readonly #counted = new Map<string, number>();

  constructor(schema: GraphQLSchema, document: DocumentNode, variables: Readonly<Record<string, unknown>>) {
    this.#schema = schema;
    this.#variables = variables;
    this.#fragments = new Map(
      document.definitions.flatMap((definition) =>
        definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition]] : [],
      ),
    );
  }

  of(selections: SelectionSetNode, type: GraphQLNamedType | undefined): number {
    let items = 0;
    for (const selection of selections.selections) {
      if (selection.kind === Kind.FIELD) items += this.#ofField(selection, type);
      else if (selection.kind === Kind.FRAGMENT_SPREAD) items += this.#ofFragment(selection.name.value);
      else
        items += this.of(
          selection.selectionSet,
          selection.typeCondition === undefined ? type : this.#schema.getType(selection.typeCondition.name.value),
        );
    }
    return items;
  }

  #ofFragment(name: string): number {
    const known = this.#counted.get(name);
    const fragment = this.#fragments.get(name);
    if (known !== undefined || fragment === undefined) return known ?? 0;
    // A fragment that leads back to itself counts once; validation refuses it anyway.
    this.#counted.set(name, 0);
    const items = this.of(fragment.selectionSet, this.#schema.getType(fragment.typeCondition.name.value));
    this.#counted.set(name, items);
    return items;
  }

  #ofField(field: FieldNode, type: GraphQLNamedType | undefined): number {
    const definition = isObjectType(type) || isInterfaceType(type) ? type.getFields()[field.name.value] : undefined;
    if (field.selectionSet === undefined) return 0;
    if (field.name.value === '_entities') {
      const entities = entityCount(field, this.#variables);
      this.entities += entities;
      return entities * this.of(field.selectionSet, undefined);
    }
    const inside = this.of(field.selectionSet, definition === undefined ? undefined : getNamedType(definition.type));
    const size = definition === undefined ? null : sizeOf(definition, field, this.#variables);
    return size === null ? inside : size * Math.max(1, inside);
  }
}

/** How many items a connection field gives at most; null for a field that is no connection. Nodes and edges inside do not count again. */
function sizeOf(definition: GraphQLField<unknown, unknown>, field: FieldNode, variables: Readonly<Record<string, unknown>>): number | null {
  if (!definition.args.some((argument) => argument.name === 'first') || isListType(getNullableType(definition.type))) return null;
  const given = field.arguments?.find((argument) => argument.name.value === 'first')?.value;
  const variable = given?.kind === Kind.VARIABLE ? variables[given.name.value] : undefined;
  const first = given?.kind === Kind.INT ? Number(given.value) : variable;
  // Fewer than one is refused, but by then the rest has been read.
  return typeof first === 'number' ? Math.max(1, first) : DEFAULT_FIRST;
}

function entityCount(field: FieldNode, variables: Readonly<Record<string, unknown>>): number {
  const given = field.arguments?.find((argument) => argument.name.value === 'representations')?.value;
  if (given?.kind === Kind.LIST) return given.values.length;
  const variable = given?.kind === Kind.VARIABLE ? variables[given.name.value] : undefined;
  return Array.isArray(variable) ? variable.length : 1;
}
