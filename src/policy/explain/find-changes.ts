import type { Json } from '../../kernel/index.js';
import { readArguments } from '../call-arguments.js';
import { compiledEngine } from '../compiled-engine.js';
import { evaluatePrepared, prepareCall, preparePolicySet, type Evaluation, type PolicySet } from '../evaluate.js';
import type { PolicyInForce } from '../policy.js';
import type { ToolCall } from '../tool-call.js';
import { CHANGE_KINDS, type CallChange, type ChangeKind, type Ladder } from './change.js';
import { callChanges } from './change-domain.js';
import type { CallExplanation, ExplainedPolicy } from './explain-call.js';
import type { ExplainedStatement } from './explain-statement.js';

/** One thing that, were it otherwise, would give a better verdict. */
export interface VerdictChange {
  readonly kind: ChangeKind;
  readonly from: string | null;
  readonly to: string | null;
  /** For a person: "If …". */
  readonly message: string;
  /** Of the kinds that are about a policy, which one. */
  readonly policy: PolicyInForce | null;
  /** The verdict that would come of it, and what goes with it. */
  readonly evaluation: Evaluation;
}

/** The most changes that are told. */
export const MAX_CHANGES = 50;
/** The most policies, and the most statements, that are left out for a try. */
const MAX_REMOVALS = 20;

/**
 * Each single change that would turn the verdict to a better one, the least intrusive first. Found by trying, so what is told is so: the
 * call is evaluated once for each. Pure.
 */
export function findChanges(set: PolicySet, call: ToolCall, explanation: CallExplanation): readonly VerdictChange[] {
  return changesInOrder([...tryChanges(set, call, explanation)].flat());
}

/** The same in steps, each of at most a few hundred evaluations, so that others can be let in between. */
export function* tryChanges(set: PolicySet, call: ToolCall, explanation: CallExplanation): Generator<readonly VerdictChange[]> {
  const { evaluation } = explanation;
  if (evaluation.verdict === 'ALLOW') return;
  const given = readArguments(call.arguments);
  const tried = quick(set);
  const inScope = inScopeOf(explanation);
  const ests = inScope.flatMap(({ policy }): readonly Json[] => policy.statements.map(({ est }) => est));
  for (const ladder of callChanges(tried, ests, call))
    yield turning(ladder, evaluation, ({ call: changed }) => evaluatePrepared(tried, prepareCall(changed, given))).map(toVerdictChange);
  // What is registered elsewhere is asked about under two names: what is out of the scope of one may lie in that of the other.
  const policies = call.tool.isElsewhere ? set.policies : inScope.map(({ policy }) => policy);
  for (const removal of removals(inScope)) {
    const change = without(removal, policies, call);
    if (RANKS[change.evaluation.verdict] > RANKS[evaluation.verdict]) yield [change];
    else yield [];
  }
}

/** What was found, the least intrusive first, and no more than is told. */
export function changesInOrder(found: readonly VerdictChange[]): readonly VerdictChange[] {
  const place = ({ kind }: VerdictChange): number => CHANGE_KINDS.indexOf(kind);
  return [...found].sort((left, right) => place(left) - place(right)).slice(0, MAX_CHANGES);
}

const RANKS = { DENY: 0, ASK: 1, ALLOW: 2 } as const;

/** Of a ladder, the first step that turns the verdict, and each later one that turns it further. */
function turning(ladder: Ladder, now: Evaluation, evaluate: (change: CallChange) => Evaluation) {
  const turns: { readonly change: CallChange; readonly evaluation: Evaluation }[] = [];
  let best = RANKS[now.verdict];
  for (const change of ladder) {
    if (best === RANKS.ALLOW) break;
    const evaluation = evaluate(change);
    if (RANKS[evaluation.verdict] > best) {
      turns.push({ change, evaluation });
      best = RANKS[evaluation.verdict];
    }
  }
  return turns;
}

const toVerdictChange = ({ change, evaluation }: { readonly change: CallChange; readonly evaluation: Evaluation }): VerdictChange => ({
  ...{ kind: change.kind, from: change.from, to: change.to, message: change.message, policy: null, evaluation },
});

const quickSets = new WeakMap<PolicySet, PolicySet>();

/** The set for hundreds of tries: compiled, whatever decides. */
function quick(set: PolicySet): PolicySet {
  if (set.engine === compiledEngine) return set;
  const made = quickSets.get(set) ?? preparePolicySet(compiledEngine, set.policies);
  quickSets.set(set, made);
  return made;
}

/** Enforced policies of which a statement's scope takes the call: all others say nothing to it. */
const inScopeOf = ({ policies }: CallExplanation): readonly ExplainedPolicy[] =>
  policies.filter(({ policy, outcome }) => policy.mode === 'ENFORCE' && outcome !== 'NOT_IN_SCOPE');

/** A policy that is left out, or one statement of it. */
interface Removal {
  readonly policy: PolicyInForce;
  readonly statement: ExplainedStatement | null;
}

/** Each forbid that applies or cannot be evaluated, and each policy that has one. */
function removals(inScope: readonly ExplainedPolicy[]): readonly Removal[] {
  const denying = inScope.flatMap(({ policy, statements, outcome }) => {
    const forbids = outcome === 'CONDITION_NOT_MET' ? [] : statements().filter(isDenying);
    return forbids.length === 0 ? [] : [{ policy, forbids }];
  });
  const statements = denying.flatMap(({ policy, forbids }) =>
    policy.statements.length === 1 ? [] : forbids.map((statement): Removal => ({ policy, statement })),
  );
  const policies = denying.map(({ policy }): Removal => ({ policy, statement: null }));
  return [...statements.slice(0, MAX_REMOVALS), ...policies.slice(0, MAX_REMOVALS)];
}

function without({ policy, statement }: Removal, policies: readonly PolicyInForce[], call: ToolCall): VerdictChange {
  const others = policies.filter((one) => one !== policy);
  const evaluated = (left: readonly PolicyInForce[]): Evaluation =>
    evaluatePrepared(preparePolicySet(compiledEngine, left), prepareCall(call));
  if (statement === null) {
    const message = `If the policy “${policy.name}” were retired.`;
    return { kind: 'POLICY_RETIREMENT', from: policy.name, to: null, message, policy, evaluation: evaluated(others) };
  }
  const { name, index } = statement;
  const rest = { ...policy, statements: policy.statements.filter((_statement, at) => at !== index) };
  const called = name === null ? `statement number ${index + 1}` : `statement “${name}”`;
  const message = `If the ${called} were taken out of the policy “${policy.name}”.`;
  const from = name ?? String(index + 1);
  return { kind: 'STATEMENT_REMOVAL', from, to: null, message, policy, evaluation: evaluated([...others, rest]) };
}

const isDenying = ({ effect, outcome }: ExplainedStatement): boolean =>
  effect === 'FORBID' && (outcome === 'APPLIED' || outcome === 'FAILED');
