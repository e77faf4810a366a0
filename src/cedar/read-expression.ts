import { binary, expression, not, variable, type BinaryOperator, type Expression, type UnaryOperator } from './expression.js';
import { EXTENSION_FUNCTIONS } from './extensions/functions.js';
import { exactly, hasMember, mapItems, mapMembers, membersOf, textOf, type Members } from './read-json.js';
import { callOf, readEntityType, readValue, record } from './read-value.js';
import { at, Unsupported, type Place } from './refusal.js';

type Reader = (body: unknown, place: Place) => Expression;

/**
 * Reads an expression in Cedar's JSON form (docs.cedarpolicy.com/policies/json-format.html).
 *
 * @throws Unsupported when it holds anything that is not known to be held
 */
export function readExpression(json: unknown, place: Place): Expression {
  const members = membersOf(json, place);
  const [name = '', ...others] = Object.keys(members);
  if (others.length > 0) throw new Unsupported('an expression with more than one operator', place);
  const inside = at(place, name);
  if (EXTENSION_FUNCTIONS.has(name)) return callOf(name, readAll(members[name], inside), inside);
  const read = READERS.get(name);
  if (read === undefined) throw new Unsupported(`the operator ${JSON.stringify(name)}`, place);
  return read(members[name], inside);
}

const readAll = (json: unknown, place: Place): readonly Expression[] => mapItems(json, place, readExpression);

const readMember = (members: Members, name: string, place: Place): Expression => readExpression(members[name], at(place, name));

/** An operator with one operand. */
const unary =
  (op: UnaryOperator): Reader =>
  (body, place) =>
    expression({ op, argument: readMember(exactly(body, place, ['arg']), 'arg', place) });

/** An operator with two operands, made of them by `make`. */
const operands =
  (make: (left: Expression, right: Expression) => Expression): Reader =>
  (body, place) => {
    const members = exactly(body, place, ['left', 'right']);
    return make(readMember(members, 'left', place), readMember(members, 'right', place));
  };

const plain = (op: BinaryOperator): [string, Reader] => [op, operands((left, right) => binary(op, left, right))];

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['Value', readValue],
  ['Var', readVariable],
  ['!', unary('!')],
  ['neg', unary('neg')],
  ['isEmpty', unary('isEmpty')],
  plain('=='),
  ['!=', operands((left, right) => not(binary('==', left, right)))],
  plain('in'),
  plain('<'),
  plain('<='),
  ['>', operands((left, right) => not(binary('<=', left, right)))],
  ['>=', operands((left, right) => not(binary('<', left, right)))],
  plain('&&'),
  plain('||'),
  plain('+'),
  plain('-'),
  plain('*'),
  plain('contains'),
  plain('containsAll'),
  plain('containsAny'),
  plain('getTag'),
  plain('hasTag'),
  ['.', readAttribute],
  ['has', readHas],
  ['like', readLike],
  ['is', readIs],
  ['if-then-else', readIf],
  ['Set', (body, place) => expression({ op: 'set', members: readAll(body, place) })],
  ['Record', (body, place) => record(mapMembers(body, place, readExpression))],
]);

function readVariable(body: unknown, place: Place): Expression {
  if (body === 'principal' || body === 'action' || body === 'resource' || body === 'context') return variable(body);
  throw new Unsupported('an unknown variable', place);
}

function readAttribute(body: unknown, place: Place): Expression {
  const members = exactly(body, place, ['left', 'attr']);
  return expression({ op: '.', left: readMember(members, 'left', place), attribute: textOf(members['attr'], at(place, 'attr')) });
}

function readHas(body: unknown, place: Place): Expression {
  const members = exactly(body, place, ['left', 'attr']);
  const named = members['attr'];
  const attrPlace = at(place, 'attr');
  const path = Array.isArray(named) ? mapItems(named, attrPlace, textOf) : [textOf(named, attrPlace)];
  if (path.length === 0) throw new Unsupported('a path without names', attrPlace);
  return expression({ op: 'has', left: readMember(members, 'left', place), path });
}

function readLike(body: unknown, place: Place): Expression {
  const members = exactly(body, place, ['left', 'pattern']);
  const pieces = [''];
  for (const element of mapItems(members['pattern'], at(place, 'pattern'), readPatternElement)) {
    if (element === null) pieces.push('');
    else pieces.push(`${pieces.pop()}${element}`);
  }
  return expression({ op: 'like', left: readMember(members, 'left', place), pattern: pieces });
}

/** Null for a wildcard. */
const readPatternElement = (json: unknown, place: Place): string | null =>
  json === 'Wildcard' ? null : textOf(exactly(json, place, ['Literal'])['Literal'], place);

function readIs(body: unknown, place: Place): Expression {
  const members = exactly(body, place, ['left', 'entity_type'], ['in']);
  return expression({
    op: 'is',
    left: readMember(members, 'left', place),
    entityType: readEntityType(members['entity_type'], at(place, 'entity_type')),
    container: hasMember(members, 'in') ? readMember(members, 'in', place) : null,
  });
}

function readIf(body: unknown, place: Place): Expression {
  const members = exactly(body, place, ['if', 'then', 'else']);
  return expression({
    op: 'if',
    test: readMember(members, 'if', place),
    consequent: readMember(members, 'then', place),
    alternative: readMember(members, 'else', place),
  });
}
