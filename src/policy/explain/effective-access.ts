import { isJsonObject, type Json } from '../../kernel/index.js';
import { compiledEngine } from '../compiled-engine.js';
import { childrenOf } from '../est.js';
import { evaluatePrepared, prepareCall, statementId, type Evaluation, type PolicySet, type PreparedCall } from '../evaluate.js';
import type { Statement } from '../policy.js';
import type { LoadedStatements } from '../ports.js';
import type { ToolCall } from '../tool-call.js';
import { partsOf, withParts, type Part } from './parts.js';
import { readsOf, type Read } from './reads.js';

/** What can differ from call to call, for one agent, user, project and tool. */
export const DEPENDENCIES = ['ARGUMENTS', 'TIME', 'SESSION', 'ENVIRONMENT', 'BRANCH', 'SURFACE', 'EXECUTION_MODE'] as const;
export type Dependency = (typeof DEPENDENCIES)[number];

/** What a call would be answered, and what of that could be otherwise for another call of the same tool. */
export interface EffectiveAccess {
  readonly evaluation: Evaluation;
  /**
   * In the order of DEPENDENCIES. What is not here changes nothing: a call that differs in that alone has the same verdict, as long as
   * policies can be shown all of its arguments.
   */
  readonly dependsOn: readonly Dependency[];
}

/** What `call` is answered, and on what that depends. Pure. */
export function effectiveAccess(set: PolicySet, call: ToolCall): EffectiveAccess {
  const prepared = prepareCall(call);
  const found = new Set([prepared, prepared.unnamed].flatMap((asked) => (asked === null ? [] : dependenciesOf(set, asked))));
  return { evaluation: evaluatePrepared(set, prepared), dependsOn: DEPENDENCIES.filter((dependency) => found.has(dependency)) };
}

/** Statements that may apply, or not, by what can differ; without the terms that read it, each as a forbid. */
interface Varying {
  readonly statements: LoadedStatements;
  readonly reads: ReadonlyMap<string, readonly Dependency[]>;
}

const varyingKnown = new WeakMap<PolicySet, Varying>();

function dependenciesOf(set: PolicySet, { request }: PreparedCall): readonly Dependency[] {
  const { statements, reads } = varyingAmong(set);
  if (reads.size === 0) return [];
  const { reasons, errors } = statements.authorize(request);
  return [...reasons, ...errors].flatMap((id) => reads.get(id) ?? []);
}

function varyingAmong(set: PolicySet): Varying {
  const known = varyingKnown.get(set);
  if (known !== undefined) return known;
  const statements = new Map<string, Statement>();
  const reads = new Map<string, readonly Dependency[]>();
  for (const policy of set.policies) {
    for (const [index, { est }] of policy.statements.entries()) {
      const { fixed, dependsOn } = varyingPartOf(est);
      if (dependsOn.length === 0) continue;
      statements.set(statementId(policy, index), fixed);
      reads.set(statementId(policy, index), dependsOn);
    }
  }
  const made = { statements: compiledEngine.load(statements), reads };
  varyingKnown.set(set, made);
  return made;
}

interface Split {
  readonly fixed: Statement;
  readonly dependsOn: readonly Dependency[];
}

const splitsKnown = new WeakMap<object, Split>();

/** A statement without the terms that can come to something else for another call, and what those read. Remembered: it never changes. */
function varyingPartOf(est: Json): Split {
  const key = typeof est === 'object' && est !== null ? est : {};
  const known = splitsKnown.get(key);
  if (known !== undefined) return known;
  const fixed: Part[] = [];
  const dependsOn = new Set<Dependency>();
  let mayFail = false;
  for (const part of partsOf(est)) {
    const varying = dependenciesIn(part.body);
    for (const dependency of varying ?? []) dependsOn.add(dependency);
    // A term that fails for some calls is an error whatever stands behind it.
    if (varying !== null) mayFail ||= calculates(part.body);
    else if (!mayFail) fixed.push(part);
  }
  const split = { fixed: withParts(est, fixed), dependsOn: [...dependsOn] };
  splitsKnown.set(key, split);
  return split;
}

/** What a term reads that can differ; null when it comes to the same for every call. Approvals and promises are tried, not depended on. */
function dependenciesIn(term: Json): readonly Dependency[] | null {
  const found = readsOf(term).flatMap(dependenciesOfRead);
  return found.length === 0 ? null : found.flatMap((one) => (one === 'SUPPOSED' ? [] : [one]));
}

const OF_CONTEXT: Readonly<Record<string, Dependency | 'SUPPOSED'>> = {
  now: 'TIME',
  local: 'TIME',
  session: 'SESSION',
  sessionLabels: 'SESSION',
  sessionCounts: 'SESSION',
  environment: 'ENVIRONMENT',
  branch: 'BRANCH',
  branchProtected: 'BRANCH',
  surface: 'SURFACE',
  executionMode: 'EXECUTION_MODE',
  approval: 'SUPPOSED',
  promises: 'SUPPOSED',
};
const OF_ARGUMENTS = ['argumentNames', 'roundedArguments', 'argumentsComplete'];

function dependenciesOfRead({ kind, root, path: [name] }: Read): readonly (Dependency | 'SUPPOSED')[] {
  if (kind === 'ARGUMENT') return ['ARGUMENTS'];
  if (!('variable' in root)) return [];
  if (root.variable === 'resource') return name !== undefined && OF_ARGUMENTS.includes(name) ? ['ARGUMENTS'] : [];
  if (root.variable !== 'context') return [];
  if (name === undefined) return DEPENDENCIES;
  const dependency = OF_CONTEXT[name];
  return dependency === undefined ? [] : [dependency];
}

const CALCULATIONS = ['+', '-', '*', 'neg', 'offset', 'durationSince', 'toDate', 'decimal', 'ip', 'datetime', 'duration'];

/** Whether there is something in it that can go beyond its bounds. */
function calculates(node: Json): boolean {
  if (isJsonObject(node)) {
    const [name = '', body] = Object.entries(node)[0] ?? [];
    // What is made of a text that is written out was tried when the policy was saved.
    const isConstant = Array.isArray(body) && body.every((argument) => isJsonObject(argument) && 'Value' in argument);
    if (CALCULATIONS.includes(name) && !isConstant) return true;
  }
  return childrenOf(node).some(calculates);
}
