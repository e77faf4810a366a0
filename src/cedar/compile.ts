import * as closure from './closures.js';
import { condition, type Condition, type Evaluate, type Settle } from './condition.js';
import { attributeOf, hasPath, hasTag, tagOf } from './dereference.js';
import { setOf } from './equality.js';
import type { BinaryOperator, Expression, Variable } from './expression.js';
import { NO_FRAME } from './frame.js';
import * as operator from './operators.js';
import { FAILS, HOLDS, type Outcome } from './outcome.js';
import { matcherOf } from './pattern.js';
import { weakTable } from './weak-table.js';

const conditions = weakTable<Condition>();

/** The condition that the expression is: the same one for all expressions that are written alike. */
export function conditionOf(expression: Expression): Condition {
  const known = conditions.get(expression.key);
  if (known !== undefined) return known;
  const made = condition(settleOf(expression));
  conditions.set(expression.key, made);
  return made;
}

/** What an expression comes to that says the same of every request; null for all others. */
export const constantOf = (expression: Expression): Outcome | null => (expression.isConstant ? evaluateOf(expression)(NO_FRAME) : null);

type Operands = { readonly op: BinaryOperator; readonly left: Expression; readonly right: Expression };

const comparison = ({ left, right }: Operands, apply: Parameters<typeof closure.comparison>[2]): Settle =>
  closure.comparison(evaluateOf(left), evaluateOf(right), apply);
const binary = ({ left, right }: Operands, apply: Parameters<typeof closure.binary>[2]): Evaluate =>
  closure.binary(evaluateOf(left), evaluateOf(right), apply);

/** How it is worked out whether the expression holds. */
function settleOf(expression: Expression): Settle {
  switch (expression.op) {
    case '!':
      return closure.negation(conditionOf(expression.argument));
    case '&&':
      return closure.shortCircuit(conditionOf(expression.left), HOLDS, conditionOf(expression.right));
    case '||':
      return closure.shortCircuit(conditionOf(expression.left), FAILS, conditionOf(expression.right));
    case 'if':
      return closure.choice(conditionOf(expression.test), conditionOf(expression.consequent), conditionOf(expression.alternative));
    case '==': {
      const { left, right } = expression;
      return closure.equality(evaluateOf(left), evaluateOf(right), constantOf(left), constantOf(right));
    }
    case 'in':
      return closure.membership(evaluateOf(expression.left), evaluateOf(expression.right), constantOf(expression.right));
    case '<':
      return comparison(expression, operator.lessThan);
    case '<=':
      return comparison(expression, operator.lessOrEqual);
    case 'contains':
      return comparison(expression, operator.contains);
    case 'containsAll':
      return comparison(expression, operator.containsAll);
    case 'containsAny':
      return comparison(expression, operator.containsAny);
    case 'hasTag':
      return comparison(expression, hasTag);
    case 'isEmpty':
      return closure.test(evaluateOf(expression.argument), operator.isEmpty);
    case 'has':
      return closure.test(evaluateOf(expression.left), (subject, frame) => hasPath(subject, expression.path, frame));
    case 'like':
      return closure.likeness(evaluateOf(expression.left), matcherOf(expression.pattern));
    case 'is': {
      const container = expression.container === null ? null : evaluateOf(expression.container);
      return closure.typeTest(evaluateOf(expression.left), expression.entityType, container);
    }
    case 'literal':
    case 'variable':
    case 'neg':
    case '+':
    case '-':
    case '*':
    case 'getTag':
    case '.':
    case 'set':
    case 'record':
    case 'call':
      return closure.truthOf(evaluateOf(expression));
  }
}

const VARIABLES: Readonly<Record<Variable, Evaluate>> = {
  principal: (frame) => frame.principal.uid,
  action: (frame) => frame.action.uid,
  resource: (frame) => frame.resource.uid,
  context: (frame) => frame.context,
};

/** How the value of the expression is worked out: now, when it says the same of every request. */
function evaluateOf(expression: Expression): Evaluate {
  const evaluate = evaluationOf(expression);
  return expression.isConstant ? closure.constant(evaluate(NO_FRAME)) : evaluate;
}

function evaluationOf(expression: Expression): Evaluate {
  switch (expression.op) {
    case 'literal':
      return closure.constant(expression.value);
    case 'variable':
      return VARIABLES[expression.name];
    case 'neg':
      return closure.unary(evaluateOf(expression.argument), operator.negative);
    case '+':
      return binary(expression, operator.plus);
    case '-':
      return binary(expression, operator.minus);
    case '*':
      return binary(expression, operator.times);
    case 'getTag':
      return binary(expression, tagOf);
    case '.':
      return closure.unary(evaluateOf(expression.left), (subject, frame) => attributeOf(subject, expression.attribute, frame));
    case 'if':
      return closure.selection(conditionOf(expression.test), evaluateOf(expression.consequent), evaluateOf(expression.alternative));
    case 'set':
      return closure.variadic(expression.members.map(evaluateOf), setOf);
    case 'record': {
      const names = expression.fields.map(([name]) => name);
      return closure.record(
        names,
        expression.fields.map(([, value]) => evaluateOf(value)),
      );
    }
    case 'call':
      return closure.variadic(expression.values.map(evaluateOf), expression.call);
    case '!':
    case '&&':
    case '||':
    case '==':
    case 'in':
    case '<':
    case '<=':
    case 'contains':
    case 'containsAll':
    case 'containsAny':
    case 'hasTag':
    case 'isEmpty':
    case 'has':
    case 'like':
    case 'is':
      return closure.valueOf(conditionOf(expression));
  }
}
