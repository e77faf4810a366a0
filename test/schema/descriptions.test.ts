import { describe, expect, it } from '@jest/globals';
import { Kind, parse, visit, type ASTNode } from 'graphql';
import { currentSchema } from '../../scripts/schema/files.js';

const described = new Set<string>([
  Kind.SCALAR_TYPE_DEFINITION,
  Kind.OBJECT_TYPE_DEFINITION,
  Kind.INTERFACE_TYPE_DEFINITION,
  Kind.UNION_TYPE_DEFINITION,
  Kind.ENUM_TYPE_DEFINITION,
  Kind.INPUT_OBJECT_TYPE_DEFINITION,
  Kind.DIRECTIVE_DEFINITION,
  Kind.FIELD_DEFINITION,
  Kind.INPUT_VALUE_DEFINITION,
  Kind.ENUM_VALUE_DEFINITION,
]);

describe('schema.graphql', () => {
  it('describes every type, field, argument, enum value and input field', () => {
    expect(undescribed(currentSchema())).toEqual([]);
  });
});

describe('undescribed', () => {
  it('names each element without a description by its path', () => {
    const sdl = `
      type Query { "Told." tool(id: ID!, "Told." at: Int): Tool }
      "Told." type Tool { "   " id: ID! }
      "Told." enum Verdict { ALLOW "Told." DENY }
      "Told." input Call { tool: ID! }
      union Item = Tool
      "Told." scalar Moment
    `;

    expect(undescribed(sdl)).toEqual(['Query', 'Query.tool.id', 'Tool.id', 'Verdict.ALLOW', 'Call.tool', 'Item']);
  });
});

/** Paths of what has no description: `Type`, `Type.field`, `Type.field.argument`, `Enum.VALUE`. */
function undescribed(sdl: string): readonly string[] {
  const missing: string[] = [];
  const path: string[] = [];
  visit(parse(sdl), {
    enter(node) {
      if (!described.has(node.kind)) return;
      path.push(nameOf(node));
      if (!hasDescription(node)) missing.push(path.join('.'));
    },
    leave(node) {
      if (described.has(node.kind)) path.pop();
    },
  });
  return missing;
}

function nameOf(node: ASTNode): string {
  return 'name' in node && node.name !== undefined ? node.name.value : '';
}

function hasDescription(node: ASTNode): boolean {
  return 'description' in node && node.description !== undefined && node.description.value.trim() !== '';
}
