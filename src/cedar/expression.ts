import { hash } from 'node:crypto';
import type { ExtensionFunction } from './extensions/functions.js';
import type { Pattern } from './pattern.js';
import type { EntityUid } from './value.js';
import type { Long } from './long.js';

export type Variable = 'principal' | 'action' | 'resource' | 'context';

export type UnaryOperator = '!' | 'neg' | 'isEmpty';
/** `!=`, `>` and `>=` are read as the negations that they are. */
export type BinaryOperator =
  '==' | 'in' | '<' | '<=' | '&&' | '||' | '+' | '-' | '*' | 'contains' | 'containsAll' | 'containsAny' | 'getTag' | 'hasTag';

/** An expression of Cedar, read from its JSON form and known to be one that can be compiled. */
export type Expression = Form & {
  /** Equal for expressions that always come to the same, because they are written alike. */
  readonly key: string;
  /** It says the same of every request. */
  readonly isConstant: boolean;
};

export type Form =
  | { readonly op: 'literal'; readonly value: boolean | Long | string | EntityUid }
  | { readonly op: 'variable'; readonly name: Variable }
  | { readonly op: UnaryOperator; readonly argument: Expression }
  | { readonly op: BinaryOperator; readonly left: Expression; readonly right: Expression }
  | { readonly op: '.'; readonly left: Expression; readonly attribute: string }
  | { readonly op: 'has'; readonly left: Expression; readonly path: readonly string[] }
  | { readonly op: 'like'; readonly left: Expression; readonly pattern: Pattern }
  | { readonly op: 'is'; readonly left: Expression; readonly entityType: string; readonly container: Expression | null }
  | { readonly op: 'if'; readonly test: Expression; readonly consequent: Expression; readonly alternative: Expression }
  | { readonly op: 'set'; readonly members: readonly Expression[] }
  | { readonly op: 'record'; readonly fields: readonly (readonly [name: string, value: Expression])[] }
  | { readonly op: 'call'; readonly name: string; readonly call: ExtensionFunction; readonly values: readonly Expression[] };

const literalKey = (value: boolean | Long | string | EntityUid): string => {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' ? `@${JSON.stringify(value.key)}` : String(value);
};

const list = (expressions: readonly Expression[]): string => expressions.map(({ key }) => key).join(',');

/** The form with its key. Every text from a policy is quoted in it, so that no text can pass for anything else. */
export const expression = (form: Form): Expression => ({ ...form, key: shortened(keyOf(form)), isConstant: isConstant(form) });

/** A key holds those of its operands: written out, the keys of what is nested deeply would take more room than all the rest. */
const LONGEST_KEY = 256;

const shortened = (key: string): string => (key.length <= LONGEST_KEY ? key : `#${hash('sha256', key, 'base64')}`);

function keyOf(form: Form): string {
  switch (form.op) {
    case 'literal':
      return literalKey(form.value);
    case 'variable':
      return form.name;
    case '!':
    case 'neg':
    case 'isEmpty':
      return `(${form.op} ${form.argument.key})`;
    case '.':
      return `(. ${form.left.key} ${JSON.stringify(form.attribute)})`;
    case 'has':
      return `(has ${form.left.key} ${JSON.stringify(form.path)})`;
    case 'like':
      return `(like ${form.left.key} ${JSON.stringify(form.pattern)})`;
    case 'is':
      return `(is ${form.left.key} ${JSON.stringify(form.entityType)} ${form.container?.key ?? ''})`;
    case 'if':
      return `(if ${list([form.test, form.consequent, form.alternative])})`;
    case 'set':
      return `[${list(form.members)}]`;
    case 'record':
      return `{${form.fields.map(([name, value]) => `${JSON.stringify(name)}:${value.key}`).join(',')}}`;
    case 'call':
      return `(call ${form.name} ${list(form.values)})`;
    default:
      return `(${form.op} ${form.left.key} ${form.right.key})`;
  }
}

/** What looks up entities depends on the request even when it names them. */
function isConstant(form: Form): boolean {
  switch (form.op) {
    case 'literal':
      return true;
    case 'variable':
    case '.':
    case 'has':
    case 'in':
    case 'getTag':
    case 'hasTag':
      return false;
    case '!':
    case 'neg':
    case 'isEmpty':
      return form.argument.isConstant;
    case 'like':
      return form.left.isConstant;
    case 'is':
      return form.left.isConstant && form.container === null;
    case 'if':
      return form.test.isConstant && form.consequent.isConstant && form.alternative.isConstant;
    case 'set':
      return form.members.every((member) => member.isConstant);
    case 'record':
      return form.fields.every(([, value]) => value.isConstant);
    case 'call':
      return form.values.every((value) => value.isConstant);
    default:
      return form.left.isConstant && form.right.isConstant;
  }
}

export const variable = (name: Variable): Expression => expression({ op: 'variable', name });
export const literal = (value: boolean | Long | string | EntityUid): Expression => expression({ op: 'literal', value });
export const not = (argument: Expression): Expression => expression({ op: '!', argument });
export const binary = (op: BinaryOperator, left: Expression, right: Expression): Expression => expression({ op, left, right });
