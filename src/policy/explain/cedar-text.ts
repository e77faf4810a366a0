import { isJsonObject, type Json, type JsonObject } from '../../kernel/index.js';
import { conditionsOf, listOf, operandsOf } from '../est.js';

/** How tightly the operators of Cedar bind; what binds less than its place demands stands in parentheses. */
const BINDS = { if: 0, or: 1, and: 2, relation: 3, sum: 4, product: 5, unary: 6, member: 7 } as const;

interface Written {
  readonly text: string;
  readonly binds: number;
}

/** An expression in Cedar's JSON form as Cedar text, in one line. Pure. */
export const cedarText = (node: Json): string => written(node).text;

/** The clauses of a statement as Cedar text, each as it stands between its braces. */
export const clauseTexts = (est: Json): readonly string[] => conditionsOf(est).map(({ body }) => cedarText(body));

/** An entity as Cedar names it: `Tool::"io.example/x"`. */
export const entityText = (type: string, id: string): string => `${type}::${quoted(id)}`;

const INFIX: Readonly<Record<string, number>> = {
  '||': BINDS.or,
  '&&': BINDS.and,
  ...Object.fromEntries(['==', '!=', '<', '<=', '>', '>=', 'in'].map((name) => [name, BINDS.relation])),
  '+': BINDS.sum,
  '-': BINDS.sum,
  '*': BINDS.product,
};
const METHODS_OF_TWO: readonly string[] = ['contains', 'containsAll', 'containsAny', 'hasTag', 'getTag'];
/** Functions that make a value of a text; all others are methods of their first argument. */
const CONSTRUCTORS: readonly string[] = ['datetime', 'duration', 'decimal', 'ip'];

function written(node: Json): Written {
  if (!isJsonObject(node)) return { text: valueText(node), binds: BINDS.member };
  const [name = '', body = null] = Object.entries(node)[0] ?? [];
  const operands = operandsOf(node, name);
  const level = INFIX[name];
  if (operands !== null && level !== undefined) return infix(name, level, operands);
  if (operands !== null && METHODS_OF_TWO.includes(name))
    return member(`${within(operands[0], BINDS.member)}.${name}(${cedarText(operands[1])})`);
  const list = listOf(node);
  if (list !== null) return member(`[${list.map(cedarText).join(', ')}]`);
  if (Array.isArray(body)) return called(name, body);
  return isJsonObject(body) ? special(name, body) : plain(name, body);
}

const member = (text: string): Written => ({ text, binds: BINDS.member });

/** The expression, in parentheses where it binds less than its place demands. */
function within(node: Json, demand: number): string {
  const { text, binds } = written(node);
  return binds < demand ? `(${text})` : text;
}

/** Chains lean to the left; comparisons make no chains. */
function infix(name: string, level: number, [left, right]: readonly [Json, Json]): Written {
  const isChain = level !== BINDS.relation;
  return { text: `${within(left, isChain ? level : level + 1)} ${name} ${within(right, level + 1)}`, binds: level };
}

function called(name: string, args: readonly Json[]): Written {
  const [first = null, ...others] = args;
  if (CONSTRUCTORS.includes(name)) return member(`${name}(${args.map(cedarText).join(', ')})`);
  return member(`${within(first, BINDS.member)}.${name}(${others.map(cedarText).join(', ')})`);
}

function plain(name: string, body: Json): Written {
  if (name === 'Var' && typeof body === 'string') return member(body);
  const isNegative = typeof body === 'number' && body < 0;
  return { text: valueText(body), binds: isNegative ? BINDS.unary : BINDS.member };
}

function special(name: string, body: JsonObject): Written {
  const part = (key: string): Json => body[key] ?? null;
  const relation = (words: string): Written => ({ text: `${within(part('left'), BINDS.sum)} ${words}`, binds: BINDS.relation });
  switch (name) {
    case '!':
      return { text: `!${within(part('arg'), BINDS.member)}`, binds: BINDS.unary };
    case 'neg':
      return { text: `-${within(part('arg'), BINDS.member)}`, binds: BINDS.unary };
    case 'isEmpty':
      return member(`${within(part('arg'), BINDS.member)}.isEmpty()`);
    case '.':
      return member(`${within(part('left'), BINDS.member)}${accessText(part('attr'))}`);
    case 'has':
      return relation(`has ${hasText(part('attr'))}`);
    case 'like':
      return relation(`like ${patternText(part('pattern'))}`);
    case 'is':
      return relation(`is ${String(part('entity_type'))}${body['in'] === undefined ? '' : ` in ${within(body['in'], BINDS.sum)}`}`);
    case 'if-then-else':
      return { text: `if ${cedarText(part('if'))} then ${cedarText(part('then'))} else ${cedarText(part('else'))}`, binds: BINDS.if };
    case 'Record':
      return member(`{${membersText(body, cedarText)}}`);
    default:
      return member(valueText(body));
  }
}

const RESERVED: readonly string[] = ['true', 'false', 'if', 'then', 'else', 'in', 'is', 'like', 'has', '__cedar'];
const isWord = (name: string): boolean => /^[A-Za-z_]\w*$/.test(name) && !RESERVED.includes(name);
const nameText = (name: string): string => (isWord(name) ? name : quoted(name));

const accessText = (attr: Json): string => (isWord(String(attr)) ? `.${String(attr)}` : `[${quoted(String(attr))}]`);

const hasText = (attr: Json): string =>
  Array.isArray(attr) && attr.length > 1 ? attr.map(String).join('.') : nameText(String(Array.isArray(attr) ? attr[0] : attr));

const patternText = (pattern: Json): string =>
  `"${(Array.isArray(pattern) ? pattern : [])
    .map((element: Json) => (isJsonObject(element) ? escaped(String(element['Literal'])).replaceAll('*', '\\*') : '*'))
    .join('')}"`;

const membersText = (members: JsonObject, textOf: (member: Json) => string): string =>
  Object.entries(members)
    .map(([name, value]) => `${nameText(name)}: ${textOf(value)}`)
    .join(', ');

/** A value in Cedar's JSON form. */
function valueText(value: Json): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  if (!isJsonObject(value)) return String(value);
  const { __entity: entity, __extn: extension } = value;
  if (isJsonObject(entity)) return entityText(String(entity['type']), String(entity['id']));
  if (isJsonObject(extension)) return `${String(extension['fn'])}(${valueText(extension['arg'] ?? null)})`;
  return `{${membersText(value, valueText)}}`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0', '"': '\\"', '\\': '\\\\' };

/** Control characters and those that turn the direction of writing around are told by their number. */
const escaped = (text: string): string =>
  text.replace(
    // eslint-disable-next-line no-control-regex
    /["\\\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => ESCAPES[character] ?? `\\u{${character.charCodeAt(0).toString(16)}}`,
  );

const quoted = (text: string): string => `"${escaped(text)}"`;
