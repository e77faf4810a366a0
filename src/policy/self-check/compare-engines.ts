import { isJsonObject } from '../../kernel/index.js';
import { evaluatePrepared, prepareCall, preparePolicySet, statementId, type PolicySet, type PreparedCall } from '../evaluate.js';
import type { PolicyInForce, Statement } from '../policy.js';
import type { CedarAnswer, LoadedStatements, PolicyEngine } from '../ports.js';
import { onlyInOne, wordsOf } from './compare-evaluations.js';
import type { EngineDifference, EngineQuestion, StatementPlace } from './ports.js';

/**
 * Puts the same calls to two evaluators of the same policies. Pure.
 *
 * A call is evaluated as it would be decided, and every statement of `own` is asked by itself whether it applies: in a decision
 * a forbid hides what permits say.
 */
export function compareEngines(ours: PolicyEngine, reference: PolicyEngine, question: EngineQuestion): EngineDifference | null {
  const { own, calls, decided } = question;
  const places = placesOf(own);
  const everyPlace = [...places.values()];
  const failure = (call: number, statements: readonly StatementPlace[], said: EngineDifference['said']): EngineDifference => ({
    ...{ call, said },
    statements: statements.length === 0 ? everyPlace : statements,
  });
  const [left, right] = [attempt(() => load(ours, question)), attempt(() => load(reference, question))];
  if (!('value' in left) || !('value' in right)) return failure(0, [], [outcomeOf(left), outcomeOf(right)]);
  for (const [index, call] of calls.entries()) {
    const made = attempt(() => prepareCall(call));
    // What is no call can be asked about by nobody.
    if (!('value' in made)) continue;
    const prepared = made.value;
    const [mine, theirs] = [left.value, right.value].map((side) => attempt(() => answered(side, prepared, index < decided)));
    if (mine === undefined || theirs === undefined) continue;
    // What neither can evaluate is a call that nobody can make.
    if (!('value' in mine) && !('value' in theirs)) continue;
    if (!('value' in mine) || !('value' in theirs)) return failure(index, [], [outcomeOf(mine), outcomeOf(theirs)]);
    if (mine.value.words === theirs.value.words) continue;
    const statements = differing(mine.value, theirs.value).flatMap((id) => places.get(id) ?? besideOf(question, id));
    return failure(index, statements, [mine.value.words, theirs.value.words]);
  }
  return null;
}

type Attempt<Value> = { readonly value: Value } | { readonly problem: string };

function attempt<Value>(work: () => Value): Attempt<Value> {
  try {
    return { value: work() };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

const outcomeOf = (tried: Attempt<unknown>): string => ('problem' in tried ? `failed: ${tried.problem}` : 'did not fail');

interface Made {
  readonly set: PolicySet;
  /** The statements of `own`, each as a forbid: all that apply are named. */
  readonly each: LoadedStatements;
}

const load = (engine: PolicyEngine, { own, beside }: EngineQuestion): Made => ({
  set: preparePolicySet(engine, [...own, ...beside]),
  each: engine.load(new Map(own.flatMap((policy) => policy.statements.map((one, index) => [statementId(policy, index), asForbid(one)])))),
});

const asForbid = ({ est }: Statement): Statement => ({ effect: 'FORBID', est: isJsonObject(est) ? { ...est, effect: 'forbid' } : est });

interface Answered {
  /** Everything that was said, in one order. */
  readonly words: string;
  /** What was said of which statement by itself. */
  readonly alone: readonly string[];
  /** Of which it was said that it decides. */
  readonly determining: readonly string[];
}

function answered({ set, each }: Made, prepared: PreparedCall, isDecided: boolean): Answered {
  const alone = each.authorize(prepared.request);
  const evaluation = isDecided ? evaluatePrepared(set, prepared) : null;
  return {
    words: `${JSON.stringify(saidAlone(alone))}${evaluation === null ? '' : ` ${wordsOf(evaluation)}`}`,
    alone: [...alone.reasons.map((id) => `applies ${id}`), ...alone.errors.map((id) => `fails ${id}`)],
    determining: evaluation?.determining ?? [],
  };
}

const saidAlone = ({ reasons, errors }: CedarAnswer) => ({ apply: [...reasons].sort(), fail: [...errors].sort() });

/** The ids of statements of which not the same was said. */
function differing(mine: Answered, theirs: Answered): readonly string[] {
  const alone = onlyInOne(mine.alone, theirs.alone).map((said) => said.slice(said.indexOf(' ') + 1));
  return alone.length > 0 ? [...new Set(alone)] : onlyInOne(mine.determining, theirs.determining);
}

const placesOf = (policies: readonly PolicyInForce[]): ReadonlyMap<string, StatementPlace> =>
  new Map(
    policies.flatMap((policy) =>
      policy.statements.map((_, index) => [statementId(policy, index), { policyId: policy.id, index }] as const),
    ),
  );

const besideOf = ({ beside }: EngineQuestion, id: string): readonly StatementPlace[] => {
  const place = placesOf(beside).get(id);
  return place === undefined ? [] : [place];
};
