import { SCHEMA } from './model.js';

/** What a type of the schema is made of, by the names of its attributes: the type of each. */
export type Attributes = ReadonlyMap<string, string>;

// The schema is ours and has one form: a member a line, the closing brace at the indent of the line that opened it.
const BLOCK = /^( *)(?:entity|type|(context):) ?(\w*)[^\n]*\{\n(.*?)^\1\}/gms;
const MEMBER = /^\s+(\w+)\??: (.+),$/gm;

/** The attributes of every entity type and record type of the schema, and those of the context under the name `context`. */
export const ATTRIBUTES: ReadonlyMap<string, Attributes> = new Map(
  [...SCHEMA.matchAll(BLOCK)].map(([, , context, name, members]) => [
    context ?? name ?? '',
    new Map([...(members ?? '').matchAll(MEMBER)].map(([, member, type]) => [member ?? '', type ?? ''])),
  ]),
);

/** Every entity type of the schema. */
export const ENTITY_TYPES: readonly string[] = [...SCHEMA.matchAll(/^entity (\w+)/gm)].map(([, name]) => name ?? '');

/** What the variables of a policy are. */
const VARIABLE_TYPES: Readonly<Record<string, string>> = { principal: 'Agent', resource: 'ToolUse', context: 'context' };

export const VARIABLES: readonly string[] = ['principal', 'action', 'resource', 'context'];

/** The attributes of what a path such as `context.local` leads to; null when it leads to something without any. */
export function attributesAt(path: readonly string[]): Attributes | null {
  const [variable = '', ...members] = path;
  let attributes = ATTRIBUTES.get(VARIABLE_TYPES[variable] ?? '') ?? null;
  for (const member of members) attributes = ATTRIBUTES.get(attributes?.get(member) ?? '') ?? null;
  return attributes;
}

/** Where a policy can read an attribute of this name: `context.role`. */
export const placesOf = (attribute: string): readonly string[] =>
  Object.keys(VARIABLE_TYPES).flatMap((variable) =>
    attributesAt([variable])?.has(attribute) === true ? [`${variable}.${attribute}`] : [],
  );
