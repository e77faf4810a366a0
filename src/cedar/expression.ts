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
const areConstant = (expressions: readonly Expression[]): boolean => expressions.every(({ isConstant }) => isConstant);

/** The form with its key. Every text from a policy is quoted in it, so that no text can pass for anything else. */
export function expression(form: Form): Expression {
  switch (form.op) {
    case 'literal':
      return { ...form, key: literalKey(form.value), isConstant: true };
    case 'variable':
      return { ...form, key: form.name, isConstant: false };
    case '!':
    case 'neg':
    case 'isEmpty':
      return { ...form, key: `(${form.op} ${form.argument.key})`, isConstant: false };
    case '.':
      return { ...form, key: `(. ${form.left.key} ${JSON.stringify(form.attribute)})`, isConstant: false };
    case 'has':
      return { ...form, key: `(has ${form.left.key} ${JSON.stringify(form.path)})`, isConstant: false };
    case 'like':
      return { ...form, key: `(like ${form.left.key} ${JSON.stringify(form.pattern)})`, isConstant: false };
    case 'is':
      return { ...form, key: `(is ${form.left.key} ${JSON.stringify(form.entityType)} ${form.container?.key ?? ''})`, isConstant: false };
    case 'if':
      return { ...form, key: `(if ${list([form.test, form.consequent, form.alternative])})`, isConstant: false };
    case 'set':
      return { ...form, key: `[${list(form.members)}]`, isConstant: areConstant(form.members) };
    case 'record': {
      const fields = form.fields.map(([name, value]) => `${JSON.stringify(name)}:${value.key}`);
      return { ...form, key: `{${fields.join(',')}}`, isConstant: areConstant(form.fields.map(([, value]) => value)) };
    }
    case 'call':
      return { ...form, key: `(call ${form.name} ${list(form.values)})`, isConstant: areConstant(form.values) };
    default:
      return { ...form, key: `(${form.op} ${form.left.key} ${form.right.key})`, isConstant: false };
  }
}

export const variable = (name: Variable): Expression => expression({ op: 'variable', name });
export const literal = (value: boolean | Long | string | EntityUid): Expression => expression({ op: 'literal', value });
export const not = (argument: Expression): Expression => expression({ op: '!', argument });
export const binary = (op: BinaryOperator, left: Expression, right: Expression): Expression => expression({ op, left, right });
